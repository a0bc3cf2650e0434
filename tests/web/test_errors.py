"""One shape for every error of every route, an id on every answer, no redirect ever, and bugs that tell nothing."""

from __future__ import annotations

import io
import logging

import pytest

from adapter.api import tokens
from adapter.errors import StoreError
from adapter.web.errors import CRASHED, STORE
from web.front import CLICK, JSON, Front

LOUD = "+1 801 555 0199"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/hooks", 404, "not_found"),
        ("POST", "/hooks/", 404, "not_found"),
        ("POST", "/hooks/nobody", 404, "not_found"),
        ("POST", "/hooks/work", 401, "unauthorized"),
        ("POST", "/hooks/work/", 401, "unauthorized"),
        ("POST", "/hooks/broken", 503, "unavailable"),
        ("GET", "/hooks/work", 405, "method_not_allowed"),
        ("PUT", "/hooks/work", 405, "method_not_allowed"),
        ("DELETE", "/hooks/work", 405, "method_not_allowed"),
        ("BREW", "/hooks/work", 405, "method_not_allowed"),
        ("GET", "/deliveries/x", 401, "unauthorized"),
        ("DELETE", "/deliveries/x", 401, "unauthorized"),
        ("POST", "/deliveries/x", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("POST", "/readyz", 405, "method_not_allowed"),
        ("POST", "/hooks/work%2f..", 404, "not_found"),
        ("POST", "/hooks/%00", 404, "not_found"),
        ("POST", "/hooks/%ff%fe", 404, "not_found"),
    ],
)
def test_every_error_has_the_same_shape(idle: Front, method: str, path: str, status: int, code: str) -> None:
    answer = idle.client.open(path, method=method)
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    told = answer.get_json()
    assert set(told) == {"error"}
    assert set(told["error"]) == {"code", "message"}
    assert told["error"]["code"] == code
    assert told["error"]["message"][0].isupper()
    assert ("Allow" in answer.headers) == (status == 405)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_hook_asked_with_get_says_what_it_takes(idle: Front) -> None:
    answer = idle.client.get("/hooks/work")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "HEAD, OPTIONS, POST"
    assert idle.client.head("/hooks/work").data == b""


@pytest.mark.parametrize("path", ["/hooks/work", "/deliveries/x", "/healthz", "/readyz", "/nothing", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("spelled", ["{}", "{}/", "{}//", "/{}", "{}/?", "{}?a=//b", "{}/."])
def test_nobody_is_ever_redirected(idle: Front, path: str, method: str, spelled: str) -> None:
    answer = idle.client.open(spelled.format(path), method=method)
    assert answer.status_code // 100 != 3
    assert "Location" not in answer.headers


@pytest.mark.parametrize("target", ["/hooks/work/", "/hooks/work?", "/hooks/work/?a=b", "/hooks/work?x=//y/%2f"])
def test_a_slash_at_the_end_and_a_query_lead_to_the_same_mapping(idle: Front, target: str) -> None:
    assert idle.post("work", CLICK, target=target).status_code == 200


def test_every_answer_has_an_id_of_its_own_that_the_log_knows(work: Front, log: io.StringIO) -> None:
    answers = [
        work.post("work", CLICK),
        work.client.post("/hooks/work"),
        work.client.get("/hooks/work"),
        work.client.get("/nothing"),
        work.client.get("/healthz"),
        work.client.get("/deliveries/x"),
        work.client.options("/hooks/work"),
    ]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(f"request={ids[number]}" in log.getvalue() for number in (0, 1, 5))


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "\xe9", "[::1", "evil.example:99999"])
def test_the_host_header_changes_nothing(idle: Front, host: str) -> None:
    headers = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"}
    assert idle.client.get("/healthz", headers=headers).status_code == 200
    assert idle.client.post("/hooks/work", headers=headers).status_code == 401


def test_a_bug_is_a_500_that_tells_nothing_and_a_traceback_in_the_log_without_the_request(
    work: Front, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"no such thing: {LOUD}, a-token-of-the-tests\n2026 info delivery.accepted id=1")

    monkeypatch.setattr(work.store, "add", crash)
    answer = work.post("work", {**CLICK, "name": "Ann Example"}, headers={**JSON, "X-Name": "Ann Example"})
    assert (answer.status_code, answer.content_type) == (500, "application/json")
    assert answer.get_json() == {"error": {"code": "internal_error", "message": CRASHED}}
    written = log.getvalue()
    assert f"error request.crashed request={answer.headers['X-Request-Id']}\n  Traceback" in written
    assert "RuntimeError: no such thing: ***0199, ***" in written
    assert not any(said in written for said in (LOUD, "a-token", "Ann", "8015550142", CLICK["phone"]))
    events = [line for line in written.splitlines() if not line.startswith("  ")]
    assert len(events) == 1, "what the exception says cannot pass for an event"


def test_a_store_that_fails_leaves_a_line_for_the_operator(work: Front, log: io.StringIO) -> None:
    work.run("drop table requests")
    answer = work.post("work", CLICK)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["error"]["message"] == STORE
    line = next(line for line in log.getvalue().splitlines() if "store.failed" in line)
    assert f"error store.failed request={answer.headers['X-Request-Id']} reason=" in line
    assert "no such table: requests" in line


def test_a_stranger_is_not_told_where_the_store_is(
    work: Front, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreError('connection to server at "10.20.30.40", port 5432 failed: Connection refused')

    monkeypatch.setattr(work.store, "add", away)
    monkeypatch.setattr(work.store.keys, "find", away)
    answers = [
        work.post("work", CLICK),
        work.client.get("/api/deliveries", headers={"Authorization": f"Bearer {tokens.new_token()}"}),
    ]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].get_json()["error"]["message"] == answers[1].get_json()["detail"] == STORE
    assert log.getvalue().count("error store.failed") == 2
    assert "10.20.30.40" in log.getvalue()


def test_only_our_events_are_logged_when_a_request_is_refused(work: Front, log: io.StringIO) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging, "lastResort", None)
        work.client.post("/hooks/work?key=sesame", data=b"Ann", headers=JSON)
    (line,) = log.getvalue().splitlines()
    assert " info request.refused mapping=work request=" in line
    assert not any(said in line for said in ("Ann", "sesame"))
