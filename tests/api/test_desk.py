"""What programs look at through the API: deliveries in pages, one with its tries, the mappings; and cancelling."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from web.front import CLICK, LEAD, ORIGIN, WORK, front

from adapter.errors import Conflict
from adapter.model import TRANSITIONS, WAITING
from api.asking import CALLBACK, DIAL, Api

ENDED = ("outcome", "duration_seconds", "ended_at", "outcome_told_at", "outcome_matched_by")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ids(api: Api, query: str = "", **extra: Any) -> list[str]:
    return [one["id"] for one in api.get(f"/api/deliveries{query}", **extra)["deliveries"]]


def made(api: Api, count: int) -> list[str]:
    """Callbacks a minute apart, the newest first."""
    found = []
    for number in range(count):
        with freeze_time(NOW + timedelta(minutes=number)):
            found.append(api.post("/api/callback", {**CALLBACK, "number": f"+1 801 555 01{number:02}"})["id"])
    return found[::-1]


# deliveries in pages


def test_every_delivery_is_listed_wherever_it_came_from_with_its_receipt(api: Api) -> None:
    dial = api.post("/api/dial", DIAL)
    lead = api.front.receipt("work", LEAD)
    found = api.get("/api/deliveries")
    assert [{**one, "status_url": ""} for one in found["deliveries"]] == [
        {**lead, "status_url": ""},
        {**dial, "status_url": ""},
    ]
    assert found["next"] is None


def test_pages_follow_one_another_whatever_comes_meanwhile(api: Api) -> None:
    wanted = made(api, 5)
    seen, path = [], "/api/deliveries?limit=2&mapping=api"
    while path:
        page = api.get(path)
        seen += [one["id"] for one in page["deliveries"]]
        if len(seen) == 2:
            api.post("/api/callback", {**CALLBACK, "number": "+1 801 555 0199"})
        if page["next"]:
            assert page["next"].startswith(f"{ORIGIN}/api/deliveries?limit=2&mapping=api&cursor=")
        path = (page["next"] or "").removeprefix(ORIGIN)
    assert seen == wanted


def test_a_page_that_is_just_full_is_the_last(api: Api) -> None:
    made(api, 2)
    assert api.get("/api/deliveries?limit=2")["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=queued", ["lead"]),
        ("state=accepted", ["dial", "click"]),
        ("state=accepted&mapping=api", ["dial"]),
        ("mapping=work", ["lead", "click"]),
        ("mapping=none", []),
        ("action=callback", ["lead"]),
        ("agent=0101", ["click"]),
        ("agent=0102", ["dial"]),
        ("tenant=default", ["dial", "lead", "click"]),
        ("tenant=acme", []),
        ("since=2026-11-22T12:01:00Z", ["dial", "lead"]),
        ("since=2026-11-22T13:02:00%2B01:00", ["dial"]),
        ("until=2026-11-22T12:01:00Z", ["click"]),
        ("since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59-12:00", ["dial", "lead", "click"]),
    ],
)
def test_filters_must_all_agree(api: Api, query: str, found: list[str]) -> None:
    with freeze_time(NOW):
        names = {api.front.receipt("work", CLICK)["id"]: "click"}
    with freeze_time(NOW + timedelta(minutes=1)):
        names[api.front.receipt("work", LEAD)["id"]] = "lead"
    with freeze_time(NOW + timedelta(minutes=2)):
        names[api.post("/api/dial", {**DIAL, "agent": "0102"})["id"]] = "dial"
    assert [names[one] for one in ids(api, f"?{query}")] == found


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("state=ringing", "state"),
        ("action=fax", "action"),
        ("agent=x", "agent"),
        ("since=yesterday", "since"),
        ("until=2026-11-22T12:00:00", "until"),
        ("cursor=!", "cursor"),
        ("sort=id", "sort"),
    ],
)
def test_a_query_that_cannot_be_read_is_400_and_names_the_parameter(api: Api, query: str, name: str) -> None:
    told = api.problem(400, "GET", f"/api/deliveries?{query}")
    assert [one["parameter"] for one in told["errors"]] == [name]


@pytest.mark.parametrize("cursor", ["z", "vvvv", "0"])
def test_a_cursor_that_nobody_gave_is_422(api: Api, cursor: str) -> None:
    told = api.problem(422, "GET", f"/api/deliveries?cursor={cursor}")
    assert told["errors"] == [{"parameter": "cursor", "detail": "take it from next; it is not made up"}]


# one delivery


def test_one_delivery_is_shown_with_every_try(api: Api) -> None:
    receipt = api.post("/api/dial", DIAL)
    shown = api.get(f"/api/deliveries/{receipt['id']}")
    ended = ("outcome", "duration_seconds", "ended_at", "outcome_told_at", "outcome_matched_by")
    assert {**shown, "status_url": ""} == {
        **receipt,
        **dict.fromkeys(ended),
        "status_url": "",
        **dict.fromkeys(ENDED),  # nobody has told how the call ended
        "attempts": shown["attempts"],
        "acts": [],
    }
    assert [(one["phase"], one["status"]) for one in shown["attempts"]] == [("answered", 204)]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("delivery_id", ["x", "%00", "1a2044ed0aa564432e257fd80", "a%2fb"])
def test_what_is_not_there_is_404(api: Api, method: str, delivery_id: str) -> None:
    api.problem(404, method, f"/api/deliveries/{delivery_id}")


def test_a_status_link_is_for_those_who_may_cancel(api: Api) -> None:
    delivery_id = api.post("/api/callback", CALLBACK)["id"]
    reads = api.key("deliveries:read")
    assert api.get(f"/api/deliveries/{delivery_id}", headers=reads)["status_url"] is None
    assert api.get("/api/deliveries", headers=reads)["deliveries"][0]["status_url"] is None
    link = api.get(f"/api/deliveries/{delivery_id}")["status_url"]
    assert api.front.client.get(link.removeprefix(ORIGIN)).get_json()["id"] == delivery_id


def test_it_is_cancelled_under_the_name_of_the_key(api: Api) -> None:
    delivery_id = api.post("/api/callback", CALLBACK)["id"]
    header = api.key("deliveries:cancel", name="wallboard")
    shown = api.ask("DELETE", f"/api/deliveries/{delivery_id}", headers=header).get_json()
    assert (shown["state"], shown["reason"]) == ("cancelled", "cancelled with the API key wallboard")
    assert [(one["who"], one["old"], one["new"]) for one in shown["acts"]] == [
        ("API key wallboard", "queued", "cancelled")
    ]


@pytest.mark.parametrize("state", [state for state in TRANSITIONS if state not in WAITING])
def test_it_is_409_with_the_state_when_it_is_too_late(api: Api, state: str) -> None:
    delivery_id = api.post("/api/callback", CALLBACK)["id"]
    api.front.run(f"update deliveries set state = '{state}'")
    told = api.problem(409, "DELETE", f"/api/deliveries/{delivery_id}")
    assert (told["state"], told["type"]) == (state, "urn:problem:conflict")


def test_the_state_is_the_one_it_has_then(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery_id = api.post("/api/callback", CALLBACK)["id"]

    def taken_first(*given: Any, **more: Any) -> None:
        api.front.run("update deliveries set state = 'sending'")
        raise Conflict("the delivery changed at the same moment: look at it again")

    monkeypatch.setattr(api.front.store, "act", taken_first)
    assert api.problem(409, "DELETE", f"/api/deliveries/{delivery_id}")["state"] == "sending"


# mappings


def test_mappings_are_listed_with_what_is_wrong_with_them(api: Api) -> None:
    broken, work = api.get("/api/mappings")["mappings"]
    assert work == {
        "name": "work",
        "version": api.front.sources.usable["work"].mapping.version,
        "tenant": "default",
        "since": None,
        "usable": True,
        "problems": [],
        "url": f"{ORIGIN}/hooks/work",
    }
    assert (broken["name"], broken["usable"], broken["version"]) == ("broken", False, None)
    assert broken["problems"] == [
        "broken.yaml:1:1: receive: this key is missing",
        "broken.yaml:1:1: rules: this key is missing",
    ]


# the shape of errors


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("POST", "/api/deliveries", 405, "method_not_allowed"),
        ("PUT", "/api/dial", 405, "method_not_allowed"),
        ("BREW", "/api/dial", 405, "method_not_allowed"),
        ("GET", "/api/agents/x1/caller-ids", 400, "bad_request"),
        ("POST", "/api/agents/1%0a/selected-caller-id", 400, "bad_request"),
    ],
)
def test_every_error_is_a_problem(api: Api, method: str, path: str, status: int, code: str) -> None:
    told = api.problem(status, method, path)
    assert set(told) >= {"type", "title", "status", "detail"}
    assert told["type"] == f"urn:problem:{code}"


def test_a_method_that_is_not_there_is_answered_with_those_that_are(api: Api) -> None:
    assert api.ask("PUT", "/api/dial").headers["Allow"] == "OPTIONS, POST"


def test_paths_beside_the_api_keep_their_shape(api: Api) -> None:
    assert set(api.front.client.get("/apis").get_json()) == {"error"}


@pytest.mark.parametrize("path", ["/api/deliveries/", "/api//deliveries", "//api/deliveries"])
def test_nobody_is_redirected(api: Api, path: str) -> None:
    assert api.front.client.get(path).status_code // 100 != 3


def test_requests_are_counted_by_their_status(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_METRICS_ALLOW="all") as made:
        api = Api(made)
        api.get("/api/mappings")
        api.problem(404, "GET", "/api/nothing")
        counted = made.client.get("/metrics").text
    for status in ("200", "404"):
        assert f'xima_adapter_requests_total{{mapping="api",status="{status}"}}' in counted


# what PostgreSQL cannot hold


def test_a_zero_byte_is_what_nobody_has_and_no_failure_of_the_store(tmp_path: Path, postgres_url: str) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_DATABASE_URL=postgres_url) as made:
        made.store.upgrade()
        api = Api(made)
        assert api.problem(404, "GET", "/api/deliveries/%00")["status"] == 404
        for name in ("mapping", "tenant"):
            assert api.problem(400, "GET", f"/api/deliveries?{name}=%00")["errors"][0]["parameter"] == name
        cursor = base64.b32hexencode(b"\0").decode().rstrip("=").lower()
        api.problem(422, "GET", f"/api/deliveries?cursor={cursor}")
