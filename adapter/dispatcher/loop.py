"""The dispatcher process: takes what is due, carries it out on a few threads, sweeps and purges."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TypeVar

from adapter.dispatcher.carrying import Dispatcher
from adapter.dispatcher.leases import Clock
from adapter.errors import StoreError
from adapter.logs import Seldom, event
from adapter.model import Delivery

POLL_SECONDS = 0.1
GATHER_SECONDS = 0.015
"""While there is a backlog, threads that become free so close together are fed by one claim."""
SWEEP_SECONDS = 1.0
PURGE_SECONDS = 300.0
PURGE_ROWS = 5_000
"""Rows a table of one look for what is too old."""
T = TypeVar("T")
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
        self._asked = False
        self._stop = threading.Event()
        self._tell = Seldom("dispatcher.store")
        self._bell = dispatcher.store.bell()

    def stop(self) -> None:
        """Ask the loop to end; what is under way is finished first. A signal handler may do so, see `halt.Halt`."""
        self._asked = True
        self._bell.ring()

    def run(self) -> None:
        """Work until `stop`; if any part of the work dies the others end too, and its error is raised."""
        besides = [partial(one, self._stop) for one in self._besides]
        parts: list[Callable[[], None]] = [self._sweeping, self._purging, *besides]
        threads = ThreadPoolExecutor(self._threads + len(parts), "dispatch")
        with closing(self._dispatcher), closing(self._bell), threads as pool:
            others = [pool.submit(part) for part in parts]
            for one in others:
                one.add_done_callback(lambda _: self.stop())
            try:
                while not self._asked:
                    if not self._feed(pool):
                        self._bell.wait(POLL_SECONDS)
            finally:
                self._stop.set()
            for one in others:
                one.result()

    def _feed(self, pool: ThreadPoolExecutor) -> bool:
        """Claim as much as there are free threads; whether anything was claimed, or was too old and stood before it."""
        free = 0
        if self._backlog:
            self._stop.wait(GATHER_SECONDS)
        while free < self._threads and self._free.acquire(blocking=free == 0, timeout=1 if free == 0 else None):
            free += 1
        taken: list[Delivery] = []
        moved = False
        try:
            if free and not self._asked:
                taken, moved = self._dispatcher.claimed(free)
        except StoreError as exc:
            self._tell(exc.reason)
            self._stop.wait(SWEEP_SECONDS)
        self._backlog = moved or 0 < len(taken) == free
        for _ in range(free - len(taken)):
            self._free.release()
        for delivery in taken:
            self._dispatcher.lines.take(delivery.tenant)
            pool.submit(self._one, delivery)
        return moved or bool(taken)

    def _one(self, delivery: Delivery) -> None:
        try:
            self._dispatcher.carry_out(delivery)
        except Exception:
            event("delivery.crashed", level=logging.ERROR, failure=True, id=delivery.id)
        finally:
            self._dispatcher.lines.leave(delivery.tenant)
            self._free.release()

    def _sweeping(self) -> None:
        """Every second the leases."""
        self._again_and_again(self._dispatcher.sweep, pause=lambda _: SWEEP_SECONDS)

    def _purging(self) -> None:
        """Every five minutes what is too old, again after a second while there was any; no lease waits for it."""
        self._again_and_again(self.purge, pause=lambda gone: SWEEP_SECONDS if gone else PURGE_SECONDS)

    def _again_and_again(self, work: Callable[[], T], *, pause: Callable[[T], float]) -> None:
        """Work until `stop`, the first time after a second, with a pause that goes by what was done."""
        seconds = SWEEP_SECONDS
        while not self._stop.wait(seconds):
            try:
                seconds = pause(work())
            except StoreError as exc:
                seconds = SWEEP_SECONDS
                self._tell(exc.reason)

    def purge(self) -> int:
        """Remove what is older than the retention in bites for which nobody waits; gives how many rows went."""
        now = self._clock()
        gone = self._dispatcher.store.purge(
            before=now - self._retention, now=now, most=PURGE_ROWS, rest=self._stop.wait
        )
        if gone:
            event("store.purged", rows=gone)
        return gone
