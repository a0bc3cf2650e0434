"""Dials and callbacks through the API: deliveries like any other, each event once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from web.front import KEY, WORK, front, outcome

from adapter.api import builtin
from adapter.mapping import Problem
from adapter.model import Callback, ClickToDial, Evidence
from adapter.policy import Numbers, Verdict
from adapter.sources import compiled
from api.asking import CALLBACK, DIAL, Api


def actions(api: Api) -> list[Any]:
    return [one.action for one in api.front.store.newest()]


def asked(api: Api, path: str, body: Any, headers: dict[str, str]) -> Any:
    """The receipt of a good answer to a request with these headers."""
    answer = api.ask("POST", path, body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


# what goes to Xima


@pytest.mark.parametrize(
    ("body", "action"),
    [
        (DIAL, ClickToDial(agent="0101", number_to_dial="8015550142")),
        ({**DIAL, "number": "+18015550142"}, ClickToDial(agent="0101", number_to_dial="8015550142")),
        (
            {**DIAL, "number": "020 7946 0958", "region": "GB"},
            ClickToDial(agent="0101", number_to_dial="011442079460958"),
        ),
        (
            {**DIAL, "caller_id": "385 555-1234 ", "prefix": "9"},
            ClickToDial(
                agent="0101", number_to_dial="8015550142", outbound_caller_id="385 555-1234 ", external_prefix="9"
            ),
        ),
        (
            {**DIAL, "use_selected_caller_id": True},
            ClickToDial(agent="0101", number_to_dial="8015550142", use_selected_caller_id=True),
        ),
        (
            {**DIAL, "use_selected_caller_id": False, "tenant": "default"},
            ClickToDial(agent="0101", number_to_dial="8015550142"),
        ),
    ],
    ids=["local", "e164", "abroad", "caller id and prefix", "selected", "not selected"],
)
def test_a_dial_goes_to_xima_at_once(api: Api, body: dict[str, Any], action: ClickToDial) -> None:
    receipt = api.post("/api/dial", body)
    assert (receipt["state"], receipt["mapping"], receipt["rule"][:4]) == ("accepted", "api", "dial")
    assert receipt["message"].startswith("Xima accepted the call from extension 0101 to …")
    assert api.front.xima.asked == [action]


def test_a_callback_waits_for_the_dispatcher(api: Api) -> None:
    receipt = api.post("/api/callback", CALLBACK)
    assert (receipt["state"], receipt["rule"]) == ("queued", "callback")
    assert actions(api) == [Callback(skill="Sales", callback_number="011442079460958")]
    (delivery,) = api.front.store.newest()
    assert (delivery.deliver, delivery.expires_at - delivery.created_at) == ("queued", timedelta(minutes=10))


@pytest.mark.parametrize("fresh_for", [86_400, 86_400.0])
def test_a_callback_is_wanted_as_long_as_is_asked(api: Api, fresh_for: float) -> None:
    api.post("/api/callback", {**CALLBACK, "fresh_for": fresh_for})
    (delivery,) = api.front.store.newest()
    assert delivery.expires_at - delivery.created_at == timedelta(days=1)


@freeze_time("2026-11-22 23:00:00")  # a Sunday
@pytest.mark.parametrize(
    ("outside", "state"), [({}, "held"), ({"outside": "hold"}, "held"), ({"outside": "skip"}, "skip")]
)
def test_a_callback_keeps_to_hours_only_when_asked(api: Api, outside: dict[str, str], state: str) -> None:
    hours = {"zone": "Europe/London", "open": {"mon-fri": "08:00-18:00"}, "closed_on": ["2026-11-23"], **outside}
    receipt = api.post("/api/callback", {**CALLBACK, "hours": hours})
    assert receipt["state"] == state
    if state == "held":
        assert "they open on Tuesday 24 November 2026 at 08:00 GMT" in receipt["reason"]
        assert receipt["policy"] == "hours"
    assert api.post("/api/callback", {**CALLBACK, "number": "+1 801 555 0142"})["state"] == "queued"


def test_what_xima_refuses_is_told_truthfully(api: Api) -> None:
    api.front.xima.outcomes = [outcome(Evidence.REFUSED, status=404, reason="no such agent")]
    receipt = api.post("/api/dial", DIAL)
    assert (receipt["state"], receipt["reason"]) == ("refused", "no such agent")


# our rules


def test_a_number_on_the_do_not_call_list_is_not_called(api: Api) -> None:
    listed = Numbers([KEY]).hashes("+18015550142")
    api.front.store.rules.block(listed, key_id="k", reason="asked", who="Pat", now=datetime.now(UTC))
    receipt = api.post("/api/dial", DIAL)
    assert (receipt["state"], receipt["policy"]) == ("suppressed", "do_not_call")
    assert api.front.xima.asked == []


def test_a_double_click_is_one_dial(api: Api) -> None:
    first = api.post("/api/dial", DIAL)
    again = api.post("/api/dial", DIAL)
    assert (first["duplicate_of"], again["duplicate_of"]) == (None, first["id"])
    assert len(api.front.xima.asked) == 1


def test_a_number_is_left_in_peace_after_a_callback_was_asked_for(api: Api) -> None:
    api.post("/api/callback", CALLBACK)
    assert api.post("/api/callback", CALLBACK)["policy"] == "quiet.same_number"


def test_a_pause_holds_it(api: Api) -> None:
    api.front.store.rules.pause("", said="by Pat", now=datetime.now(UTC))
    assert api.post("/api/dial", DIAL)["policy"] == "pause"
    assert api.front.xima.asked == []


# each event once


def test_the_same_key_and_body_are_one_event(api: Api) -> None:
    first = api.post("/api/callback", CALLBACK, once="lead-1")
    again = api.post("/api/callback", dict(reversed(CALLBACK.items())), once="lead-1")
    assert again == {
        **first,
        "duplicate_of": first["id"],
        "message": again["message"],
        "status_url": again["status_url"],
    }
    assert len(api.front.store.newest()) == 1


@pytest.mark.parametrize("of", ["dial", "callback"])
def test_a_key_that_may_not_cancel_gets_no_link_not_even_of_what_it_asked_for(api: Api, of: str) -> None:
    body = {"dial": DIAL, "callback": CALLBACK}[of]
    header = api.key(of, name="dialer")
    receipts = [asked(api, f"/api/{of}", body, {**header, "Idempotency-Key": "1"}) for _ in "12"]
    assert [one["duplicate_of"] for one in receipts] == [None, receipts[0]["id"]]
    assert [one["status_url"] for one in receipts] == [None, None]
    clerk = api.key(of, "deliveries:cancel", name="clerk")
    assert asked(api, f"/api/{of}", body, {**clerk, "Idempotency-Key": "1"})["status_url"]


def test_a_key_that_may_not_cancel_gets_no_link_to_the_click_of_another(api: Api) -> None:
    api.front.store.rules.pause("", said="by Pat", now=datetime.now(UTC))
    click = api.post("/api/dial", DIAL)
    again = asked(api, "/api/dial", DIAL, api.key("dial", name="dialer"))
    assert (again["duplicate_of"], again["status_url"]) == (click["id"], None)
    assert [one.state for one in api.front.store.newest()] == ["held"]


def test_a_key_is_remembered_as_long_as_deliveries_are_kept(api: Api) -> None:
    with freeze_time("2026-11-01 12:00:00"):
        first = api.post("/api/callback", CALLBACK, once="lead-1")
    with freeze_time("2026-12-01 11:59:59"):
        assert api.post("/api/callback", CALLBACK, once="lead-1")["duplicate_of"] == first["id"]
        (waiting,) = api.front.store.newest()
        done = Verdict(state="cancelled", reason="", due_at=waiting.due_at, expires_at=waiting.expires_at)
        api.front.store.act(waiting, done, who="Pat", now=waiting.updated_at)
    with freeze_time("2026-12-01 12:00:01"):
        assert api.post("/api/callback", CALLBACK, once="lead-1")["duplicate_of"] is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/callback", {**CALLBACK, "skill": "Service"}),
        ("/api/callback", {**CALLBACK, "number": "+44 20 7946 0959"}),
        ("/api/dial", DIAL),
    ],
)
def test_the_same_key_for_another_request_is_refused_and_does_nothing(api: Api, path: str, body: Any) -> None:
    api.post("/api/callback", CALLBACK, once="lead-1")
    told = api.problem(422, "POST", path, body, headers={"Idempotency-Key": "lead-1"})
    assert told["errors"] == [
        {"parameter": "Idempotency-Key", "detail": "it stands for another request: use a new one"}
    ]
    assert len(api.front.store.newest()) == 1
    assert api.front.xima.asked == []


def test_what_could_not_be_done_does_not_use_its_key_up(api: Api) -> None:
    api.problem(422, "POST", "/api/dial", {**DIAL, "number": "12"}, headers={"Idempotency-Key": "1"})
    assert api.post("/api/dial", DIAL, once="1")["state"] == "accepted"


def test_idempotency_keys_of_two_programs_are_not_each_other_s(api: Api) -> None:
    api.post("/api/callback", CALLBACK, once="1")
    other = api.ask("POST", "/api/dial", DIAL, headers={**api.key(), "Idempotency-Key": "1"})
    assert other.get_json()["state"] == "accepted"


def test_of_five_at_once_one_is_done(api: Api) -> None:
    app = api.front.client.application
    headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": "1", "Content-Type": "application/json"}

    def ask(number: int) -> Any:
        return app.test_client().post("/api/dial", data=json.dumps(DIAL), headers=headers).get_json()

    with ThreadPoolExecutor(5) as pool:
        receipts = [*pool.map(ask, range(5))]
    assert len(api.front.xima.asked) == 1
    assert len({one["id"] for one in receipts}) == 1
    assert [one["duplicate_of"] for one in receipts].count(None) == 1


@pytest.mark.parametrize("named", ["", "x" * 201, "two words", "\xe9"])
def test_an_idempotency_key_is_visible_characters(api: Api, named: str) -> None:
    told = api.problem(400, "POST", "/api/dial", DIAL, headers={"Idempotency-Key": named})
    assert told["errors"][0]["parameter"] == "Idempotency-Key"


# bodies that cannot be used


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/agent", "#/number"]),
        ({**DIAL, "agent": 101}, ["#/agent"]),
        ({**DIAL, "agent": "101\n"}, ["#/agent"]),
        ({**DIAL, "agent": "x101"}, ["#/agent"]),
        ({**DIAL, "number": None}, ["#/number"]),
        ({**DIAL, "region": "us"}, ["#/region"]),
        ({**DIAL, "use_selected_caller_id": "yes"}, ["#/use_selected_caller_id"]),
        ({**DIAL, "use_selected_caller_id": 1}, ["#/use_selected_caller_id"]),
        ({**DIAL, "number_to_dial": "1", "a/b~c": ""}, ["#/number_to_dial", "#/a~1b~0c"]),
        ([DIAL], ["#"]),
    ],
    ids=str,
)
def test_a_body_of_another_shape_is_400_and_says_where(api: Api, body: Any, pointers: list[str]) -> None:
    told = api.problem(400, "POST", "/api/dial", body)
    assert sorted(one["pointer"] for one in told["errors"]) == sorted(pointers)
    assert all(one["detail"] for one in told["errors"])


@pytest.mark.parametrize("fresh_for", [0, 604_801, 1.5, "60", True, None, 1e30])
def test_a_length_of_time_is_whole_seconds_up_to_a_week(api: Api, fresh_for: Any) -> None:
    told = api.problem(400, "POST", "/api/callback", {**CALLBACK, "fresh_for": fresh_for})
    assert [one["pointer"] for one in told["errors"]] == ["#/fresh_for"]


def test_a_place_deep_in_the_body_is_named_too(api: Api) -> None:
    told = api.problem(400, "POST", "/api/callback", {**CALLBACK, "hours": {"zone": "UTC", "open": {"mon": 8}}})
    assert [one["pointer"] for one in told["errors"]] == ["#/hours/open/mon/value"]


@pytest.mark.parametrize(
    ("path", "body", "pointer", "said"),
    [
        ("/api/dial", {**DIAL, "number": "12"}, "#/number", "too short"),
        ("/api/dial", {**DIAL, "number": "911"}, "#/number", "it would reach an emergency number"),
        ("/api/dial", {**DIAL, "number": "+1 900 555 0142"}, "#/number", "premium rate numbers are not dialled"),
        ("/api/dial", {**DIAL, "number": "+49 30 123456"}, "#/number", "DE is not in allow_regions"),
        ("/api/dial", {**DIAL, "tenant": "none"}, "#/tenant", "known are default"),
        ("/api/dial", {**DIAL, "caller_id": "a\u202e"}, "#/caller_id", "not printable"),
        ("/api/dial", {**DIAL, "caller_id": "1", "use_selected_caller_id": True}, "#/caller_id", "excludes"),
        ("/api/callback", {**CALLBACK, "skill": " "}, "#/skill", "empty"),
        ("/api/callback", {**CALLBACK, "hours": {"zone": "Mars/Base", "open": {}}}, "#/hours", "Mars/Base"),
        ("/api/callback", {**CALLBACK, "hours": {"zone": "UTC", "open": {"mon": "8"}}}, "#/hours", ""),
    ],
)
def test_what_can_be_read_and_not_be_done_is_422_and_says_why(
    api: Api, path: str, body: Any, pointer: str, said: str
) -> None:
    told = api.problem(422, "POST", path, body)
    assert said in told["errors"][0]["detail"]
    assert told["errors"][0]["pointer"] == pointer
    assert "number_to_dial" not in str(told), "these are not words of the API"
    assert api.front.xima.asked == []
    assert api.front.store.newest() == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        (b'{"agent": "1", "agent": "2"}', {}, 400),
        (b"\xff", {}, 400),
        (b"1", {}, 400),
        (b"agent=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": ""}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (b"[" * 2_000_000, {}, 413),
    ],
)
def test_what_is_no_json_is_refused(api: Api, body: bytes, headers: dict[str, str], status: int) -> None:
    assert api.problem(status, "POST", "/api/dial", body, headers=headers)["detail"]


def test_a_store_that_cannot_be_written_keeps_nothing(api: Api) -> None:
    api.front.run("drop table requests")
    told = api.ask("POST", "/api/dial", DIAL)
    assert (told.status_code, told.headers["Retry-After"]) == (503, "5")
    assert api.front.xima.asked == []


def test_a_bug_tells_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*given: Any, **more: Any) -> None:
        raise RuntimeError("8015550142")

    monkeypatch.setattr(api.front.store, "add", crash)
    assert "8015550142" not in str(api.problem(500, "POST", "/api/dial", DIAL))


# without dial rules


def test_without_dial_rules_the_number_s_country_must_be_named(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}) as made:
        api = Api(made)
        told = api.problem(422, "POST", "/api/dial", {**DIAL, "number": "+18015550142"})
        assert told["errors"][0]["detail"].startswith("nobody knows from which country it is dialled: give region")
        api.post("/api/dial", {**DIAL, "region": "US"})
    assert made.xima.asked == [ClickToDial(agent="0101", number_to_dial="8015550142")]


# lists of Xima


def test_few_ask_xima_for_lists_at_a_time(api: Api) -> None:
    with api.front.client.application.extensions["api"].line():
        answer = api.ask("GET", "/api/agents/0101/caller-ids")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["detail"] == "Too many lists are being asked for at this moment"


def test_a_list_of_a_tenant_that_cannot_be_asked_is_503(api: Api) -> None:
    assert api.problem(503, "GET", "/api/agents/0101/caller-ids")["detail"].startswith("There is no Xima tenant")


# the built-in mapping


def test_no_webhook_reaches_the_built_in_mapping(api: Api) -> None:
    answer = api.front.client.post("/hooks/api", json={"do": "dial", "once": "1", **DIAL})
    assert answer.status_code == 404
    assert builtin.NAME not in api.front.sources.usable


def test_no_mapping_file_has_its_name() -> None:
    text = WORK.replace("name: work", "name: api")
    with pytest.raises(Exception, match="'api' is what the deliveries of the API are called") as caught:
        compiled(text, name="api", read_file=lambda name: "")
    assert isinstance(caught.value.problems[0], Problem)  # type: ignore[attr-defined] # a MappingError
