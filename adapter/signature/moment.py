"""The time a signature was made: the written forms, and how far from now it may be.

Moments are whole microseconds since 1970, so that the edge of the window is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from adapter.errors import SignatureError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = re.compile(rb"[0-9]{1,17}")


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def _count(text: bytes, unit: int) -> int:
    if not _DIGITS.fullmatch(text):
        raise ValueError("other characters than digits, or far too many")
    return int(text) * unit


def _iso8601(text: bytes) -> int:
    moment = datetime.fromisoformat(text.decode("ascii"))
    if moment.tzinfo is None:
        raise ValueError("no offset, so it could be any of a day's hours")
    return micros(moment)


def _http_date(text: bytes) -> int:
    # RFC 9110's preferred form only.
    moment = datetime.strptime(text.decode("ascii"), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    return micros(moment)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """How a sender writes a moment; `read` raises `ValueError`."""

    read: Callable[[bytes], int]
    write: Callable[[datetime], str]


UNITS: Mapping[str, Unit] = {
    "s": Unit(read=lambda text: _count(text, 1_000_000), write=lambda now: str(micros(now) // 1_000_000)),
    "ms": Unit(read=lambda text: _count(text, 1_000), write=lambda now: str(micros(now) // 1_000)),
    "iso8601": Unit(read=_iso8601, write=lambda now: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    "http-date": Unit(read=_http_date, write=lambda now: format_datetime(now.astimezone(UTC), usegmt=True)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """How a signature tells its time; `header` is empty when the signature's own header holds it."""

    header: str
    unit: str
    tolerance: int

    def check(self, text: bytes, *, now: datetime) -> None:
        """Raise `SignatureError` unless `text` is within `tolerance` seconds of now, before or after."""
        try:
            moment = UNITS[self.unit].read(text)
        except ValueError as exc:
            raise SignatureError("malformed timestamp") from exc
        if abs(micros(now) - moment) > self.tolerance * 1_000_000:
            raise SignatureError("timestamp outside tolerance")

    def write(self, now: datetime) -> bytes:
        """Now, as the sender would write it."""
        return UNITS[self.unit].write(now).encode()
