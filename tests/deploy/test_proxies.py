"""nginx and Caddy as they are shipped, before a real gunicorn: what was signed arrives, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from running import SECRET, Adapter, free_port, running
from web import wire
from web.wire import Answer, request

from deploy import proxies
from deploy.proxies import HOST, PUBLIC, Proxy

MAPPING = """
format: 1
name: {name}
receive:
  from: hubspot-v3
  secrets: [HOOK_SECRET]
  body: json
  {also}
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
FROM_HERE = "also: [{ip_allow: [127.0.0.1]}]"
FROM_ELSEWHERE = "also: [{ip_allow: [192.0.2.7]}]"
WITH_CERTIFICATE = "also: [{client_certificate: X-Client-Verify}]"
LEAD = b'{"id": "1", "phone": "8015550142"}'
KINDS = {"nginx": proxies.nginx, "caddy": proxies.caddy}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """The adapter behind the proxies."""
    environ = {"ADAPTER_PUBLIC_URL": PUBLIC, "ADAPTER_TRUSTED_PROXIES": "1"}
    with running(tmp_path_factory.mktemp("backend"), "http://127.0.0.1:9", start=False, **environ) as adapter:
        for name, also in {
            "lead": "",
            "here": FROM_HERE,
            "elsewhere": FROM_ELSEWHERE,
            "cert": WITH_CERTIFICATE,
        }.items():
            adapter.write(name, MAPPING.format(name=name, also=also))
        proxies.start_gunicorn(adapter)
        yield adapter


def need(kind: str) -> None:
    """Skip the test on a machine without this proxy."""
    if not proxies.program(kind):
        pytest.skip(f"{kind} is not installed (apt-get install {kind})")


