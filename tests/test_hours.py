from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import hours
from adapter.errors import TextError

DENVER, LONDON, SYDNEY, PERTH = "America/Denver", "Europe/London", "Australia/Sydney", "Australia/Perth"
SAO_PAULO, KOLKATA, LORD_HOWE = "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"
OFFICE = "mon-fri 08:00-18:00; sat 09:00-12:00"


def made(week: str, *, zone: str = DENVER, closed_on: Sequence[str] = ()) -> hours.Hours:
    """Hours from the lines of a mapping file, a blank for the colon, a semicolon between."""
    lines = dict(line.split(maxsplit=1) for line in week.split("; ") if line)
    return hours.from_dict({"open": lines, "zone": zone, "closed_on": closed_on})


def at(text: str, zone: str) -> datetime:
    """Wall time; a trailing * is the second of two equal ones."""
    moment = datetime.fromisoformat(text.rstrip("*"))
    return moment.replace(tzinfo=ZoneInfo(zone), fold=int(text.endswith("*")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mon", (0,)),
        ("sat", (5,)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("mon,wed,fri", (0, 2, 4)),
        ("fri-mon", (0, 4, 5, 6)),
        ("sun-sat", (0, 1, 2, 3, 4, 5, 6)),
        ("tue-tue", (1,)),
        ("daily", (0, 1, 2, 3, 4, 5, 6)),
        (" Monday - Thurs , SAT ", (0, 1, 2, 3, 5)),
        ("mon–wed", (0, 1, 2)),
        ("sun,mon,sun", (0, 6)),
    ],
)
def test_it_reads_weekdays(text: str, expected: tuple[int, ...]) -> None:
    assert hours.days(text) == expected


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("mo", 0),
        ("weekdays", 0),
        ("mon-", 0),
        ("mon-wed-fri", 0),
        ("mon,,wed", 4),
        ("mon,", 4),
        ("mon,someday", 4),
        ("mon, tue, mittwoch", 9),
        ("1-5", 0),
    ],
)
def test_it_says_how_weekdays_are_written_and_where_it_stumbled(text: str, offset: int) -> None:
    with pytest.raises(TextError, match="write mon, tue") as caught:
        hours.days(text)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08:00-18:00", (time(8), time(18))),
        ("9:00-24:00", (time(9), hours.MIDNIGHT)),
        ("0:00-24:00", (time(0), hours.MIDNIGHT)),
        (" 08:30 – 12:15 ", (time(8, 30), time(12, 15))),
    ],
)
def test_it_reads_a_span(text: str, expected: hours.Span) -> None:
    assert hours.span(text) == expected


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write 08:00-18:00"),
        ("9-17", "write 08:00-18:00"),
        ("9am-5pm", "write 08:00-18:00"),
        ("08:00", "write 08:00-18:00"),
        ("08:60-09:00", "write 08:00-18:00"),
        ("08:00-24:01", "write 08:00-18:00"),
        ("08:00-25:00", "write 08:00-18:00"),
        ("18:00-08:00", "00:00-02:00"),
        ("08:00-08:00", "00:00-02:00"),
        ("24:00-24:00", "00:00-02:00"),
    ],
)
def test_it_says_how_a_span_is_written(text: str, advice: str) -> None:
    with pytest.raises(TextError, match=advice):
        hours.span(text)


def test_it_reads_several_spans_in_order_of_time() -> None:
    assert hours.spans("13:00-18:00, 8:00-12:00") == ((time(8), time(12)), (time(13), time(18)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08:00-12:00, 13:00-18:00", False),
        ("08:00-12:00, 12:00-24:00", False),
        ("08:00-18:00, 08:00-12:00", True),
        ("08:00-24:00, 12:00-13:00", True),
    ],
)
def test_spans_that_lie_within_each_other_are_noticed(text: str, expected: bool) -> None:
    assert hours.overlap(hours.spans(text)) == expected


@pytest.mark.parametrize(("text", "offset"), [("08:00-12:00, 13:00", 12), ("08:00-12:00,", 12), ("x,08:00-09:00", 0)])
def test_it_says_which_of_several_spans_is_wrong(text: str, offset: int) -> None:
    with pytest.raises(TextError) as caught:
        hours.spans(text)
    assert caught.value.offset == offset


def test_it_reads_a_date() -> None:
    assert hours.on_date(" 2026-12-25 ") == date(2026, 12, 25)


