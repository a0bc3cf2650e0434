from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import retry

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
LATE = NOW + timedelta(days=1)


def wait(retry_after: timedelta | None = None, *, tries: int = 1, jitter: float = 0.0, at_least: float = 0) -> float:
    moment = retry.next_attempt(
        retry_after, tries=tries, now=NOW, deadline=LATE, jitter=jitter, at_least=timedelta(seconds=at_least)
    )
    assert moment is not None
    return (moment - NOW).total_seconds()


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(1, 0.5), (2, 1), (3, 2), (4, 3), (5, 3), (1000, 3), pytest.param(0, 0.5, id="no-try-yet")],
)
def test_it_waits_longer_after_each_try_and_then_evenly(tries: int, seconds: float) -> None:
    assert wait(tries=tries) == seconds


def test_jitter_lengthens_the_wait_by_less_than_a_quarter() -> None:
    assert wait(tries=4, jitter=0.5) == 3.375
    assert 3.7 < wait(tries=4, jitter=0.999) < 3.75


def test_a_callback_leaves_within_five_seconds_of_ximas_return() -> None:
    assert max(retry.SCHEDULE) * 1.25 < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (timedelta(seconds=20), 20),
        (timedelta(0), 1),
        (timedelta(seconds=-5), 1),
        (timedelta(milliseconds=300), 1),
        (timedelta(hours=1), 3600),
        (timedelta(days=365), 3600),
        (timedelta.max, 3600),
    ],
    ids=str,
)
def test_retry_after_is_followed_within_bounds(asked: timedelta, seconds: float) -> None:
    assert wait(asked, tries=7) == seconds


def test_retry_after_is_spread_too() -> None:
    assert wait(timedelta(seconds=20), jitter=0.5) == 22.5


def test_an_answer_429_without_retry_after_waits_three_seconds_at_least() -> None:
    floor = retry.THROTTLED.total_seconds()
    assert [wait(tries=tries, at_least=floor) for tries in (1, 2, 3, 4)] == [3, 3, 3, 3]
    assert wait(timedelta(seconds=1), at_least=floor) == 1


def test_a_schedule_of_ones_own_is_followed() -> None:
    schedule = [timedelta(minutes=1), timedelta(minutes=5)]
    moments = [
        retry.next_attempt(None, tries=tries, now=NOW, deadline=LATE, jitter=0, schedule=schedule)
        for tries in (1, 2, 3)
    ]
    assert moments == [NOW + timedelta(minutes=minutes) for minutes in (1, 5, 5)]


def test_the_deadline_itself_is_still_in_time() -> None:
    deadline = NOW + timedelta(seconds=0.5)
    assert retry.next_attempt(None, tries=1, now=NOW, deadline=deadline, jitter=0) == deadline


@pytest.mark.parametrize("retry_after", [None, timedelta(seconds=2)], ids=["schedule", "retry-after"])
def test_there_is_no_try_past_the_deadline(retry_after: timedelta | None) -> None:
    deadline = NOW + timedelta(seconds=0.5)
    assert retry.next_attempt(retry_after, tries=1, now=NOW, deadline=deadline, jitter=0.01) is None


@given(
    retry_after=st.none() | st.timedeltas(),
    tries=st.integers(0, 10**6),
    jitter=st.floats(0, 1, exclude_max=True),
    left=st.timedeltas(timedelta(days=-1), timedelta(days=1)),
)
def test_the_next_try_is_later_than_now_and_not_later_than_the_deadline(
    retry_after: timedelta | None, tries: int, jitter: float, left: timedelta
) -> None:
    moment = retry.next_attempt(retry_after, tries=tries, now=NOW, deadline=NOW + left, jitter=jitter)
    assert moment is None or NOW < moment <= NOW + left
