"""Refused requests, counted in memory: a flood of them must not cost a commit each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from adapter.errors import StoreError
from adapter.logs import event, masked
from adapter.metrics import REFUSALS, Bounded
from adapter.store import Store

SECOND = 1.0


class Refusals:
    """Counts for one process; the store hears of them at most once a second, and the first after a quiet one at once.

    A process that is killed loses what it counted within its last second, and nothing else.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._bounded = Bounded()
        self._turn = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: dict[tuple[str, str, str, str], tuple[int, datetime]] = {}
        self._written_at = float("-inf")
        self._timer: threading.Timer | None = None

    def count(self, *, mapping: str, code: str, reason: str, now: datetime) -> None:
        """Count one refused request; nothing of its content is kept, and never is anything raised."""
        reason = self._bounded(masked(reason))
        REFUSALS.labels(mapping, code, reason).inc()
        with self._turn:
            key = (mapping, code, reason, now.date().isoformat())
            self._waiting[key] = (self._waiting.get(key, (0, now))[0] + 1, now)
            left = max(0.0, self._written_at + SECOND - self._clock())
            at_once = not left and not self._writing.locked()  # a store that is slow holds no request
            if at_once:
                self._written_at = self._clock()
            elif self._timer is None:
                self._timer = threading.Timer(left, self.write)
                self._timer.daemon = True
                self._timer.start()
        if at_once:
            self.write()

    def write(self) -> None:
        """Tell the store what it has not heard yet, once what is being told just now is there.

        What it cannot take now is told with the next.
        """
        with self._writing:
            self._tell()

    def _tell(self) -> None:
        with self._turn:
            if self._timer:
                self._timer.cancel()
            waiting, self._waiting, self._timer = self._waiting, {}, None
            self._written_at = self._clock()
        for key, (count, now) in waiting.items():
            mapping, code, reason, _ = key
            try:
                self._store.count_refusal(mapping=mapping, code=code, reason=reason, now=now, count=count)
            except StoreError as exc:
                event("refusal.not_counted", level=logging.WARNING, reason=exc.reason)
                self._again(key, count, now)

    def _again(self, key: tuple[str, str, str, str], count: int, now: datetime) -> None:
        with self._turn:
            more, last = self._waiting.get(key, (0, now))
            self._waiting[key] = (more + count, max(last, now))
