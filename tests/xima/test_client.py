from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter import __version__
from adapter.errors import TextError, Unavailable
from adapter.model import Action, Callback, ClickToDial, Evidence, Outcome, SelectCallerId
from adapter.xima import Agent, CallerId, CallerIds, Client, Tenant, base_url
from adapter.xima.client import EXCERPT

from .conftest import TOKEN, Connect
from .server import Peer, Server, answers, status, talks_garbage, trickles

DIAL = ClickToDial(agent="104", number_to_dial="8015552800")
ACCEPTED = Outcome(evidence=Evidence.ACCEPTED, phase="answered", status=204)


def head_and_body(request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, dict(header.split(b": ", 1) for header in headers), body


@pytest.mark.parametrize(
    ("action", "line", "body"),
    [
        pytest.param(
            ClickToDial(agent="104", number_to_dial="8015552800", outbound_caller_id="385", external_prefix="9"),
            b"POST /rest/api/v1/agents/104/click-to-dial HTTP/1.1",
            b'{"numberToDial":"8015552800","outboundCallerId":"385","externalPrefix":"9"}',
            id="click to dial",
        ),
        pytest.param(
            ClickToDial(agent="../1", number_to_dial="+44 20", use_selected_caller_id=True),
            b"POST /rest/api/v1/agents/..%2F1/click-to-dial HTTP/1.1",
            b'{"numberToDial":"+44 20","useSelectedOutboundCallerId":true}',
            id="click to dial, selected caller id",
        ),
        pytest.param(
            SelectCallerId(agent="0101", label="Café", outbound_caller_id="385"),
            b"POST /rest/api/v1/agents/0101/selected-outbound-caller-id HTTP/1.1",
            b'{"label":"Caf\\u00e9","outboundCallerId":"385"}',
            id="select caller id",
        ),
        pytest.param(
            Callback(skill="Sales", callback_number="8015552800"),
            b"POST /rest/api/v1/callback HTTP/1.1",
            b'{"skill":"Sales","callbackNumber":"8015552800"}',
            id="callback",
        ),
    ],
)
def test_an_action_goes_out_byte_for_byte(connect: Connect, action: Action, line: bytes, body: bytes) -> None:
    with Server(answers(status("204 No Content"))) as server:
        assert connect(server.url).carry_out(action) == ACCEPTED
    (request,) = server.requests
    assert head_and_body(request) == (
        line,
        {
            b"Host": f"127.0.0.1:{server.port}".encode(),
            b"Accept-Encoding": b"identity",
            b"User-Agent": f"xima-crm-adapter/{__version__}".encode(),
            b"Authorization": f"Bearer {TOKEN}".encode(),
            b"Content-Type": b"application/json",
            b"Content-Length": str(len(body)).encode(),
        },
        body,
    )


def test_a_list_is_asked_for_without_a_body(connect: Connect) -> None:
    with Server(answers(status("200 OK", body=b"{}"))) as server:
        assert connect(server.url).caller_ids("1/0").available == ()
    (request,) = server.requests
    line, headers, body = head_and_body(request)
    assert (line, body) == (b"GET /rest/api/v1/agents/1%2F0/outbound-caller-ids HTTP/1.1", b"")
    assert headers.keys() == {b"Host", b"Accept-Encoding", b"User-Agent", b"Authorization"}


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        (status("200 OK"), Evidence.ACCEPTED),
        (status("202 Accepted", body=b"{}"), Evidence.ACCEPTED),
        (status("400 Bad Request"), Evidence.REFUSED),
        (status("401 Unauthorized"), Evidence.UNAUTHORIZED),
        (status("403 Forbidden"), Evidence.REFUSED),
        (status("404 Not Found", body=b"<h1>Not found</h1>"), Evidence.REFUSED),
        (status("409 Conflict"), Evidence.REFUSED),
        (status("422 Unprocessable"), Evidence.REFUSED),
        (status("429 Too Many"), Evidence.LATER),
        (status("429 Too Many", "Retry-After: 3"), Evidence.LATER),
        (status("429 Too Many", "Retry-After: soon"), Evidence.LATER),
        (status("429 Too Many", "Retry-After: Sun, 22 Nov 2026 12:00:30 GMT"), Evidence.LATER),
        (status("500 Oops"), Evidence.UNKNOWN),
        (status("502 Bad Gateway"), Evidence.UNKNOWN),
        (status("503 Closed"), Evidence.UNKNOWN),
        (status("503 Closed", "Retry-After: 3"), Evidence.LATER),
        (status("504 Late"), Evidence.UNKNOWN),
        (status("509 Bandwidth Limit Exceeded"), Evidence.OVER_CAP),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + status("204 No Content"), Evidence.ACCEPTED),
        (status("102 Processing") + status("103 Early Hints", "Link: </x>") + status("409 Conflict"), Evidence.REFUSED),
        (b"HTTP/1.1 204\r\n\r\n", Evidence.ACCEPTED),
        (b"HTTP/1.0 404 Not Found\r\n\r\nno length", Evidence.REFUSED),
        (status("404 Not Found", "Content-Encoding: gzip", body=b"no gzip"), Evidence.REFUSED),
    ],
    ids=lambda value: value[9:40].decode() if isinstance(value, bytes) else value.name,
)
def test_an_answer_is_read_and_nothing_is_sent_again(connect: Connect, answer: bytes, evidence: Evidence) -> None:
    def once(peer: Peer) -> None:
        peer.request()
        peer.say(answer)

    with Server(once) as server:
        outcome = connect(server.url).carry_out(DIAL)
    assert (outcome.evidence, outcome.phase, len(server.requests)) == (evidence, "answered", 1)


