"""One clock for all machines that share a database: the database's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from logging import WARNING

from sqlalchemy.exc import SQLAlchemyError

from adapter import logs
from adapter.store.dialect import Clock

MEASURE_SECONDS = 5.0
AGAIN_SECONDS = 1.0
"""How soon it is tried again when the database could not be asked."""
JUMP = timedelta(seconds=0.25)
"""A machine's clock that moved so much against its steady one was set, or the machine slept."""
WORTH_TELLING = timedelta(seconds=2)


class SharedClock:
    """This machine's clock plus what it is off, measured every few seconds and whenever the machine's was set.

    While the database cannot be asked the last measure stands: nothing can be claimed, renewed or swept then.
    """

    def __init__(self, clock: Clock, ask: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ask = ask
        self._turn = threading.Lock()
        self._off = timedelta()
        self._steady: timedelta | None = None
        self._again_at = 0.0

    def __call__(self) -> datetime:
        """The database's time, aware, in UTC, as exact as half a round trip."""
        now, steady = self._clock(), time.monotonic()
        jumped = self._steady is None or abs(_apart(now, steady) - self._steady) > JUMP
        if (jumped or steady >= self._again_at) and self._turn.acquire(blocking=jumped):
            try:
                self._measure()
            finally:
                self._turn.release()
            now = self._clock()
        return now + self._off

    def _measure(self) -> None:
        before, begun = self._clock(), time.monotonic()
        self._steady = _apart(before, begun)
        try:
            found = self._ask()
        except SQLAlchemyError:
            self._again_at = time.monotonic() + AGAIN_SECONDS
            return
        taken = time.monotonic() - begun
        self._again_at = begun + taken + MEASURE_SECONDS
        off = found - before - timedelta(seconds=taken / 2)
        if abs(off) > WORTH_TELLING and abs(off - self._off) > JUMP:
            logs.event("store.clock", level=WARNING, seconds_behind_the_database=round(off.total_seconds(), 1))
        self._off = off


def _apart(now: datetime, steady: float) -> timedelta:
    return timedelta(seconds=now.timestamp() - steady)