@pytest.mark.parametrize("text", ["", "25.12.2026", "20261225", "2026-W01-1", "2026-02-29", "2026-13-01"])
def test_it_says_how_a_date_is_written(text: str) -> None:
    with pytest.raises(TextError, match="2026-12-25"):
        hours.on_date(text)


@pytest.mark.parametrize("zone", [DENVER, KOLKATA, "UTC"])
def test_a_known_zone_is_no_problem(zone: str) -> None:
    assert hours.zone_problem(zone) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("America/Denvr", "America/Denver"),
        ("denver", "America/Denver"),
        ("america/new york", "America/New_York"),
        ("Europe/Londn", "Europe/London"),
        ("Mountain", "US/Mountain"),
    ],
)
def test_it_suggests_the_zone_that_was_meant(text: str, hint: str) -> None:
    assert hours.zone_problem(text) == f"there is no time zone '{text}'; did you mean {hint}?"


@pytest.mark.parametrize("text", ["GMT+1", "UTC+01:00", "+01:00"])
def test_a_distance_from_greenwich_suggests_none_of_those_that_count_the_other_way(text: str) -> None:
    assert hours.zone_problem(text) == f"there is no time zone '{text}'; write one like Europe/Berlin"


@pytest.mark.parametrize("text", ["qqqqqqqq", "/etc/passwd", "../../x", "America", "\0", "x" * 5000])
def test_a_zone_like_none_is_called_unknown(text: str) -> None:
    problem = hours.zone_problem(text)
    assert problem is not None
    assert problem.startswith(f"there is no time zone '{text}'")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-24T07:59:59.999999", False),
        ("2026-11-24T08:00", True),
        ("2026-11-24T17:59:59.999999", True),
        ("2026-11-24T18:00", False),
        ("2026-11-28T11:00", True),
        ("2026-11-29T11:00", False),
    ],
)
def test_it_is_open_from_the_first_moment_to_before_the_last(moment: str, expected: bool) -> None:
    assert hours.is_open(made(OFFICE), (), now=at(moment, DENVER)) is expected


def test_the_zone_of_the_number_wins_over_the_hours_own() -> None:
    now = at("2026-11-24T09:00", LONDON)
    assert hours.is_open(made(OFFICE, zone=DENVER), (LONDON,), now=now)
    assert not hours.is_open(made(OFFICE, zone=DENVER), (), now=now)


def test_it_must_be_open_in_every_zone_a_number_can_be_in() -> None:
    eastern = at("2026-11-24T09:00", SYDNEY)
    assert hours.is_open(made(OFFICE), (SYDNEY,), now=eastern)
    assert not hours.is_open(made(OFFICE), (SYDNEY, PERTH), now=eastern)
    assert hours.is_open(made(OFFICE), (SYDNEY, PERTH), now=at("2026-11-24T08:00", PERTH))


def test_a_zone_the_computer_does_not_know_leaves_the_hours_own() -> None:
    assert hours.is_open(made(OFFICE), ("Mars/Olympus",), now=at("2026-11-24T09:00", DENVER))


def test_a_day_that_ends_at_midnight_is_open_to_its_end() -> None:
    late = made("daily 20:00-24:00")
    assert hours.is_open(late, (), now=at("2026-11-24T23:59:59.999999", DENVER))
    assert not hours.is_open(late, (), now=at("2026-11-25T00:00", DENVER))


def test_open_now_is_the_next_opening_told_in_local_time() -> None:
    now = datetime(2026, 11, 24, 17, 15, 7, 123456, tzinfo=UTC)
    found = hours.next_open(made(OFFICE), (DENVER,), now=now)
    assert found == now
    assert found is not None
    assert found.isoformat() == "2026-11-24T10:15:07.123456-07:00"


