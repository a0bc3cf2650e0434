"""One clock for all machines that share a database: the database's."""

from __future__ import annotations

import math
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
MOST_SECONDS = 1.0
"""A round trip that took longer tells nothing: nobody knows at which end of it the database looked at its clock."""
STALE_SECONDS = 60.0
"""A measure that is so much overdue, because nobody wanted to know the time, is waited for."""
JUMP = timedelta(seconds=0.25)
"""A machine's clock that moved so much against its steady one was set, or the machine slept."""
WORTH_TELLING = timedelta(seconds=2)


class SharedClock:
    """This machine's clock plus what it is off, measured every few seconds and whenever the machine's was set.

    A thread measures: who wants to know the time goes by the last measure, or waits for no longer than a measure can
    take that counts. While the database cannot be asked the last one stands: nothing can be claimed, renewed or swept
    then.
    """

    def __init__(self, clock: Clock, ask: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ask = ask
        self._turn = threading.Lock()
        self._off = timedelta()
        self._steady = timedelta()
        self._again_at = -math.inf

    def __call__(self) -> datetime:
        """The database's time, aware, in UTC, as exact as half a round trip of at most a second."""
        now, steady = self._clock(), time.monotonic()
        jumped = abs(_apart(now, steady) - self._steady) > JUMP or steady >= self._again_at + STALE_SECONDS
        if (jumped or steady >= self._again_at) and self._turn.acquire(timeout=MOST_SECONDS if jumped else 0):
            measuring = threading.Thread(target=self._measure, name="clock", daemon=True)
            measuring.start()
            if jumped:
                measuring.join(MOST_SECONDS)
            now = self._clock()
        return now + self._off

    def _measure(self) -> None:
        before, begun = self._clock(), time.monotonic()
        self._steady = _apart(before, begun)
        self._again_at = math.inf
        again = AGAIN_SECONDS
        try:
            found = self._ask()
            taken = time.monotonic() - begun
            if taken < MOST_SECONDS:
                self._known(found - before - timedelta(seconds=taken / 2))
                again = MEASURE_SECONDS
        except SQLAlchemyError:
            pass
        finally:
            self._again_at = time.monotonic() + again
            self._turn.release()

    def _known(self, off: timedelta) -> None:
        if abs(off) > WORTH_TELLING and abs(off - self._off) > JUMP:
            logs.event("store.clock", level=WARNING, seconds_behind_the_database=round(off.total_seconds(), 1))
        self._off = off


def _apart(now: datetime, steady: float) -> timedelta:
    return timedelta(seconds=now.timestamp() - steady)
