"""The end of a call, as Xima tells it: raw requests in, and what the receipt of the click says then."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from running import SECRET
from werkzeug.test import TestResponse

from adapter.model import Evidence
from web.front import CLICK, JSON, LEAD, ORIGIN, WORK, Front, front, outcome
from web.test_metrics import added, scrape

STARTER = (Path(__file__).parents[2] / "adapter/starters/xima-call-ended.yaml").read_text(encoding="utf-8")
ENDS = STARTER.replace("XIMA_CALL_ENDED_KEY", "HOOK_SECRET").replace("name: xima-call-ended", "name: ends", 1)
TOLD = {"extension": "0101", "number": "18015550142", "direction": "Outbound", "result": "Answered", "seconds": "1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEY = {"X-Adapter-Key": SECRET}
AN_HOUR_AGO = "update deliveries set updated_at = updated_at - 3600000000"
UNMATCHED = "no dial to this number by this agent in that time"


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Front]:
    """The application with a mapping for clicks, and one for the ends of calls."""
    with front(tmp_path, {"work": WORK, "ends": ENDS}) as made:
        yield made


def told(one: Front, **changes: str) -> TestResponse:
    """Tell as a POST of a form that a call ended, with the given differences."""
    return one.client.post("/hooks/ends", data=urlencode({**TOLD, **changes}).encode(), headers={**FORM, **KEY})


def said(answer: TestResponse) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    (receipt,) = answer.get_json()["receipts"]
    return receipt["state"], receipt["reason"]


def status(one: Front, receipt: Mapping[str, Any], accept: str = "application/json") -> TestResponse:
    return one.client.get(receipt["status_url"].removeprefix(ORIGIN), headers={"Accept": accept})


def ended(one: Front, receipt: Mapping[str, Any]) -> tuple[Any, Any]:
    shown = status(one, receipt).get_json()
    return shown["outcome"], shown["duration_seconds"]


def test_the_receipt_of_a_click_says_how_its_call_ended(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    assert ended(ends, click) == (None, None)
    reason = f"the call of delivery {click['id']} is connected, matched by number and time"
    assert said(told(ends)) == ("noted", reason)
    shown = status(ends, click).get_json()
    assert (shown["state"], shown["outcome"], shown["duration_seconds"]) == ("accepted", "connected", 1)
    assert shown["outcome_matched_by"] == "number and time"
    assert shown["message"] == (
        "Xima accepted the call from extension 0101 to …0142. "
        "The call ended after 1 s: connected (told by Xima afterwards, matched by number and time)."
    )


def test_the_page_of_a_click_says_how_its_call_ended_and_how_that_is_known(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    assert "Xima does not tell whether anybody was reached" in status(ends, click, "text/html").text
    told(ends, result="<b>Odd</b>")
    page = status(ends, click, "text/html").text
    for part in ("How the call ended", "b_odd_b", "number and time", "told by Xima afterwards"):
        assert part in page
    assert "does not tell whether" not in page


def test_nothing_is_asked_of_xima(ends: Front) -> None:
    told(ends)
    ends.receipt("work", CLICK)
    told(ends)
    assert len(ends.xima.asked) == 1


@pytest.mark.parametrize(
    "number",
    [
        *("8015550142", "18015550142", "+18015550142", "+1 (801) 555-0142", "801.555.0142 ext. 7"),
        *("tel:+1-801-555-0142", "0118015550142", "98015550142"),
    ],
)
def test_a_number_is_known_however_it_is_written(ends: Front, number: str) -> None:
    click = ends.receipt("work", CLICK)
    told(ends, number=number)
    assert ended(ends, click) == ("connected", 1)


@pytest.mark.parametrize("agent", ["0101", " 0101 ", "Pat Owner (0101)", "Owner (Pat) (0101)"])
def test_an_agent_is_known_by_extension_or_name(ends: Front, agent: str) -> None:
    click = ends.receipt("work", CLICK)
    told(ends, extension=agent)
    assert ended(ends, click) == ("connected", 1)


def test_an_internal_call_is_known_by_its_extension(tmp_path: Path) -> None:
    internal = WORK.replace("number_to_dial: ${phone}", "number_to_dial: 0102")
    with front(tmp_path, {"work": internal, "ends": ENDS}) as one:
        click = one.receipt("work", CLICK)
        assert said(told(one, number="8015550102")) == ("skip", UNMATCHED)
        assert said(told(one, number="102")) == ("skip", UNMATCHED)
        told(one, number="0102")
        assert ended(one, click) == ("connected", 1)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"seconds": "2:05"}, ("connected", 125)),
        ({"seconds": "0:02:05"}, ("connected", 125)),
        ({"seconds": "0"}, ("connected", 0)),
        ({"seconds": ""}, ("connected", None)),
        ({"result": "No Answer", "seconds": "0"}, ("no_answer", 0)),
        ({"result": "BUSY", "seconds": "0"}, ("busy", 0)),
        ({"result": "Abandoned in IVR!"}, ("abandoned_in_ivr", 1)),
        ({"result": ""}, ("ended", 1)),
    ],
    ids=str,
)
def test_outcome_and_length_are_said_in_our_words(
    ends: Front, changes: dict[str, str], wanted: tuple[str, int | None]
) -> None:
    click = ends.receipt("work", CLICK)
    ends.run(AN_HOUR_AGO.replace("3600", "130"))
    told(ends, **changes)
    assert ended(ends, click) == wanted


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seconds": "3153600000"}, "duration"),
        ({"seconds": "9" * 400}, "duration"),
        ({"seconds": "-5"}, "duration"),
        ({"seconds": "NaN"}, "duration"),
        ({"seconds": "1e3"}, "duration"),
        ({"seconds": "99:99"}, "duration"),
        ({"seconds": "٣"}, "duration"),
        ({"ended": "2026-01-07 10:00"}, "ended_at"),
        ({"ended": "0001-01-01T00:00:00+23:00"}, "ended_at"),
        ({"ended": "0001-01-01T00:00:00Z"}, "ended_at"),
        ({"ended": "9999999999999999999"}, "ended_at"),
        ({"ended": "yesterday"}, "ended_at"),
        ({"extension": "0101 or 1=1"}, "agent"),
        ({"extension": '0101","number_to_dial":"1'}, "agent"),
        ({"extension": "(" * 5000}, "agent"),
        ({"extension": "%"}, "agent"),
        ({"extension": ""}, "agent"),
        ({"number": "anonymous"}, "number"),
        ({"number": ""}, "number"),
        ({"number": "8" * 100}, "number"),
        ({"result": "!!!"}, "outcome"),
        ({"result": "x" * 100_000}, "outcome"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_rejected_by_the_name_of_its_field(
    ends: Front, changes: dict[str, str], field: str
) -> None:
    click = ends.receipt("work", CLICK)
    state, reason = said(told(ends, **changes))
    assert (state, reason.partition(":")[0].partition(" is missing")[0]) == ("reject", field)
    assert ended(ends, click) == (None, None)


def test_a_get_is_as_good_as_a_post(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    answer = ends.client.get(f"/hooks/ends?{urlencode({**TOLD, 'key': SECRET})}")
    assert said(answer)[0] == "noted"
    assert ended(ends, click) == ("connected", 1)
    (request,) = [row for row in ends.rows("requests") if row["mapping"] == "ends"]
    assert (request["method"], SECRET in request["url"]) == ("GET", False)


def test_a_head_tells_that_the_mapping_is_there_and_keeps_nothing(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    assert ends.client.head(f"/hooks/ends?{urlencode({**TOLD, 'key': SECRET})}").status_code == 200
    assert ended(ends, click) == (None, None)


def test_parameters_may_come_as_json_and_in_the_url_at_once(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    body = b'{"number": 18015550142, "seconds": 61, "extension": "0101"}'
    query = "direction=Outbound&result=Busy&extension=9999"
    assert said(ends.client.post(f"/hooks/ends?{query}", data=body, headers={**JSON, **KEY}))[0] == "noted"
    assert ended(ends, click) == ("busy", 61)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"[]", "application/json"), (b"{", "application/json"), (b"a&" * 2000, "application/x-www-form-urlencoded")],
    ids=["list", "broken", "many"],
)
def test_a_body_that_is_no_parameters_is_refused(ends: Front, body: bytes, content_type: str) -> None:
    answer = ends.client.post("/hooks/ends", data=body, headers={"Content-Type": content_type, **KEY})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("?key=", {}),
        ("?key=wrong", {}),
        (f"?key={SECRET}&key={SECRET}", {}),
        ("", {"X-Adapter-Key": "wrong"}),
        ("", {"X-Adapter-Key": "\xe9"}),
        ("", {"Authorization": "Basic d3Jvbmc6d3Jvbmc="}),
        ("", {"Authorization": "Basic"}),
    ],
    ids=str,
)
def test_without_the_secret_nothing_is_told(ends: Front, query: str, headers: dict[str, str]) -> None:
    click = ends.receipt("work", CLICK)
    data = urlencode(TOLD).encode()
    assert ends.client.post(f"/hooks/ends{query}", data=data, headers={**FORM, **headers}).status_code == 401
    assert ends.client.get(f"/hooks/ends{query}", headers=headers).status_code == 401
    assert ended(ends, click) == (None, None)


def test_the_secret_may_come_as_basic_authentication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.front.SECRET", "xima:a secret of the tests")
    with front(tmp_path, {"work": WORK, "ends": ENDS}) as one:
        click = one.receipt("work", CLICK)
        word = base64.b64encode(b"xima:a secret of the tests").decode()
        answer = one.client.post("/hooks/ends", data=TOLD, headers={"Authorization": f"Basic {word}"})
        assert said(answer)[0] == "noted"
        assert ended(one, click) == ("connected", 1)


def test_a_call_that_nobody_clicked_is_skipped_with_the_reason(ends: Front) -> None:
    before = scrape(ends)
    assert said(told(ends)) == ("skip", UNMATCHED)
    assert said(told(ends)) == ("skip", UNMATCHED)
    assert added(ends, before, "calls_ended_total", mapping="ends", result="unmatched") == 2
    notes = [row["results"] for row in ends.rows("requests")]
    assert all(UNMATCHED in note for note in notes)
    assert len(notes) == 2


@pytest.mark.parametrize(
    "changes", [{"extension": "0102"}, {"number": "8015550143"}, {"extension": "101"}], ids=["agent", "number", "0"]
)
def test_another_call_is_not_told_of_the_click(ends: Front, changes: dict[str, str]) -> None:
    click = ends.receipt("work", CLICK)
    assert said(told(ends, **changes)) == ("skip", UNMATCHED)
    assert ended(ends, click) == (None, None)


def test_an_inbound_call_is_not_looked_at(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    assert said(told(ends, direction="Inbound")) == ("skip", "no rule matched")
    assert ended(ends, click) == (None, None)


def test_a_call_told_again_has_no_second_effect(ends: Front) -> None:
    before = scrape(ends)
    click = ends.receipt("work", CLICK)
    assert [said(told(ends))[0] for _ in range(3)] == ["noted", "skip", "skip"]
    assert said(told(ends))[1] == "this call was told before"
    assert said(told(ends, result="Busy"))[1].endswith("is known already")
    assert ended(ends, click) == ("connected", 1)
    assert added(ends, before, "calls_ended_total", mapping="ends", result="connected") == 1
    assert added(ends, before, "calls_ended_total", mapping="ends", result="repeated") == 3
    assert added(ends, before, "calls_ended_total", mapping="ends", result="known") == 1


def test_a_call_with_an_id_of_its_own_is_never_two(tmp_path: Path) -> None:
    with_id = ENDS.partition("\nexamples:")[0].replace("rules:", 'once: {key: "${call}"}\n\nrules:', 1)
    with front(tmp_path, {"work": WORK, "ends": with_id}) as one:
        one.receipt("work", CLICK)
        assert said(told(one, call="7"))[0] == "noted"
        second = one.receipt("work", {**CLICK, "id": "2"})
        assert said(told(one, call="7", result="Busy")) == ("skip", "this call was told before")
        assert said(told(one, call="8", result="Busy"))[0] == "noted"
        assert ended(one, second) == ("busy", 1)


def test_the_second_of_two_clicks_gets_the_second_end(ends: Front) -> None:
    clicks = [ends.receipt("work", {**CLICK, "id": str(number)}) for number in (1, 2)]
    ends.run("update deliveries set updated_at = updated_at - 300000000 where id = '" + clicks[0]["id"] + "'")
    reason = said(told(ends))[1]
    assert reason.endswith("matched by number and time, the nearest of 2 dials")
    assert [ended(ends, one) for one in clicks] == [(None, None), ("connected", 1)]
    assert "the nearest of 2 dials" in status(ends, clicks[1]).get_json()["outcome_matched_by"]
    told(ends, result="No Answer", seconds="0")
    assert ended(ends, clicks[0]) == ("no_answer", 0)


def test_a_click_nobody_knows_about_stays_unknown_and_says_how_a_call_ended(ends: Front) -> None:
    ends.xima.outcomes.append(outcome(Evidence.UNKNOWN, reason="the answer never came"))
    click = ends.receipt("work", CLICK)
    told(ends)
    shown = status(ends, click).get_json()
    assert (shown["state"], shown["outcome"]) == ("unknown", "connected")
    assert "A person has to decide" in shown["message"]


def test_a_refused_click_is_told_of_no_call(ends: Front) -> None:
    ends.xima.outcomes.append(outcome(Evidence.REFUSED, status=422, reason="no such agent"))
    click = ends.receipt("work", CLICK)
    assert said(told(ends)) == ("skip", UNMATCHED)
    assert ended(ends, click) == (None, None)


def test_a_callback_is_told_of_no_call(ends: Front) -> None:
    ends.receipt("work", LEAD)
    assert said(told(ends, number=LEAD["phone"])) == ("skip", UNMATCHED)


def test_a_late_end_is_matched_by_its_own_time(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    ends.run("update deliveries set updated_at = updated_at - 86400000000")
    assert said(told(ends)) == ("skip", UNMATCHED)
    (row,) = ends.rows("deliveries")
    assert said(told(ends, ended=str(row["updated_at"] // 1_000_000 + 1)))[0] == "noted"
    assert ended(ends, click) == ("connected", 1)


def test_a_store_that_fails_is_told_again(ends: Front) -> None:
    click = ends.receipt("work", CLICK)
    ends.run("alter table outcomes rename to elsewhere")
    assert told(ends).status_code == 503
    ends.run("alter table elsewhere rename to outcomes")
    assert said(told(ends))[0] == "noted"
    assert ended(ends, click) == ("connected", 1)


def test_hours_and_limits_are_for_calls_that_we_make(tmp_path: Path) -> None:
    closed = ENDS.replace("rules:", "hours: {zone: America/Denver, open: {mon: 08:00-08:01}, outside: skip}\nrules:", 1)
    with front(tmp_path, {"work": WORK, "ends": closed}) as one:
        click = one.receipt("work", CLICK)
        told(one)
        assert ended(one, click) == ("connected", 1)