@pytest.mark.parametrize("line", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_never_followed(connect: Connect, line: str) -> None:
    with Server(answers(status("204 No Content"))) as elsewhere:
        moved = status(line, f"Location: {elsewhere.url}/rest/api/v1/callback")
        with Server(answers(moved)) as server:
            outcome = connect(server.url).carry_out(DIAL)
    assert outcome.evidence is Evidence.REFUSED
    assert "check XIMA_HOST" in outcome.reason
    assert (len(server.requests), elsewhere.connections) == (1, 0)


def test_a_redirect_to_nowhere_is_still_an_answer(connect: Connect) -> None:
    with Server(answers(status("302 Found", "Location: http://[::1", "Location: \xff"))) as server:
        assert connect(server.url).carry_out(DIAL).status == 302
    assert len(server.requests) == 1


def test_what_comes_after_http_was_left_is_not_taken_for_the_next_calls(connect: Connect) -> None:
    told_late = threading.Event()

    def behave(peer: Peer) -> None:
        first = peer.server.connections == 1
        while peer.request():
            peer.say(status("101 Switching Protocols") if first else status("409 Conflict"))
            if first and told_late.wait(60):
                peer.say(status("204 No Content"))

    with Server(behave) as server:
        client = connect(server.url)
        first = client.carry_out(DIAL)
        second = client.carry_out(DIAL)
        told_late.set()
    assert (first.evidence, first.status) == (Evidence.UNKNOWN, 101)
    assert (second.evidence, second.status) == (Evidence.REFUSED, 409)
    assert (len(server.requests), server.connections) == (2, 2)


def test_a_body_without_end_is_not_read_to_its_end(connect: Connect) -> None:
    finished = threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(10_000):
            peer.say(b"<b>no</b> agent " + b" " * 100_000)
        finished.set()

    with Server(behave) as server:
        outcome = connect(server.url).carry_out(Callback(skill="S", callback_number="1"))
        assert server.hung_up.wait(60)
    assert outcome.reason == "404: Xima does not know this skill (Xima says: no agent)"
    assert not finished.is_set()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"Content-Length: 50\r\n\r\nshort", " (Xima says: short)", id="too short"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "", id="no chunk"),
        pytest.param(b"Content-Encoding: br\r\n\r\n\x0b\x02\x80no", "", id="packed"),
    ],
)
def test_a_broken_body_does_not_change_what_the_status_proves(connect: Connect, body: bytes, said: str) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 403 Forbidden\r\n" + body)

    with Server(behave) as server:
        outcome = connect(server.url).carry_out(Callback(skill="S", callback_number="1"))
    assert (outcome.evidence, outcome.phase) == (Evidence.REFUSED, "answered")
    assert outcome.reason == "403: the Service User has no access to this skill" + said


@pytest.mark.parametrize(
    "head", [b"409 Conflict\r\nContent-Length: 50", b"200 OK"], ids=["an error", "without a length"]
)
@pytest.mark.parametrize("body", [b"", b"never to end"], ids=["nothing", "a beginning"])
def test_a_body_that_does_not_come_does_not_keep_the_verdict_back(connect: Connect, head: bytes, body: bytes) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 " + head + b"\r\n\r\n" + body)
        peer.stall()

    started = time.monotonic()
    with Server(behave) as server:
        outcome = connect(server.url, read_timeout=60).carry_out(DIAL)
        took = time.monotonic() - started
    assert outcome.status == int(head[:3])
    assert took < 30


