"""When to try again; clock and jitter are arguments, and whether to try at all is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

SCHEDULE = tuple(timedelta(seconds=wait) for wait in (0.5, 1, 2, 3))
"""Waits after the first, second, … try that certainly did not reach Xima; the last one repeats.

Their largest, with jitter, stays under five seconds: a callback leaves within five seconds of Xima's return.
"""
THROTTLED = timedelta(seconds=3)
"""The `at_least` of an answer 429 that does not say how long to stay away."""
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(hours=1)
"""What is believed of a Retry-After: less would hammer Xima, more would park the work for no reason."""
_SPREAD = 0.25


def next_attempt(
    outcome_retry_after: timedelta | None,
    *,
    tries: int,
    now: datetime,
    deadline: datetime,
    jitter: float,
    schedule: Sequence[timedelta] = SCHEDULE,
    at_least: timedelta = timedelta(0),
) -> datetime | None:
    """Return the moment of the next try after `tries` (1, 2, …) unsuccessful ones; None if past `deadline`.

    `outcome_retry_after` is what Xima asked for and wins over `schedule` and `at_least`. `jitter` (0 to 1)
    lengthens the wait by up to a quarter, so that deliveries that failed together return apart.
    """
    if outcome_retry_after is None:
        wait = max(schedule[min(max(tries, 1), len(schedule)) - 1], at_least)
    else:
        wait = min(max(outcome_retry_after, SHORTEST), LONGEST)
    moment = now + wait * (1 + _SPREAD * jitter)
    return moment if moment <= deadline else None
