"""Keep a request with everything that came of it, in one transaction; tell new events from repeated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, insert, literal_column, or_, select, update

from adapter.model import WAITING, Attempt, Delivery
from adapter.policy import repeats
from adapter.store import outbox
from adapter.store.marks import Memory
from adapter.store.rows import COLUMNS, attempt_of, delivery_in, row_of
from adapter.store.statements import Prepared, upsert
from adapter.store.tables import attempts, deliveries, once, refusals, requests


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A verified request as it is kept: secrets dropped, body as sent."""

    id: str
    mapping: str
    version: str
    received_at: datetime
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What came of one record: a note for the request's row, and a delivery to keep unless its key is known."""

    note: dict[str, Any]
    delivery: Delivery | None = None
    remember_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """The delivery that stands for an entry: the new one, or the first one with the same key."""

    delivery: Delivery
    duplicate: bool


_on_its_way = or_(*(deliveries.c.state == state for state in (*WAITING, "sending")))
IS_ON_ITS_WAY = exists().where(deliveries.c.id == literal_column("once.delivery_id"), _on_its_way)
"""Over a holiday an event may wait for longer than it is to be remembered; then it is remembered while it waits.

The column is written out, for below ON CONFLICT SQLAlchemy would take it for one of another row of the table.
"""
_new_key = upsert(once)
CLAIM_KEY = Prepared(
    _new_key.on_conflict_do_update(
        index_elements=["mapping", "key"],
        set_={"delivery_id": _new_key.excluded.delivery_id, "until": _new_key.excluded.until},
        where=(once.c.until <= bindparam("now", type_=once.c.until.type)) & ~IS_ON_ITS_WAY,
    ).returning(once.c.delivery_id)
)
"""Takes the key when nobody has it, or its time is over and its event done; gives no row when it is taken."""

FIRST_WITH_KEY = Prepared(
    select(*COLUMNS)
    .join(once, once.c.delivery_id == deliveries.c.id)
    .where(once.c.mapping == bindparam("mapping"), once.c.key == bindparam("key"))
)
SAME = update(once).where(once.c.delivery_id == bindparam("this")).values(delivery_id=bindparam("first"))
ADD_DELIVERY = Prepared(insert(deliveries))
ADD_REQUEST = Prepared(insert(requests))

_new_refusal = upsert(refusals)
COUNT_REFUSAL = _new_refusal.on_conflict_do_update(
    index_elements=["mapping", "code", "reason", "day"],
    set_={"count": refusals.c.count + _new_refusal.excluded.count, "last_at": _new_refusal.excluded.last_at},
)


def add(connection: Connection, arrival: Arrival, entries: Sequence[Entry]) -> list[Kept | None]:
    """Keep the request and its new deliveries; one `Kept` for every entry that has a delivery.

    None for one whose key is remembered while the first delivery with it is gone: done again it is not.
    """
    now = arrival.received_at
    memory = Memory(connection, (entry.delivery for entry in entries if entry.delivery), now=now)
    new = _first_with_their_keys(connection, entries, now)
    kept = [
        _keep(connection, entry.delivery, memory, new=place in new, now=now) if entry.delivery else None
        for place, entry in enumerate(entries)
    ]
    memory.keep()
    ADD_REQUEST.run(connection, request_row(arrival, entries, kept))
    return kept


def request_row(arrival: Arrival, entries: Sequence[Entry], kept: Sequence[Kept | None]) -> dict[str, Any]:
    """The row of a request, with what came of its records."""
    notes = []
    for entry, one in zip(entries, kept, strict=True):
        extra = {"delivery": one.delivery.id, "duplicate": one.duplicate} if one else {}
        ours = {"policy": one.delivery.policy} if one and one.delivery.policy else {}
        notes.append({**entry.note, **extra, **ours})
    return {**{name: getattr(arrival, name) for name in Arrival.__slots__}, "results": notes}


def _first_with_their_keys(connection: Connection, entries: Sequence[Entry], now: datetime) -> set[int]:
    """Take the keys; gives the places of the entries whose key was free.

    They are taken in their own order, so that two requests with the same events never wait for each other in a circle.
    """
    wanted = [(entry.delivery.key, place) for place, entry in enumerate(entries) if entry.delivery]
    return {place for _, place in sorted(wanted) if _is_taken(connection, entries[place], now)}


def _is_taken(connection: Connection, entry: Entry, now: datetime) -> bool:
    assert entry.delivery is not None
    key = {
        "mapping": entry.delivery.mapping,
        "key": entry.delivery.key,
        "delivery_id": entry.delivery.id,
        "until": entry.remember_until,
        "now": now,
    }
    return bool(CLAIM_KEY.rows(connection, key))


def _keep(connection: Connection, delivery: Delivery, memory: Memory, *, new: bool, now: datetime) -> Kept | None:
    if not new:
        first = FIRST_WITH_KEY.rows(connection, {"mapping": delivery.mapping, "key": delivery.key})
        return Kept(delivery=delivery_in(first[0]), duplicate=True) if first else None
    called = memory.called(delivery)
    if called and repeats(delivery, called, now=now):
        connection.execute(SAME, {"this": delivery.id, "first": called.id})
        return Kept(delivery=called, duplicate=True)
    judged = memory.judged(delivery, new=True)
    ADD_DELIVERY.run(connection, row_of(judged))
    outbox.note(connection, judged)
    return Kept(delivery=judged, duplicate=False)


def count_refusal(connection: Connection, *, mapping: str, code: str, reason: str, now: datetime, count: int) -> None:
    """Count refused requests."""
    row = {"mapping": mapping, "code": code, "reason": reason, "day": now.date().isoformat()}
    connection.execute(COUNT_REFUSAL, {**row, "count": count, "last_at": now})


def attempts_of(connection: Connection, delivery_id: str) -> list[Attempt]:
    """Every attempt of a delivery, in the order in which they were kept."""
    asked = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    return [attempt_of(row) for row in connection.execute(asked)]
