"""An address that is over its limit: told so in the shape it reads, at next to no cost, and counted like the rest."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from adapter.web.shut import REFUSED
from web.front import LEAD, WORK, Front, front
from web.test_answers import FILES

STRANGER = "203.0.113.9"
SAID = REFUSED[:1].upper() + REFUSED[1:]


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """An application whose stranger is over its limit for longer than these tests take."""
    limits = {"ADAPTER_ADDRESS_LIMIT": "1", "ADAPTER_TRUSTED_PROXIES": "1"}
    with front(tmp_path_factory.mktemp("shut"), {"work": WORK, "soap": FILES["soap"]}, **limits) as made:
        assert not made.sources.broken
        made.stop_clocks()
        limit = made.client.application.extensions["addresses"]
        for _ in range(10):
            limit.count(STRANGER)
        yield made


def asked(shut: Front, path: str, method: str = "POST", address: str = STRANGER) -> Any:
    return shut.client.open(path, method=method, json=LEAD, environ_base={"REMOTE_ADDR": address})


@pytest.mark.parametrize("path", ["/hooks/work", "/hooks/nobody", "/deliveries/x", "/wp-admin", "/"])
def test_it_is_told_in_the_shape_of_every_error(shut: Front, path: str) -> None:
    answer = asked(shut, path)
    assert (answer.status, answer.content_type) == ("429 TOO MANY REQUESTS", "application/json")
    assert answer.get_json() == {"error": {"code": "too_many_requests", "message": SAID}}


@pytest.mark.parametrize("path", ["/api", "/api/v1/calls", "/api/nothing"])
def test_below_the_api_it_is_a_problem(shut: Front, path: str) -> None:
    answer = asked(shut, path)
    assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
    assert answer.get_json() == {
        "type": "urn:problem:too_many_requests",
        "title": "Too Many Requests",
        "status": 429,
        "detail": SAID,
    }


@pytest.mark.parametrize("path", ["/hooks/soap", "/hooks/soap/"])
def test_a_sender_that_reads_soap_gets_a_fault(shut: Front, path: str) -> None:
    answer = asked(shut, path)
    assert (answer.status_code, answer.content_type) == (429, "text/xml; charset=utf-8")
    assert f"<faultcode>soapenv:Client</faultcode><faultstring>{SAID}</faultstring>" in answer.text


def test_it_has_the_headers_of_every_answer_and_a_name_of_its_own(shut: Front) -> None:
    first, second, other = asked(shut, "/hooks/work"), asked(shut, "/hooks/work"), asked(shut, "/x", address="1.2.3.4")
    own = {"Content-Type", "Content-Length", "X-Request-Id", "Retry-After"}
    assert first.headers["Retry-After"] == "1"
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert len(first.headers["X-Request-Id"]) == len(other.headers["X-Request-Id"])
    kept = [{name: text for name, text in one.headers.items() if name not in own} for one in (first, other)]
    assert kept[0] == kept[1]


def test_a_question_for_the_head_has_no_body(shut: Front) -> None:
    answer = asked(shut, "/hooks/work", "HEAD")
    assert (answer.status_code, answer.data) == (429, b"")
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/metrics"])
def test_watchdogs_are_answered(shut: Front, path: str) -> None:
    assert asked(shut, path, "GET").status_code != 429
    assert asked(shut, path, "POST").status_code == 429


def test_its_body_is_not_read(shut: Front) -> None:
    class Unread(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("somebody reads the body")

    environ = EnvironBuilder("/hooks/work", method="POST", environ_base={"REMOTE_ADDR": STRANGER}).get_environ()
    environ |= {"wsgi.input": Unread(), "CONTENT_LENGTH": "1000000"}
    _, status, _ = run_wsgi_app(shut.client.application.wsgi_app, environ)
    assert status.startswith("429")


@pytest.mark.parametrize(
    ("path", "label"), [("/hooks/work", "work"), ("/hooks/nobody", ""), ("/hooks/a%2Fb", ""), ("/api/x", "api")]
)
def test_it_is_counted_like_every_request(shut: Front, path: str, label: str) -> None:
    def count() -> int:
        text = shut.client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
        line = f'xima_adapter_requests_total{{mapping="{label}",status="429"}} '
        return int(float(next((one.removeprefix(line) for one in text.splitlines() if one.startswith(line)), "0")))

    before = count()
    asked(shut, path)
    assert count() == before + 1


def test_its_refusals_are_counted_as_any(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_ADDRESS_LIMIT="1", ADAPTER_TRUSTED_PROXIES="1") as made:
        made.stop_clocks()
        codes = [asked(made, "/hooks/work").status_code for _ in range(30)]
        assert codes == [401] * 10 + [429] * 20
        counted = {(one["mapping"], one["code"]): (one["count"], one["reason"]) for one in made.refusals()}
        assert counted["", "too_many_requests"] == (20, REFUSED)
