"""What Xima leaves open: every switch in every position, and whether anything happened."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from adapter.sandbox import World, create_app
from adapter.sandbox.script import Switches

from .caller import ACTIONS, CALLER_IDS, DIAL, NUMBER, SKILLS, Caller, wait_until

PEOPLE = [
    {"name": "Al Off", "extension": "201", "type": "UC", "logged_in": False},
    {"name": "Bo Busy", "extension": "202", "type": "XIMA", "busy": True},
    {"name": "Cy Bare", "extension": "203", "type": "XIMA"},
    {
        "name": "Di Two",
        "extension": "204",
        "type": "Xima",
        "caller_ids": [
            {"label": "One", "outboundCallerId": "8015550101"},
            {"label": "Two", "outboundCallerId": "8015550102"},
        ],
        "selected": "Two",
    },
]
OFFICE = {"agents": PEOPLE, "skills": ["Sales", {"name": "Closed", "strategy": "disabled"}]}
SELECTED = {"useSelectedOutboundCallerId": True}


def dial(extension: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return f"/rest/api/v1/agents/{extension}/click-to-dial", {"numberToDial": NUMBER, **fields}


def select(label: str, number: str) -> tuple[str, dict[str, Any]]:
    body = {"label": label, "outboundCallerId": number}
    return "/rest/api/v1/agents/204/selected-outbound-caller-id", body


def callback(skill: str = "Sales", number: str = NUMBER, **fields: Any) -> tuple[str, dict[str, Any]]:
    return "/rest/api/v1/callback", {"skill": skill, "callbackNumber": number, **fields}


CASES = [
    ("agent_offline", "409", dial("201"), 409, False),
    ("agent_offline", "400", dial("201"), 400, False),
    ("agent_offline", "403", dial("201"), 403, False),
    ("agent_offline", "404", dial("201"), 404, False),
    ("agent_offline", "500", dial("201"), 500, False),
    ("agent_offline", "204-silent", dial("201"), 204, False),
    ("unknown_extension", "404", dial("999"), 404, False),
    ("unknown_extension", "400", dial("999"), 400, False),
    ("unknown_extension", "403", dial("999"), 403, False),
    ("agent_busy", "ring", dial("202"), 204, True),
    ("agent_busy", "409", dial("202"), 409, False),
    ("agent_busy", "400", dial("202"), 400, False),
    ("agent_busy", "204-silent", dial("202"), 204, False),
    ("unknown_skill", "404", callback("Nope"), 404, False),
    ("unknown_skill", "400", callback("Nope"), 400, False),
    ("unknown_skill", "204-silent", callback("Nope"), 204, False),
    ("skill_callback_disabled", "409", callback("Closed"), 409, False),
    ("skill_callback_disabled", "400", callback("Closed"), 400, False),
    ("skill_callback_disabled", "404", callback("Closed"), 404, False),
    ("skill_callback_disabled", "204-queued", callback("Closed"), 204, True),
    ("skill_callback_disabled", "204-dropped", callback("Closed"), 204, False),
    ("number_policy", "lax", callback(number="+1 (801) 555-2800"), 204, True),
    ("number_policy", "digits", callback(number="+18015552800"), 400, False),
    ("number_policy", "digits", callback(number="442079460958"), 204, True),
    ("number_policy", "nanp10", callback(number="18015552800"), 400, False),
    ("number_policy", "nanp10", callback(number="8015552800"), 204, True),
    ("number_policy", "nanp10", callback(number="204"), 400, False),
    ("number_policy", "nanp10", dial("204", numberToDial="202"), 204, True),
    ("number_policy", "nanp10", dial("204", numberToDial="205"), 400, False),
    ("both_caller_ids", "400", dial("204", outboundCallerId="8015550101", **SELECTED), 400, False),
    ("both_caller_ids", "explicit", dial("204", outboundCallerId="8015550101", **SELECTED), 204, True),
    ("both_caller_ids", "selected", dial("204", outboundCallerId="8015550101", **SELECTED), 204, True),
    ("prefix_with_selected", "ignore", dial("204", externalPrefix="9", **SELECTED), 204, True),
    ("prefix_with_selected", "honour", dial("204", externalPrefix="9", **SELECTED), 204, True),
    ("prefix_with_selected", "400", dial("204", externalPrefix="9", **SELECTED), 400, False),
    ("prefix_with_selected", "400", dial("204", externalPrefix="9"), 204, True),
    ("bad_caller_id", "400", dial("204", outboundCallerId="1"), 400, False),
    ("bad_caller_id", "403", dial("204", outboundCallerId="1"), 403, False),
    ("bad_caller_id", "404", dial("204", outboundCallerId="1"), 404, False),
    ("bad_caller_id", "other", dial("204", outboundCallerId="1"), 204, True),
    ("bad_caller_id", "404", select("One", "1"), 404, False),
    ("bad_caller_id", "other", select("One", "1"), 204, False),
    ("label_mismatch", "400", select("One", "8015550102"), 400, False),
    ("label_mismatch", "404", select("One", "8015550102"), 404, False),
    ("label_mismatch", "number", select("One", "8015550102"), 204, True),
    ("empty_optional", "ignore", dial("204", outboundCallerId="", externalPrefix=None), 204, True),
    ("empty_optional", "400", dial("204", externalPrefix=""), 400, False),
    ("empty_optional", "400", dial("204", useSelectedOutboundCallerId=None), 400, False),
    ("extra_fields", "ignore", callback(note="x"), 204, True),
    ("extra_fields", "ignore", callback(numberToDial=7), 204, True),
    ("extra_fields", "400", callback(note="x"), 400, False),
    ("odd_2xx", "204", callback(), 204, True),
    ("odd_2xx", "200", callback(), 200, True),
    ("odd_2xx", "202", dial("204"), 202, True),
    *(("redirect", str(code), callback(), code, False) for code in (301, 302, 303, 307, 308)),
    ("redirect", "no", callback(), 204, True),
    ("token_revoked", "yes", callback(), 401, False),
    ("token_revoked", "no", callback(), 204, True),
    ("forbidden_agents", ["204"], dial("204"), 403, False),
    ("forbidden_agents", ["204"], select("One", "8015550101"), 403, False),
    ("forbidden_agents", ["203"], dial("204"), 204, True),
    ("egress_cap", "yes", callback(), 509, False),
    ("max_concurrency", "1", callback(), 204, True),
]


@pytest.mark.parametrize(
    ("name", "value", "ask", "status", "effect"),
    CASES,
    ids=[f"{name}={value}-{number}" for number, (name, value, *_) in enumerate(CASES)],
)
def test_a_switch_decides_the_answer_and_the_effect(
    xima: Caller, name: str, value: Any, ask: tuple[str, Any], status: int, effect: bool
) -> None:
    xima.script({**OFFICE, "switches": {name: value}})
    assert xima.post(*ask).status_code == status
    row = xima.last()
    assert (row["status"], row["effect"]) == (status, effect)
    rang = sum(len(desk.rings) for desk in xima.sandbox.world.desks.values())
    queued = sum(len(queue.waiting) for queue in xima.sandbox.world.queues.values())
    selected = xima.sandbox.world.desks["204"].selected
    assert (rang + queued == 1) == (effect and row["operation"] != "select_caller_id")
    assert selected is not None
    assert selected.label == "Two"


@pytest.mark.parametrize(
    ("policy", "status", "effect", "waiting"),
    [("enqueue", 204, True, 2), ("merge", 204, False, 1), ("409", 409, False, 1)],
)
def test_a_second_callback_for_one_number(xima: Caller, policy: str, status: int, effect: bool, waiting: int) -> None:
    xima.switch(duplicate_callback=policy)
    assert xima.callback().status_code == 204
    assert xima.callback().status_code == status
    assert xima.last()["effect"] == effect
    assert len(xima.sandbox.world.queues["Sales"].waiting) == waiting


def test_the_same_number_in_another_queue_is_no_duplicate(xima: Caller) -> None:
    xima.switch(duplicate_callback="409")
    assert xima.callback("Sales").status_code == 204
    assert xima.callback("Support").status_code == 204


@pytest.mark.parametrize(
    ("switches", "fields", "number", "caller_id"),
    [
        ({"both_caller_ids": "explicit"}, {"outboundCallerId": "8015550101", **SELECTED}, NUMBER, "8015550101"),
        ({"both_caller_ids": "selected"}, {"outboundCallerId": "8015550101", **SELECTED}, NUMBER, "8015550102"),
        ({"default_caller_id": "first"}, {}, NUMBER, "8015550101"),
        ({"default_caller_id": "selected"}, {}, NUMBER, "8015550102"),
        ({"default_caller_id": "none"}, {}, NUMBER, ""),
        ({"bad_caller_id": "other"}, {"outboundCallerId": "1"}, NUMBER, ""),
        ({"prefix_with_selected": "ignore"}, {"externalPrefix": "9", **SELECTED}, NUMBER, "8015550102"),
        ({"prefix_with_selected": "honour"}, {"externalPrefix": "9", **SELECTED}, f"9{NUMBER}", "8015550102"),
        ({}, {"useSelectedOutboundCallerId": False}, NUMBER, "8015550101"),
    ],
)
def test_a_switch_decides_what_the_called_party_sees(
    xima: Caller, switches: dict[str, str], fields: dict[str, Any], number: str, caller_id: str
) -> None:
    xima.script({**OFFICE, "switches": switches})
    xima.dial("204", **fields)
    (ring,) = xima.sandbox.world.desks["204"].rings
    assert (ring.number, ring.caller_id) == (number, caller_id)


@pytest.mark.parametrize("fields", [{}, SELECTED], ids=["default", "selected"])
def test_an_agent_without_caller_ids_leaves_it_to_the_trunk(xima: Caller, fields: dict[str, Any]) -> None:
    xima.script(OFFICE)
    assert xima.dial("203", **fields).status_code == 204
    assert xima.shown_caller_id("203") == ""


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("null", {"selectedOutboundCallerId": None, "outboundCallerIds": []}),
        ("missing", {"outboundCallerIds": []}),
        ("empty", {"selectedOutboundCallerId": {}, "outboundCallerIds": []}),
    ],
)
def test_no_selection_is_shown_as_the_switch_says(xima: Caller, value: str, answer: Any) -> None:
    xima.script({**OFFICE, "switches": {"no_selection": value}})
    response = xima.send("GET", "/rest/api/v1/agents/203/outbound-caller-ids")
    assert response.json() == answer


def test_listed_caller_ids_in_another_form_are_taken_in_either(xima: Caller) -> None:
    xima.switch(caller_id_format="plus")
    answer = xima.send("GET", CALLER_IDS).json()
    listed = [one["outboundCallerId"] for one in answer["outboundCallerIds"]]
    assert listed == ["+18015550100", "+18015550100", "+442079460000"]
    for number in (*listed, "8015550100", "442079460000"):
        assert xima.dial(outboundCallerId=number).status_code == 204
    xima.select("Local", "+18015550100")
    assert xima.selected() == {"label": "Local", "outboundCallerId": "+18015550100"}


@pytest.mark.parametrize(
    ("style", "content_type", "body"),
    [
        ("empty", None, b""),
        ("json", "application/json", b'{"message": "no such skill"}'),
        ("html", "text/html; charset=utf-8", b"<!doctype html><title>Error</title><h1>no such skill</h1>"),
    ],
)
def test_an_error_has_the_body_the_switch_says(xima: Caller, style: str, content_type: str | None, body: bytes) -> None:
    xima.switch(error_body=style)
    response = xima.callback("Nope")
    assert (response.status_code, response.headers.get("Content-Type"), response.content) == (
        404,
        content_type,
        body,
    )
    malformed = xima.send("POST", DIAL, data=b"{", headers={"Content-Type": "application/json"})
    assert (malformed.status_code, malformed.headers.get("Content-Type")) == (400, content_type)


def test_whoever_follows_a_redirect_is_seen_in_the_ledger(xima: Caller) -> None:
    xima.switch(redirect="307")
    with pytest.raises(requests.TooManyRedirects):
        xima.act("click_to_dial", allow_redirects=True)
    assert {row["path"] for row in xima.calls()} == {DIAL, "/redirected"}
    assert not any(row["effect"] for row in xima.calls())


@pytest.mark.parametrize(
    ("switch", "extension", "late"),
    [
        ("uc_wait", "0101", True),
        ("uc_wait", "0102", False),
        ("delay_before_204", "0101", True),
        ("delay_before_204", "0102", True),
    ],
)
def test_the_answer_may_come_long_after_the_phone_rang(xima: Caller, switch: str, extension: str, late: bool) -> None:
    xima.switch(**{switch: "1h"})
    path, body = dial(extension)
    if late:
        with pytest.raises(requests.ReadTimeout):
            xima.post(path, body, timeout=0.2)
        wait_until(lambda: bool(xima.calls()) and xima.last()["effect"])
    else:
        assert xima.post(path, body).status_code == 204
    row = xima.last()
    assert (row["effect"], row["status"]) == (True, None if late else 204)


def test_more_calls_at_once_than_allowed_are_429(xima: Caller) -> None:
    xima.script({"switches": {"max_concurrency": 1}, "faults": [{"delay_answer": "1h", "times": 1}]})
    with pytest.raises(requests.ReadTimeout):
        xima.act("callback", timeout=0.2)
    wait_until(lambda: bool(xima.calls()))
    assert xima.act("click_to_dial").status_code == 429
    assert not xima.last()["effect"]


def test_actions_in_quick_succession_are_429_until_the_gap_is_over() -> None:
    now = datetime(2026, 1, 5, 9, tzinfo=UTC)
    client = create_app(World("switches: {rate_limit: 3s}", clock=lambda: now)).test_client()
    headers = {"Authorization": "Bearer sandbox-token"}
    path, body = ACTIONS["callback"]

    def ask() -> tuple[int, str | None]:
        response = client.post(path, json=body, headers=headers)
        return response.status_code, response.headers.get("Retry-After")

    assert ask() == (204, None)
    now += timedelta(seconds=0.5)
    assert ask() == (429, "3")
    now += timedelta(seconds=2.4)
    assert ask() == (429, "1")
    assert client.get(SKILLS, headers=headers).status_code == 200
    now += timedelta(seconds=0.1)
    assert ask() == (204, None)
    client.delete("/_sandbox/calls")
    assert ask() == (204, None)


def test_every_switch_is_tried_here() -> None:
    apart = {
        "delay_before_204",
        "uc_wait",
        "duplicate_callback",
        "default_caller_id",
        "caller_id_format",
        "no_selection",
        "error_body",
        "rate_limit",
    }
    names = {field.name for field in fields(Switches)}
    assert names == apart | {name for name, *_ in CASES}
