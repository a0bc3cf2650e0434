"""The application most of these tests ask."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter import logs
from web.front import WORK, Front, front

FILES = {"work": WORK, "broken": "format: 1\nname: broken\n"}


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The same application for all tests that keep nothing in it."""
    with front(tmp_path_factory.mktemp("idle"), FILES) as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Front]:
    """The application with the mapping `work`, and one file that cannot be used."""
    with front(tmp_path, FILES) as made:
        yield made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the adapter logs."""
    stream, before = io.StringIO(), (list(logs.log.handlers), logs.log.propagate, logs.log.level)
    logs.set_up(["a-token-of-the-tests"], stream)
    yield stream
    logs.log.handlers[:], logs.log.propagate, level = before
    logs.log.setLevel(level)
