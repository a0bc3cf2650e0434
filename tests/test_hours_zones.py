"""Calling hours when clocks are put forward and back, for numbers of many places, as a lead meets them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from freezegun import freeze_time
from sample import CALLBACK, delivery

from adapter import phone, policy
from adapter.hours import Hours, is_open, next_open

DAILY = dict.fromkeys(range(7), ((time(8), time(20)),))
NIGHT = dict.fromkeys(range(7), ((time(1, 30), time(2, 30)),))
WORK = Hours(open=DAILY, closed_on=frozenset(), zone="America/Denver")
NUMBERS = {
    "+13035550142": "America/Denver",
    "+12125550142": "America/New_York",
    "+14165550142": "America/Toronto",
    "+442079460958": "Europe/London",
    "+493023125000": "Europe/Berlin",
    "+61291234567": "Australia/Sydney",
    "+6493754567": "Pacific/Auckland",
    "+551130123456": "America/Sao_Paulo",
    "+911123456789": "Asia/Calcutta",
}


@pytest.mark.parametrize(("number", "zone"), NUMBERS.items(), ids=lambda value: str(value))
def test_a_number_names_the_zone_of_its_place(number: str, zone: str) -> None:
    assert phone.zones(number) == (zone,)


@pytest.mark.parametrize(
    ("number", "before", "opens_before", "after", "opens_after"),
    [
        pytest.param("+13035550142", "2026-03-07", "15:00", "2026-03-08", "14:00", id="Denver, forward"),
        pytest.param("+13035550142", "2026-10-31", "14:00", "2026-11-01", "15:00", id="Denver, back"),
        pytest.param("+12125550142", "2026-03-07", "13:00", "2026-03-08", "12:00", id="New York, forward"),
        pytest.param("+442079460958", "2026-03-28", "08:00", "2026-03-29", "07:00", id="London, forward"),
        pytest.param("+442079460958", "2026-10-24", "07:00", "2026-10-25", "08:00", id="London, back"),
        pytest.param("+493023125000", "2026-03-28", "07:00", "2026-03-29", "06:00", id="Berlin, forward"),
        pytest.param("+61291234567", "2026-04-03", "21:00", "2026-04-04", "22:00", id="Sydney, back (autumn is April)"),
        pytest.param("+6493754567", "2026-09-25", "20:00", "2026-09-26", "19:00", id="Auckland, forward in September"),
        pytest.param("+551130123456", "2026-03-07", "11:00", "2026-11-01", "11:00", id="Sao Paulo, which has none"),
        pytest.param("+911123456789", "2026-03-28", "02:30", "2026-11-01", "02:30", id="India, which has none"),
    ],
)
def test_it_opens_at_eight_on_the_clock_of_the_place_on_either_side_of_the_change(
    number: str, before: str, opens_before: str, after: str, opens_after: str
) -> None:
    zones = phone.zones(number)
    for day, opens in ((before, opens_before), (after, opens_after)):
        moment = datetime.fromisoformat(f"{day}T{opens}:00+00:00")
        assert not is_open(WORK, zones, now=moment - timedelta(microseconds=1)), day
        assert is_open(WORK, zones, now=moment), day
        assert next_open(WORK, zones, now=moment - timedelta(hours=2)) == moment, day


@pytest.mark.parametrize(
    ("zone", "night", "open_minutes"),
    [
        pytest.param("America/Denver", datetime(2026, 3, 8, 6, tzinfo=UTC), 30, id="Denver has no half past two"),
        pytest.param("America/Denver", datetime(2026, 11, 1, 5, tzinfo=UTC), 90, id="Denver has half past one twice"),
        pytest.param("Europe/London", datetime(2026, 3, 28, 23, tzinfo=UTC), 30, id="London has no half past one"),
        pytest.param("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 90, id="Berlin has two o'clock twice"),
        pytest.param(
            "Australia/Lord_Howe", datetime(2026, 10, 3, 14, tzinfo=UTC), 30, id="Lord Howe loses half an hour"
        ),
        pytest.param("Asia/Kolkata", datetime(2026, 3, 7, 19, tzinfo=UTC), 60, id="India changes nothing"),
    ],
)
def test_in_the_night_of_the_change_the_wall_clock_decides(zone: str, night: datetime, open_minutes: int) -> None:
    spec = Hours(open=NIGHT, closed_on=frozenset(), zone=zone)
    opened = sum(is_open(spec, (zone,), now=night + timedelta(minutes=minute)) for minute in range(6 * 60))
    assert opened == open_minutes


@pytest.mark.parametrize(
    ("zones", "moment", "opens"),
    [
        pytest.param(
            ("America/Denver", "America/Phoenix"),
            "2026-03-08T14:30:00+00:00",
            "2026-03-08T15:00:00+00:00",
            id="two zones part when only one changes",
        ),
        pytest.param(
            ("America/Denver", "America/Phoenix"),
            "2026-03-07T14:30:00+00:00",
            "2026-03-07T15:00:00+00:00",
            id="the day before they are one",
        ),
        pytest.param(
            ("America/New_York", "America/Chicago"),
            "2026-11-01T13:30:00+00:00",
            "2026-11-01T14:00:00+00:00",
            id="the later one counts",
        ),
    ],
)
def test_a_number_of_several_zones_waits_for_all_of_them(zones: tuple[str, ...], moment: str, opens: str) -> None:
    now = datetime.fromisoformat(moment)
    assert next_open(WORK, zones, now=now) == datetime.fromisoformat(opens)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        pytest.param("2026-03-08T04:30:00+00:00", "2026-03-08T14:00:00+00:00", id="the night that is short"),
        pytest.param("2026-11-01T03:30:00+00:00", "2026-11-01T15:00:00+00:00", id="the night that is long"),
    ],
)
def test_a_lead_of_the_night_is_called_at_eight_and_wanted_for_its_whole_time(asked: str, due: str) -> None:
    with freeze_time(asked) as clock:
        now = datetime.now(UTC)
        terms = policy.terms(fresh_for=timedelta(minutes=10), open_hours=WORK, zones=phone.zones("+13035550142"))
        lead = delivery(CALLBACK, terms=terms, created_at=now, expires_at=now + timedelta(minutes=10))
        verdict = policy.decide(lead, now=now)
        assert verdict is not None
        assert (verdict.state, verdict.due_at) == ("held", datetime.fromisoformat(due))
        held = policy.moved(lead, verdict, now=now)
        clock.move_to(due)
        assert policy.decide(held, now=datetime.now(UTC)) is None
        clock.tick(timedelta(minutes=10))
        assert policy.decide(held, now=datetime.now(UTC)) is None
        clock.tick(timedelta(seconds=1))
        late = policy.decide(held, now=datetime.now(UTC))
        assert late is not None
        assert late.state == "expired"
