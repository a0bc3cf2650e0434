"""What people look at and do: one delivery, lists, cancel, settle, replay; and the purge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select

from adapter.errors import Conflict
from adapter.model import Delivery, State, check_move
from adapter.policy import Verdict
from adapter.store import queue
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import acts, attempts, deliveries, once, refusals, requests

d = deliveries.c
FINISHED: tuple[State, ...] = ("accepted", "refused", "failed", "expired", "suppressed", "cancelled")


def get(connection: Connection, delivery_id: str) -> Delivery | None:
    """One delivery, or None."""
    row = connection.execute(select(*COLUMNS).where(d.id == delivery_id)).first()
    return delivery_of(row) if row else None


def newest(connection: Connection, *, most: int, filters: Mapping[str, str]) -> list[Delivery]:
    """The newest deliveries, first the latest; `filters` are columns (state, mapping) and the value wanted."""
    asked = select(*COLUMNS).order_by(d.created_at.desc(), d.id.desc()).limit(most)
    for name, value in filters.items():
        asked = asked.where(d[name] == value)
    return [delivery_of(row) for row in connection.execute(asked)]


def counts(connection: Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    rows = connection.execute(select(d.state, func.count()).group_by(d.state))
    return {str(state): int(count) for state, count in rows}


def refused(connection: Connection, *, most: int) -> list[Mapping[str, Any]]:
    """Counted refusals, the latest first."""
    rows = connection.execute(select(refusals).order_by(refusals.c.last_at.desc()).limit(most))
    return [dict(row._mapping) for row in rows]


def request(connection: Connection, request_id: str) -> Mapping[str, Any] | None:
    """A request as it was kept, with its results, or None."""
    row = connection.execute(select(requests).where(requests.c.id == request_id)).first()
    return dict(row._mapping) if row else None


def acts_of(connection: Connection, delivery_id: str) -> list[Mapping[str, Any]]:
    """What people did to a delivery, oldest first."""
    rows = connection.execute(select(acts).where(acts.c.delivery_id == delivery_id).order_by(acts.c.id))
    return [dict(row._mapping) for row in rows]


def act(connection: Connection, delivery: Delivery, verdict: Verdict, *, who: str, now: datetime) -> None:
    """Move a delivery because a person said so; raises `Conflict` when it may not go there or moved meanwhile."""
    check_move(delivery.state, verdict.state)
    if not queue.move(connection, delivery, verdict, tries=delivery.tries, now=now):
        raise Conflict("the delivery changed at the same moment: look at it again")
    row = {"delivery_id": delivery.id, "at": now, "who": who, "old": delivery.state, "new": verdict.state}
    connection.execute(insert(acts), {**row, "reason": verdict.reason})


def purge(connection: Connection, *, before: datetime, now: datetime, most: int) -> int:
    """Remove at most `most` rows a table that ended before `before`; gives how many went.

    A delivery stays while its key is remembered: it is what a repeated event is answered with.
    """
    remembered = exists().where(once.c.delivery_id == d.id, once.c.until >= now)
    old = select(d.id).where(d.state.in_(FINISHED), d.updated_at < before, ~remembered).limit(most)
    gone = connection.execute(delete(deliveries).where(d.id.in_(old))).rowcount
    for table, column, limit in _AGEING:
        keys = table.primary_key.columns
        moment = now if limit == "now" else before
        chosen = select(*keys).where(column < moment).limit(most)
        for key in connection.execute(chosen).all():
            gone += connection.execute(
                delete(table).where(*(c == v for c, v in zip(keys, key, strict=True)))
            ).rowcount
    return gone


_AGEING: Sequence[tuple[Any, Any, str]] = (
    (requests, requests.c.received_at, "before"),
    (attempts, attempts.c.at, "before"),
    (acts, acts.c.at, "before"),
    (refusals, refusals.c.last_at, "before"),
    (once, once.c.until, "now"),
)
