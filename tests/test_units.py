from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import units
from adapter.errors import TextError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", timedelta()),
        ("0s", timedelta()),
        ("500ms", timedelta(milliseconds=500)),
        ("30s", timedelta(seconds=30)),
        ("10m", timedelta(minutes=10)),
        ("48h", timedelta(hours=48)),
        ("4d", timedelta(days=4)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        (" 10M ", timedelta(minutes=10)),
        ("3660d", timedelta(days=3660)),
    ],
)
def test_it_reads_a_duration(text: str, expected: timedelta) -> None:
    assert units.duration(text) == expected


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("30", "write 30s, 30m, 30h or 30d"),
        ("", "write numbers with ms"),
        ("soon", "write numbers with ms"),
        ("10 minutes", "write numbers with ms"),
        ("-5m", "write numbers with ms"),
        ("1.5h", "write numbers with ms"),
        ("30m1h", "write numbers with ms"),
        ("1h1h", "write numbers with ms"),
        ("٣s", "write numbers with ms"),
        ("1\u00a0h", "write numbers with ms"),
        ("5\u017f", "write numbers with ms"),
        (" " * 5000 + "x", "write numbers with ms"),
        ("999999999s", "write numbers with ms"),
        ("3660d1s", "at most 3660d"),
        ("99999999d99999999h99999999m99999999s", "at most 3660d"),
    ],
)
def test_it_says_how_a_duration_is_written(text: str, advice: str) -> None:
    with pytest.raises(TextError, match=advice):
        units.duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1000", 1000),
        ("1000B", 1000),
        ("512KB", 524_288),
        ("1MB", 1_048_576),
        (" 2 mb ", 2_097_152),
        ("1GB", 1_073_741_824),
    ],
)
def test_it_reads_a_size_in_bytes(text: str, expected: int) -> None:
    assert units.size(text) == expected


@pytest.mark.parametrize("text", ["", "MB", "1.5MB", "-1", "1TB", "1 M", "٣", "one", "1_000", "1\u212aB", "9" * 13])
def test_it_says_how_a_size_is_written(text: str) -> None:
    with pytest.raises(TextError, match="512KB or 1MB"):
        units.size(text)


@pytest.mark.parametrize("text", ["yes", "Yes", " TRUE ", "on"])
def test_it_takes_yes_for_an_answer(text: str) -> None:
    assert units.yes_no(text) is True


@pytest.mark.parametrize("text", ["no", "NO", "false", " Off"])
def test_it_takes_no_for_an_answer(text: str) -> None:
    assert units.yes_no(text) is False


@pytest.mark.parametrize("text", ["", "1", "0", "y", "n", "maybe", "yes no"])
def test_it_wants_a_plain_answer(text: str) -> None:
    with pytest.raises(TextError, match="write yes or no"):
        units.yes_no(text)


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("100", 100), (" 042 ", 42)])
def test_it_reads_a_count_within_its_bounds(text: str, expected: int) -> None:
    assert units.count(text, least=1, most=100) == expected


@pytest.mark.parametrize("text", ["0", "101", "-1", "+5", "1.0", "", "ten", "٣", "1_0", "9" * 5000])
def test_it_names_the_bounds_of_a_count(text: str) -> None:
    with pytest.raises(TextError, match="from 1 to 100"):
        units.count(text, least=1, most=100)


def test_a_count_may_be_nothing_unless_told_otherwise() -> None:
    assert units.count("0") == 0


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(), "0 seconds"),
        (timedelta(seconds=-5), "0 seconds"),
        (timedelta(milliseconds=1), "1 millisecond"),
        (timedelta(milliseconds=500), "500 milliseconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=30), "30 seconds"),
        (timedelta(seconds=30, milliseconds=900), "30 seconds"),
        (timedelta(minutes=10), "10 minutes"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=4), "4 days"),
        (timedelta(days=1, hours=1, minutes=1, seconds=1), "1 day 1 hour"),
        (timedelta(days=1, seconds=5), "1 day 5 seconds"),
    ],
)
def test_it_says_a_duration_as_a_person_would(length: timedelta, expected: str) -> None:
    assert units.spoken(length) == expected


@given(st.text(max_size=40))
def test_nothing_but_a_text_error_comes_of_any_text(text: str) -> None:
    for read in (units.duration, units.size, units.yes_no, units.count):
        with suppress(TextError):
            read(text)


@given(days=st.integers(0, 3000), hours=st.integers(0, 99), seconds=st.integers(0, 99999))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, seconds: int) -> None:
    length = timedelta(days=days, hours=hours, seconds=seconds)
    assert units.duration(f"{days}d{hours}h{seconds}s") == length
