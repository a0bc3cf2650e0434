"""Conditions: a tree of `all`, `any`, `not` and tests of one field, read when the mapping is loaded."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from adapter import path

Find = Callable[[path.Path], Any]


@dataclass(frozen=True, slots=True)
class Test:
    """One field, one operator, and what it is compared with (text, a list of texts, or yes/no)."""

    field: path.Path
    operator: str
    wanted: Any


@dataclass(frozen=True, slots=True)
class Group:
    """`all`, `any` or `not` (none may hold) of what stands below it."""

    word: str
    members: tuple[Condition, ...]


Condition = Test | Group


def holds(condition: Condition, find: Find, *, now: datetime) -> bool:
    """Whether the condition holds for what `find` gives; an empty field satisfies only the negative operators."""
    if isinstance(condition, Test):
        return OPERATORS[condition.operator](find(condition.field), condition.wanted, now)
    verdicts = (holds(member, find, now=now) for member in condition.members)
    if condition.word == "all":
        return all(verdicts)
    return any(verdicts) if condition.word == "any" else not any(verdicts)


def folded(text: str) -> str:
    """A text as comparisons see it: case and outer blanks do not count."""
    return text.strip().casefold()


def _is(value: Any, wanted: str, now: datetime) -> bool:
    text = path.text_of(value)
    return text is not None and folded(text) == folded(wanted)


def _in(value: Any, wanted: list[str], now: datetime) -> bool:
    return any(_is(value, one, now) for one in wanted)


def _contains(value: Any, wanted: str, now: datetime) -> bool:
    if isinstance(value, list):
        return any(_is(item, wanted, now) for item in value)
    return folded(wanted) in folded(path.text_of(value) or "")


def _like(value: Any, wanted: re.Pattern[str], now: datetime) -> bool:
    text = path.text_of(value)
    return text is not None and wanted.match(folded(text)) is not None


def number(text: str | None) -> Decimal | None:
    """The number that a text is, or None."""
    try:
        found = Decimal(text.strip()) if text is not None else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _more_than(value: Any, wanted: Decimal, now: datetime) -> bool:
    found = number(path.text_of(value))
    return found is not None and found > wanted


def _less_than(value: Any, wanted: Decimal, now: datetime) -> bool:
    found = number(path.text_of(value))
    return found is not None and found < wanted


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 date or time as an aware moment (UTC where it names no zone), or None."""
    try:
        found = datetime.fromisoformat(text.strip()) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _before(value: Any, wanted: datetime | None, now: datetime) -> bool:
    found = moment(path.text_of(value))
    return found is not None and found < (wanted or now)


def _after(value: Any, wanted: datetime | None, now: datetime) -> bool:
    found = moment(path.text_of(value))
    return found is not None and found > (wanted or now)


OPERATORS: Mapping[str, Callable[[Any, Any, datetime], bool]] = {
    "present": lambda value, wanted, now: (value is not None) is wanted,
    "is": _is,
    "is_not": lambda value, wanted, now: not _is(value, wanted, now),
    "in": _in,
    "not_in": lambda value, wanted, now: not _in(value, wanted, now),
    "contains": _contains,
    "like": _like,
    "more_than": _more_than,
    "less_than": _less_than,
    "before": _before,
    "after": _after,
}
GROUPS = ("all", "any", "not")


def pattern(text: str) -> re.Pattern[str]:
    """The compiled form of a `like` text, in which * stands for any characters and ? for one."""
    return re.compile(fnmatch.translate(folded(text).replace("[", "[[]")))
