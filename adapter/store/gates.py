"""The gates of the tenants: read, shut and opened in the transactions that keep, claim and settle deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, exists, func, or_, select, type_coerce, update

from adapter.model import Delivery, Evidence
from adapter.policy import gate as rules
from adapter.policy.gate import Gate, Rate
from adapter.store.kinds import Moment
from adapter.store.rows import COLUMNS, PRIORITIES, PRIORITY, delivery_in
from adapter.store.statements import Prepared, likely, upsert
from adapter.store.tables import QUEUED, deliveries, gates

Room = Callable[[str], int]
"""How many more deliveries of a tenant may be under way."""
ALL = ""
"""The tenant of the row that pauses everybody."""
d, g = deliveries.c, gates.c
TELLING = (Evidence.NOT_SENT, Evidence.UNAUTHORIZED, Evidence.OVER_CAP)
"""What always says something about a tenant; it never opens a gate, anything else does."""
TALLY = tuple(column.name for column in gates.columns if column.name not in ("tenant", "paused"))
"""What exchanges and dispatchers write of a gate; its pause is people's."""
TOO_OLD = type_coerce(type_coerce(d.expires_at, BigInteger) + 1, Moment)
"""When what nobody lets go is looked at again: to expire."""

_told = and_(
    or_(g.tenant == bindparam("tenant"), g.tenant == ALL), or_(g.paused != "", g.trouble != "", g.failures > 0)
)
IN_TROUBLE = exists().where(_told)
TROUBLED = Prepared(select(func.count().label("many")).where(_told))
MAKE = upsert(gates).on_conflict_do_nothing()
TENANT_AFTER = Prepared(
    select(func.min(d.tenant).label("tenant")).where(likely(QUEUED), d.tenant > bindparam("tenant"))
)
NEXT = (
    select(*COLUMNS)
    .where(
        QUEUED,
        d.tenant == bindparam("tenant"),
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
OVERDUE = Prepared(
    select(*COLUMNS)
    .where(
        QUEUED,
        d.tenant == bindparam("tenant"),
        d.expires_at < bindparam("now", type_=d.expires_at.type),
        d.due_at <= bindparam("now", type_=d.due_at.type),
    )
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
"""What may not be sent behind a shut gate still grows too old there."""


def _shared(asked: Select[Any]) -> Select[Any]:
    """Nobody opens the gates that are asked for until the transaction ends; dispatchers may count at them."""
    return asked.with_for_update(read=True, key_share=True)


def load(connection: Connection, tenant: str, *, shared: bool = False) -> Gate:
    """The gate of a tenant; one that nobody has touched is open. Everybody's pause is a pause of each."""
    asked = select(gates).where(g.tenant.in_((tenant, ALL))).order_by(g.tenant)
    found = {row.tenant: row for row in connection.execute(_shared(asked) if shared else asked)}
    own = Gate(**found[tenant]._mapping) if tenant in found else Gate(tenant=tenant)
    return replace(own, paused=found[ALL].paused or own.paused) if ALL in found else own


def has_story(connection: Connection, tenant: str) -> bool:
    """Whether there is anything to say about the gate of a tenant; most often there is not."""
    (row,) = TROUBLED.rows(connection, {"tenant": tenant})
    return bool(row["many"])


def troubled(connection: Connection, tenant: str) -> Gate | None:
    """The gate of a tenant if there is anything to say about it; what is kept because of that is let go with the rest.

    For whoever opens the gate waits until we have committed, and else we see that it is open.
    """
    return load(connection, tenant, shared=True) if has_story(connection, tenant) else None


def lock(connection: Connection, tenant: str, *, opens: bool) -> None:
    """Have nobody else change the gate of a tenant until the transaction ends; it is made if nobody has touched it.

    Who `opens` it waits also for those who put deliveries behind it (`_shared`), and must then wait for no delivery:
    claims hold some while they wait for a gate.
    """
    own = select(g.tenant).where(g.tenant == tenant).with_for_update(key_share=not opens)
    if connection.execute(own).first() is None:
        connection.execute(MAKE, asdict(Gate(tenant=tenant)))
        connection.execute(own)


def pause(connection: Connection, tenant: str, said: str) -> None:
    """Keep who pauses a tenant (of the empty name: all) and why; with nothing said nobody does any more."""
    lock(connection, tenant, opens=True)
    connection.execute(update(gates).where(g.tenant == tenant).values(paused=said))


def keep_tally(connection: Connection, gate: Gate) -> None:
    """Keep what changed about the gate of a tenant but for its pause; the gate is one that was locked."""
    values = {name: getattr(gate, name) for name in TALLY}
    connection.execute(update(gates).where(g.tenant == gate.tenant).values(values))


def is_told(connection: Connection, tenant: str, evidence: Evidence) -> bool:
    """Whether an exchange with Xima says anything new about its tenant; most often it does not."""
    return evidence in TELLING or has_story(connection, tenant)


def settle(connection: Connection, tenant: str, evidence: Evidence, *, now: datetime) -> bool:
    """Keep what an exchange with Xima said about its tenant; whether that ended a trouble.

    Then what the trouble held is to be let go, in a transaction that does not keep the gate locked.
    """
    if not is_told(connection, tenant, evidence):
        return False
    lock(connection, tenant, opens=evidence not in TELLING)
    before = load(connection, tenant)
    after = rules.after(before, evidence, now=now)
    if after != before:
        keep_tally(connection, after)
    return bool(before.trouble) and not after.trouble


def let_go(connection: Connection, tenant: str, policies: tuple[str, ...], *, now: datetime) -> int:
    """What these rules hold for a tenant (or for all) is due now; gives how many."""
    mine = [d.state == "held", d.policy.in_(policies), *([d.tenant == tenant] if tenant else [])]
    return connection.execute(update(deliveries).where(*mine).values(due_at=now)).rowcount


def hold(connection: Connection, tenant: str, *, now: datetime) -> int:
    """Hold what is queued for a tenant (or for all) that is paused, until that ends or it is too old; gives how many.

    Nobody ends the pause meanwhile: what was held after that would not be let go.
    """
    if not (said := connection.execute(_shared(select(g.paused).where(g.tenant == tenant))).scalar()):
        return 0
    mine = [QUEUED, *([d.tenant == tenant] if tenant else [])]
    reason = f"dialling is paused {said} (pause)"
    values = {"state": "held", "policy": "pause", "reason": reason, "updated_at": now, "due_at": TOO_OLD}
    return connection.execute(update(deliveries).where(*mine).values(values)).rowcount


def candidates(
    connection: Connection, *, now: datetime, most: int, rates: Mapping[str, Rate], room: Room
) -> tuple[list[Delivery], dict[str, int]]:
    """What is due, in fair order, and how many of each tenant's may pass; behind a shut gate only what is too old."""
    due: list[tuple[tuple[int, int, datetime], Delivery]] = []
    passing: dict[str, int] = {}
    for tenant in tenants(connection):
        gate = _for_claim(connection, tenant, rates.get(tenant), now=now)
        passing[tenant] = rules.passing(gate, rates.get(tenant), now=now, most=min(most, room(tenant)))
        found = _next(connection, tenant, now, most) if passing[tenant] else _overdue(connection, tenant, now, most)
        for turn, one in enumerate(found):
            due.append(((PRIORITY[one.action.kind], turn, one.due_at), one))
    return [one for _, one in sorted(due, key=lambda pair: pair[0])], passing


def _for_claim(connection: Connection, tenant: str, rate: Rate | None, *, now: datetime) -> Gate:
    """The gate of a tenant; where a claim spends tokens or sends a probe, one claim after the other.

    Gates are locked in the order of their names, and before any mark, so that no two claims wait in a circle.
    """
    gate = load(connection, tenant)
    if rules.is_shut(gate, now=now) or not (rate or gate.trouble):
        return gate
    lock(connection, tenant, opens=False)
    return load(connection, tenant)


def _next(connection: Connection, tenant: str, now: datetime, most: int) -> list[Delivery]:
    """What is due, the first of it: clicks before callbacks before backlog, and then whoever waits longest."""
    found: list[Delivery] = []
    for priority in PRIORITIES:
        asked = {"tenant": tenant, "now": now, "priority": priority, "most": most - len(found)}
        if len(found) < most:
            found += map(delivery_in, TAKEABLE.rows(connection, asked))
    return found


def _overdue(connection: Connection, tenant: str, now: datetime, most: int) -> list[Delivery]:
    return [delivery_in(row) for row in OVERDUE.rows(connection, {"tenant": tenant, "now": now, "most": most})]


def tenants(connection: Connection) -> list[str]:
    """The tenants that have something queued: one step of an index for each, however much waits."""
    found: list[str] = []
    while tenant := TENANT_AFTER.rows(connection, {"tenant": found[-1] if found else ""})[0]["tenant"]:
        found.append(tenant)
    return found


def spend(connection: Connection, taken: Mapping[str, int], rates: Mapping[str, Rate], *, now: datetime) -> None:
    """Keep what passed the gates that `candidates` locked: a probe that is under way, and tokens that are used up."""
    for tenant, count in taken.items():
        gate = load(connection, tenant)
        after = rules.passed(gate, rates.get(tenant), count, now=now)
        if after != gate:
            keep_tally(connection, after)
