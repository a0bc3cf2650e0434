"""Halves that are restarted, gently, while 50 requests a second come in: none fails, none is lost, none is doubled."""

from __future__ import annotations

import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import requests
from running import SECRET, Adapter, running, until

from adapter.sandbox import Sandbox
from benchmarks.bodies import phone

RATE = 50.0
AGENTS = 2000
"""Every other one is there; each is free again long before the next event is his."""
AS_SYSTEMD = (
    "import os, sys\n"
    "os.dup2(int(sys.argv[1]), 3)\n"
    "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'adapter', *sys.argv[2:]])\n"
)
"""What systemd does for a service with a socket unit."""


class Held:
    """A socket that listens for as long as the test lasts, whoever answers."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.socket = socket.create_server(("127.0.0.1", adapter.port), backlog=128)

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start `serve` or `web` with the socket, and wait until it answers."""
        number = self.socket.fileno()
        log = (self.adapter.home / f"{command}-{len(self.adapter.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-c", AS_SYSTEMD, str(number), command, "--bind", f"127.0.0.1:{self.adapter.port}"],
            env=self.adapter.whole_environ,
            stdout=log,
            stderr=log,
            pass_fds=(number,),
        )
        log.close()
        self.adapter.processes.append(process)
        until(lambda: process.poll() is not None or self.adapter.is_ready())
        assert process.poll() is None, self.adapter.log()
        return process


class Senders:
    """Fifty events a second, each with a number of its own and sent once; half of them are clicks."""

    def __init__(self, adapter: Adapter) -> None:
        self._url = f"{adapter.url}/hooks/click"
        self._enough = Event()
        self._pool = ThreadPoolExecutor(40)
        self._sent: list[Future[int]] = []
        self._pacer = self._pool.submit(self._pace)

    def _pace(self) -> None:
        begun = time.monotonic()
        while not self._enough.wait(max(0.0, begun + len(self._sent) / RATE - time.monotonic())):
            self._sent.append(self._pool.submit(self._send, len(self._sent)))

    def _send(self, number: int) -> int:
        who = f'"agent": "{number % AGENTS:04}"' if number % 2 else '"skill": "Sales"'
        body = f'{{"id": "{number}", {who}, "phone": "{phone(number)}"}}'.encode()
        signature = "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        return requests.post(self._url, data=body, headers=headers, timeout=40).status_code

    @property
    def answered(self) -> int:
        return sum(one.done() for one in list(self._sent))

    def finish(self) -> Counter[int]:
        """Stop sending; the statuses that were heard. Raises what went wrong on a connection."""
        self._enough.set()
        self._pacer.result(60)
        heard = Counter(one.result(60) for one in self._sent)
        self._pool.shutdown()
        return heard


@pytest.fixture
def held(tmp_path: Path, sandbox: Sandbox) -> Iterator[Held]:
    """A machine whose socket is held by somebody else, as with xima-adapter.socket."""
    agents = [
        {"name": f"Agent {number}", "extension": f"{number:04}", "type": "XIMA"} for number in range(1, AGENTS, 2)
    ]
    sandbox.world.load(json.dumps({"agents": agents, "skills": [{"name": "Sales"}]}).encode())
    with running(tmp_path, sandbox.url, start=False) as adapter:
        store = adapter.store()
        store.upgrade()
        store.close()
        held = Held(adapter)
        yield held
        held.socket.close()


def judge(sandbox: Sandbox, heard: Counter[int]) -> None:
    """Every event was answered, and happened exactly once."""
    assert set(heard) == {200}
    until(lambda: len([call for call in sandbox.world.ledger() if call["effect"]]) >= heard[200])
    done = Counter(
        call["json"].get("numberToDial") or call["json"].get("callbackNumber")
        for call in sandbox.world.ledger()
        if call["effect"]
    )
    assert done == dict.fromkeys(map(phone, range(heard[200])), 1)


def some_more(senders: Senders, count: int = 40) -> None:
    """Wait until so many more events were answered."""
    before = senders.answered
    until(lambda: senders.answered >= before + count)


def gently(process: subprocess.Popen[bytes]) -> None:
    """Stop it as systemd does, and see it end well."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(90) == 0


def test_new_workers_take_over_from_old_ones(held: Held, sandbox: Sandbox) -> None:
    web, dispatch = held.start("web"), held.adapter.start("dispatch")
    senders = Senders(held.adapter)
    for _ in range(3):
        some_more(senders)
        os.kill(web.pid, signal.SIGHUP)
    some_more(senders)
    judge(sandbox, senders.finish())
    gently(web)
    gently(dispatch)


def test_both_halves_are_exchanged_one_after_the_other(held: Held, sandbox: Sandbox) -> None:
    web, dispatch = held.start("web"), held.adapter.start("dispatch")
    senders = Senders(held.adapter)
    some_more(senders)
    gently(web)
    web = held.start("web")
    some_more(senders)
    gently(dispatch)
    dispatch = held.adapter.start("dispatch")
    some_more(senders)
    judge(sandbox, senders.finish())
    gently(web)
    gently(dispatch)


def test_the_whole_service_is_restarted(held: Held, sandbox: Sandbox) -> None:
    served = held.start("serve")
    senders = Senders(held.adapter)
    some_more(senders)
    gently(served)
    served = held.start("serve")
    some_more(senders)
    judge(sandbox, senders.finish())
    gently(served)
