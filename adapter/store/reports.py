"""The reports that wait, who takes them, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, select, update

from adapter.model import Delivery
from adapter.store.engine import Database
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import deliveries, reports

Ended = Literal["pending", "sent", "given up"]
r = reports.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A report that was taken to be sent: the delivery as it was when it came to this end, and the try this is."""

    delivery: Delivery
    number: int
    host: str
    tries: int

    @property
    def id(self) -> str:
        """The same for every try, so that a receiver knows a report it has."""
        return f"{self.delivery.id}-{self.number}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of a try: the status of the answer, what went wrong, and when it is tried again, if it is."""

    result: Ended
    status: int | None = None
    said: str = ""
    again_at: datetime | None = None


class Reports:
    """The part of a store that tells senders; each method is one transaction and raises `StoreError` when it fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, *, now: datetime, until: datetime, most: int, busy: Mapping[str, int], each: int) -> list[Due]:
        """Take reports that are due, no more than `each` for a host with those it is `busy` with.

        Whoever takes one has it until `until`; if nothing was settled by then it is due again.
        """
        full = [host for host, count in busy.items() if count >= each]
        due = (r.due_at <= now, r.host.not_in(full))
        with self._database.reading() as connection:
            if connection.execute(select(r.host).where(*due).limit(1)).first() is None:
                return []
        with self._database.writing() as connection:
            asked = select(reports).where(*due).order_by(r.due_at).limit(most).with_for_update(skip_locked=True)
            rows = _fair([dict(row._mapping) for row in connection.execute(asked)], busy, each)
            for row in rows:
                taken = update(reports).where(r.delivery_id == row["delivery_id"], r.number == row["number"])
                connection.execute(taken.values(due_at=until, tries=r.tries + 1))
            return _due(connection, rows)

    def settle(self, due: Due, told: Told) -> bool:
        """Keep what became of a try; False when another has tried since."""
        mine = (r.delivery_id == due.delivery.id, r.number == due.number, r.tries == due.tries, r.due_at.is_not(None))
        values = {"result": told.result, "status": told.status, "said": told.said, "due_at": told.again_at}
        with self._database.writing() as connection:
            return connection.execute(update(reports).where(*mine).values(values)).rowcount == 1

    def again(self, delivery_id: str, *, now: datetime) -> int:
        """Have the reports of a delivery that were given up sent once more, if it has a receiver; gives how many."""
        theirs = (r.delivery_id == delivery_id, r.result == "given up")
        with self._database.writing() as connection:
            terms = connection.execute(select(deliveries.c.terms).where(deliveries.c.id == delivery_id)).scalar()
            if "report" not in (terms or {}):
                return 0
            values = {"result": "pending", "due_at": now}
            return connection.execute(update(reports).where(*theirs).values(values)).rowcount

    def of(self, delivery_id: str) -> list[Mapping[str, Any]]:
        """The reports of a delivery, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(reports).where(r.delivery_id == delivery_id).order_by(r.number))
            return [dict(row._mapping) for row in rows]

    def pending(self) -> tuple[int, datetime | None]:
        """How many reports are not done, and since when the oldest of them."""
        with self._database.reading() as connection:
            row = connection.execute(select(func.count(), func.min(r.at)).where(r.due_at.is_not(None))).one()
            return int(row[0]), row[1]


def _fair(rows: Sequence[dict[str, Any]], busy: Mapping[str, int], each: int) -> list[dict[str, Any]]:
    """The rows without those that are too many for their host."""
    taken, count = [], Counter(busy)
    for row in rows:
        count[row["host"]] += 1
        if count[row["host"]] <= each:
            taken.append(row)
    return taken


def _due(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Due]:
    ids = {row["delivery_id"] for row in rows}
    found = connection.execute(select(*COLUMNS).where(deliveries.c.id.in_(ids))) if ids else ()
    kept = {one.id: one for one in map(delivery_of, found)}
    return [_one(kept[row["delivery_id"]], row) for row in rows if row["delivery_id"] in kept]


def _one(delivery: Delivery, row: Mapping[str, Any]) -> Due:
    as_it_was = {name: row[name] for name in ("state", "reason", "policy")}
    told_of = replace(delivery, updated_at=row["at"], **as_it_was)
    return Due(delivery=told_of, number=row["number"], host=row["host"], tries=row["tries"] + 1)
