"""The deliveries that wait, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from adapter.model import Attempt, Delivery
from adapter.policy import Rate, Verdict, moved
from adapter.store import gates, outbox
from adapter.store.marks import Memory
from adapter.store.rows import BACKLOG, PRIORITY
from adapter.store.statements import Prepared
from adapter.store.tables import attempts, deliveries

d = deliveries.c
Decide = Callable[[Delivery], Verdict | None]
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
    .values(
        state="queued",
        updated_at=bindparam("now", type_=d.due_at.type),
        priority=case((d.priority == PRIORITY["callback"], BACKLOG), else_=d.priority),
    )
)

MOVE = update(deliveries).where(d.id == bindparam("this"), d.attempt == bindparam("claim"), d.state == bindparam("old"))
MOVED = MOVE.values(
    state=bindparam("state"),
    reason=bindparam("reason"),
    updated_at=bindparam("updated_at"),
    due_at=bindparam("due_at"),
    expires_at=bindparam("expires_at"),
    tries=bindparam("tries"),
    policy=bindparam("policy"),
    lease_owner=None,
    lease_until=None,
).returning(d.id)
SAVE = Prepared(MOVED)
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
    connection: Connection,
    decide: Decide,
    *,
    owner: str,
    now: datetime,
    lease_until: datetime,
    most: int,
    rates: Mapping[str, Rate] | None = None,
    room: gates.Room | None = None,
) -> tuple[list[Delivery], list[Delivery]]:
    """Take due deliveries for sending, and those that `decide` or our rules moved elsewhere; both as they are now."""
    RELEASE.run(connection, {"now": now, "bite": RELEASED_AT_ONCE})
    room = room or (lambda _: most)
    due, passing = gates.candidates(connection, now=now, most=most, rates=rates or {}, room=room)
    memory = Memory(connection, due, now=now)
    taken: list[Delivery] = []
    stopped = []
    for delivery in due:
        may_pass = passing[delivery.tenant] > 0 and len(taken) < most
        after = _decided(delivery, decide, now=now)
        if after == delivery and may_pass:
            after = memory.judged(delivery, new=False)
        if after != delivery:
            put(connection, delivery, after, now=now)
            stopped.append(after)
        elif may_pass:
            passing[delivery.tenant] -= 1
            taken.append(_leased(delivery, owner=owner, now=now, lease_until=lease_until))
            memory.take_line(taken[-1])
    memory.keep()
    gates.spend(connection, Counter(one.tenant for one in taken), rates or {}, now=now)
    lease = {"now": now, "owner": owner, "until": lease_until}
    names = {f"this{place}": one.id for place, one in enumerate(taken)}
    mine = {row["id"] for row in _take(len(taken)).rows(connection, {**lease, **names})} if taken else set()
    return [one for one in taken if one.id in mine], stopped


@cache
def _take(many: int) -> Prepared:
    """Lease so many deliveries, in one statement.

    psycopg's `executemany` would do as well, but behind it PostgreSQL 15 forgets `idle_in_transaction_session_timeout`:
    a machine that is stopped just then would keep its rows locked from all others.
    """
    these = d.id.in_([bindparam(f"this{place}") for place in range(many)])
    # With the bare column both databases would rather look at all that is queued, by the index of states.
    leased = update(deliveries).where(these, d.state.concat("") == "queued")
    return Prepared(
        leased.values(
            state="sending",
            updated_at=bindparam("now", type_=d.updated_at.type),
            attempt=d.attempt + 1,
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until", type_=d.lease_until.type),
        ).returning(d.id)
    )


def _decided(delivery: Delivery, decide: Decide, *, now: datetime) -> Delivery:
    verdict = decide(delivery)
    return moved(delivery, verdict, now=now) if verdict else delivery


def put(connection: Connection, before: Delivery, after: Delivery, *, now: datetime) -> None:
    """Move a delivery that nobody holds to where our rules want it."""
    names = ("state", "reason", "due_at", "expires_at", "policy")
    move(connection, before, Verdict(**{name: getattr(after, name) for name in names}), tries=before.tries, now=now)


def _leased(delivery: Delivery, *, owner: str, now: datetime, lease_until: datetime) -> Delivery:
    return replace(
        delivery,
        state="sending",
        attempt=delivery.attempt + 1,
        lease_owner=owner,
        lease_until=lease_until,
        updated_at=now,
    )


def this(delivery: Delivery) -> dict[str, object]:
    """What `MOVE` wants to be true: nobody has moved the delivery since it was read."""
    return {"this": delivery.id, "claim": delivery.attempt, "old": delivery.state}


def move(connection: Connection, delivery: Delivery, verdict: Verdict, *, tries: int, now: datetime) -> bool:
    """Move a delivery to where a verdict sends it; False when it is not any more what `delivery` says."""
    found = bool(SAVE.rows(connection, moving(delivery, verdict, tries=tries, now=now)))
    if found:
        keep_terms(connection, delivery, verdict)
    if found and "report" in delivery.terms:
        outbox.note(connection, moved(delivery, verdict, now=now))
    return found


def keep_terms(connection: Connection, delivery: Delivery, verdict: Verdict) -> None:
    """Keep what a delivery carries from now on, where a verdict changes that."""
    if verdict.terms is not None:
        connection.execute(update(deliveries).where(d.id == delivery.id).values(terms=dict(verdict.terms)))


def moving(delivery: Delivery, verdict: Verdict, *, tries: int, now: datetime) -> dict[str, object]:
    """The values of `MOVED`."""
    return {
        **this(delivery),
        "state": verdict.state,
        "reason": verdict.reason,
        "updated_at": now,
        "due_at": verdict.due_at,
        "expires_at": verdict.expires_at,
        "tries": tries,
        "policy": verdict.policy,
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
