"""What two versions of a mapping make of the same record, in words a person can read, and as plain data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from adapter import receipt, units
from adapter.logs import masked
from adapter.mapping import Result
from adapter.mapping.difference import Change, Pair

NUMBERS = ("number_to_dial", "callback_number", "outbound_caller_id", "number")
PRIVATE = ("once",)
"""Fields in which anything may stand, names and addresses of people too."""


def sentence(pair: Pair, *, full: bool = False) -> str:
    """The change in one line, `before -> after`; telephone numbers with their last four digits unless `full`."""
    if pair.after is None:
        return f"{outcome(pair.before, full=full)} -> the body cannot be read, its sender would get 400"
    fields = [change for change in pair.changes if change.field]
    if not fields or len(fields) < len(pair.changes):
        return f"{outcome(pair.before, full=full)} -> {outcome(pair.after, full=full)}"
    return f"{outcome(pair.before, full=full)}: {'; '.join(_spoken(change, full=full) for change in fields)}"


def outcome(result: Result, *, full: bool = False) -> str:
    """What a result means."""
    if result.action is not None:
        return receipt.what(result.action, str if full else receipt.last_four)
    told = {"skip": "nothing: {}", "reject": "not usable: {}", "action": "an action that was removed since"}
    reason = result.reason if full else masked(result.reason)
    return told[result.kind].format(reason)


def plain(pair: Pair, *, full: bool = False) -> dict[str, Any]:
    """The change for a program, and for the store."""
    show = _shown(full)
    return {
        "record": pair.record,
        "kinds": list(pair.kinds),
        "said": sentence(pair, full=full),
        "changes": [
            {"kind": one.kind, "field": one.field, "before": show(one, one.before), "after": show(one, one.after)}
            for one in pair.changes
            if one.field
        ],
    }


def _spoken(change: Change, *, full: bool) -> str:
    show = _shown(full)
    before, after = show(change, change.before), show(change, change.after)
    if before == after:  # they differ in what is not shown
        return f"another {change.field}"
    return f"{change.field} {before} -> {after}"


def _shown(full: bool) -> Callable[[Change, object], str]:
    def show(change: Change, value: object) -> str:
        if value is None:
            return "nothing"
        if isinstance(value, datetime):
            return receipt.instant(value)
        if isinstance(value, timedelta):
            return units.spoken(value)
        if full:
            return str(value)
        return (
            receipt.last_four(str(value))
            if change.field in NUMBERS
            else "..."
            if change.field in PRIVATE
            else str(value)
        )

    return show
