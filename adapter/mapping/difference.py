"""What two versions of a mapping make of the same request, side by side; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import datetime

from adapter.mapping import examples
from adapter.mapping.compiled import Mapping
from adapter.mapping.run import Result, request_tree, results
from adapter.model import Received

Made = ReadOnly[int, Sequence[Result]]
"""The results of a request's records, by the number of the record (from 0)."""

OF_FIELD = {
    "number_to_dial": "other number",
    "callback_number": "other number",
    "number": "other number",
    **dict.fromkeys(("outcome", "duration", "ended_at"), "other outcome"),
    "agent": "other agent",
    "skill": "other skill",
}
CALLER_ID = "other caller id"
"""The kind of a difference in any other field of an action."""
NOW_IT_IS = {"action": "newly accepted", "reject": "newly rejected", "skip": "newly skipped"}
SAME = "same"
UNREADABLE = "newly unreadable"
KINDS = (
    *(SAME, "other number", "other agent", "other skill"),
    *("newly rejected", "newly accepted", "newly skipped", "other hold", "other outcome"),
    *("other action", CALLER_ID, "other key", "other terms", UNREADABLE),
)
"""Every way in which a record may come out, in the order in which they are told."""
TERMS = ("deliver", "if_unknown", "fresh_for", "remember")

ABSENT = Result(kind="skip", reason="it makes no record of this")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that comes out otherwise: its kind, and for an action the field with both values."""

    kind: str
    field: str = ""
    before: object = None
    after: object = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One result before and after, and what changed between them; without an `after`, the body cannot be read."""

    record: int
    before: Result
    after: Result | None
    changes: tuple[Change, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of change, or `same`."""
        found = {change.kind for change in self.changes}
        return tuple(kind for kind in KINDS if kind in found) or (SAME,)


def made(mapping: Mapping, received: Received, *, now: datetime) -> Made:
    """What a mapping makes of a whole request; raises `PayloadError` when it cannot read its body."""
    document, found = examples.records(mapping, received)
    tree = request_tree(received, document)
    return {
        index: results(mapping, record, {**tree, "index": str(index)}, now=now) for index, record in enumerate(found)
    }


def pairs(before: Made, after: Made | None, *, noted: bool = False) -> Iterator[Pair]:
    """Every result beside its other one; `noted` ones do not say until when they were held, nor on which terms."""
    for record in sorted({*before, *(after or {})}):
        for old, new in _beside(before.get(record, ()), None if after is None else after.get(record, ())):
            changes = (Change(kind=UNREADABLE),) if new is None else tuple(_changes(old, new, noted=noted))
            yield Pair(record=record, before=old, after=new, changes=changes)


def _beside(before: Sequence[Result], after: Sequence[Result] | None) -> Iterator[tuple[Result, Result | None]]:
    """Single results as they are, several by the names of their rules."""
    if after is None:
        yield from ((one, None) for one in before)
    elif len(before) == len(after) == 1:
        yield before[0], after[0]
    else:
        old, new = ({one.rule: one for one in results} for results in (before, after))
        yield from ((old.get(rule, ABSENT), new.get(rule, ABSENT)) for rule in {**old, **new})


def _changes(before: Result, after: Result, *, noted: bool) -> Iterator[Change]:
    if before.kind != after.kind:
        yield Change(kind=NOW_IT_IS[after.kind])
    elif before.action is not None and after.action is not None:
        if before.action.kind != after.action.kind:
            yield Change(kind="other action", before=before.action.kind, after=after.action.kind)
            return
        yield from _in_fields(before.action.as_dict(), after.action.as_dict())
        if before.key != after.key:
            yield Change(kind="other key", field="once", before=before.key, after=after.key)
        if not noted:
            yield from _in_time(before, after)


def _in_fields(before: ReadOnly[str, object], after: ReadOnly[str, object]) -> Iterator[Change]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(kind=OF_FIELD.get(name, CALLER_ID), field=name, before=old, after=new)


def _in_time(before: Result, after: Result) -> Iterator[Change]:
    if before.hold_until != after.hold_until:
        yield Change(kind="other hold", field="hold_until", before=before.hold_until, after=after.hold_until)
    for name in TERMS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(kind="other terms", field=name, before=old, after=new)
