"""What people tell the rules: who must not be called, and when nobody is to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Update, delete, func, select, update

from adapter.model import TRANSITIONS, Delivery
from adapter.policy import Gate, Rate, Verdict
from adapter.policy.gate import HOLDS
from adapter.store import gates, recovery
from adapter.store.engine import Database
from adapter.store.statements import upsert
from adapter.store.tables import blocked, deliveries
from adapter.store.tables import gates as gate_table

d = deliveries.c
ENDS = [state for state, further in TRANSITIONS.items() if not further]
_new = upsert(blocked)
BLOCK = _new.on_conflict_do_update(
    index_elements=["number", "tenant"], set_={name: _new.excluded[name] for name in ("key_id", "reason", "who", "at")}
)


class Rules:
    """The part of a store that people write; each method is one transaction, or says so, and raises `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # who must not be called

    def block(
        self, numbers: Sequence[str], *, key_id: str, reason: str, who: str, now: datetime, tenant: str = gates.ALL
    ) -> int:
        """Put hashes of numbers on the do-not-call list of a tenant, or of all; gives how many were not there yet."""
        with self._database.writing() as connection:
            before = connection.execute(select(func.count()).select_from(blocked)).scalar() or 0
            for number in numbers:
                row = {"number": number, "tenant": tenant, "key_id": key_id, "reason": reason, "who": who, "at": now}
                connection.execute(BLOCK, row)
            return (connection.execute(select(func.count()).select_from(blocked)).scalar() or 0) - before

    def rehash(self, given: Sequence[Sequence[str]]) -> int:
        """Have what may still be sent known by a number's newest hash, the first of each; gives how much was not.

        A delivery that was kept before a key was rotated in has none of the new key, under which the list is written;
        so has one that ended and that a person sends again. What moves meanwhile is looked at once more.
        """
        newest = {old: list(hashes) for hashes in given for old in hashes[1:] if old != hashes[0]}
        known = 0
        while newest and (late := self._late(newest)):
            with self._database.writing() as connection:
                known += sum(connection.execute(one).rowcount for one in late)
        return known

    def _late(self, newest: Mapping[str, list[str]]) -> list[Update]:
        """What makes the deliveries known that are not, each as long as nobody has moved it since."""
        asked = select(d.id, d.state, d.attempt, d.terms).where(d.state.not_in(ENDS))
        with self._database.reading() as connection:
            rows = connection.execute(asked).all()
        told = [(row, newest.get(row.terms.get("numbers", [""])[0])) for row in rows]
        return [
            update(deliveries)
            .where(d.id == row.id, d.state == row.state, d.attempt == row.attempt)
            .values(terms={**row.terms, "numbers": hashes})
            for row, hashes in told
            if hashes
        ]

    def unblock(self, hashes: Collection[str], *, tenant: str = gates.ALL) -> tuple[int, list[str]]:
        """Take a number off the do-not-call list of a tenant, or of all, by its hash under any key.

        Gives how many entries went, and the tenants on whose lists it still is.
        """
        mine = blocked.c.number.in_(list(hashes))
        with self._database.writing() as connection:
            gone = connection.execute(delete(blocked).where(mine, blocked.c.tenant == tenant)).rowcount
            left = connection.execute(select(blocked.c.tenant).distinct().where(mine).order_by(blocked.c.tenant))
            return gone, list(left.scalars())

    def blocked(self, *, most: int = 1000) -> list[Mapping[str, Any]]:
        """The do-not-call list, the latest first; it holds no numbers."""
        with self._database.reading() as connection:
            rows = connection.execute(select(blocked).order_by(blocked.c.at.desc()).limit(most))
            return [dict(row._mapping) for row in rows]

    def unreadable(self, key_ids: Collection[str]) -> int:
        """How many entries of the do-not-call list were made with none of these keys, so that they are not found."""
        asked = select(func.count()).select_from(blocked).where(blocked.c.key_id.not_in(list(key_ids)))
        with self._database.reading() as connection:
            return int(connection.execute(asked).scalar() or 0)

    # the gates

    def pause(self, tenant: str, *, said: str, now: datetime) -> int:
        """Let nothing out for a tenant (of the empty name: for all), and hold what is queued; gives how much.

        The gate is shut first, in a transaction of its own: claims lock deliveries and then gates.
        """
        with self._database.writing() as connection:
            gates.pause(connection, tenant, said)
        with self._database.writing() as connection:
            return gates.hold(connection, tenant, now=now)

    def resume(self, tenant: str, *, now: datetime) -> int:
        """End a pause; gives how many deliveries go on. What an interrupted one has left held goes on with the next."""
        with self._database.writing() as connection:
            gates.pause(connection, tenant, "")
        with self._database.writing() as connection:
            return gates.let_go(connection, tenant, ("pause",), now=now)

    def go_on(self, tenant: str, *, now: datetime) -> int:
        """Let go what the trouble of a tenant held, for it is over; gives how much."""
        with self._database.writing() as connection:
            return gates.let_go(connection, tenant, tuple(HOLDS), now=now)

    # after an outage

    def hold_backlog(self, *, now: datetime, most: int, rates: Mapping[str, Rate] | None = None) -> int:
        """Hold callbacks that wait late, and not for their tenant's rate, when they are more than `most`; how many."""
        with self._database.writing() as connection:
            return recovery.hold(connection, now=now, most=most, rates=rates or {})

    def hold_past(self, *, now: datetime) -> int:
        """Hold all that a store out of a backup would send again; gives how much."""
        with self._database.writing() as connection:
            return recovery.hold_past(connection, now=now)

    def backlog(self) -> list[Delivery]:
        """What is held so, the oldest first."""
        with self._database.reading() as connection:
            return recovery.asked(connection)

    def recover(self, told: Sequence[tuple[Delivery, Verdict]], *, who: str, now: datetime) -> None:
        """Move what a person decided on, all or nothing; raises `Conflict` when it changed meanwhile."""
        with self._database.writing() as connection:
            recovery.answer(connection, told, who=who, now=now)

    def gates(self) -> list[Gate]:
        """Every gate that was ever touched; of the empty name: everybody's."""
        with self._database.reading() as connection:
            rows = connection.execute(select(gate_table).order_by(gate_table.c.tenant))
            return [Gate(**row._mapping) for row in rows]