@pytest.mark.parametrize(
    "action",
    [ClickToDial(agent="0101", number_to_dial="8015550142"), Callback(skill="S", callback_number="8015550142")],
    ids=lambda action: action.kind,
)
def test_the_number_that_was_to_be_called_is_never_quoted_in_full(connect: Connect, action: Action) -> None:
    body = b"no-+18015550142abc is not dialable"
    with Server(answers(status("400 Bad Request", body=body))) as server:
        outcome = connect(server.url).carry_out(action)
    assert outcome.reason.endswith("(Xima says: no-***0142abc is not dialable)")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"you sent Bearer {TOKEN}", id="echoed"),
        pytest.param("<p " + "x" * (EXCERPT - 14) + ">" + TOKEN, id="cut by the limit of the excerpt"),
    ],
)
def test_the_token_is_never_quoted(connect: Connect, body: str) -> None:
    with Server(answers(status("400 Bad Request", body=body.encode()))) as server:
        outcome = connect(server.url).carry_out(DIAL)
    assert "Xima says: " in outcome.reason
    assert TOKEN[:6] not in repr(outcome)


def test_a_connection_is_used_again(connect: Connect) -> None:
    said = status("204 No Content"), status("404 Not Found", body=b"no"), status("200 OK", body=b"{}")
    with Server(answers(*said)) as server:
        client = connect(server.url)
        assert [client.carry_out(DIAL).status for _ in range(2)] == [204, 404]
        assert client.skills() == ()
    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize(("seconds", "connections"), [(29.0, 1), (31.0, 2)])
def test_a_connection_that_idled_too_long_is_not_used_again(connect: Connect, seconds: float, connections: int) -> None:
    now = [1000.0]
    with Server(answers(status("204 No Content"))) as server:
        client = connect(server.url, monotonic=lambda: now[0])
        assert client.carry_out(DIAL) == ACCEPTED
        now[0] += seconds
        assert client.carry_out(DIAL) == ACCEPTED
    assert (len(server.requests), server.connections) == (2, connections)


def test_exchanges_at_once_have_connections_of_their_own_and_close_closes_them_all(connect: Connect) -> None:
    both = threading.Barrier(2, timeout=60)

    def behave(peer: Peer) -> None:
        peer.request()
        both.wait()
        peer.say(status("204 No Content"))
        assert peer.request() is None
        both.wait()

    outcomes: list[Outcome] = []
    with Server(behave) as server:
        client = connect(server.url)
        release = threading.Event()

        def dial() -> None:
            outcomes.append(client.carry_out(DIAL))
            dialled.release()
            release.wait(60)

        dialled = threading.Semaphore(0)
        threads = [threading.Thread(target=dial) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert all(dialled.acquire(timeout=60) for _ in threads)
        client.close()
        assert server.hung_up.wait(60)
        release.set()
        for thread in threads:
            thread.join(60)
    assert outcomes == [ACCEPTED, ACCEPTED]
    assert server.connections == 2
    assert not both.broken


def test_whichever_thread_asks_next_uses_the_connection_that_was_used_last(connect: Connect) -> None:
    with Server(answers(status("204 No Content"))) as server:
        client = connect(server.url)
        for _ in range(3):
            thread = threading.Thread(target=client.carry_out, args=(DIAL,))
            thread.start()
            thread.join(60)
    assert (len(server.requests), server.connections) == (3, 1)


def test_netrc_and_proxies_of_the_environment_are_ignored(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login eve password pass\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with Server(talks_garbage) as proxy, Server(answers(status("204 No Content"))) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert connect(server.url).carry_out(DIAL) == ACCEPTED
    assert head_and_body(server.requests[0])[1][b"Authorization"] == f"Bearer {TOKEN}".encode()
    assert proxy.connections == 0


def test_no_cookie_is_sent_back(connect: Connect) -> None:
    with Server(answers(status("204 No Content", "Set-Cookie: node=7; Path=/"))) as server:
        client = connect(server.url)
        client.carry_out(DIAL)
        client.carry_out(DIAL)
    assert b"cookie" not in server.requests[1].lower()


def test_the_lists_are_read(connect: Connect) -> None:
    said = (
        b'{"agents":[{"agent":"John Spector(104)","type":"UC"}]}',
        b'{"skills":[{"name":"Warranty Team"}]}',
        b'{"selectedOutboundCallerId":null,"outboundCallerIds":[{"label":"HQ","outboundCallerId":"385"}]}',
    )
    with Server(answers(*(status("200 OK", body=body) for body in said))) as server:
        client = connect(server.url)
        assert client.agents() == (Agent(name="John Spector", extension="104", softphone=False),)
        assert client.skills() == ("Warranty Team",)
        assert client.caller_ids("104") == CallerIds(
            selected=None, available=(CallerId(label="HQ", outbound_caller_id="385"),)
        )
    assert [head_and_body(request)[0].split()[1] for request in server.requests] == [
        b"/rest/api/v1/agents",
        b"/rest/api/v1/skills",
        b"/rest/api/v1/agents/104/outbound-caller-ids",
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            status("404 Not Found", body=b"gone"),
            "404: Xima does not know this agent or skill (Xima says: gone)",
        ),
        (
            status("401 Unauthorized"),
            "401: Xima does not accept the token of the Service User: was it refreshed, or removed?",
        ),
        (status("500 Oops"), "500: Xima had a fault of its own"),
        (status("204 No Content"), "the list Xima sent is not JSON"),
        (status("200 OK", body=b"[]"), "the list Xima sent is not a JSON object"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", "the list Xima sent is not JSON"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{",
            "the connection to Xima broke after the request was sent",
        ),
        (b"", "the connection to Xima broke after the request was sent"),
    ],
)
def test_a_list_that_cannot_be_read_is_unavailable(connect: Connect, answer: bytes, reason: str) -> None:
    def once(peer: Peer) -> None:
        peer.request()
        peer.say(answer)

    with Server(once) as server, pytest.raises(Unavailable) as refused:
        connect(server.url).skills()
    assert refused.value.reason == reason
    assert TOKEN not in repr(refused.value)


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        (b"Date: Tue, 24 Nov 2026 17:15:00 GMT\r\n", datetime(2026, 11, 24, 17, 15, tzinfo=UTC)),
        (b"Date: soon\r\n", None),
        (b"", None),
    ],
    ids=["told", "not a time", "not told"],
)
def test_the_clock_of_xima_is_read(connect: Connect, header: bytes, moment: datetime | None) -> None:
    with Server(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + header + b"\r\n{}")) as server:
        assert connect(server.url).clock() == moment


