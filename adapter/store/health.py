"""How a store is kept: whether a power cut could lose what was promised, and what should be gone by now."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from adapter.store.engine import Database
from adapter.store.rules import Rules
from adapter.store.tables import requests


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """`unsafe` is what a power cut could lose something by, in words; `unreadable` counts do-not-call entries."""

    unsafe: tuple[str, ...]
    oldest: datetime | None
    unreadable: int


def look(url: str, key_ids: Collection[str]) -> Health:
    """Look at a store that can be used; raises `StoreError`."""
    with closing(Database(url)) as database:
        with database.reading() as connection:
            unsafe = tuple(database.own.unsafe(connection))
            oldest = connection.execute(select(func.min(requests.c.received_at))).scalar()
        return Health(unsafe=unsafe, oldest=oldest, unreadable=Rules(database).unreadable(key_ids))
