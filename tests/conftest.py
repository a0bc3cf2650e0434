"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Adapter, running

from adapter.sandbox import Sandbox
from adapter.store import Store


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


@pytest.fixture
def adapter(tmp_path: Path, sandbox: Sandbox) -> Iterator[Adapter]:
    """A running adapter (`serve`) with the mapping `click`, in front of the pretend Xima."""
    with running(tmp_path, sandbox.url) as adapter:
        yield adapter
