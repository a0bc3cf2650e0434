"""Calling hours in the time zones of the called number: is it open now, and when will it be next.

A wall clock decides: it is open while the clock of the place shows a time within a span of that weekday, on a
date that is not closed. So in the autumn the repeated hour counts twice, and in the spring a span that would
begin in the missing hour begins where that hour is missing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import pairwise
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from adapter.errors import TextError

Span = tuple[time, time]
MIDNIGHT = time.min
"""As the end of a span: the end of the day, written 24:00."""
FURTHEST = timedelta(days=366)
"""How far `next_open` looks ahead."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = r"([01]?[0-9]|2[0-4]):([0-5][0-9])"
_SPAN = re.compile(rf"\s*{_CLOCK}\s*[-–]\s*{_CLOCK}\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """When calls may be made; `open` is by weekday (Monday is 0), `closed_on` are dates of the called place.

    `zone` counts when the number does not tell its own; `outside` says what to do with a call out of hours.
    """

    open: Mapping[int, tuple[Span, ...]]
    closed_on: frozenset[date]
    zone: str
    outside: Literal["hold", "skip", "send"] = "hold"


def days(text: str) -> tuple[int, ...]:
    """Return the weekdays `mon-fri`, `sat`, `mon,wed,fri`, `fri-mon` or `daily` name; raise `TextError`."""
    if text.strip().lower() == "daily":
        return tuple(range(7))
    named: set[int] = set()
    for piece, offset in _pieces(text):
        first, dash, last = piece.replace("–", "-").partition("-")
        start = _day(first, offset)
        length = (_day(last, offset) - start) % 7 if dash else 0
        named.update((start + step) % 7 for step in range(length + 1))
    return tuple(sorted(named))


def span(text: str) -> Span:
    """Return the times of `08:00-18:00`, 24:00 being the end of the day; raise `TextError` if no span."""
    found = _SPAN.fullmatch(text)
    start, end = (_minutes(found[1], found[2]), _minutes(found[3], found[4])) if found else (0, 0)
    if not found or end > _minutes(24):
        raise TextError("not opening hours: write 08:00-18:00, with a 24-hour clock")
    if end <= start:
        raise TextError("it ends before it starts; past midnight, write 20:00-24:00 and, the day after, 00:00-02:00")
    return time(*divmod(start, 60)), time(*divmod(end % _minutes(24), 60))


def spans(text: str) -> tuple[Span, ...]:
    """Return the spans of `08:00-12:00, 13:00-18:00` in order of time; raise `TextError` at the wrong one."""
    found = []
    for piece, offset in _pieces(text):
        try:
            found.append(span(piece))
        except TextError as error:
            raise TextError(error.reason, offset) from error
    return tuple(sorted(found))


def overlap(found: Sequence[Span]) -> bool:
    """Return whether any of these spans, in order of time, begins before the one before it ends."""
    return any(end == MIDNIGHT or start < end for (_, end), (start, _) in pairwise(found))


def on_date(text: str) -> date:
    """Return the date of `2026-12-25`; raise `TextError` when there is no such day."""
    if not _DATE.fullmatch(text.strip()):
        raise TextError("not a date: write it as 2026-12-25")
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise TextError("there is no such day: write it as 2026-12-25") from error


def zone_problem(text: str) -> str | None:
    """Return what is wrong with the name of a time zone and the likely right one; None when it is right."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = _nearest_zone(text)
        return f"there is no time zone '{text}'; {f'did you mean {near}?' if near else 'write one like Europe/Berlin'}"
    return None


def is_open(hours: Hours, zones: Sequence[str], *, now: datetime) -> bool:
    """Return whether `now` is within the hours in all of `zones`; without any, in the hours' own zone."""
    return _open_in_all(hours, _clocks(hours, zones), now)


def next_open(hours: Hours, zones: Sequence[str], *, now: datetime) -> datetime | None:
    """Return the first moment from `now` on that is open in every zone, in the first zone's time, or None.

    None means not within a year. Every opening falls on the start of a span or on a change of the clocks in
    one of the zones, so that only these moments are tried.
    """
    now, clocks = now.astimezone(UTC), _clocks(hours, zones)
    moments = merge([now], *(_openings(hours, clock, now) for clock in clocks))
    return next(
        (moment.astimezone(clocks[0]) for moment in moments if moment >= now and _open_in_all(hours, clocks, moment)),
        None,
    )


def told(hours: Hours, zones: Sequence[str], *, now: datetime) -> str:
    """Return in words what every clock that counts shows, and when it is open there on that day."""
    whose = "the number's" if zones else "the file's"
    shown = []
    for clock in _clocks(hours, zones):
        local = now.astimezone(clock)
        spans = ", ".join(map(_written, hours.open.get(local.weekday(), ())))
        closed = "closed on this date" if local.date() in hours.closed_on else f"not open on {_DAYS[local.weekday()]}s"
        today = f"open {spans}" if spans and local.date() not in hours.closed_on else closed
        shown.append(f"{clock.key} ({_DAYS[local.weekday()][:3]} {local:%Y-%m-%d %H:%M}, {today})")
    return f"the clock is {whose}: {'; '.join(shown)}"


def as_dict(hours: Hours) -> dict[str, Any]:
    """Return the hours as JSON can hold them, in the words of a mapping file; `from_dict` reads it back."""
    return {
        "open": {_DAYS[day][:3]: ", ".join(map(_written, found)) for day, found in sorted(hours.open.items())},
        "closed_on": sorted(day.isoformat() for day in hours.closed_on),
        "zone": hours.zone,
        "outside": hours.outside,
    }


def from_dict(data: Mapping[str, Any]) -> Hours:
    """Return the hours `as_dict` wrote down, or those of a mapping file; raise `TextError`."""
    week: dict[int, tuple[Span, ...]] = {}
    for names, times in data["open"].items():
        for day in days(names):
            week[day] = tuple(sorted(week.get(day, ()) + spans(times)))
    return Hours(
        open=week,
        closed_on=frozenset(on_date(day) for day in data.get("closed_on", ())),
        zone=data["zone"],
        outside=data.get("outside", "hold"),
    )


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """Yield each part between commas with the offset at which it begins."""
    offset = 0
    for piece in text.split(","):
        yield piece.strip(), offset
        offset += len(piece) + 1


def _minutes(hours: str | int, minutes: str | int = 0) -> int:
    return int(hours) * 60 + int(minutes)


def _written(of: Span) -> str:
    start, end = of
    return f"{start:%H:%M}-{'24:00' if end == MIDNIGHT else format(end, '%H:%M')}"


def _day(word: str, offset: int) -> int:
    word = word.strip().lower()
    for number, name in enumerate(_DAYS):
        if len(word) >= 3 and name.startswith(word):
            return number
    raise TextError("not a weekday: write mon, tue, wed, thu, fri, sat or sun, as in mon-fri, or daily", offset)


def _nearest_zone(text: str) -> str | None:
    """The zone of a place whose name is like the text; of Etc/GMT+1 nobody knows that it is west of Greenwich."""
    places = (name for name in sorted(available_timezones()) if "/" in name and not name.startswith("Etc/"))
    names = {name.lower(): name for name in places}
    cities = {name.rpartition("/")[2]: full for name, full in names.items()}
    near = difflib.get_close_matches(text.lower().replace(" ", "_"), [*names, *cities], n=1, cutoff=0.7)
    return (names.get(near[0]) or cities[near[0]]) if near else None


def _clocks(hours: Hours, zones: Sequence[str]) -> list[ZoneInfo]:
    """Return the clocks that count; a zone younger than the installed zone data leaves the hours' own."""
    try:
        return [ZoneInfo(name) for name in zones or (hours.zone,)]
    except ZoneInfoNotFoundError:
        return [ZoneInfo(hours.zone)]


def _open_in_all(hours: Hours, clocks: Sequence[ZoneInfo], moment: datetime) -> bool:
    return all(_open_at(hours, moment.astimezone(clock)) for clock in clocks)


def _open_at(hours: Hours, local: datetime) -> bool:
    clock = local.time()
    return local.date() not in hours.closed_on and any(
        start <= clock and (clock < end or end == MIDNIGHT) for start, end in hours.open.get(local.weekday(), ())
    )


def _openings(hours: Hours, clock: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Yield, in order and in UTC, every moment of the next year at which one zone can begin to be open."""
    today = now.astimezone(clock).date()
    for ahead in range(FURTHEST.days + 1):
        day = today + timedelta(days=ahead)
        change = _clock_change(day, clock)
        moments = {
            datetime.combine(day, start.replace(fold=fold), clock).astimezone(UTC)
            for start, _ in hours.open.get(day.weekday(), ())
            for fold in ((0, 1) if change else (0,))
        }
        yield from sorted(moments | ({change} if change else set()))


def _clock_change(day: date, clock: ZoneInfo) -> datetime | None:
    """Return the moment (UTC) of `day` at which the zone's distance from UTC changes; None if it does not."""
    early, late = (datetime.combine(day + timedelta(days=step), MIDNIGHT, clock) for step in (0, 1))
    before = early.utcoffset()
    if before == late.utcoffset():
        return None
    second = timedelta(seconds=1)
    early, late = early.astimezone(UTC) - second, late.astimezone(UTC)  # midnight itself may be the moment
    while late - early > second:
        middle = early + (late - early) // second // 2 * second
        same = middle.astimezone(clock).utcoffset() == before
        early, late = (middle, late) if same else (early, middle)
    return late