def test_the_clock_of_a_xima_that_is_away_is_unavailable(connect: Connect) -> None:
    with Server(lambda peer: peer.close()) as server, pytest.raises(Unavailable):
        connect(server.url).clock()


@pytest.mark.parametrize("pause", [0.02, 0])
def test_a_list_that_trickles_is_given_up(connect: Connect, pause: float) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not peer.server.over.wait(pause):
            peer.say(b" ")

    with Server(behave) as server, pytest.raises(Unavailable, match=r"did not come within 0\.2 seconds$"):
        connect(server.url, read_timeout=0.2).skills()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("acme.xima.cloud", "https://acme.xima.cloud"),
        (" Acme.Xima.Cloud/ ", "https://acme.xima.cloud"),
        ("acme.xima.cloud:8443", "https://acme.xima.cloud:8443"),
        ("https://acme.xima.cloud", "https://acme.xima.cloud"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("HTTP://xima_sandbox:8080/", "http://xima_sandbox:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_host_becomes_an_origin(host: str, url: str) -> None:
    assert base_url(host) == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://",
        "ftp://acme.xima.cloud",
        "acme.xima.cloud/rest",
        "acme.xima.cloud?x=1",
        "acme.xima.cloud#x",
        "https://user:pass@acme.xima.cloud",
        "acme.xima.cloud:0",
        "acme.xima.cloud:70000",
        "acme.xima.cloud:",
        "acme xima cloud",
        "acme.xima.cloud\nevil.example",
        "http://[::1",
        "http://\u212axima.cloud",
    ],
)
def test_a_host_with_anything_else_is_refused_with_the_remedy(host: str) -> None:
    with pytest.raises(TextError, match=r"write acme\.xima\.cloud or https://host:port"):
        base_url(host)


def test_the_token_is_in_no_repr() -> None:
    tenant = Tenant(name="acme", base_url="https://acme.xima.cloud", token=TOKEN)
    assert TOKEN not in f"{tenant!r} {tenant} {Client(tenant)!r}"
    assert "acme.xima.cloud" in repr(tenant)


def test_a_trickling_server_of_one_client_does_not_hold_another(connect: Connect) -> None:
    with Server(trickles) as slow, Server(answers(status("204 No Content"))) as quick:
        assert connect(slow.url, read_timeout=0.2).carry_out(DIAL).evidence is Evidence.UNKNOWN
        assert connect(quick.url).carry_out(DIAL) == ACCEPTED