@pytest.fixture(scope="module", params=list(KINDS))
def proxy(
    request: pytest.FixtureRequest, backend: Adapter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Each proxy in turn before the same adapter."""
    need(request.param)
    kind: Callable[[Path, int], AbstractContextManager[Proxy]] = KINDS[request.param]
    with kind(tmp_path_factory.mktemp(request.param), backend.port) as proxy:
        yield proxy


def post(
    proxy: Proxy, target: str, *, signed_for: str = "", body: bytes = LEAD, headers: Mapping[str, str] | None = None
) -> Answer:
    """A request as HubSpot signs it, sent to this target byte for byte."""
    moment = str(int(time.time() * 1000))
    covered = f"POST{PUBLIC}{signed_for or target}".encode() + body + moment.encode()
    proof = base64.b64encode(hmac.digest(SECRET.encode(), covered, hashlib.sha256)).decode()
    given = {
        "Host": HOST,
        "Content-Type": "application/json",
        "X-HubSpot-Signature-v3": proof,
        "X-HubSpot-Request-Timestamp": moment,
        **(headers or {}),
    }
    return proxy.ask(request(target, body, headers=given))


@pytest.mark.parametrize(
    "target",
    [
        "/hooks/lead",
        "/hooks/lead/",
        "/hooks/lead?a=b&c",
        "/hooks/lead?q=%20+%2B%2f%2F%c3%a9&q=1",
        "/hooks/lead?url=https://a.example//b//?c",
        "/hooks/lead/?a=%3A%40%21&b=a;b",
        "/%68ooks/lead",
        "//hooks/lead",
    ],
)
def test_a_signature_over_the_public_url_holds_and_nothing_is_redirected(proxy: Proxy, target: str) -> None:
    answer = post(proxy, target)
    assert (answer.status, answer.body[:13]) == (200, b'{"receipts":[')
    assert "location" not in answer.headers


def test_a_signature_for_another_query_does_not_hold(proxy: Proxy) -> None:
    assert post(proxy, "/hooks/lead?a=1", signed_for="/hooks/lead?a=2").status == 401


@pytest.mark.parametrize("claim", ["192.0.2.7", "192.0.2.7, 192.0.2.7", "127.0.0.1, 192.0.2.7"])
def test_the_address_is_the_one_the_proxy_sees_whatever_the_client_claims(proxy: Proxy, claim: str) -> None:
    lies = {"X-Forwarded-For": claim, "Forwarded": "for=192.0.2.7", "X-Real-IP": "192.0.2.7"}
    assert post(proxy, "/hooks/here", headers=lies).status == 200
    assert post(proxy, "/hooks/elsewhere", headers=lies).status == 401


@pytest.mark.parametrize("name", ["X-Client-Verify", "X_Client_Verify", "x-client-verify"])
def test_nobody_can_claim_a_client_certificate(proxy: Proxy, name: str) -> None:
    assert post(proxy, "/hooks/cert", headers={name: "SUCCESS"}).status == 401


def test_the_largest_body_that_the_adapter_takes_passes_and_one_byte_more_is_413(proxy: Proxy) -> None:
    most = 1024 * 1024
    full = LEAD.ljust(most)
    assert post(proxy, "/hooks/lead", body=full).status == 200
    answer = post(proxy, "/hooks/lead", body=full + b" ")
    assert (answer.status, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_body_in_chunks_that_is_too_large_is_413(proxy: Proxy) -> None:
    head = request("/hooks/lead", headers={"Host": HOST, "Transfer-Encoding": "chunked"})
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    answer = proxy.ask(head.replace(b"Content-Length: 0\r\n", b"") + chunk * 2 + b"0\r\n\r\n")
    assert answer.status == 413


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "//metrics", "/metrics/", "/%6detrics", "/", "/healthz"])
def test_what_is_for_operators_is_not_reached_from_outside(proxy: Proxy, path: str) -> None:
    answer = proxy.ask(request(path, method="GET", headers={"Host": HOST, "Connection": "close"}))
    assert (answer.status, answer.json()["error"]["code"]) == (404, "not_found")
    assert "x-request-id" not in answer.headers, "the adapter was not asked"


def test_an_unknown_mapping_is_the_adapter_s_own_404(proxy: Proxy) -> None:
    answer = post(proxy, "/hooks/nobody")
    assert (answer.status, answer.json()["error"]["code"]) == (404, "not_found")
    assert "x-request-id" in answer.headers


def test_http_is_refused_and_not_redirected(proxy: Proxy) -> None:
    answer = proxy.ask_in_the_clear(request("/hooks/lead", LEAD, headers={"Host": HOST}))
    assert (answer.status, answer.json()["error"]["code"]) == (403, "https_only")
    assert "location" not in answer.headers


@pytest.mark.parametrize("host", ["old.example.com", "192.0.2.7"])
def test_nothing_is_taken_under_another_name_and_told_2xx(proxy: Proxy, host: str) -> None:
    asked = request("/hooks/nobody", LEAD, headers={"Host": host})
    assert proxy.ask(asked).status == 404
    assert proxy.ask_in_the_clear(asked).status == 403


def test_no_answer_tells_versions(proxy: Proxy) -> None:
    for path in ("/hooks/nobody", "/nowhere"):
        banner = post(proxy, path).headers.get("server", "")
        assert not any(letter.isdigit() for letter in banner)


def test_tokens_in_the_query_are_not_logged(proxy: Proxy) -> None:
    assert post(proxy, "/hooks/nobody?token=hush").status == 404
    assert post(proxy, "/nowhere?token=hush").status == 404
    assert "hush" not in proxy.log()


@pytest.mark.parametrize("kind", list(KINDS))
def test_without_the_adapter_the_sender_is_asked_to_try_again(kind: str, tmp_path: Path) -> None:
    need(kind)
    with KINDS[kind](tmp_path, free_port()) as proxy:
        answer = post(proxy, "/hooks/lead")
        assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("head", [b"Content-Length: 9", b"Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_the_adapter_never_waits_for_a_body_that_comes_slowly(kind: str, head: bytes, tmp_path: Path) -> None:
    need(kind)
    with (
        socket.create_server(("127.0.0.1", 0)) as upstream,
        KINDS[kind](tmp_path, upstream.getsockname()[1]) as proxy,
        wire.connected(proxy.port, host=HOST) as slow,
        wire.connected(proxy.port, host=HOST) as quick,
    ):
        slow.sendall(f"POST /hooks/slow HTTP/1.1\r\nHost: {HOST}\r\n".encode() + head + b"\r\n\r\n")
        quick.sendall(request("/hooks/quick", LEAD, headers={"Host": HOST}))
        connection, _ = upstream.accept()
        with connection:
            assert connection.recv(18) == b"POST /hooks/quick "


@pytest.mark.parametrize("kind", list(KINDS))
def test_tokens_are_not_logged_with_what_goes_wrong_either(kind: str, tmp_path: Path) -> None:
    need(kind)
    hushed, large = {"X-Form-Key": "hush"}, b" " * (1024 * 1024 + 1)
    with KINDS[kind](tmp_path, free_port()) as proxy:
        assert post(proxy, "/hooks/lead?key=hush", headers=hushed).status == 503
        assert proxy.ask(request("/hooks/lead?key=hush", large, headers={"Host": HOST, **hushed})).status == 413
        in_the_clear = request("/hooks/lead?key=hush", large, headers={"Host": HOST, **hushed})
        assert proxy.ask_in_the_clear(in_the_clear).status in (403, 413)
    assert "hush" not in proxy.log()


def test_a_flood_from_one_address_is_told_429_by_nginx(backend: Adapter, tmp_path: Path) -> None:
    need("nginx")
    with proxies.nginx(tmp_path, backend.port, {"burst=500": "burst=3", "rate=100r/s": "rate=1r/m"}) as proxy:
        answers = [post(proxy, "/hooks/lead") for _ in range(6)]
    assert [answer.status for answer in answers[:3]] == [200] * 3
    assert (answers[-1].status, answers[-1].json()["error"]["code"]) == (429, "too_many_requests")
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "limiting requests" not in proxy.log(), "it would quote the query"
