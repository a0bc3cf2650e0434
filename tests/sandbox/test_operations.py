"""What Xima documents: five actions, two reads, and every way they may be refused."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.sandbox import World, create_app
from adapter.sandbox.operations import OPERATIONS
from adapter.sandbox.script import OPERATIONS as SCRIPT_OPERATIONS

from .caller import ACTIONS, AGENTS, CALLBACK, CALLER_IDS, DIAL, NUMBER, SELECT, SKILLS, Caller

MAIN = {"label": "Main", "outboundCallerId": "8015550100"}
LOCAL = {"label": "Local", "outboundCallerId": "18015550100"}
LONDON = {"label": "London", "outboundCallerId": "442079460000"}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_answered_204_without_a_body_and_has_its_effect(xima: Caller, action: str) -> None:
    response = xima.act(action)
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers
    assert "Content-Length" not in response.headers
    row = xima.last()
    assert (row["operation"], row["status"], row["effect"], row["fault"]) == (action, 204, True, None)


def test_click_to_dial_makes_the_phone_of_the_agent_ring_with_prefix_and_caller_id(xima: Caller) -> None:
    xima.dial("0101", outboundCallerId="442079460000", externalPrefix="9")
    (ring,) = xima.sandbox.world.desks["0101"].rings
    assert (ring.number, ring.caller_id) == (f"9{NUMBER}", "442079460000")
    assert not xima.sandbox.world.desks["0102"].rings


def test_set_then_dial_uses_the_new_selection(xima: Caller) -> None:
    assert xima.selected() == MAIN
    xima.select("London", "442079460000")
    assert xima.selected() == LONDON
    xima.dial(useSelectedOutboundCallerId=True)
    assert xima.shown_caller_id() == "442079460000"


def test_selecting_for_one_agent_leaves_the_others_alone(xima: Caller) -> None:
    xima.select("London", "442079460000", extension="0101")
    assert xima.selected("0102") == MAIN


def test_a_callback_is_in_the_queue_of_its_skill_at_once(xima: Caller) -> None:
    xima.callback("Field Service")
    queues = xima.sandbox.world.queues
    assert [one.number for one in queues["Field Service"].waiting] == [NUMBER]
    assert not queues["Sales"].waiting


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param(
            AGENTS,
            {
                "agents": [
                    {"agent": "Hunt Desk(0100)", "type": "UC"},
                    {"agent": "Pat Owner(0101)", "type": "UC"},
                    {"agent": "Lee Owner(0102)", "type": "XIMA"},
                    {"agent": "Sam Field(0207)", "type": "XIMA"},
                ]
            },
            id="agents",
        ),
        pytest.param(
            SKILLS,
            {
                "skills": [
                    {"name": "General Sales"},
                    {"name": "Widget Sales"},
                    {"name": "Field Service"},
                    {"name": "Sales"},
                    {"name": "Support"},
                    {"name": "Priority Support"},
                    {"name": "Order Desk"},
                    {"name": "Billing"},
                ]
            },
            id="skills",
        ),
        pytest.param(
            CALLER_IDS,
            {"selectedOutboundCallerId": MAIN, "outboundCallerIds": [MAIN, LOCAL, LONDON]},
            id="outbound_caller_ids",
        ),
    ],
)
def test_a_read_has_the_documented_shape_and_no_effect(
    xima: Caller, path: str, answer: Any, request: pytest.FixtureRequest
) -> None:
    response = xima.send("GET", path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == answer
    row = xima.last()
    assert row["operation"] == request.node.callspec.id
    assert (row["status"], row["effect"], row["json"]) == (200, False, None)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", DIAL, "POST"),
        ("PUT", DIAL, "POST"),
        ("GET", SELECT, "POST"),
        ("DELETE", CALLBACK, "POST"),
        ("OPTIONS", CALLBACK, "POST"),
        ("POST", CALLER_IDS, "GET"),
        ("POST", AGENTS, "GET"),
        ("HEAD", SKILLS, "GET"),
    ],
)
def test_another_method_is_405(xima: Caller, method: str, path: str, allowed: str) -> None:
    response = xima.send(method, path, json=ACTIONS["callback"][1])
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    row = xima.last()
    assert (row["method"], row["status"], row["effect"]) == (method, 405, False)


@pytest.mark.parametrize(
    "path",
    [
        "/rest/api/v2/agents",
        "/rest/api/v1/callback/",
        "/rest/api/v1/agents/0101",
        "/rest/api/v1/agents/01%2F01/click-to-dial",
        "/rest//api/v1/callback",
        "/api/v1/callback",
        "/_sandbox",
    ],
)
def test_another_path_is_404_and_kept_as_unknown(xima: Caller, path: str) -> None:
    assert xima.post(path, ACTIONS["callback"][1]).status_code == 404
    row = xima.last()
    assert (row["operation"], row["status"], row["effect"]) == ("unknown", 404, False)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sandbox-token",
        "Bearer",
        "Bearer wrong",
        "bearer sandbox-token",
        "Bearer  sandbox-token",
        "Basic eDp5",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", DIAL), ("POST", CALLBACK), ("GET", SKILLS)])
def test_without_a_good_token_it_is_401(xima: Caller, method: str, path: str, header: str | None) -> None:
    response = xima.send(method, path, json=ACTIONS["callback"][1], headers={"Authorization": header})
    assert response.status_code == 401
    assert not xima.last()["effect"]


def test_every_configured_token_is_good_and_a_refreshed_one_is_not(xima: Caller) -> None:
    xima.script("tokens: [old, new]")
    for token, status in (("old", 204), ("new", 204), ("sandbox-token", 401)):
        assert xima.act("callback", headers={"Authorization": f"Bearer {token}"}).status_code == status
    xima.script("token: newest")
    assert xima.act("callback", headers={"Authorization": "Bearer new"}).status_code == 401
    assert xima.act("callback", headers={"Authorization": "Bearer newest"}).status_code == 204


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_a_body_that_does_not_say_it_is_json_is_400(xima: Caller, content_type: str) -> None:
    path, body = ACTIONS["callback"]
    response = xima.send("POST", path, data=json.dumps(body), headers={"Content-Type": content_type})
    assert response.status_code == 400
    assert xima.last()["reason"] == "the content type is not application/json"


def test_json_with_a_charset_is_json(xima: Caller) -> None:
    path, body = ACTIONS["callback"]
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert xima.send("POST", path, data=json.dumps(body), headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (DIAL, {}, "numberToDial is required"),
        (DIAL, {"numberToDial": ""}, "numberToDial is required"),
        (DIAL, {"numberToDial": None}, "numberToDial is required"),
        (DIAL, {"numberToDial": "  "}, "not a number to call"),
        (DIAL, {"numberToDial": 8015552800}, "numberToDial must be a string"),
        (DIAL, {"numberToDial": [NUMBER]}, "numberToDial must be a string"),
        (DIAL, {"numberToDial": NUMBER, "outboundCallerId": 8015550100}, "outboundCallerId must be a string"),
        (DIAL, {"numberToDial": NUMBER, "externalPrefix": 9}, "externalPrefix must be a string"),
        (
            DIAL,
            {"numberToDial": NUMBER, "useSelectedOutboundCallerId": "true"},
            "useSelectedOutboundCallerId must be true or false",
        ),
        (
            DIAL,
            {"numberToDial": NUMBER, "useSelectedOutboundCallerId": 1},
            "useSelectedOutboundCallerId must be true or false",
        ),
        (SELECT, {"outboundCallerId": "8015550100"}, "label is required"),
        (SELECT, {"label": "Main"}, "outboundCallerId is required"),
        (SELECT, {"label": True, "outboundCallerId": "8015550100"}, "label must be a string"),
        (CALLBACK, {"callbackNumber": NUMBER}, "skill is required"),
        (CALLBACK, {"skill": "Sales"}, "callbackNumber is required"),
        (CALLBACK, {"skill": "Sales", "callbackNumber": 1}, "callbackNumber must be a string"),
        (CALLBACK, [], "the body is not an object"),
        (CALLBACK, "Sales", "the body is not an object"),
        (CALLBACK, None, "the body is not an object"),
    ],
)
def test_a_wrong_field_is_400(xima: Caller, path: str, body: Any, reason: str) -> None:
    response = xima.send("POST", path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()) == (400, {"message": reason})
    row = xima.last()
    assert (row["json"], row["status"], row["effect"], row["reason"]) == (body, 400, False, reason)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"skill": "Sales",}', id="a comma too many"),
        pytest.param(b'{"skill": "Sales"} //Optional', id="a remark as in the vendor's sample"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b'{"skill": NaN}', id="not a number"),
        pytest.param(b'{"skill": 1e999}', id="infinite"),
        pytest.param(b'{"skill": ' + b"9" * 5000 + b"}", id="a number without end"),
        pytest.param(b'{"skill": ' + b"[" * 30000 + b"]" * 30000 + b"}", id="deep"),
    ],
)
def test_a_body_that_is_not_json_is_400_and_never_500(xima: Caller, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert xima.send("POST", CALLBACK, data=body, headers=headers).status_code == 400
    assert xima.last()["json"] is None
    assert xima.send("GET", "/").status_code == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_over_64_kb_is_413_and_the_next_call_is_answered(xima: Caller, chunked: bool) -> None:
    body = b'{"skill": "' + b"x" * 70_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    data = iter([body[:40_000], body[40_000:]]) if chunked else body
    response = xima.send("POST", CALLBACK, data=data, headers=headers)
    assert (response.status_code, response.headers["Connection"]) == (413, "close")
    assert xima.callback().status_code == 204
    assert [row["status"] for row in xima.calls()] == [413, 204]


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_of_64_kb_is_taken_in(xima: Caller, chunked: bool) -> None:
    body = json.dumps({"skill": "x" * 65_000, "callbackNumber": NUMBER}).encode().ljust(65_536)
    data = iter([body]) if chunked else body
    response = xima.send("POST", CALLBACK, data=data, headers={"Content-Type": "application/json"})
    assert (len(body), response.status_code) == (65_536, 404)


def test_a_body_in_chunks_is_read(xima: Caller) -> None:
    data = iter([b'{"skill": "Sales", ', b'"callbackNumber": "8015552800"}'])
    headers = {"Content-Type": "application/json"}
    assert xima.send("POST", CALLBACK, data=data, headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(b"Content-Length: 100", b'{"skill"', id="shorter than it says"),
        pytest.param(b"Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n", id="broken chunks"),
    ],
)
def test_a_body_that_breaks_off_is_400(xima: Caller, head: bytes, body: bytes) -> None:
    port = urlsplit(xima.sandbox.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(
            b"POST /rest/api/v1/callback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-token\r\n"
            b"Content-Type: application/json\r\n" + head + b"\r\n\r\n" + body
        )
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert xima.last()["status"] == 400


@pytest.mark.parametrize("skill", ["sales", "Sales ", " Sales", "SALES", "Sale"])
def test_a_skill_must_be_named_exactly(xima: Caller, skill: str) -> None:
    assert xima.callback(skill).status_code == 404
    assert not xima.last()["effect"]


def test_the_operations_a_script_may_name_are_those_there_are() -> None:
    assert tuple(operation.name for operation in OPERATIONS) == SCRIPT_OPERATIONS


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "numberToDial",
            "outboundCallerId",
            "externalPrefix",
            "useSelectedOutboundCallerId",
            "label",
            "skill",
            "callbackNumber",
            "x",
        ]
    ),
    st.sampled_from([NUMBER, "8015550100", "Main", "Sales", True, "", None]) | VALUES,
)


FUZZED = create_app(World())
FUZZED.testing = True


@given(path=st.sampled_from([DIAL, SELECT, CALLBACK, AGENTS]), body=FIELDS | VALUES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_no_body_breaks_it(path: str, body: Any) -> None:
    client = FUZZED.test_client()
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
    client.delete("/_sandbox/calls")
    assert client.post(path, data=json.dumps(body), headers=headers).status_code in (204, 400, 404, 405)
    (row,) = client.get("/_sandbox/calls").get_json()["calls"]
    assert row["effect"] == (row["status"] == 204)
    assert client.get("/").status_code == 200
