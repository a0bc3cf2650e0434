from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapter.sandbox import Sandbox

from .caller import Caller


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as started:
        yield started


@pytest.fixture
def xima(sandbox: Sandbox) -> Iterator[Caller]:
    caller = Caller(sandbox)
    with caller.session:
        yield caller
