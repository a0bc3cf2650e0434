"""Starting, stopping and running the sandbox."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from adapter.errors import SettingsError
from adapter.sandbox import Sandbox, World, run, serve

from .caller import Caller, wait_until


def open_files() -> set[tuple[str, str]]:
    """Every descriptor of this process with what it is of; a socket has a number that no other ever had."""
    found = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor of this very look
            found.add((one.name, str(one.readlink())))
    return found


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc to count open files in")
def test_nothing_is_left_after_stop_even_with_connections_open() -> None:
    begun, files = threads(), open_files()
    sandbox = Sandbox.start(script="faults: [{operation: callback, delay: 1h}]")
    caller = Caller(sandbox)
    with caller.session, socket.create_connection(("127.0.0.1", port_of(sandbox))) as idle:
        assert caller.dial().status_code == 204
        with pytest.raises(requests.ReadTimeout):
            caller.post("/rest/api/v1/callback", {}, timeout=0.05)
        idle.sendall(b"POST /rest/api/v1/callback HTTP/1.1\r\nContent-Length: 5\r\n\r\n1")
        wait_until(lambda: len(threads() - begun) >= 3)
        sandbox.stop()
        assert threads() <= begun, "those of other tests may have ended meanwhile"
    assert open_files() <= files
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(sandbox)))


def test_the_port_is_free_again_and_stopping_twice_is_no_fault() -> None:
    first = Sandbox.start()
    first.stop()
    first.stop()
    with Sandbox.start(port=port_of(first)) as second:
        assert second.url == first.url


def test_the_connection_stays_open_between_calls(xima: Caller) -> None:
    token = {"Authorization": "Bearer sandbox-token"}
    line = HTTPConnection("127.0.0.1", port_of(xima.sandbox), timeout=30)
    with closing(line):
        line.connect()
        first = line.sock
        for method, path, headers, status in (
            ("GET", "/rest/api/v1/skills", token, 200),
            ("HEAD", "/", {}, 200),
            ("GET", "/_sandbox/calls", {}, 200),
            ("GET", "/rest/api/v1/skills", {}, 401),
            ("GET", "/nowhere", token, 404),
            ("POST", "/rest/api/v1/skills", token, 405),
            ("DELETE", "/_sandbox/calls", {}, 204),
        ):
            line.request(method, path, body="an unasked body", headers=headers)
            response = line.getresponse()
            response.read()
            assert response.status == status
            assert line.sock is first


def test_it_says_nothing_on_its_own(
    xima: Caller, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    xima.dial()
    xima.dial("999")
    with socket.create_connection(("127.0.0.1", port_of(xima.sandbox)), timeout=30) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in raw.recv(65536)
    xima.fault({"reset": "yes"})
    with pytest.raises(requests.ConnectionError):
        xima.dial()
    xima.sandbox.stop()
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_a_client_that_hangs_up_does_no_harm(xima: Caller) -> None:
    xima.fault({"delay_answer": "1s", "times": 1})
    with pytest.raises(requests.ReadTimeout):
        xima.act("callback", timeout=0.05)
    xima.session.close()
    wait_until(lambda: bool(xima.calls()) and xima.last()["status"] == 204)
    assert xima.dial().status_code == 204


@pytest.mark.parametrize(
    ("host", "port"),
    [("127.0.0.1", 70_000), ("192.0.2.1", 0), ("no such host", 0)],
    ids=["no such port", "not an address of ours", "no such name"],
)
def test_an_address_that_cannot_be_had_is_named(host: str, port: int) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {host}:{port} .*: bind another"):
        Sandbox.start(host, port)


def test_a_port_in_use_is_named(sandbox: Sandbox) -> None:
    port = port_of(sandbox)
    with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{port} \(Address already in use\)"):
        serve(World(), "127.0.0.1", port)


def test_a_wrong_script_starts_nothing() -> None:
    begun = threads()
    with pytest.raises(SettingsError, match="faults: Not a valid list"):
        Sandbox.start(script="faults: x")
    assert threads() <= begun


def test_it_listens_on_ipv6_too() -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with Sandbox.start("::1") as sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        caller = Caller(sandbox)
        with caller.session:
            assert caller.dial().status_code == 204


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_returns_on_a_signal_and_leaves_the_old_handlers(number: signal.Signals) -> None:
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    urls = []

    def ready(url: str) -> None:
        session = requests.Session()
        session.trust_env = False
        with session:
            urls.append((url, session.get(url, timeout=30).status_code))
        os.kill(os.getpid(), number)

    run("127.0.0.1", 0, ready=ready)
    assert [status for _, status in urls] == [200]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_run_raises_what_start_raises_and_leaves_the_old_handlers(sandbox: Sandbox) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SettingsError, match="Address already in use"):
        run("127.0.0.1", port_of(sandbox))
    assert signal.getsignal(signal.SIGTERM) == handler


def test_a_process_that_runs_it_ends_well_on_sigterm() -> None:
    code = "from adapter.sandbox import run; run('127.0.0.1', 0, 'seed: 1', ready=lambda url: print(url, flush=True))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=300) == ("", "")
    assert process.returncode == 0
