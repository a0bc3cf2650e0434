"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from running import Adapter, running

from adapter.sandbox import Sandbox
from adapter.store import Store
from benchmarks import postgres

settings.register_profile("same every time", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None)  # make test ARGS='--hypothesis-profile=explore tests/signature'
settings.load_profile("same every time")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A pretend Xima of the test's own."""
    sandbox = Sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real SQLite store with today's tables."""
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.upgrade()
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One PostgreSQL server for all tests; skipped where there is none."""
    if reason := postgres.obstacle():
        pytest.skip(reason)
    with postgres.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, once of each kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'adapter.db'}"


@pytest.fixture
def adapter(tmp_path: Path, sandbox: Sandbox) -> Iterator[Adapter]:
    """A running adapter (`serve`) with the mapping `click`, in front of the pretend Xima."""
    with running(tmp_path, sandbox.url) as adapter:
        yield adapter
