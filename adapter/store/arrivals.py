"""Keep a request with everything that came of it, in one transaction; tell new events from repeated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from adapter.model import Attempt, Delivery
from adapter.store.engine import Prepared
from adapter.store.rows import COLUMNS, attempt_of, delivery_of, row_of
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


_new_key = upsert(once)
CLAIM_KEY = Prepared(
    _new_key.on_conflict_do_update(
        index_elements=["mapping", "key"],
        set_={"delivery_id": _new_key.excluded.delivery_id, "until": _new_key.excluded.until},
        where=once.c.until <= bindparam("now", type_=once.c.until.type),
    ).returning(once.c.delivery_id)
)
"""Takes the key when nobody has it or its time is over; gives no row when it is taken."""

FIRST_WITH_KEY = (
    select(*COLUMNS)
    .join(once, once.c.delivery_id == deliveries.c.id)
    .where(once.c.mapping == bindparam("mapping"), once.c.key == bindparam("key"))
)
ADD_DELIVERY = Prepared(insert(deliveries))
ADD_REQUEST = Prepared(insert(requests))

_new_refusal = upsert(refusals)
COUNT_REFUSAL = _new_refusal.on_conflict_do_update(
    index_elements=["mapping", "code", "reason", "day"],
    set_={"count": refusals.c.count + _new_refusal.excluded.count, "last_at": _new_refusal.excluded.last_at},
)


def add(connection: Connection, arrival: Arrival, entries: Sequence[Entry]) -> list[Kept | None]:
    """Keep the request and its new deliveries; one `Kept` for every entry that has a delivery."""
    kept = [_keep(connection, entry, arrival.received_at) if entry.delivery else None for entry in entries]
    notes = []
    for entry, one in zip(entries, kept, strict=True):
        extra = {"delivery": one.delivery.id, "duplicate": one.duplicate} if one else {}
        notes.append({**entry.note, **extra})
    row = {name: getattr(arrival, name) for name in Arrival.__slots__}
    ADD_REQUEST.run(connection, {**row, "results": notes})
    return kept


def _keep(connection: Connection, entry: Entry, now: datetime) -> Kept:
    delivery = entry.delivery
    assert delivery is not None
    key = {
        "mapping": delivery.mapping,
        "key": delivery.key,
        "delivery_id": delivery.id,
        "until": entry.remember_until,
        "now": now,
    }
    if CLAIM_KEY.run(connection, key).fetchone() is not None:
        ADD_DELIVERY.run(connection, row_of(delivery))
        return Kept(delivery=delivery, duplicate=False)
    first = connection.execute(FIRST_WITH_KEY, {"mapping": delivery.mapping, "key": delivery.key}).one()
    return Kept(delivery=delivery_of(first), duplicate=True)


def count_refusal(connection: Connection, *, mapping: str, code: str, reason: str, now: datetime, count: int) -> None:
    """Count refused requests."""
    row = {"mapping": mapping, "code": code, "reason": reason, "day": now.date().isoformat()}
    connection.execute(COUNT_REFUSAL, {**row, "count": count, "last_at": now})


def attempts_of(connection: Connection, delivery_id: str) -> list[Attempt]:
    """Every attempt of a delivery, in the order in which they were kept."""
    asked = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    return [attempt_of(row) for row in connection.execute(asked)]
