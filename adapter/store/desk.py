"""What people look at and do: one delivery, lists, cancel, settle, replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from adapter.errors import Conflict
from adapter.model import WAITING, Delivery, check_move
from adapter.policy import Verdict
from adapter.policy.spelled import GONE
from adapter.policy.verdict import DOUBT, without_doubt
from adapter.store import queue
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import acts, deliveries, refusals, requests

d = deliveries.c


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
    if DOUBT in delivery.terms and delivery.state == "unknown":
        verdict = replace(verdict, terms=without_doubt(delivery))
    if not queue.move(connection, delivery, verdict, tries=delivery.tries, now=now):
        raise Conflict("the delivery changed at the same moment: look at it again")
    row = {"delivery_id": delivery.id, "at": now, "who": who, "old": delivery.state, "new": verdict.state}
    connection.execute(insert(acts), {**row, "reason": verdict.reason})


def release(connection: Connection, delivery: Delivery) -> None:
    """Note that our limits do not count for a delivery any more, beside what its row says by now."""
    terms = connection.execute(select(d.terms).where(d.id == delivery.id)).scalar_one()
    connection.execute(update(deliveries).where(d.id == delivery.id).values(terms={**terms, "released": True}))
