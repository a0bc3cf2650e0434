from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from adapter.xima import Client, Tenant

TOKEN = "eyJ-SECRET-token-0123456789"

Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Clients for an origin, closed after the test."""
    with ExitStack() as stack:

        def connected(
            url: str,
            *,
            token: str = TOKEN,
            connect_timeout: float = 30.0,
            read_timeout: float = 30.0,
            monotonic: Callable[[], float] = time.monotonic,
        ) -> Client:
            client = Client(
                Tenant(name="acme", base_url=url, token=token),
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                monotonic=monotonic,
            )
            return stack.enter_context(closing(client))

        yield connected
