"""What is certainly not sent, what may have happened, and how often the server was really asked."""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from running import free_port

from adapter.errors import Unavailable
from adapter.model import Action, Callback, ClickToDial, Evidence, Outcome, SelectCallerId
from adapter.xima import Client

from .conftest import TOKEN, Connect
from .server import (
    CERTIFICATE,
    Behaviour,
    Peer,
    Server,
    answers,
    closes_after_reading,
    closes_in_the_status_line,
    resets_after_reading,
    resets_unread,
    sends_endless_lines,
    stalls,
    status,
    talks_garbage,
    trickles,
)

DIAL = ClickToDial(agent="104", number_to_dial="8015552800")
CALLBACK = Callback(skill="Sales", callback_number="8015552800")
SELECT = SelectCallerId(agent="104", label="HQ", outbound_caller_id="385")

BROKEN = "the connection to Xima broke after the request was sent: the call may have been placed"
SOON = 1.0
"""Seconds for an answer that does not come; for one that does there is all the time it needs."""
LATE = "the answer of Xima did not come within 1 seconds: the call may have been placed"

NOT_IN_TIME = "no connection in time"


def given(reason: str) -> dict[str, float]:
    """The time-outs with which a test comes to this end: a short one for what is to be late."""
    return {LATE: {"read_timeout": SOON}, NOT_IN_TIME: {"connect_timeout": SOON}}.get(reason, {})


def not_sent(why: str) -> Outcome:
    return Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason=f"Xima could not be reached: {why}")


