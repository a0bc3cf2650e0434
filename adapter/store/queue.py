"""The deliveries that wait, the leases of those under way, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, exists, func, insert, select, update

from adapter.model import Attempt, Delivery
from adapter.policy import Rate, Verdict, moved
from adapter.store import gates
from adapter.store.engine import Prepared
from adapter.store.marks import Memory
from adapter.store.rows import BACKLOG, COLUMNS, PRIORITY, delivery_of
from adapter.store.tables import attempts, deliveries

d = deliveries.c
Decide = Callable[[Delivery], Verdict | None]
Claim = tuple[str, int]
"""A delivery's id and its `attempt`: the claim that a holder names when it renews or saves."""

DUE = select(exists().where(d.state.in_(("queued", "held")), d.due_at <= bindparam("now", type_=d.due_at.type)))
RELEASE = (
    update(deliveries)
    .where(d.state == "held", d.due_at <= bindparam("now", type_=d.due_at.type))
    .values(
        state="queued",
        updated_at=bindparam("now", type_=d.due_at.type),
        priority=case((d.priority == PRIORITY["callback"], BACKLOG), else_=d.priority),
    )
)
MOVE = update(deliveries).where(d.id == bindparam("this"), d.attempt == bindparam("claim"), d.state == bindparam("old"))
SAVE = Prepared(
    MOVE.values(
        state=bindparam("state"),
        reason=bindparam("reason"),
        updated_at=bindparam("updated_at"),
        due_at=bindparam("due_at"),
        expires_at=bindparam("expires_at"),
        tries=bindparam("tries"),
        policy=bindparam("policy"),
        lease_owner=None,
        lease_until=None,
    )
)
TAKE = Prepared(
    MOVE.values(
        state="sending",
        updated_at=bindparam("updated_at"),
        attempt=bindparam("attempt"),
        lease_owner=bindparam("lease_owner"),
        lease_until=bindparam("lease_until"),
    )
)
_last = select(func.coalesce(func.max(attempts.c.number), 0))
ADD_ATTEMPT = Prepared(
    insert(attempts)
    .inline()
    .values(number=_last.where(attempts.c.delivery_id == bindparam("this")).scalar_subquery() + 1),
    columns=("delivery_id", "at", "phase", "status", "reason", "duration_ms"),
)
"""Numbered by the store: whoever was taken for dead adds its tries behind the note that it was."""


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether anything waits for `claim`."""
    return bool(connection.execute(DUE, {"now": now}).scalar())


def claim(
    connection: Connection,
    decide: Decide,
    *,
    owner: str,
    now: datetime,
    lease_until: datetime,
    most: int,
    rates: Mapping[str, Rate] | None = None,
) -> tuple[list[Delivery], list[Delivery]]:
    """Take due deliveries for sending, and those that `decide` or our rules moved elsewhere; both as they are now."""
    connection.execute(RELEASE, {"now": now})
    due, passing = gates.candidates(connection, now=now, most=most, rates=rates or {})
    memory = Memory(connection, due, now=now)
    taken: list[Delivery] = []
    stopped = []
    for delivery in due:
        after = _decided(delivery, decide, now=now)
        if after == delivery and passing[delivery.tenant] and len(taken) < most:
            after = memory.judged(delivery, new=False)
        if after != delivery:
            _put(connection, delivery, after, now=now)
            stopped.append(after)
        elif passing[delivery.tenant] and len(taken) < most:
            passing[delivery.tenant] -= 1
            taken.append(_take(connection, delivery, owner=owner, now=now, lease_until=lease_until))
            memory.take_line(taken[-1])
    gates.spend(connection, Counter(one.tenant for one in taken), rates or {}, now=now)
    return taken, stopped


def _decided(delivery: Delivery, decide: Decide, *, now: datetime) -> Delivery:
    verdict = decide(delivery)
    return moved(delivery, verdict, now=now) if verdict else delivery


def _put(connection: Connection, before: Delivery, after: Delivery, *, now: datetime) -> None:
    """Move a delivery that nobody holds to where our rules want it."""
    names = ("state", "reason", "due_at", "expires_at", "policy")
    move(connection, before, Verdict(**{name: getattr(after, name) for name in names}), tries=before.tries, now=now)


def _take(connection: Connection, delivery: Delivery, *, owner: str, now: datetime, lease_until: datetime) -> Delivery:
    taken = replace(
        delivery,
        state="sending",
        attempt=delivery.attempt + 1,
        lease_owner=owner,
        lease_until=lease_until,
        updated_at=now,
    )
    names = ("updated_at", "attempt", "lease_owner", "lease_until")
    TAKE.run(connection, {**_this(delivery), **{name: getattr(taken, name) for name in names}})
    return taken


def _this(delivery: Delivery) -> dict[str, object]:
    return {"this": delivery.id, "claim": delivery.attempt, "old": delivery.state}


def move(connection: Connection, delivery: Delivery, verdict: Verdict, *, tries: int, now: datetime) -> bool:
    """Move a delivery to where a verdict sends it; False when it is not any more what `delivery` says."""
    values = {
        "state": verdict.state,
        "reason": verdict.reason,
        "updated_at": now,
        "due_at": verdict.due_at,
        "expires_at": verdict.expires_at,
        "tries": tries,
        "policy": verdict.policy,
    }
    return SAVE.run(connection, {**_this(delivery), **values}).rowcount == 1


def save(
    connection: Connection, delivery: Delivery, verdict: Verdict, made: Sequence[Attempt], *, now: datetime
) -> bool:
    """Keep what came of a claimed delivery; False when the claim was lost meanwhile.

    A holder that was taken for dead may still bring the truth: `unknown` becomes `accepted` when Xima said so.
    """
    tries = delivery.tries + len(made)
    saved = move(connection, delivery, verdict, tries=tries, now=now)
    if not saved and verdict.state == "accepted":
        saved = move(connection, replace(delivery, state="unknown"), verdict, tries=tries, now=now)
    add_attempts(connection, delivery, made)
    return saved


def add_attempts(connection: Connection, delivery: Delivery, made: Sequence[Attempt]) -> None:
    """Add rows for tries at Xima."""
    for one in made:
        row = {
            "this": delivery.id,
            "delivery_id": delivery.id,
            "at": one.at,
            "phase": one.phase,
            "status": one.status,
            "reason": one.reason,
            "duration_ms": one.duration_ms,
        }
        ADD_ATTEMPT.run(connection, row)


def renew(connection: Connection, ids: Collection[str], *, owner: str, until: datetime) -> set[Claim]:
    """Keep the leases of deliveries that are still under way; gives the claims that are still held."""
    kept = connection.execute(
        update(deliveries)
        .where(d.id.in_(list(ids)), d.lease_owner == owner, d.state == "sending")
        .values(lease_until=until)
        .returning(d.id, d.attempt)
    )
    return {(row.id, row.attempt) for row in kept}


def abandoned(connection: Connection, now: datetime) -> list[Delivery]:
    """Deliveries whose lease ran out: their holder is dead or cut off."""
    asked = select(*COLUMNS).where(d.state == "sending", d.lease_until < now)
    return [delivery_of(row) for row in connection.execute(asked)]
