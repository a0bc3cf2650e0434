"""The web half as it is deployed: what was signed is what gunicorn received, and what is not HTTP is refused."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
from running import Adapter, running, until

from adapter import signature
from adapter.model import Received
from adapter.sandbox import Sandbox
from web.wire import Answer, ask, request

PUBLIC = "https://hooks.example.com:8443"
MAPPING = """
format: 1
name: {name}
receive:
  from: {sender}
  secrets: [HOOK_SECRET]
  body: json
phones:
  region: US
once:
  key: ${{id}}
rules:
  - name: lead
    callback:
      skill: Sales
      callback_number: ${{phone}}
"""
LEAD = b'{"id": "1", "phone": "8015550142"}'
SENDERS = ("hubspot-v2", "hubspot-v3")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    home = tmp_path_factory.mktemp("gunicorn")
    with Sandbox.start() as xima, running(home, xima.url, start=False, ADAPTER_MAX_BODY="100KB") as made:
        for sender in SENDERS:
            made.write(sender, MAPPING.format(name=sender, sender=sender))
        made.environ["ADAPTER_PUBLIC_URL"] = PUBLIC
        made.store().upgrade()
        made.start("web")
        yield made


def signed(adapter: Adapter, name: str, url: str, method: str = "POST") -> Received:
    """A request that the sender signed for this URL."""
    received = Received(method=method, url=url, headers={"Content-Type": "application/json"}, body=LEAD)
    (proof,) = adapter.source(name).proofs
    return signature.sign(proof.scheme, proof.secrets[0], received, now=datetime.now(UTC))


def post(adapter: Adapter, made: Received, target: str, **headers: str) -> Answer:
    """Send a signed request to this target, byte for byte."""
    return ask(adapter.port, request(target, made.body, headers={**made.headers, **headers}))


TARGETS = [
    "/hooks/{}",
    "/hooks/{}/",
    "/hooks/{}?",
    "/hooks/{}?a=b&c",
    "/hooks/{}?q=%20+%2B%2f%2F%c3%a9&q=1",
    "/hooks/{}?url=https://a.example//b//?c",
    "/hooks/{}/?a=%3A%40%21",
    "//hooks/{}",
    "/%68ooks/{}",
    "/hooks/{}?a#b",
]


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_signature_over_the_url_holds_for_the_target_as_it_was_received(
    adapter: Adapter, sender: str, target: str
) -> None:
    target = target.format(sender)
    answer = post(adapter, signed(adapter, sender, PUBLIC + target), target)
    assert (answer.status, answer.body[:13]) == (200, b'{"receipts":[')


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize(
    ("signed_for", "sent_to"),
    [
        ("/hooks/{}", "/hooks/{}/"),
        ("/hooks/{}/", "/hooks/{}"),
        ("/hooks/{}", "/hooks/{}?"),
        ("/hooks/{}?a=%2f", "/hooks/{}?a=%2F"),
        ("/hooks/{}?a=b&c=d", "/hooks/{}?c=d&a=b"),
        ("/hooks/{}?a=%20", "/hooks/{}?a=+"),
        ("/hooks/{}", "/%68ooks/{}"),
    ],
)
def test_a_signature_for_another_spelling_does_not_hold(
    adapter: Adapter, sender: str, signed_for: str, sent_to: str
) -> None:
    made = signed(adapter, sender, PUBLIC + signed_for.format(sender))
    assert post(adapter, made, sent_to.format(sender)).status == 401


def test_hubspot_may_sign_its_twelve_escapes_decoded(adapter: Adapter) -> None:
    made = signed(adapter, "hubspot-v3", f"{PUBLIC}/hooks/hubspot-v3?a=@:/b%20c")
    assert post(adapter, made, "/hooks/hubspot-v3?a=%40%3A%2Fb%20c").status == 200


@pytest.mark.parametrize("sender", SENDERS)
def test_what_host_and_forwarded_headers_say_is_not_believed(adapter: Adapter, sender: str) -> None:
    path = f"/hooks/{sender}"
    lies = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=http",
        "X-Original-Url": "/evil",
    }
    assert post(adapter, signed(adapter, sender, PUBLIC + path), path, **lies).status == 200
    for origin in ("http://evil.example", adapter.url, "https://hooks.example.com"):
        assert post(adapter, signed(adapter, sender, origin + path), path, **lies).status == 401


def test_the_method_is_part_of_what_is_signed(adapter: Adapter) -> None:
    path = "/hooks/hubspot-v3"
    assert post(adapter, signed(adapter, "hubspot-v3", PUBLIC + path, method="PUT"), path).status == 401


def test_the_absolute_form_of_proxies_is_read_as_its_path(adapter: Adapter) -> None:
    made = signed(adapter, "hubspot-v3", f"{PUBLIC}/hooks/hubspot-v3?a=1")
    assert post(adapter, made, "http://evil.example/hooks/hubspot-v3?a=1").status == 200


@pytest.mark.parametrize("target", ["/hooks//click", "/hooks/click//", "/./hooks/click"])
def test_a_slash_too_many_within_the_path_is_not_found_and_not_redirected(adapter: Adapter, target: str) -> None:
    answer = ask(adapter.port, request(target, LEAD))
    assert (answer.status, answer.json()["error"]["code"]) == (404, "not_found")
    assert "location" not in answer.headers


# bodies on the wire


def test_a_signed_body_may_come_in_chunks_and_announced(adapter: Adapter) -> None:
    made = adapter.signed("click", LEAD)
    halves = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (LEAD[:7], LEAD[7:])) + b"0\r\n\r\n"
    whole = request("/hooks/click", headers={**made.headers, "Transfer-Encoding": "chunked"})
    chunked = whole.replace(b"Content-Length: 0\r\n", b"") + halves
    assert ask(adapter.port, chunked).status == 200
    with contextlib.closing(requests.Session()) as session:
        expect = {**made.headers, "Expect": "100-continue"}
        assert session.post(f"{adapter.url}/hooks/click", data=LEAD, headers=expect, timeout=30).status_code == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_body_that_is_too_large_is_413_even_when_all_of_it_is_sent(adapter: Adapter, chunked: bool) -> None:
    large = b" " * 300_000
    sent = iter([large]) if chunked else large
    headers = adapter.signed("click", large).headers
    answer = requests.post(f"{adapter.url}/hooks/click", data=sent, headers=dict(headers), timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "tail",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"5\r\nabc",
        b"5\r\nabcdefgh\r\n",
        b"-1\r\n\r\n",
        b"5;\xff=\x00\r\nabcde\r\n0\r\n\r\n",
        b"0\r\nX",
    ],
    ids=["no number", "cut off", "longer", "negative", "extension", "trailer"],
)
def test_chunks_that_are_none_are_400_in_shape(adapter: Adapter, tail: bytes) -> None:
    head = request("/hooks/click", headers={"Transfer-Encoding": "chunked"}).replace(b"Content-Length: 0\r\n", b"")
    answer = ask(adapter.port, head + tail, hang_up=True)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_request")
    assert answer.headers["x-request-id"]


def test_a_body_that_breaks_off_is_400_and_counted(adapter: Adapter) -> None:
    headers = {**adapter.signed("click", LEAD).headers, "Content-Length": "1000"}
    cut = request("/hooks/click", LEAD, headers=headers)
    answer = ask(adapter.port, cut, hang_up=True)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_request")
    store = adapter.store()
    cut_off = "the body breaks off: it is shorter than its Content-Length"
    until(lambda: cut_off in {one["reason"] for one in store.refusals()})  # the store hears of it within a second
    store.close()


# what is not HTTP


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click?key=hush HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click?\xc3\xa9 HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click HTTP/1.1\r\nbad header: hush\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click HTTP/1.1\r\nA: b\r\n c: hush\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click HTTP/1.1\r\nContent-Length: hush\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "bad_request"),
        (b"POST /hooks/click HTTP/1.1\r\nTransfer-Encoding: hush\r\n\r\n", 400, "bad_request"),
        (b"POST /" + b"a" * 10_000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long"),
        (b"POST / HTTP/1.1\r\nA: " + b"a" * 20_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"POST / HTTP/1.1\r\n" + b"A: a\r\n" * 500 + b"\r\n", 431, "headers_too_large"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400, "bad_request"),
    ],
    ids=[
        "text",
        "version",
        "not ascii",
        "header",
        "folded",
        "length",
        "two lengths",
        "coding",
        "target",
        "large",
        "many",
        "tls",
    ],
)
def test_what_is_not_http_is_refused_in_the_same_shape_and_not_repeated(
    adapter: Adapter, sent: bytes, status: int, code: str
) -> None:
    answer = ask(adapter.port, sent, hang_up=True)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json() == {"error": {"code": code, "message": "This is not HTTP as the adapter understands it."}}
    line = next(line for line in adapter.log().splitlines() if answer.headers["x-request-id"] in line)
    assert " info request.malformed request=" in line
    assert "hush" not in adapter.log()


def test_requests_that_follow_each_other_on_one_connection_are_kept_apart(adapter: Adapter) -> None:
    with requests.Session() as session:
        for _ in range(3):
            unread = session.post(f"{adapter.url}/hooks/nobody", data=b"GET /readyz HTTP/1.1\r\n\r\n" * 100, timeout=30)
            assert unread.status_code == 404
            assert session.get(f"{adapter.url}/healthz", timeout=30).json() == {"status": "ok"}


def test_many_clicks_at_once_are_each_answered_with_their_own_receipt(adapter: Adapter) -> None:
    found: dict[str, str] = {}

    def one(number: int) -> None:
        body = json.dumps({"id": f"many-{number}", "agent": str(number), "phone": "8015550142"}).encode()
        (receipt,) = adapter.post("click", body).json()["receipts"]
        found[str(number)] = receipt["message"]

    threads = [threading.Thread(target=one, args=(100 + number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"extension {number} " in message for number, message in found.items())
    assert len(found) == 12


def test_a_mapping_is_found_whatever_it_is_signed_with(adapter: Adapter) -> None:
    received = replace(adapter.signed("click", LEAD), url=f"{PUBLIC}/hooks/click")
    assert ask(adapter.port, request("/hooks/click", LEAD, headers=received.headers)).status == 200
