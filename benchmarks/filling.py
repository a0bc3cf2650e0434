"""Callbacks put into a store by hand, for the dispatcher to find."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from adapter.model import Callback, Delivery
from adapter.store.engine import Database
from adapter.store.rows import row_of
from adapter.store.tables import deliveries
from benchmarks import bodies

BITE = 5_000
"""Rows that are written in one transaction."""
HELD_FOR = timedelta(days=1)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A store that has its tables, closed at the end."""
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def put(database: Database, count: int, *, first: int = 0, held: bool = False) -> None:
    """Put so many callbacks in: due at once, or held until tomorrow."""
    for start in range(first, first + count, BITE):
        rows = [row_of(_callback(number, held)) for number in range(start, min(start + BITE, first + count))]
        with database.writing() as connection:
            connection.execute(insert(deliveries), rows)
    database.own.ring()


def _callback(number: int, held: bool) -> Delivery:
    now = datetime.now(UTC)
    due_at = now + HELD_FOR if held else now
    return Delivery(
        id=f"{number:011x}{secrets.token_hex(7)}",
        request_id=secrets.token_hex(8),
        mapping="bench",
        version="1",
        rule="lead",
        tenant="default",
        action=Callback(skill="Sales", callback_number=bodies.phone(number)),
        key=str(number),
        state="held" if held else "queued",
        reason="outside the calling hours" if held else "",
        deliver="queued",
        if_unknown="ask",
        terms={"fresh_for": 600.0},
        created_at=now,
        updated_at=now,
        due_at=due_at,
        expires_at=due_at + timedelta(minutes=10),
    )
