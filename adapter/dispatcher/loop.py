"""The dispatcher process: takes what is due, carries it out on a few threads, sweeps and purges."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial

from adapter.dispatcher.carrying import Dispatcher
from adapter.dispatcher.leases import Clock
from adapter.errors import StoreError
from adapter.logs import event
from adapter.model import Delivery

POLL_SECONDS = 0.1
GATHER_SECONDS = 0.015
"""While there is a backlog, threads that become free so close together are fed by one claim."""
SWEEP_SECONDS = 1.0
PURGE_SECONDS = 300.0
Besides = Callable[[threading.Event], None]
"""Other work of the process, on a thread of its own, until the event is set."""


class Loop:
    """Takes deliveries from the store until it is told to stop."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        threads: int,
        retention: timedelta,
        clock: Clock,
        besides: Sequence[Besides] = (),
    ) -> None:
        self._dispatcher = dispatcher
        self._threads = threads
        self._retention = retention
        self._clock = clock
        self._besides = besides
        self._free = threading.Semaphore(threads)
        self._backlog = False
        self._stop = threading.Event()
        self._bell = dispatcher.store.bell()

    def stop(self) -> None:
        """Ask the loop to end; what is under way is finished first."""
        self._stop.set()
        self._bell.ring()

    def run(self) -> None:
        """Work until `stop`; if any part of the work dies the others end too, and its error is raised."""
        parts: list[Callable[[], None]] = [self._chores, *(partial(one, self._stop) for one in self._besides)]
        threads = ThreadPoolExecutor(self._threads + len(parts), "dispatch")
        with closing(self._dispatcher), closing(self._bell), threads as pool:
            others = [pool.submit(part) for part in parts]
            for one in others:
                one.add_done_callback(lambda _: self.stop())
            try:
                while not self._stop.is_set():
                    if not self._feed(pool):
                        self._bell.wait(POLL_SECONDS)
            finally:
                self.stop()
            for one in others:
                one.result()

    def _feed(self, pool: ThreadPoolExecutor) -> bool:
        """Claim as much as there are free threads; whether anything was claimed."""
        free = 0
        if self._backlog:
            self._stop.wait(GATHER_SECONDS)
        while free < self._threads and self._free.acquire(blocking=free == 0, timeout=1 if free == 0 else None):
            free += 1
        taken: list[Delivery] = []
        try:
            taken = self._dispatcher.claim(free) if free and not self._stop.is_set() else []
        except StoreError as exc:
            event("dispatcher.store", level=logging.ERROR, reason=exc.reason)
        self._backlog = 0 < len(taken) == free
        for _ in range(free - len(taken)):
            self._free.release()
        for delivery in taken:
            pool.submit(self._one, delivery)
        return bool(taken)

    def _one(self, delivery: Delivery) -> None:
        try:
            self._dispatcher.carry_out(delivery)
        except Exception:
            event("delivery.crashed", level=logging.ERROR, failure=True, id=delivery.id)
        finally:
            self._free.release()

    def _chores(self) -> None:
        """Every second the leases; every five minutes the purge, a bite a second while there is anything to remove."""
        purge_at = 0.0
        while not self._stop.wait(SWEEP_SECONDS):
            try:
                self._dispatcher.sweep()
                if time.monotonic() >= purge_at:
                    purge_at = time.monotonic() + (0 if self.purge() else PURGE_SECONDS)
            except StoreError as exc:
                event("dispatcher.store", level=logging.ERROR, reason=exc.reason)

    def purge(self) -> int:
        """Remove a bite of what is older than the retention, small so that nobody waits for it; gives its rows."""
        now = self._clock()
        gone = self._dispatcher.store.purge(before=now - self._retention, now=now)
        if gone:
            event("store.purged", rows=gone)
        return gone
