"""How a store is kept: whether a power cut could lose what was promised, and what should be gone by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from adapter.model import WAITING
from adapter.store.engine import Database
from adapter.store.rules import Rules
from adapter.store.tables import deliveries, requests

HOW_MANY = func.count().label("how_many")
BY_TENANT = select(deliveries.c.tenant, HOW_MANY).where(deliveries.c.state.in_(WAITING)).group_by(deliveries.c.tenant)


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How a store is kept, and what it holds.

    `unsafe` is what a power cut could lose something by, in words; `unreadable` counts do-not-call entries, `waiting`
    the deliveries of each tenant that wait.
    """

    unsafe: tuple[str, ...]
    oldest: datetime | None
    unreadable: int
    waiting: Mapping[str, int]


def look(url: str, key_ids: Collection[str]) -> Health:
    """Look at a store that can be used; raises `StoreError`."""
    with closing(Database(url)) as database:
        with database.reading() as connection:
            unsafe = tuple(database.own.unsafe(connection))
            oldest = connection.execute(select(func.min(requests.c.received_at))).scalar()
            waiting: dict[str, int] = {row.tenant: row.how_many for row in connection.execute(BY_TENANT)}
        unreadable = Rules(database).unreadable(key_ids)
        return Health(unsafe=unsafe, oldest=oldest, unreadable=unreadable, waiting=waiting)
