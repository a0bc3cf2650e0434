"""What the pretend Xima tells when a call that it dialled is over."""

from __future__ import annotations

import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest
from running import free_port, until

from adapter import logs
from adapter.errors import SettingsError
from adapter.sandbox import Sandbox
from adapter.sandbox.script import Script, parse

from .caller import Caller

DIAL = "/rest/api/v1/agents/0101/click-to-dial"
Told = list[tuple[str, dict[str, list[str]]]]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the sandbox logs."""
    stream, before = io.StringIO(), (list(logs.log.handlers), logs.log.propagate, logs.log.level)
    logs.set_up([], stream)
    yield stream
    logs.log.handlers[:], logs.log.propagate, level = before
    logs.log.setLevel(level)


@pytest.fixture
def told() -> Iterator[tuple[str, Told]]:
    """A server that hears what is told: its address, and each request's method with the parameters."""
    heard: Told = []

    class Listener(BaseHTTPRequestHandler):
        """Remembers a request and answers it."""

        def do_GET(self) -> None:
            self.hear(self.path.partition("?")[2])

        def do_POST(self) -> None:
            self.hear(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def hear(self, text: str) -> None:
            heard.append((self.command, parse_qs(text)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ends?key=k", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_end_of_a_call_is_told(xima: Caller, told: tuple[str, Told], method: str) -> None:
    url, heard = told
    assert xima.script(f"call_ended: {{url: '{url}', method: {method}, outcome: Busy}}").status_code == 200
    assert xima.post(DIAL, {"numberToDial": "8015550142"}).status_code == 204
    until(lambda: heard)
    ((how, given),) = heard
    del given["ended"]
    assert how == method
    assert {name: value for name, (value,) in given.items() if name != "key"} == {
        "agent": "Pat Owner(0101)",
        "extension": "0101",
        "number": "18015550142",
        "direction": "Outbound",
        "result": "Busy",
        "seconds": "0",
    }


def test_a_call_that_was_not_made_has_no_end(xima: Caller, told: tuple[str, Told]) -> None:
    url, heard = told
    xima.script(f"call_ended: {{url: '{url}'}}")
    assert xima.post(DIAL.replace("0101", "9999"), {"numberToDial": "8015550142"}).status_code == 404
    assert xima.post(DIAL, {"numberToDial": "8015550143"}).status_code == 204
    until(lambda: heard)
    assert [given["number"] for _, given in heard] == [["18015550143"]]


def test_a_call_that_goes_on_when_the_sandbox_stops_is_not_told_of(told: tuple[str, Told]) -> None:
    url, heard = told
    with Sandbox.start(script=f"call_ended: {{url: '{url}', after: 1h}}") as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            assert caller.post(DIAL, {"numberToDial": "8015550142"}).status_code == 204
    assert heard == []
    assert not any(one.is_alive() for one in sandbox.world.telling)


def test_an_address_where_nobody_listens_is_said_in_the_log(xima: Caller, log: io.StringIO) -> None:
    xima.script(f"call_ended: {{url: 'http://127.0.0.1:{free_port()}/?key=hush'}}")
    xima.post(DIAL, {"numberToDial": "8015550142"})
    until(lambda: "no answer" in log.getvalue())
    assert "hush" not in log.getvalue()


def test_a_script_gives_back_where_ends_are_told() -> None:
    script = parse("call_ended: {url: 'http://127.0.0.1:8000/hooks/ends', after: 2s}", Script())
    assert script.as_dict()["call_ended"] == {
        "url": "http://127.0.0.1:8000/hooks/ends",
        "method": "POST",
        "after": "2s",
        "outcome": "Answered",
    }
    assert "call_ended" not in Script().as_dict() or Script().as_dict()["call_ended"] is None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "hooks/ends", ""])
def test_an_address_that_cannot_be_told_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="call_ended"):
        parse(f"call_ended: {{url: '{url}'}}", Script())
