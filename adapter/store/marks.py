"""What the rules remember of numbers and agents, within the transaction that keeps or claims a delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from adapter.model import WAITING, Delivery
from adapter.policy import Facts, judge, moved
from adapter.policy import marks as marks_of
from adapter.policy.standing import DAY, MINUTE
from adapter.store import gates
from adapter.store.rows import COLUMNS, delivery_in
from adapter.store.statements import Prepared, upsert
from adapter.store.tables import blocked, deliveries, marks, requests

_touched = upsert(marks)
TOUCH = Prepared(
    _touched.on_conflict_do_update(index_elements=["mark"], set_={"mark": _touched.excluded.mark}).returning(
        marks.c.delivery_id, marks.c.at, marks.c.count
    ),
    columns=("mark", "delivery_id", "at", "count"),
)
"""Makes the row of a mark, or locks the one there is, and gives it: the next who asks for it waits for our commit."""
TAKE = Prepared(
    update(marks)
    .where(marks.c.mark == bindparam("name"))
    .values(delivery_id=bindparam("delivery_id"), at=bindparam("at"), count=bindparam("count"))
)
HOLDER = Prepared(select(*COLUMNS).where(deliveries.c.id == bindparam("this")))
BLOCKED = Prepared(
    select(blocked.c.reason).where(
        blocked.c.number == bindparam("number"), blocked.c.tenant.in_((gates.ALL, bindparam("tenant")))
    )
)
REQUESTS = select(func.count()).where(
    requests.c.mapping == bindparam("mapping"),
    requests.c.received_at > bindparam("after", type_=requests.c.received_at.type),
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A row of the table: who took the mark, when (of a day's mark: when the day began), how often."""

    delivery_id: str
    at: datetime
    count: int


class Memory:
    """The marks of some deliveries, locked until the transaction ends.

    They are locked in one order, so that nobody waits in a circle.
    """

    def __init__(self, connection: Connection, these: Iterable[Delivery], *, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._leased: dict[str, Delivery] = {}
        names = {name for one in these for name in _names(one)}
        self._rows = {name: self._touched(name) for name in sorted(names)}

    def _touched(self, name: str) -> _Mark:
        values = {"mark": name, "delivery_id": "", "at": self._now, "count": 0}
        (row,) = TOUCH.rows(self._connection, values)
        return _Mark(**row)

    def called(self, delivery: Delivery) -> Delivery | None:
        """The delivery that took the mark of this one's number last."""
        return self._holder(marks_of(delivery).quiet)

    def judged(self, delivery: Delivery, *, new: bool) -> Delivery:
        """The delivery where our rules send it, if they do not let it pass; `new` ones are counted."""
        if delivery.state not in (*WAITING, "sending"):
            return delivery
        verdict = judge(delivery, self._facts(delivery, new=new), now=self._now)
        after = moved(delivery, verdict, now=self._now) if verdict else delivery
        if after.state in (*WAITING, "sending"):
            self._take(after, new=new)
        return after

    def take_line(self, delivery: Delivery) -> None:
        """Note that this delivery is on its agent's line from now on, though its row may not say so yet."""
        self._leased[delivery.id] = delivery
        self._put(marks_of(delivery).line, delivery, 0)

    def _facts(self, delivery: Delivery, *, new: bool) -> Facts:
        mine = marks_of(delivery)
        return Facts(
            blocked=self._blocked(delivery),
            called=self._holder(mine.quiet),
            on_line=self._holder(mine.line),
            number_calls=self._calls(mine.day) if new else 0,
            source_requests=self._requests(delivery) if new or delivery.policy == "limits.per_minute" else 0,
            gate=gates.troubled(self._connection, delivery.tenant) if new else None,
        )

    def _blocked(self, delivery: Delivery) -> str:
        for number in delivery.terms.get("numbers", ()):
            for row in BLOCKED.rows(self._connection, {"number": number, "tenant": delivery.tenant}):
                return row["reason"] or "no reason given"
        return ""

    def _holder(self, name: str) -> Delivery | None:
        held_by = self._rows[name].delivery_id if name else ""
        if not held_by or held_by in self._leased:
            return self._leased.get(held_by)
        rows = HOLDER.rows(self._connection, {"this": held_by})
        return delivery_in(rows[0]) if rows else None

    def _calls(self, name: str) -> int:
        row = self._rows.get(name)
        return row.count if row and self._now - row.at < DAY else 0

    def _requests(self, delivery: Delivery) -> int:
        if "per_minute" not in delivery.terms:
            return 0
        asked = {"mapping": delivery.mapping, "after": self._now - MINUTE}
        return int(self._connection.execute(REQUESTS, asked).scalar() or 0)

    def _take(self, delivery: Delivery, *, new: bool) -> None:
        mine = marks_of(delivery)
        self._put(mine.quiet, delivery, 0)
        if delivery.state == "sending":
            self.take_line(delivery)
        if new and mine.day:
            calls = self._calls(mine.day)
            self._put(mine.day, delivery, calls + 1, since=self._rows[mine.day].at if calls else self._now)

    def _put(self, name: str, delivery: Delivery, count: int, *, since: datetime | None = None) -> None:
        if name:
            self._rows[name] = _Mark(delivery.id, since or self._now, count)
            values = {"delivery_id": delivery.id, "at": since or self._now, "count": count}
            TAKE.run(self._connection, {"name": name, **values})


def _names(delivery: Delivery) -> Iterable[str]:
    mine = marks_of(delivery)
    return (name for name in (mine.quiet, mine.line, mine.day) if name)
