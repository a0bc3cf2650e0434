"""What an outsider can do to the front: little, and less each second."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from web.front import CLICK, LEAD, WORK, Front, front

STRANGER = "203.0.113.9"


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Front]:
    """An application that lets an address be refused ten times and a mapping be called twenty times."""
    limits = {"ADAPTER_ADDRESS_LIMIT": "1", "ADAPTER_MAPPING_LIMIT": "2", "ADAPTER_TRUSTED_PROXIES": "1"}
    with front(tmp_path, {"work": WORK}, **limits) as made:
        made.stop_clocks()
        yield made


def unsigned(one: Front, address: str, target: str = "/hooks/work") -> TestResponse:
    return one.client.post(target, json=LEAD, environ_base={"REMOTE_ADDR": address})


def test_an_address_that_is_refused_again_and_again_is_told_to_wait(strict: Front, log: io.StringIO) -> None:
    assert [unsigned(strict, STRANGER).status_code for _ in range(10)] == [401] * 10
    answer = unsigned(strict, STRANGER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) >= 1
    assert unsigned(strict, "203.0.113.10").status_code == 401, "its neighbour is not to blame"
    assert strict.post("work", CLICK).status_code == 200, "nor is a true sender"
    assert log.getvalue().count("address.limited") == 1
    counted = {one["code"]: one["count"] for one in strict.refusals()}
    assert counted == {"unauthorized": 11, "too_many_requests": 1}


def test_whoever_is_limited_can_still_ask_whether_we_live(strict: Front) -> None:
    for _ in range(11):
        unsigned(strict, STRANGER)
    for target in ("/healthz", "/readyz"):
        assert strict.client.get(target, environ_base={"REMOTE_ADDR": STRANGER}).status_code == 200


def test_who_looks_for_holes_is_limited_too(strict: Front) -> None:
    for number in range(10):
        assert unsigned(strict, STRANGER, f"/wp-admin/{number}").status_code == 404
    assert unsigned(strict, STRANGER).status_code == 429


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "172.17.0.1"])
def test_a_proxy_that_nobody_counted_is_not_blamed_for_all(tmp_path: Path, address: str) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_ADDRESS_LIMIT="1") as undeclared:
        assert {unsigned(undeclared, address).status_code for _ in range(15)} == {401}


def test_a_mapping_is_let_have_so_many_requests_and_refused_ones_do_not_count(strict: Front) -> None:
    for number in range(5):
        assert unsigned(strict, f"203.0.113.{number}").status_code == 401
    answers = [strict.post("work", {**LEAD, "id": str(number)}) for number in range(25)]
    assert [one.status_code for one in answers] == [200] * 20 + [429] * 5
    assert int(answers[-1].headers["Retry-After"]) >= 1
    kept = strict.store.newest()
    assert len(kept) == 20, "what is told to wait is not kept"


SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000",
}


@pytest.mark.parametrize(
    "target", ["/healthz", "/readyz", "/metrics", "/hooks/work", "/nothing", "/deliveries/x?token=y"]
)
def test_every_answer_has_the_headers_that_protect(work: Front, target: str) -> None:
    answer = work.client.get(target)
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Request-Id"]


def test_a_page_keeps_the_policy_that_names_its_own_script(work: Front) -> None:
    link = work.receipt("work", LEAD)["status_url"]
    page = work.client.get(link.removeprefix("https://hooks.example.com"), headers={"Accept": "text/html"})
    assert "script-src 'nonce-" in page.headers["Content-Security-Policy"]
