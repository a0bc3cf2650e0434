"""Clients that say nothing, or go on saying it slowly, keep nobody else out; real sockets, a real gunicorn."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from running import Adapter, running, until

from adapter.sandbox import Sandbox
from web.wire import ask, request

HASTY = """
from adapter import patience
patience.READ_SECONDS = patience.SILENT_SECONDS = {}
from adapter.cli import main
main()
"""
"""The same program with another patience."""
LEAD = b'{"id": "1", "skill": "Sales", "phone": "8015550142"}'


@contextlib.contextmanager
def patient(home: Path, seconds: float) -> Iterator[Adapter]:
    """A web half with two threads that waits so long for what does not come."""
    with Sandbox.start() as xima, running(home, xima.url, start=False, ADAPTER_THREADS="2") as made:
        made.store().upgrade()
        with (home / "web.log").open("wb") as log:
            command = [sys.executable, "-c", HASTY.format(seconds), "web", "--bind", f"127.0.0.1:{made.port}"]
            made.processes.append(subprocess.Popen(command, env=made.whole_environ, stdout=log, stderr=log))
        until(made.is_ready)
        yield made


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    with patient(tmp_path_factory.mktemp("slow"), 2.0) as made:
        yield made


@contextlib.contextmanager
def connections(adapter: Adapter, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many clients that have sent this much."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.create_connection(("127.0.0.1", adapter.port), 20)) for _ in range(count)]
        for one in made:
            one.sendall(first)
        yield made


def seconds_for_an_answer(adapter: Adapter) -> float:
    started = time.monotonic()
    assert requests.get(f"{adapter.url}/healthz", timeout=30).ok
    return time.monotonic() - started


def is_closed(one: socket.socket) -> bool:
    """Whether the server ends it (within the socket's time-out), after an answer perhaps."""
    with contextlib.suppress(ConnectionError):
        while one.recv(65536):
            pass
    return True


def test_silent_connections_take_no_thread_and_are_closed(adapter: Adapter) -> None:
    with connections(adapter, 50) as silent:
        assert seconds_for_an_answer(adapter) < 20, "one after the other they would hold the threads for 50"
        assert all(is_closed(one) for one in silent)


HEAD = request("/hooks/click", LEAD, headers=dict.fromkeys(("X-Hub-Signature-256",), "sha256=00"))
BEGINNINGS = {
    "a letter": b"P",
    "half of the headers": HEAD[:60],
    "no body": HEAD[: -len(LEAD)],
    "half of the body": HEAD[: -len(LEAD) // 2],
    "half of a chunk": b"POST /hooks/click HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nabc",
}


@pytest.mark.parametrize("first", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_requests_that_stop_half_way_hold_their_threads_for_a_moment_only(adapter: Adapter, first: bytes) -> None:
    with connections(adapter, 2, first) as slow:
        assert seconds_for_an_answer(adapter) < 20
        assert all(is_closed(one) for one in slow)


def test_a_drop_at_a_time_is_no_way_to_stay(adapter: Adapter) -> None:
    with connections(adapter, 1, HEAD[:20]) as (slow,):
        until_closed = time.monotonic() + 20
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < until_closed:
                slow.sendall(b"a")
                time.sleep(0.2)
        assert time.monotonic() < until_closed


def test_a_second_request_on_a_connection_is_bounded_too(adapter: Adapter) -> None:
    with connections(adapter, 1, request("/healthz", method="GET")) as (one,):
        assert one.recv(65536).startswith(b"HTTP/1.1 200")
        one.sendall(b"GET /hea")
        started = time.monotonic()
        assert is_closed(one)
        assert time.monotonic() - started < 20


def test_a_click_that_waits_for_xima_is_not_taken_for_a_slow_client(adapter: Adapter) -> None:
    slow = {"faults": [{"operation": "click_to_dial", "delay": "4s"}]}
    assert requests.post(f"{adapter.xima}/_sandbox/script", json=slow, timeout=30).ok
    made = adapter.signed("click", b'{"id": "2", "agent": "0101", "phone": "8015550142"}')
    with connections(adapter, 1, request("/hooks/click", made.body, headers=made.headers)) as (one,):
        received = b""
        while not received.endswith(b"}\n") and (more := one.recv(65536)):
            received += more
        assert b'"state":"accepted"' in received
        one.sendall(request("/healthz", method="GET"))
        assert one.recv(65536).startswith(b"HTTP/1.1 200"), "and its connection lives on"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("/healthz", method="GET", headers={"X-Long": "a" * 9000}), 431),
        (request("/healthz", method="GET", headers={f"X-{n}": "a" for n in range(120)}), 431),
        (request("/healthz?" + "a" * 5000, method="GET"), 414),
    ],
    ids=["a long header", "many headers", "a long URL"],
)
def test_headers_have_an_end(adapter: Adapter, sent: bytes, status: int) -> None:
    answer = ask(adapter.port, sent)
    assert answer.status == status
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("sent", [request("/healthz", method="GET"), b"nonsense\r\n\r\n"], ids=["good", "bad"])
def test_no_answer_tells_product_or_version(adapter: Adapter, sent: bytes) -> None:
    answer = ask(adapter.port, sent)
    assert answer.headers.get("server", "adapter") == "adapter"
    assert "gunicorn" not in str(answer).lower()


def test_who_says_nothing_does_not_keep_a_worker_from_stopping(tmp_path: Path) -> None:
    with patient(tmp_path, 60.0) as adapter, connections(adapter, 3):
        assert seconds_for_an_answer(adapter) < 20
        started = time.monotonic()
        adapter.stop()
        assert time.monotonic() - started < 20
