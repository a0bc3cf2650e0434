"""What is too old to be kept, table by table, and its removal in bites so short that no lead waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    select,
    true,
    tuple_,
)

from adapter.model import State
from adapter.policy.standing import WEEK
from adapter.store import arrivals, versions
from adapter.store.engine import Database
from adapter.store.tables import (
    acts,
    api_asked,
    api_keys,
    attempts,
    deliveries,
    mapping_versions,
    marks,
    once,
    outcomes,
    refusals,
    reports,
    requests,
    seen,
    shadow_counts,
)

d, r = deliveries.c, requests.c
FINISHED: tuple[State, ...] = ("accepted", "refused", "failed", "expired", "suppressed", "cancelled")
MAPPING_AFTER = select(func.min(r.mapping)).where(r.mapping > bindparam("mapping"))
BITE_SECONDS = 0.01
"""How long a bite should take, and with it whoever wants to write meanwhile."""
LEAST, MOST = 25, 500
"""Rows of a bite."""

Rest = Callable[[float], bool]
"""Waits for so many seconds between two bites; True when there is no time for another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Old:
    """Rows of a table that are to go when `by` is before `than` and `also` holds; `within` helps to find them.

    Rows of the `hanging` tables go with their delivery.
    """

    table: Table
    by: ColumnElement[Any]
    than: datetime
    within: ColumnElement[bool] = field(default_factory=true)
    also: ColumnElement[bool] = field(default_factory=true)
    hanging: Sequence[Table] = ()

    @property
    def keys(self) -> tuple[ColumnElement[Any], ...]:
        """The columns of the primary key."""
        return tuple(self.table.primary_key.columns)

    def found(self, most: int) -> Select[Any]:
        """The keys of at most so many, in the order of the index that knows them."""
        return select(*self.keys).where(self.by < self.than, self.within, self.also).order_by(self.by).limit(most)

    def removal(self, rows: Sequence[Any]) -> Delete:
        """Of those of the rows that are old still, for they may have changed since they were found; or of as many.

        SQLite finds listed rows by their keys only where the key is one column and nothing else has an index.
        """
        still = func.coalesce(self.by, self.by) < self.than
        if len(self.keys) > 1:
            return delete(self.table).where(tuple_(*self.keys).in_(self.found(len(rows))), still, self.also)
        return delete(self.table).where(self.keys[0].in_([row[0] for row in rows]), still, self.also)

    def remove(self, connection: Connection, rows: Sequence[Any]) -> int:
        """Remove them; gives how many went."""
        removal = self.removal(rows)
        if not self.hanging:
            return connection.execute(removal).rowcount
        gone = connection.execute(removal.returning(d.id)).scalars().all()
        hanging = (delete(table).where(table.c.delivery_id.in_(gone)) for table in self.hanging)
        return len(gone) + sum(connection.execute(one).rowcount for one in hanging)


def olds(connection: Connection, *, before: datetime, now: datetime) -> Iterator[Old]:
    """Everything that may be too old: what ended before `before`, and what is remembered no longer than until `now`.

    A delivery stays while its key is remembered: it is what a repeated event is answered with; and a key while its
    delivery waits. What was tried and done stays as long as its delivery. Marks stay for as long as a rule may count
    with them, however short the retention is.
    """
    remembered = exists().where(once.c.delivery_id == d.id, once.c.until >= now)
    # With the bare column SQLite would look at all that ever finished, by the index of states.
    ended = d.state.concat("").in_(FINISHED) & ~remembered
    yield Old(table=deliveries, by=d.updated_at, than=before, also=ended, hanging=(attempts, acts, reports))
    for mapping in _mappings(connection):
        yield Old(table=requests, by=r.received_at, than=before, within=r.mapping == mapping)
    alone = ~exists().where(d.id == outcomes.c.delivery_id)
    yield Old(table=outcomes, by=outcomes.c.told_at, than=before, also=alone)
    yield Old(table=marks, by=marks.c.at, than=min(before, now - WEEK))
    yield Old(table=refusals, by=refusals.c.last_at, than=before)
    yield Old(table=seen, by=seen.c.until, than=now)
    yield Old(table=once, by=once.c.until, than=now, also=~arrivals.IS_ON_ITS_WAY)
    yield Old(table=shadow_counts, by=shadow_counts.c.last_at, than=before)
    yield Old(table=api_keys, by=api_keys.c.revoked_at, than=before)
    yield Old(table=api_asked, by=api_asked.c.until, than=now)
    since = mapping_versions.c.since
    yield Old(table=mapping_versions, by=since, than=now - versions.KEPT, also=versions.replaced(now))


def _mappings(connection: Connection) -> Iterator[str]:
    """The mappings that requests came to: one step of an index for each, however many they are."""
    mapping = ""
    while mapping := connection.execute(MAPPING_AFTER, {"mapping": mapping}).scalar() or "":
        yield mapping


class Purge:
    """Removes what is old: looks without keeping anybody waiting, then bites; raises `StoreError` when it fails."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._database = database
        self._clock = clock
        self._rows = LEAST

    def run(self, *, before: datetime, now: datetime, most: int, rest: Rest) -> int:
        """Remove at most so many rows a table; gives how many went, which is all until another machine purges too."""
        gone = 0
        with self._database.reading() as connection:
            every = list(olds(connection, before=before, now=now))
        for old in every:
            with self._database.reading() as connection:
                rows = connection.execute(old.found(most)).all()
            while rows:
                bite, rows = rows[: self._rows], rows[self._rows :]
                went, seconds = self._bitten(old, bite)
                gone += went
                if seconds is None or rest(self._database.own.pauses * seconds):
                    return gone
        return gone

    def _bitten(self, old: Old, rows: Sequence[Any]) -> tuple[int, float | None]:
        """How many rows went, and how long that took; None when it is another machine's turn.

        The commit is not part of it: it takes as long for one row as for many, and smaller bites have more of them.
        """
        with self._database.writing(at_once=False) as connection:
            begun = self._clock()
            if not self._database.own.alone(connection, "purge"):
                return 0, None
            gone = old.remove(connection, rows)
            seconds = self._clock() - begun
        self._rows = fitting(len(rows), seconds)
        return gone, seconds


def fitting(rows: int, seconds: float) -> int:
    """How many rows the next bite may have after one of so many took so long: at most twice as many."""
    return max(LEAST, min(MOST, 2 * rows, int(rows * BITE_SECONDS / max(seconds, 1e-6))))
