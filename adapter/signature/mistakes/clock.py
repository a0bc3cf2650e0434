"""The time beside a signature: how far it is from ours, and whether it is in another unit."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapter.errors import SignatureError
from adapter.model import Received
from adapter.signature.keyed import Keyed
from adapter.signature.moment import UNITS, Clock, micros
from adapter.units import spoken

_WORDS = {"s": "seconds", "ms": "milliseconds", "iso8601": "ISO 8601", "http-date": "an HTTP date"}


def of_clock(scheme: Keyed, received: Received, *, now: datetime) -> str:
    """What is wrong with the time that was sent; empty when nothing is, or there is none."""
    if not scheme.clock:
        return ""
    try:
        text = scheme.timestamp(received)
    except SignatureError as exc:
        return f"the time of the signature is not there: {exc.reason}"
    return _judged(scheme.clock, text, now=now)


def _judged(clock: Clock, text: bytes, *, now: datetime) -> str:
    late = _late(clock.unit, text, now=now)
    if late is not None and abs(late) <= timedelta(seconds=clock.tolerance):
        return ""
    for unit in UNITS:
        found = _late(unit, text, now=now)
        if unit != clock.unit and found is not None and abs(found) <= timedelta(days=1):
            return f"the time is in {_WORDS[unit]}, but this scheme wants {_WORDS[clock.unit]}: write unit: {unit}"
    if late is None:
        return f"the time cannot be read: this scheme wants {_WORDS[clock.unit]}"
    side = "behind" if late > timedelta() else "ahead of"
    allowed = spoken(timedelta(seconds=clock.tolerance))
    why = "an old request sent again, or a clock that is wrong"
    return f"the time is {spoken(abs(late))} {side} our clock, and {allowed} are allowed: {why}"


def _late(unit: str, text: bytes, *, now: datetime) -> timedelta | None:
    """How far the moment lies behind; None when it cannot be read in this unit."""
    try:
        return timedelta(microseconds=micros(now) - UNITS[unit].read(text))
    except (ValueError, OverflowError):
        return None