LUNCH, NIGHT = "mon-fri 08:00-12:00, 13:00-18:00", "daily 02:30-04:00"
FOLD, EVER = "daily 01:30-01:45", "daily 00:00-24:00"
XMAS = ["2026-12-25", "2026-12-26"]
OPENINGS = [
    ("before work", OFFICE, [], [DENVER], "2026-11-24T06:00", "2026-11-24T08:00-07:00"),
    ("after work", OFFICE, [], [DENVER], "2026-11-24T18:00", "2026-11-25T08:00-07:00"),
    ("over the weekend", OFFICE, [], [DENVER], "2026-11-28T12:00", "2026-11-30T08:00-07:00"),
    ("lunch", LUNCH, [], [KOLKATA], "2026-11-24T12:00", "2026-11-24T13:00+05:30"),
    ("a week", "tue 10:00-11:00", [], [LONDON], "2026-11-24T11:00", "2026-12-01T10:00+00:00"),
    ("christmas", OFFICE, ["2026-12-25"], [DENVER], "2026-12-25T10:15", "2026-12-26T09:00-07:00"),
    ("long christmas", OFFICE, XMAS, [DENVER], "2026-12-24T18:00", "2026-12-28T08:00-07:00"),
    ("two dates", EVER, ["2026-11-25"], [SYDNEY, DENVER], "2026-11-25T00:00", "2026-11-26T18:00+11:00"),
    ("spring, Denver", OFFICE, [], [DENVER], "2027-03-13T12:00", "2027-03-15T08:00-06:00"),
    ("gap, Denver", NIGHT, [], [DENVER], "2027-03-14T01:00", "2027-03-14T03:00-06:00"),
    ("gap, Sydney", NIGHT, [], [SYDNEY], "2026-10-04T00:00", "2026-10-04T03:00+11:00"),
    ("gap of all, London", "daily 01:15-01:45", [], [LONDON], "2027-03-28T00:00", "2027-03-29T01:15+01:00"),
    ("half-hour gap", "daily 02:15-03:00", [], [LORD_HOWE], "2026-10-04T01:00", "2026-10-04T02:30+11:00"),
    ("midnight gap", "sun 00:30-24:00", [], [SAO_PAULO], "2018-11-03T22:00", "2018-11-04T01:00-02:00"),
    ("fold, first", FOLD, [], [DENVER], "2026-11-01T01:00", "2026-11-01T01:30-06:00"),
    ("fold, second", FOLD, [], [DENVER], "2026-11-01T01:45", "2026-11-01T01:30-07:00"),
    ("fold, over", FOLD, [], [DENVER], "2026-11-01T01:45*", "2026-11-02T01:30-07:00"),
    ("fold reopens", "daily 00:30-01:15", [], [LONDON], "2026-10-25T01:15", "2026-10-25T01:00+00:00"),
    ("fold, Sydney", "daily 02:10-02:20", [], [SYDNEY], "2027-04-04T02:20", "2027-04-04T02:10+10:00"),
    ("midnight fold", "sat 22:00-23:30", [], [SAO_PAULO], "2018-02-17T23:45", "2018-02-17T23:00-03:00"),
    ("no summer time", OFFICE, [], [PERTH], "2026-10-03T13:00", "2026-10-05T08:00+08:00"),
    ("two zones", OFFICE, [], [SYDNEY, PERTH], "2026-11-24T09:00", "2026-11-24T11:00+11:00"),
    ("two zones, evening", OFFICE, [], [PERTH, SYDNEY], "2026-11-24T15:00", "2026-11-25T08:00+08:00"),
    ("half-hour zone", OFFICE, [], [KOLKATA, LONDON], "2026-11-24T09:00", "2026-11-24T13:30+05:30"),
]


@pytest.mark.parametrize(
    ("week", "closed_on", "zones", "now", "expected"),
    [row[1:] for row in OPENINGS],
    ids=[row[0] for row in OPENINGS],
)
def test_it_finds_the_next_opening(
    week: str, closed_on: Sequence[str], zones: Sequence[str], now: str, expected: str
) -> None:
    found = hours.next_open(made(week, closed_on=closed_on), zones, now=at(now, zones[0]))
    assert found is not None
    assert found.isoformat() == datetime.fromisoformat(expected).isoformat()


@pytest.mark.parametrize(
    ("week", "closed_on", "zones"),
    [
        pytest.param("", (), [DENVER], id="no-hours"),
        pytest.param("mon-fri 09:00-12:00", (), [SYDNEY, DENVER, LONDON], id="zones-too-far-apart"),
        pytest.param(
            OFFICE,
            [(date(2026, 11, 20) + timedelta(days=ahead)).isoformat() for ahead in range(380)],
            [DENVER],
            id="closed-every-day",
        ),
    ],
)
def test_it_says_when_it_never_opens(week: str, closed_on: Sequence[str], zones: Sequence[str]) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert hours.next_open(made(week, closed_on=closed_on), zones, now=now) is None


