"""The application most of these tests ask, and keys for it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from web.front import WORK, front

from adapter import logs
from api.asking import Api

FILES = {"work": WORK, "broken": "format: 1\nname: broken\n"}
TENANTS = """
default:
  phones:
    region: US
    allow_regions: [US, GB]
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """The application with the mapping `work`, one file that cannot be used, and dial rules for the United States."""
    with front(tmp_path, {**FILES, "tenants.yaml": TENANTS.replace("[US, GB]", "\n      - US\n      - GB")}) as made:
        yield Api(made)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the adapter logs."""
    stream, before = io.StringIO(), (list(logs.log.handlers), logs.log.propagate, logs.log.level)
    logs.set_up(["a-token-of-the-tests"], stream)
    yield stream
    logs.log.handlers[:], logs.log.propagate, level = before
    logs.log.setLevel(level)
