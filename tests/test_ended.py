"""Which dial a call was: by its number however it is written, and by the time around its beginning."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, delivery

from adapter.policy.ended import Call, Dial, dials, match, same_number

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def call(*, own_key: bool = True, duration: timedelta | None = None, ended_at: datetime | None = None) -> Call:
    return Call(
        tenant="default",
        agent="0101",
        number="18015550142",
        outcome="connected",
        key="c1",
        own_key=own_key,
        told_at=NOW,
        duration=duration,
        ended_at=ended_at,
    )


@pytest.mark.parametrize(
    ("one", "before", "after"),
    [
        (call(duration=MINUTE, ended_at=NOW), 11 * MINUTE, MINUTE),
        (call(duration=MINUTE), 31 * MINUTE, MINUTE),
        (call(ended_at=NOW), 4 * HOUR + 10 * MINUTE, 2 * MINUTE),
        (call(), 4 * HOUR + 30 * MINUTE, 2 * MINUTE),
        (call(duration=24 * HOUR, ended_at=NOW), 24 * HOUR + 10 * MINUTE, 2 * MINUTE - 24 * HOUR),
        (call(ended_at=NOW + HOUR), 4 * HOUR + 10 * MINUTE, 2 * MINUTE),
    ],
    ids=["length-and-end", "length", "end", "neither", "a-day", "an-end-to-come"],
)
def test_a_dial_must_have_been_made_around_the_beginning(one: Call, before: timedelta, after: timedelta) -> None:
    moments = [NOW - before - SECOND, NOW - before, NOW + after, NOW + after + SECOND]
    made = [
        Dial(delivery=delivery(CLICK, id=str(number), state="accepted"), at=at) for number, at in enumerate(moments)
    ]
    assert [dial.delivery.id for dial in dials(one, made)] == ["1", "2"]


def test_a_callback_is_no_dial() -> None:
    assert dials(call(), [Dial(delivery=delivery(CALLBACK, state="accepted"), at=NOW)]) == []


def test_a_key_of_its_own_is_never_another_call() -> None:
    later = [Dial(delivery=delivery(CLICK, state="accepted"), at=NOW + MINUTE)]
    assert match(call(own_key=True), later, known=(), last_told=NOW).kind == "repeated"
    assert match(call(own_key=False), later, known=(), last_told=NOW).kind == "matched"


@pytest.mark.parametrize(
    ("dialled", "told", "same"),
    [
        ("8015550142", "18015550142", True),
        ("8015550142", "+1 801 555 0142", True),
        ("+442079460000", "02079460000", True),
        ("011442079460000", "442079460000", True),
        ("12345678", "+4512345678", True),
        ("8015550142", "8015550143", False),
        ("8015550142", "0142", False),
        ("0102", "0102", True),
        ("0102", "102", False),
        ("0102", "8015550102", False),
        ("*72", "72", True),
        ("8015550142", "", False),
    ],
)
def test_a_number_is_the_same_by_its_last_ten_digits(dialled: str, told: str, same: bool) -> None:
    assert same_number(dialled, told) is same