def unknown(reason: str) -> Outcome:
    return Outcome(evidence=Evidence.UNKNOWN, phase="sent", reason=reason)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate of the test server among the authorities that are trusted."""
    monkeypatch.setattr("requests.utils.DEFAULT_CA_BUNDLE_PATH", str(CERTIFICATE))


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that takes no more connections: its queue is full and nobody accepts."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        port: int = listener.getsockname()[1]
        yield port


@pytest.mark.parametrize("action", [DIAL, CALLBACK, SELECT])
def test_a_refused_connection_is_not_sent(connect: Connect, action: Action) -> None:
    outcome = connect(f"http://127.0.0.1:{free_port()}").carry_out(action)
    assert outcome == not_sent("connection refused")


def test_an_unknown_name_is_not_sent(connect: Connect) -> None:
    outcome = connect("https://does-not-exist.invalid").carry_out(DIAL)
    assert outcome == not_sent("its name could not be resolved")


def test_a_name_that_cannot_be_one_is_not_sent(connect: Connect) -> None:
    outcome = connect(f"https://{'a' * 70}.invalid").carry_out(DIAL)
    assert outcome == not_sent("no connection could be made")


def test_a_connect_timeout_is_not_sent(connect: Connect, full_port: int) -> None:
    outcome = connect(f"http://127.0.0.1:{full_port}", connect_timeout=0.2).carry_out(DIAL)
    assert outcome == not_sent(NOT_IN_TIME)


@pytest.mark.parametrize("url", ["http://", "http://[::1", "acme.xima.cloud", "http://127.0.0.1:99999"])
def test_a_host_written_wrongly_is_not_sent(connect: Connect, url: str) -> None:
    assert "check XIMA_HOST" in connect(url).carry_out(DIAL).reason
    assert connect(url).carry_out(DIAL).evidence is Evidence.NOT_SENT


@pytest.mark.parametrize("token", [TOKEN + "\n", TOKEN + "\r\nX: y", TOKEN + "\u2026", TOKEN + "é"])
def test_a_token_no_header_can_hold_is_not_sent_and_not_shown(connect: Connect, token: str) -> None:
    with Server(answers(status("204 No Content"))) as server:
        client: Client = connect(server.url, token=token)
        outcome = client.carry_out(DIAL)
        with pytest.raises(Unavailable) as refused:
            client.agents()
    assert outcome.evidence is Evidence.NOT_SENT
    assert TOKEN not in outcome.reason + "".join(traceback.format_exception(refused.value))
    assert server.connections == 0


@pytest.mark.parametrize(
    ("behave", "reason", "requests"),
    [
        pytest.param(stalls, LATE, 1, id="stalls"),
        pytest.param(trickles, LATE, 1, id="trickles for ever"),
        pytest.param(resets_unread, BROKEN, 0, id="resets before reading"),
        pytest.param(resets_after_reading, BROKEN, 1, id="resets after reading"),
        pytest.param(closes_after_reading, BROKEN, 1, id="closes after reading"),
        pytest.param(closes_in_the_status_line, BROKEN, 1, id="closes in the status line"),
        pytest.param(talks_garbage, BROKEN, 1, id="garbage"),
        pytest.param(sends_endless_lines, BROKEN, 1, id="a header line without end"),
        pytest.param(
            answers(b"HTTP/1.1 204 No Content\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
            BROKEN,
            1,
            id="too many headers",
        ),
        pytest.param(
            answers(b"HTTP/1.1 204 No Content\r\nContent-Length: 5, 6\r\n\r\n"),
            BROKEN,
            1,
            id="two lengths",
        ),
    ],
)
def test_trouble_after_the_connection_stood_is_unknown(
    connect: Connect, behave: Behaviour, reason: str, requests: int
) -> None:
    started = time.monotonic()
    with Server(behave) as server:
        outcome = connect(server.url, **given(reason)).carry_out(DIAL)
        took = time.monotonic() - started
    assert outcome == unknown(reason)
    assert (len(server.requests), server.connections) == (requests, 1)
    assert took < 20


@pytest.mark.parametrize("answer", [status("204 No Content", "X: y"), status("409 Conflict"), status("429 Late")])
def test_an_answer_whose_head_breaks_off_anywhere_is_unknown(connect: Connect, answer: bytes) -> None:
    lengths = iter(range(len(answer)))

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(answer[: next(lengths)])

    with Server(behave) as server:
        client = connect(server.url)
        assert {client.carry_out(DIAL) for _ in answer} == {unknown(BROKEN)}
    assert len(server.requests) == server.connections == len(answer)


def test_the_whole_answer_has_one_read_timeout(connect: Connect) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.server.over.wait(5)
        peer.say(b"HTTP/1.1 204 No Content\r\n")
        peer.stall()

    started = time.monotonic()
    with Server(behave) as server:
        outcome = connect(server.url, read_timeout=6).carry_out(DIAL)
        took = time.monotonic() - started
    assert outcome.evidence is Evidence.UNKNOWN
    assert 5 < took < 10.9, "the line after five seconds does not give it six more"


@pytest.mark.parametrize(
    ("action", "maybe"),
    [
        (DIAL, "the call may have been placed"),
        (CALLBACK, "the callback may have been queued"),
        (SELECT, "the caller id may have been changed"),
    ],
)
def test_what_may_have_happened_is_said_in_the_words_of_the_action(
    connect: Connect, action: Action, maybe: str
) -> None:
    with Server(stalls) as slow, Server(closes_after_reading) as broken:
        late = connect(slow.url, read_timeout=0.1).carry_out(action)
        cut = connect(broken.url).carry_out(action)
    assert late.reason == f"the answer of Xima did not come within 0.1 seconds: {maybe}"
    assert cut.reason == f"the connection to Xima broke after the request was sent: {maybe}"


def test_a_kept_connection_the_server_closed_meanwhile_is_replaced(connect: Connect) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(status("204 No Content"))
        peer.close()

    with Server(behave) as server:
        client = connect(server.url)
        for _ in range(3):
            server.hung_up.clear()
            assert client.carry_out(DIAL).evidence is Evidence.ACCEPTED
            assert server.hung_up.wait(60)
    assert (len(server.requests), server.connections) == (3, 3)


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
def test_a_kept_connection_that_breaks_in_use_is_unknown_and_not_tried_again(connect: Connect, end: Behaviour) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(status("204 No Content"))
        peer.request()
        end(peer)

    with Server(behave) as server:
        client = connect(server.url)
        assert client.carry_out(DIAL).evidence is Evidence.ACCEPTED
        assert client.carry_out(DIAL) == unknown(BROKEN)
    assert (len(server.requests), server.connections) == (2, 1)


def test_after_trouble_the_next_call_has_a_connection_of_its_own(connect: Connect) -> None:
    def behave(peer: Peer) -> None:
        if peer.server.connections == 1:
            stalls(peer)
        answers(status("204 No Content"))(peer)

    with Server(behave) as server:
        client = connect(server.url, read_timeout=2)
        assert client.carry_out(DIAL).evidence is Evidence.UNKNOWN
        assert client.carry_out(DIAL).evidence is Evidence.ACCEPTED
    assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.usefixtures("trusted")
def test_a_trusted_certificate_is_accepted(connect: Connect) -> None:
    with Server(answers(status("204 No Content")), tls=True) as server:
        client = connect(server.url)
        assert [client.carry_out(DIAL).status for _ in range(2)] == [204, 204]
    assert (len(server.requests), server.connections) == (2, 1)


def test_an_untrusted_certificate_is_not_accepted(connect: Connect) -> None:
    with Server(answers(status("204 No Content")), tls=True) as server:
        outcome = connect(server.url).carry_out(DIAL)
    assert outcome == not_sent("certificate not accepted (self-signed certificate)")
    assert (len(server.requests), server.connections) == (0, 1)


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_host_is_not_accepted(connect: Connect) -> None:
    with Server(answers(status("204 No Content")), tls=True, host="127.0.0.2") as server:
        outcome = connect(server.url).carry_out(DIAL)
    assert outcome.evidence is Evidence.NOT_SENT
    assert "certificate not accepted (IP address mismatch" in outcome.reason
    assert server.requests == []


def answers_in_clear(peer: Peer) -> None:
    peer.socket.recv(65536)
    peer.say(status("400 Bad Request"))
    peer.stall()


def resets_the_handshake(peer: Peer) -> None:
    peer.socket.recv(1)
    peer.reset()


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        pytest.param(answers_in_clear, "no TLS connection came about; does it speak https?", id="a plain http port"),
        pytest.param(Peer.stall, NOT_IN_TIME, id="a handshake that stalls"),
        pytest.param(resets_the_handshake, "the connection was broken off at once", id="a handshake that is reset"),
    ],
)
def test_a_handshake_that_fails_is_not_sent(connect: Connect, behave: Behaviour, why: str) -> None:
    with Server(behave) as server:
        outcome = connect(f"https://127.0.0.1:{server.port}", **given(why)).carry_out(DIAL)
    assert outcome == not_sent(why)
    assert (server.requests, server.connections) == ([], 1)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        pytest.param(stalls, LATE, id="stalls"),
        pytest.param(trickles, LATE, id="trickles for ever"),
        pytest.param(resets_after_reading, BROKEN, id="resets"),
        pytest.param(closes_after_reading, BROKEN, id="closes"),
    ],
)
def test_trouble_after_the_handshake_is_unknown(connect: Connect, behave: Behaviour, reason: str) -> None:
    with Server(behave, tls=True) as server:
        outcome = connect(server.url, **given(reason)).carry_out(DIAL)
    assert outcome == unknown(reason)
    assert (len(server.requests), server.connections) == (1, 1)


def test_http_to_a_port_that_speaks_tls_is_unknown(connect: Connect) -> None:
    with Server(answers(status("204 No Content")), tls=True) as server:
        outcome = connect(f"http://127.0.0.1:{server.port}").carry_out(DIAL)
    assert outcome == unknown(BROKEN)
    assert server.requests == []
