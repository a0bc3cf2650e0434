"""The part of the dispatcher process that tells senders: takes reports that are due, and posts them on own threads.

At least once: whoever dies between the post and its settling leaves a report that is posted again, with the same id.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from adapter import metrics
from adapter.errors import StoreError
from adapter.logs import Seldom, event
from adapter.receipt import Link
from adapter.reporting import message, pace
from adapter.reporting.posting import Answer, Poster
from adapter.store import Due, Reports, Told

LEASE = timedelta(seconds=60)
"""Much longer than a try may take: what was taken and not settled by then is tried again."""
LINES = 32
EACH = 4
"""Posts under way at once, in all and to one host: a host that is slow takes no more than its share."""
POLL_SECONDS = 1.0
FORGIVEN = 2
"""Failures of one report that want no person: a receiver that restarts has them."""


class Reporter:
    """Sends reports for one process, until it is told to stop."""

    def __init__(
        self,
        reports: Reports,
        poster: Poster,
        clock: Callable[[], datetime],
        *,
        link: Link,
        lines: int = LINES,
        each: int = EACH,
    ) -> None:
        self._reports = reports
        self._poster = poster
        self._clock = clock
        self._link = link
        self._lines = lines
        self._each = each
        self._busy: Counter[str] = Counter()
        self._turn = threading.Lock()
        self._again = threading.Event()
        self._tell = Seldom("report.store")

    def run(self, stopping: threading.Event) -> None:
        """Send what is due until `stopping` is set; what is under way is finished."""
        with ThreadPoolExecutor(self._lines, "report") as pool:
            while not stopping.is_set():
                self._again.clear()
                if not self._feed(pool):
                    self._again.wait(POLL_SECONDS)

    def step(self) -> list[Due]:
        """Send what is due now, one after the other; gives what was sent."""
        taken = self._claim()
        for due in taken:
            self._one(due)
        return taken

    def _feed(self, pool: ThreadPoolExecutor) -> bool:
        """Take as much as there is room for; whether anything was taken."""
        taken = self._claim()
        for due in taken:
            pool.submit(self._one, due)
        return bool(taken)

    def _claim(self) -> list[Due]:
        with self._turn:
            busy = Counter(self._busy)
        free, now = self._lines - busy.total(), self._clock()
        if not free:
            return []
        try:
            taken = self._reports.claim(now=now, until=now + LEASE, most=free, busy=busy, each=self._each)
        except StoreError as exc:
            self._tell(exc.reason)
            return []
        with self._turn:
            self._busy.update(due.host for due in taken)
        return taken

    def _one(self, due: Due) -> None:
        """Post and settle; a report that cannot even be made is one that failed."""
        try:
            answer = self._post(due)
        except Exception:
            event("report.crashed", level=logging.ERROR, failure=True, id=due.delivery.id)
            answer = Answer(said="it could not be made: see the log of the adapter")
        try:
            self._settle(due, answer)
        finally:
            with self._turn:
                self._busy[due.host] -= 1
            self._again.set()

    def _post(self, due: Due) -> Answer:
        report, content = due.delivery.terms["report"], message.body(due.delivery, self._link)
        return self._poster.post(report["to"], report["secrets"], message_id=due.id, content=content)

    def _settle(self, due: Due, answer: Answer) -> None:
        """Keep what became of it; when that cannot be kept, it is sent again when its lease has run out."""
        told = pace.judged(due, answer, now=self._clock(), jitter=random.random())  # noqa: S311 - spreads retries
        try:
            self._reports.settle(due, told)
        except StoreError as exc:
            event("report.store", level=logging.ERROR, reason=exc.reason)
        _tell(due, told)


def _tell(due: Due, told: Told) -> None:
    """Count it and write its line."""
    result = "again" if told.result == "pending" else told.result.replace(" ", "_")
    level = logging.WARNING if due.tries > FORGIVEN else logging.INFO
    metrics.REPORTS.labels(due.delivery.mapping, result).inc()
    event(
        "report.failed" if result == "again" else f"report.{result}",
        level={"sent": logging.INFO, "again": level}.get(result, logging.ERROR),
        mapping=due.delivery.mapping,
        id=due.delivery.id,
        state=due.delivery.state,
        host=due.host,
        status=told.status,
        tries=due.tries,
        reason=told.said or None,
        again_at=told.again_at and told.again_at.isoformat(timespec="seconds"),
    )
