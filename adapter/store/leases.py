"""The leases of deliveries that are under way, and what becomes of those whose holder died."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from adapter.model import Attempt, Delivery
from adapter.policy import Verdict, moved
from adapter.store import outbox
from adapter.store.queue import MOVE, add_attempts, keep_terms, this
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import deliveries

d = deliveries.c
Claim = tuple[str, int]
"""A delivery's id and its `attempt`: the claim that a holder names when it renews or saves."""

ABANDON = MOVE.where(d.lease_until < bindparam("now", type_=d.due_at.type)).values(
    state=bindparam("state"),
    reason=bindparam("reason"),
    updated_at=bindparam("now", type_=d.due_at.type),
    due_at=bindparam("due_at"),
    tries=d.tries + 1,
    lease_owner=None,
    lease_until=None,
)


def renew(connection: Connection, ids: Collection[str], *, owner: str, until: datetime) -> set[Claim]:
    """Keep the leases of deliveries that are still under way; gives the claims that are still held."""
    kept = connection.execute(
        update(deliveries)
        .where(d.id.in_(list(ids)), d.lease_owner == owner, d.state == "sending")
        .values(lease_until=until)
        .returning(d.id, d.attempt)
    )
    return {(row.id, row.attempt) for row in kept}


def abandon(connection: Connection, delivery: Delivery, verdict: Verdict, gone: Attempt, *, now: datetime) -> bool:
    """Settle a delivery whose lease ran out; False when its holder renewed or saved, or another settled it first."""
    values = {"state": verdict.state, "reason": verdict.reason, "due_at": verdict.due_at, "now": now}
    settled = connection.execute(ABANDON, {**this(delivery), **values}).rowcount == 1
    if settled:
        keep_terms(connection, delivery, verdict)
        add_attempts(connection, delivery, [gone])
        outbox.note(connection, moved(delivery, verdict, now=now))
    return settled


def abandoned(connection: Connection, now: datetime) -> list[Delivery]:
    """Deliveries whose lease ran out: their holder is dead or cut off."""
    asked = select(*COLUMNS).where(d.state == "sending", d.lease_until < now)
    return [delivery_of(row) for row in connection.execute(asked)]
