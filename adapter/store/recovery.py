"""After an outage: callbacks that wait late are held when they are many, until a person says what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from adapter.model import WAITING, Delivery
from adapter.policy import Gate, Rate, Verdict
from adapter.policy.gate import delays, is_shut
from adapter.store import desk, gates, outbox
from adapter.store.rows import BACKLOG, COLUMNS, PRIORITY, delivery_of
from adapter.store.tables import QUEUED, deliveries, requests

POLICY = "recover"
RESTORED = "restored"
LATE = timedelta(minutes=1)
"""What is due for longer than this has met an outage; what was held on purpose is backlog, and not counted."""
ASK_FOR = timedelta(hours=24)
"""How long the question stands; after that what is too old expires by itself."""
d = deliveries.c


def hold(connection: Connection, *, now: datetime, most: int, rates: Mapping[str, Rate]) -> int:
    """Hold the late callbacks of every tenant that has more than `most` and could send; gives how many."""
    held = 0
    for tenant in gates.tenants(connection):
        late = (
            QUEUED,
            d.tenant == tenant,
            d.priority == PRIORITY["callback"],
            d.due_at < now - LATE,
        )
        waiting = select(d.id).where(*late).limit(most + 1).subquery()
        if not _met_an_outage(gates.load(connection, tenant), rates.get(tenant), now=now):
            continue
        if (connection.execute(select(func.count()).select_from(waiting)).scalar() or 0) > most:
            reason = "many callbacks wait after an outage: xima-adapter recover (recover)"
            values = {"state": "held", "policy": POLICY, "reason": reason, "due_at": now + ASK_FOR, "updated_at": now}
            held += connection.execute(update(deliveries).where(*late).values(values)).rowcount
    return held


def _met_an_outage(gate: Gate, rate: Rate | None, *, now: datetime) -> bool:
    """Whether what is late could be sent, and is late for another reason than that its tenant's rate delays it."""
    return not is_shut(gate, now=now) and (bool(gate.trouble) or not delays(gate, rate, now=now, within=LATE))


def hold_past(connection: Connection, *, now: datetime) -> int:
    """Hold all that a store out of a backup would send, for it may have been sent since; gives how much.

    What was being sent is unknown. What nobody decides on expires at its own time.
    """
    asked = (select(func.max(d.updated_at)), select(func.max(requests.c.received_at)))
    last = max(filter(None, (connection.execute(one).scalar() for one in asked)), default=now)
    said = f"the store is a backup of {last:%Y-%m-%d %H:%M:%S} UTC, and this may have been done since"
    waits = d.state.in_(WAITING) & (d.policy != RESTORED)
    reason = f"{said}: xima-adapter recover ({RESTORED})"
    values = {"state": "held", "policy": RESTORED, "reason": reason, "due_at": gates.TOO_OLD, "updated_at": now}
    held = connection.execute(update(deliveries).where(waits).values(values)).rowcount
    return held + _lose(connection, said, now=now)


def _lose(connection: Connection, said: str, *, now: datetime) -> int:
    """What was being sent is unknown, and its senders are told so where they asked for that; gives how much."""
    sending = d.state == "sending"
    lost = [delivery_of(row) for row in connection.execute(select(*COLUMNS).where(sending))]
    values = {"state": "unknown", "reason": said, "lease_owner": None, "lease_until": None, "updated_at": now}
    connection.execute(update(deliveries).where(sending).values(values))
    for one in lost:
        outbox.note(connection, replace(one, state="unknown", reason=said, updated_at=now))
    return len(lost)


def held_past(connection: Connection) -> int:
    """How much is held so already: a copy that we made ourselves is a store out of a backup from the beginning."""
    held = (d.state == "held", d.policy == RESTORED)
    return connection.execute(select(func.count()).where(*held)).scalar() or 0


def asked(connection: Connection) -> list[Delivery]:
    """Everything that is held so, the oldest first."""
    held = (d.state == "held", d.policy.in_((POLICY, RESTORED)))
    rows = connection.execute(select(*COLUMNS).where(*held).order_by(d.created_at))
    return [delivery_of(row) for row in rows]


def answer(connection: Connection, told: Sequence[tuple[Delivery, Verdict]], *, who: str, now: datetime) -> None:
    """Do what a person confirmed; what goes on is backlog."""
    for delivery, verdict in told:
        desk.act(connection, delivery, verdict, who=who, now=now)
    ids = [delivery.id for delivery, _ in told]
    for start in range(0, len(ids), 500):
        some = d.id.in_(ids[start : start + 500])
        connection.execute(update(deliveries).where(some).values(priority=BACKLOG))
