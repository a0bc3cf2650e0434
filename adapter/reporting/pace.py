"""What becomes of a report by its answer: done, tried again after a while, or given up. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapter import retry
from adapter.reporting.posting import Answer
from adapter.store import Due, Told

SCHEDULE = tuple(timedelta(seconds=wait) for wait in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600))
"""Waits after the first, second, … try; the last one repeats."""
WANTED_FOR = timedelta(days=2)
"""A receiver that is down over a weekend's night and day is told all the same."""
GONE = 410
"""The answer of a receiver that wants no more of this."""
LATER = (429, 503)
"""Answers whose Retry-After is believed."""


def judged(due: Due, answer: Answer, *, now: datetime, jitter: float) -> Told:
    """What became of a try; any 2xx is enough, a redirect is a failure like any other."""
    if answer.is_good:
        return Told(result="sent", status=answer.status)
    again_at = None if answer.status == GONE else _again(due, answer, now=now, jitter=jitter)
    return Told(result="pending" if again_at else "given up", status=answer.status, said=answer.said, again_at=again_at)


def _again(due: Due, answer: Answer, *, now: datetime, jitter: float) -> datetime | None:
    return retry.next_attempt(
        answer.retry_after if answer.status in LATER else None,
        tries=due.tries,
        now=now,
        deadline=due.delivery.updated_at + WANTED_FOR,
        jitter=jitter,
        schedule=SCHEDULE,
    )
