"""What the rules remember of numbers and agents, within the transaction that keeps or claims a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert

from adapter.model import WAITING, Delivery, State
from adapter.policy import Facts, judge, moved
from adapter.policy import marks as marks_of
from adapter.policy.standing import DAY, MINUTE, goes_first
from adapter.store import gates
from adapter.store.rows import COLUMNS, delivery_in
from adapter.store.statements import Prepared, upsert
from adapter.store.tables import blocked, deliveries, marks, requests

BEHIND = "behind"
"""The term that names the delivery before this one in the same request for the same agent."""
NEVER_TRIED: tuple[State, ...] = ("expired", "suppressed", "cancelled")
"""Ends that need not have come after those of the deliveries before."""
CHUNK = 32
"""Marks that one statement locks or keeps."""


@cache
def _locking(count: int) -> Prepared:
    """Make the rows of marks, or lock those there are, and give them: who asks next waits for our commit."""
    rows = _given(count)
    return Prepared(
        rows.on_conflict_do_update(index_elements=["mark"], set_={"mark": rows.excluded.mark}).returning(
            marks.c.mark, marks.c.delivery_id, marks.c.at, marks.c.count
        )
    )


@cache
def _keeping(count: int) -> Prepared:
    rows = _given(count)
    names = ("delivery_id", "at", "count")
    return Prepared(
        rows.on_conflict_do_update(index_elements=["mark"], set_={name: rows.excluded[name] for name in names})
    )


def _given(count: int) -> Insert:
    """So many marks as parameters: `mark 0`, `at 0`, `mark 1` and so on."""
    columns = marks.columns
    return upsert(marks).values(
        [{one.name: bindparam(f"{one.name} {row}", type_=one.type) for one in columns} for row in range(count)]
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
    requests.c.received_at < bindparam("before", type_=requests.c.received_at.type),
)
"""Those of a clock that was set back lie ahead, perhaps by hours: they are of no minute around now."""


class _Mark(NamedTuple):
    """A row of the table: who took the mark, when (of a day's mark: when the day began), how often."""

    delivery_id: str
    at: datetime
    times: int


class Memory:
    """The marks of some deliveries, locked until the transaction ends; what changed about them is kept by `keep`.

    They are locked in one order, so that nobody waits in a circle.
    """

    def __init__(self, connection: Connection, these: Iterable[Delivery], *, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._leased: dict[str, Delivery] = {}
        self._changed: set[str] = set()
        self._last: dict[str, str] = {}
        self._put_off: dict[str, datetime] = {}
        self._mine = {one.id: marks_of(one) for one in these}
        names = sorted({name for mine in self._mine.values() for name in mine.names})
        self._rows = {name: mark for some in _chunks(names) for name, mark in self._touched(some)}

    def _touched(self, names: Sequence[str]) -> Iterator[tuple[str, _Mark]]:
        blank = _Mark("", self._now, 0)
        for row in _locking(len(names)).rows(self._connection, _values(dict.fromkeys(names, blank))):
            yield row["mark"], _Mark(row["delivery_id"], row["at"], row["count"])

    def keep(self) -> None:
        """Write down who took which marks."""
        for some in _chunks(sorted(self._changed)):
            _keeping(len(some)).run(self._connection, _values({name: self._rows[name] for name in some}))

    def called(self, delivery: Delivery) -> Delivery | None:
        """The delivery that took the mark of this one's number last, if it is another."""
        return self._holder(self._mine[delivery.id].quiet, delivery)

    def judged(self, delivery: Delivery, *, new: bool) -> Delivery:
        """The delivery where our rules send it, if they do not let it pass; `new` ones are counted."""
        if delivery.state not in (*WAITING, "sending"):
            return delivery
        verdict = judge(delivery, self._facts(delivery, new=new), now=self._now)
        after = moved(delivery, verdict, now=self._now) if verdict else delivery
        if after.state in (*WAITING, "sending"):
            self._take(after, new=new)
        if verdict and verdict.policy == "agent.in_flight":
            self._put_off[self._mine[after.id].line] = verdict.due_at
        return self._lined_up(after) if new and after.state in WAITING else after

    def _lined_up(self, delivery: Delivery) -> Delivery:
        """A new delivery that waits, and knows after which one of its request and its agent it comes."""
        if not (line := self._mine[delivery.id].line):
            return delivery
        before, self._last[line] = self._last.get(line), delivery.id
        return replace(delivery, terms={**delivery.terms, BEHIND: before}) if before else delivery

    def take_line(self, delivery: Delivery) -> None:
        """Note that this delivery is on its agent's line from now on, though its row may not say so yet."""
        self._leased[delivery.id] = delivery
        self._put(self._mine[delivery.id].line, delivery, 0)

    def _facts(self, delivery: Delivery, *, new: bool) -> Facts:
        mine = self._mine[delivery.id]
        return Facts(
            blocked=self._blocked(delivery),
            called=self._holder(mine.quiet, delivery),
            on_line=self._holder(mine.line, delivery),
            ahead=self._ahead(delivery),
            put_off=self._put_off.get(mine.line),
            number_calls=self._calls(mine.day) if new else 0,
            source_requests=self._requests(delivery) if new or delivery.policy == "limits.per_minute" else 0,
            gate=gates.troubled(self._connection, delivery.tenant) if new else None,
        )

    def _blocked(self, delivery: Delivery) -> str:
        for number in delivery.terms.get("numbers", ()):
            for row in BLOCKED.rows(self._connection, {"number": number, "tenant": delivery.tenant}):
                return row["reason"] or "no reason given"
        return ""

    def _holder(self, name: str, asking: Delivery) -> Delivery | None:
        """Who has the mark, unless it is the one that asks: it stands in nobody's way but others'."""
        held_by = self._rows[name].delivery_id if name else ""
        return None if held_by in ("", asking.id) else self._known(held_by)

    def _known(self, delivery_id: str) -> Delivery | None:
        if delivery_id in self._leased:
            return self._leased[delivery_id]
        rows = HOLDER.rows(self._connection, {"this": delivery_id})
        return delivery_in(rows[0]) if rows else None

    def _ahead(self, delivery: Delivery) -> Delivery | None:
        """The nearest one before it that is about to be done, past those that will not be."""
        before = self._before(delivery)
        while before and not goes_first(before, now=self._now):
            before = self._before(before) if before.state in (*WAITING, *NEVER_TRIED) else None
        return before

    def _before(self, delivery: Delivery) -> Delivery | None:
        return self._known(delivery.terms[BEHIND]) if BEHIND in delivery.terms else None

    def _calls(self, name: str) -> int:
        row = self._rows.get(name)
        return row.times if row and self._now - row.at < DAY else 0

    def _requests(self, delivery: Delivery) -> int:
        if "per_minute" not in delivery.terms:
            return 0
        asked = {"mapping": delivery.mapping, "after": self._now - MINUTE, "before": self._now + MINUTE}
        return int(self._connection.execute(REQUESTS, asked).scalar() or 0)

    def _take(self, delivery: Delivery, *, new: bool) -> None:
        mine = self._mine[delivery.id]
        self._put(mine.quiet, delivery, 0)
        if delivery.state == "sending":
            self.take_line(delivery)
        if new and mine.day:
            calls = self._calls(mine.day)
            self._put(mine.day, delivery, calls + 1, since=self._rows[mine.day].at if calls else self._now)

    def _put(self, name: str, delivery: Delivery, count: int, *, since: datetime | None = None) -> None:
        if name:
            self._rows[name] = _Mark(delivery.id, since or self._now, count)
            self._changed.add(name)


def _values(given: Mapping[str, _Mark]) -> dict[str, Any]:
    """The parameters of `_given`."""
    values: dict[str, Any] = {}
    for row, (name, mark) in enumerate(given.items()):
        values[f"mark {row}"] = name
        values[f"delivery_id {row}"], values[f"at {row}"], values[f"count {row}"] = mark
    return values


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
