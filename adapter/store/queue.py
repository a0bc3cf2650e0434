"""The deliveries that wait, the leases of those under way, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from adapter.model import Attempt, Delivery
from adapter.policy import Verdict, moved
from adapter.store.rows import COLUMNS, PRIORITY, delivery_in, delivery_of
from adapter.store.statements import Prepared
from adapter.store.tables import attempts, deliveries

d = deliveries.c
Decide = Callable[[Delivery], Verdict | None]
Claim = tuple[str, int]
"""A delivery's id and its `attempt`: the claim that a holder names when it renews or saves."""

DUE = Prepared(
    select(d.state)
    .where((d.state == "queued") | (d.state == "held"), d.due_at <= bindparam("now", type_=d.due_at.type))
    .limit(1)
)
RELEASED_AT_ONCE = 500
"""So that an hour at which many are due keeps nobody waiting."""
_opened = (
    select(d.id)
    .where(d.state == "held", d.due_at <= bindparam("now", type_=d.due_at.type))
    .order_by(d.due_at)
    .limit(bindparam("bite"))
    .with_for_update(skip_locked=True)
)
RELEASE = Prepared(
    update(deliveries)
    .where(d.id.in_(_opened.scalar_subquery()))
    .values(state="queued", updated_at=bindparam("now", type_=d.due_at.type))
)
NEXT = (
    select(*COLUMNS)
    .where(
        d.state == "queued",
        d.priority == bindparam("priority"),
        d.due_at <= bindparam("now", type_=d.due_at.type),
    )
    .order_by(d.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
"""One priority, in the order of an index however many wait; PostgreSQL skips what another dispatcher is just taking,
SQLite has one writer anyway."""
TAKEABLE = Prepared(NEXT)

MOVE = update(deliveries).where(d.id == bindparam("this"), d.attempt == bindparam("claim"), d.state == bindparam("old"))
MOVED = MOVE.values(
    state=bindparam("state"),
    reason=bindparam("reason"),
    updated_at=bindparam("updated_at"),
    due_at=bindparam("due_at"),
    expires_at=bindparam("expires_at"),
    tries=bindparam("tries"),
    lease_owner=None,
    lease_until=None,
).returning(d.id)
SAVE = Prepared(MOVED)
TAKE = Prepared(
    MOVE.values(
        state="sending",
        updated_at=bindparam("updated_at"),
        attempt=bindparam("attempt"),
        lease_owner=bindparam("lease_owner"),
        lease_until=bindparam("lease_until"),
    )
)
ABANDON = MOVE.where(d.lease_until < bindparam("now", type_=d.due_at.type)).values(
    state=bindparam("state"),
    reason=bindparam("reason"),
    updated_at=bindparam("now", type_=d.due_at.type),
    due_at=bindparam("due_at"),
    tries=d.tries + 1,
    lease_owner=None,
    lease_until=None,
)
SAVED = Prepared(
    select(d.id).where(
        d.id == bindparam("this"),
        d.attempt == bindparam("claim"),
        d.state == bindparam("old"),
        d.updated_at == bindparam("now", type_=d.updated_at.type),
        d.lease_owner.is_(None),
    )
)
TRIES = Prepared(
    select(*(attempts.c[name] for name in Attempt.__slots__)).where(attempts.c.delivery_id == bindparam("this"))
)
NEXT_NUMBER = (
    select(func.coalesce(func.max(attempts.c.number), 0) + 1)
    .where(attempts.c.delivery_id == bindparam("this"))
    .scalar_subquery()
)
ADD_ATTEMPT = Prepared(
    insert(attempts).inline().values(number=NEXT_NUMBER),
    columns=("delivery_id", "at", "phase", "status", "reason", "duration_ms"),
)
"""Numbered by the store: whoever was taken for dead adds its tries behind the note that it was."""


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether anything waits for `claim`."""
    return bool(DUE.rows(connection, {"now": now}))


def claim(
    connection: Connection, decide: Decide, *, owner: str, now: datetime, lease_until: datetime, most: int
) -> tuple[list[Delivery], list[Delivery]]:
    """Take due deliveries for sending, and those that `decide` moved elsewhere; both as they are now."""
    RELEASE.run(connection, {"now": now, "bite": RELEASED_AT_ONCE})
    wanted, stopped = [], []
    for delivery in _next(connection, now, most):
        verdict = decide(delivery)
        if verdict is None:
            wanted.append(delivery)
        else:
            move(connection, delivery, verdict, tries=delivery.tries, now=now)
            stopped.append(moved(delivery, verdict, now=now))
    held = {"updated_at": now, "lease_owner": owner, "lease_until": lease_until}
    TAKE.run_many(connection, [{**_this(one), **held, "attempt": one.attempt + 1} for one in wanted])
    taken = [
        replace(
            one, state="sending", attempt=one.attempt + 1, lease_owner=owner, lease_until=lease_until, updated_at=now
        )
        for one in wanted
    ]
    return taken, stopped


def _next(connection: Connection, now: datetime, most: int) -> list[Delivery]:
    """What is due, the first of it: clicks before callbacks, and then whoever waits longest."""
    found: list[Delivery] = []
    for priority in sorted(set(PRIORITY.values())):
        if left := most - len(found):
            found += map(delivery_in, TAKEABLE.rows(connection, {"now": now, "priority": priority, "most": left}))
    return found


def _this(delivery: Delivery) -> dict[str, object]:
    return {"this": delivery.id, "claim": delivery.attempt, "old": delivery.state}


def move(connection: Connection, delivery: Delivery, verdict: Verdict, *, tries: int, now: datetime) -> bool:
    """Move a delivery to where a verdict sends it; False when it is not any more what `delivery` says."""
    return bool(SAVE.rows(connection, moving(delivery, verdict, tries=tries, now=now)))


def moving(delivery: Delivery, verdict: Verdict, *, tries: int, now: datetime) -> dict[str, object]:
    """The values of `MOVED`."""
    return {
        **_this(delivery),
        "state": verdict.state,
        "reason": verdict.reason,
        "updated_at": now,
        "due_at": verdict.due_at,
        "expires_at": verdict.expires_at,
        "tries": tries,
    }


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
    known = [] if saved else _known(connection, delivery)
    add_attempts(connection, delivery, [one for one in made if one not in known])
    return saved or _is_saved(connection, delivery, verdict, now)


def _known(connection: Connection, delivery: Delivery) -> list[Attempt]:
    return [Attempt(**row) for row in TRIES.rows(connection, {"this": delivery.id})]


def _is_saved(connection: Connection, delivery: Delivery, verdict: Verdict, now: datetime) -> bool:
    """Whether this very outcome was saved before: a commit may succeed and its answer be lost on the way."""
    same = {"this": delivery.id, "claim": delivery.attempt, "old": verdict.state, "now": now}
    return bool(SAVED.rows(connection, same))


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


def abandon(connection: Connection, delivery: Delivery, verdict: Verdict, gone: Attempt, *, now: datetime) -> bool:
    """Settle a delivery whose lease ran out; False when its holder renewed or saved, or another settled it first."""
    values = {"state": verdict.state, "reason": verdict.reason, "due_at": verdict.due_at, "now": now}
    settled = connection.execute(ABANDON, {**_this(delivery), **values}).rowcount == 1
    if settled:
        add_attempts(connection, delivery, [gone])
    return settled


def abandoned(connection: Connection, now: datetime) -> list[Delivery]:
    """Deliveries whose lease ran out: their holder is dead or cut off."""
    asked = select(*COLUMNS).where(d.state == "sending", d.lease_until < now)
    return [delivery_of(row) for row in connection.execute(asked)]
