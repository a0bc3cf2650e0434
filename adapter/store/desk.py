"""What people look at and do: one delivery, lists, cancel, settle, replay; and the purge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    select,
    tuple_,
    update,
)

from adapter.errors import Conflict
from adapter.model import WAITING, Delivery, State, check_move
from adapter.policy import Verdict
from adapter.policy.spelled import GONE
from adapter.store import queue
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import acts, attempts, deliveries, marks, once, refusals, reports, requests, seen

d, r = deliveries.c, requests.c
MAPPING_AFTER = select(func.min(r.mapping)).where(r.mapping > bindparam("mapping"))
FINISHED: tuple[State, ...] = ("accepted", "refused", "failed", "expired", "suppressed", "cancelled")


def probe(connection: Connection) -> None:
    """Write nothing, which fails as any other write would."""
    connection.execute(update(deliveries).where(false()).values(reason=""))


def get(connection: Connection, delivery_id: str) -> Delivery | None:
    """One delivery, or None."""
    row = connection.execute(select(*COLUMNS).where(d.id == delivery_id)).first()
    return delivery_of(row) if row else None


def counts(connection: Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    rows = connection.execute(select(d.state, func.count()).group_by(d.state))
    return {str(state): int(count) for state, count in rows}


def due(connection: Connection, *, now: datetime) -> tuple[int, datetime | None]:
    """How many deliveries could be sent now, and since when the first of them could."""
    waits = d.state.in_(WAITING) & (d.due_at <= now)
    row = connection.execute(select(func.count(), func.min(d.due_at)).where(waits)).one()
    return int(row[0]), row[1]


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
    if delivery.state == "sending":  # nobody but its holder knows: sent again, the phone would ring twice
        raise Conflict("the delivery is being sent at this moment: wait until it is known what came of it")
    check_move(delivery.state, verdict.state)
    if verdict.state == "queued" and GONE in delivery.action.as_dict().values():
        raise Conflict("its number was removed (xima-adapter forget), so there is nobody to call")
    if not queue.move(connection, delivery, verdict, tries=delivery.tries, now=now):
        raise Conflict("the delivery changed at the same moment: look at it again")
    row = {"delivery_id": delivery.id, "at": now, "who": who, "old": delivery.state, "new": verdict.state}
    connection.execute(insert(acts), {**row, "reason": verdict.reason})


def release(connection: Connection, delivery: Delivery) -> None:
    """Note that our limits do not count for a delivery any more."""
    terms = {**delivery.terms, "released": True}
    connection.execute(update(deliveries).where(d.id == delivery.id).values(terms=terms))


def purge(connection: Connection, *, before: datetime, now: datetime, most: int) -> int:
    """Remove at most `most` rows a table that ended before `before`; gives how many went.

    A delivery stays while its key is remembered: it is what a repeated event is answered with. What was tried
    and done stays as long as its delivery.
    """
    remembered = exists().where(once.c.delivery_id == d.id, once.c.until >= now)
    ended = d.state.in_(FINISHED) & (d.updated_at < before) & ~remembered
    old = [str(name) for name in connection.execute(select(d.id).where(ended).limit(most)).scalars()]
    went = list(connection.execute(delete(deliveries).where(d.id.in_(old), ended).returning(d.id)).scalars())
    gone = len(went)
    for table in (attempts, acts, reports):
        gone += connection.execute(delete(table).where(table.c.delivery_id.in_(went))).rowcount
    for mapping in _mappings(connection):
        gone += _remove(connection, requests, (r.mapping == mapping) & (r.received_at < before), most)
    gone += _remove(connection, marks, marks.c.at < before, most)
    gone += _remove(connection, refusals, refusals.c.last_at < before, most)
    gone += _remove(connection, seen, seen.c.until < now, most)
    return gone + _remove(connection, once, once.c.until < now, most)


def _mappings(connection: Connection) -> list[str]:
    """The mappings that requests came to: one step of an index for each, however many they are."""
    found: list[str] = []
    while mapping := connection.execute(MAPPING_AFTER, {"mapping": found[-1] if found else ""}).scalar():
        found.append(mapping)
    return found


def _remove(connection: Connection, table: Table, old: ColumnElement[bool], most: int) -> int:
    """Remove old rows; whether a row is old is asked once more, for another may have taken it up meanwhile."""
    keys = tuple(table.primary_key.columns)
    chosen = select(*keys).where(old).limit(most)
    return connection.execute(delete(table).where(tuple_(*keys).in_(chosen), old)).rowcount
