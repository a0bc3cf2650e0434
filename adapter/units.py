"""Durations, sizes, answers and counts as an administrator writes them; durations as a person says them."""

from __future__ import annotations

import re
from datetime import timedelta

from adapter.errors import TextError

LONGEST = timedelta(days=3660)
"""No duration is longer, so that adding one to a date of today never leaves the calendar."""

_DURATION = re.compile(
    "(?:(?P<days>[0-9]{1,8})d)? ?(?:(?P<hours>[0-9]{1,8})h)? ?(?:(?P<minutes>[0-9]{1,8})m)?"
    " ?(?:(?P<seconds>[0-9]{1,8})s)? ?(?:(?P<milliseconds>[0-9]{1,8})ms)?",
    re.ASCII | re.IGNORECASE,
)
_SIZE = re.compile(r"([0-9]{1,12})\s*([KMG]?B)?", re.ASCII | re.IGNORECASE)
_BYTES = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_ANSWERS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_PARTS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def duration(text: str) -> timedelta:
    """Return what `30s`, `10m`, `48h`, `4d`, `1h30m`, `500ms` or `0` mean; raise `TextError` otherwise."""
    text = text.strip()
    if text == "0":
        return timedelta()
    if re.fullmatch("[0-9]+", text):
        raise TextError(f"a duration needs its unit: write {text}s, {text}m, {text}h or {text}d")
    found = _DURATION.fullmatch(text)
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found else {}
    if not parts:
        raise TextError("not a duration: write numbers with ms, s, m, h or d, as in 30s, 10m, 1h30m or 4d")
    length = timedelta(**parts)
    if length > LONGEST:
        raise TextError(f"a duration is at most {LONGEST.days}d")
    return length


def size(text: str) -> int:
    """Return the bytes of `1000`, `512KB` or `1MB` (1 KB = 1024 bytes, 1 MB = 1024 KB); raise `TextError`."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise TextError("not a size: write a whole number of bytes, or one with KB, MB or GB, as in 512KB or 1MB")
    return int(found[1]) * _BYTES[(found[2] or "").upper()]


def yes_no(text: str) -> bool:
    """Return True for yes, true, on and False for no, false, off in any case; raise `TextError` otherwise."""
    answer = _ANSWERS.get(text.strip().lower())
    if answer is None:
        raise TextError("write yes or no")
    return answer


def count(text: str, *, least: int = 0, most: int = 1_000_000_000) -> int:
    """Return the whole number written, from `least` to `most` (both count); raise `TextError` otherwise."""
    text = text.strip()
    if not re.fullmatch("[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise TextError(f"write a whole number from {least} to {most}")
    return int(text)


def spoken(length: timedelta) -> str:
    """Return the two largest parts in words: `10 minutes`, `1 hour 30 minutes`; `0 seconds` at least."""
    seconds = length.total_seconds()
    if 0 < seconds < 1:
        return _plural(int(seconds * 1000), "millisecond")
    left, said = max(int(seconds), 0), []
    for unit, worth in _PARTS:
        number, left = divmod(left, worth)
        if number:
            said.append(_plural(number, unit))
    return " ".join(said[:2]) or "0 seconds"


def _plural(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