def test_it_looks_a_year_ahead() -> None:
    closed_on = [(date(2026, 11, 24) + timedelta(days=ahead)).isoformat() for ahead in range(366)]
    found = hours.next_open(made(OFFICE, closed_on=closed_on), (), now=at("2026-11-24T12:00", DENVER))
    assert found == at("2027-11-25T08:00", DENVER)


def test_json_keeps_the_hours_as_they_are() -> None:
    kept = made("mon-fri 13:00-24:00, 8:00-12:00; sat 09:00-12:00", closed_on=["2027-01-01", "2026-12-25"])
    data = json.loads(json.dumps(hours.as_dict(kept)))
    assert hours.from_dict(data) == kept
    assert data["open"]["mon"] == "08:00-12:00, 13:00-24:00"
    assert data["closed_on"] == ["2026-12-25", "2027-01-01"]
    assert (data["zone"], data["outside"]) == (DENVER, "hold")


def test_a_day_named_twice_has_the_spans_of_both() -> None:
    assert made("daily 08:00-12:00; mon 07:00-07:30").open[0] == (
        (time(7), time(7, 30)),
        (time(8), time(12)),
    )


QUARTER = timedelta(minutes=15)
ZONES = st.sampled_from([DENVER, LONDON, SYDNEY, PERTH, SAO_PAULO, KOLKATA, LORD_HOWE])
QUARTERS = st.integers(0, 96).map(lambda quarters: quarters * 15)
SPANS = st.tuples(QUARTERS, QUARTERS).filter(lambda ends: ends[0] < ends[1])
WEEKS = st.dictionaries(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun", "sat-sun"]), SPANS, max_size=4
)
DAYS = st.sampled_from(  # a day before, so that the change of the clocks comes soon
    [
        date(2027, 3, 13),
        date(2026, 10, 31),
        date(2027, 3, 27),
        date(2026, 10, 24),
        date(2026, 10, 3),
        date(2027, 4, 3),
    ]
)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@settings(max_examples=24)
@given(week=WEEKS, zones=st.lists(ZONES, max_size=3), day=DAYS, quarters=st.integers(0, 191), closed=DAYS)
def test_no_quarter_of_an_hour_before_the_next_opening_is_open(
    week: dict[str, tuple[int, int]], zones: list[str], day: date, quarters: int, closed: date
) -> None:
    found = made(
        "; ".join(f"{name} {clock(a)}-{clock(b)}" for name, (a, b) in week.items()), closed_on=[closed.isoformat()]
    )
    now = datetime.combine(day, time(), UTC) + quarters * QUARTER
    opening = hours.next_open(found, zones, now=now)
    horizon = min(opening or now + timedelta(days=8), now + timedelta(days=8))
    assert horizon >= now
    assert opening is None or hours.is_open(found, zones, now=opening)
    steps = (horizon - now) // QUARTER
    assert not any(hours.is_open(found, zones, now=now + step * QUARTER) for step in range(steps))


@pytest.mark.parametrize(
    ("zones", "at", "said"),
    [
        (
            (),
            "2026-11-24T17:15:00+00:00",
            "the clock is the file's: America/Denver (tue 2026-11-24 10:15, open 08:00-12:00, 13:00-24:00)",
        ),
        (
            ("Europe/London", "America/New_York"),
            "2026-11-24T17:15:00+00:00",
            "the clock is the number's: Europe/London (tue 2026-11-24 17:15, open 08:00-12:00, 13:00-24:00);"
            " America/New_York (tue 2026-11-24 12:15, open 08:00-12:00, 13:00-24:00)",
        ),
        ((), "2026-11-29T17:15:00+00:00", "America/Denver (sun 2026-11-29 10:15, not open on sundays)"),
        ((), "2026-12-25T17:15:00+00:00", "America/Denver (fri 2026-12-25 10:15, closed on this date)"),
    ],
    ids=["the file's clock", "two clocks", "a day that is not open", "a holiday"],
)
def test_it_tells_what_every_clock_shows(zones: tuple[str, ...], at: str, said: str) -> None:
    data = {"open": {"mon-fri": "08:00-12:00, 13:00-24:00"}, "closed_on": ["2026-12-25"], "zone": "America/Denver"}
    assert said in hours.told(hours.from_dict(data), zones, now=datetime.fromisoformat(at))
