"""A machine on which the adapter runs, is killed, and is started again on the same files."""

from __future__ import annotations

import hmac
import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg.rows import dict_row
from running import CLICK, SECRET, Adapter, until

from adapter.sandbox import Sandbox

from . import launcher
from .desk import Desk

A_CLICK = b'{"id": "1", "agent": "0101", "phone": "8015550142"}'
A_LEAD = b'{"id": "2", "skill": "Sales", "phone": "8015550142"}'


class Machine:
    """An adapter's files, and the processes that serve them."""

    def __init__(self, home: Path, xima: str, network: str = "", **environ: str) -> None:
        self.network = network
        self.adapter = Adapter(home=home, xima=xima, environ=environ)
        self.adapter.write("click", CLICK)
        self.processes: list[BaseProcess] = []
        store = self.adapter.store()
        store.upgrade()
        store.close()

    def start(self, *commands: str, die: str = "", lease: float = launcher.STEADY) -> BaseProcess:
        """Start processes, ready to work; gives the last one, which alone dies where it is told."""
        for command in commands:
            bind = ("--bind", f"127.0.0.1:{self.adapter.port}") if command == "web" else ()
            log = self.adapter.home / f"{command}.log"
            point = die if command == commands[-1] else ""
            more: dict[str, Any] = {"environ": self.adapter.environ, "network": self.network, "lease": lease}
            self.processes.append(launcher.start(command, *bind, log=log, die=point, **more))
        if "web" in commands:
            until(self.adapter.is_ready)
        return self.processes[-1]

    def send(self, body: bytes) -> requests.Response:
        """Send an event, signed; raises `requests.RequestException`."""
        signature = "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        return requests.post(f"{self.adapter.url}/hooks/click", data=body, headers=headers, timeout=30)

    def post(self, body: bytes) -> dict[str, Any]:
        """The receipt of an event."""
        answer = self.send(body)
        assert answer.status_code == 200, answer.text
        (receipt,) = answer.json()["receipts"]
        assert isinstance(receipt, dict)
        return receipt

    def post_into_the_void(self, body: bytes) -> None:
        """Send an event to a process that dies of it, so that its sender has no answer."""
        with suppress(requests.RequestException):
            pytest.fail(f"it was answered: {self.send(body).text}")

    def deliveries(self) -> list[dict[str, Any]]:
        """What the store holds, read past the adapter."""
        asked = "SELECT * FROM deliveries ORDER BY id"
        url = self.adapter.database_url
        if url.startswith("postgresql:"):
            with psycopg.connect(url, row_factory=dict_row) as server:
                return server.execute(asked).fetchall()
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as file:
            file.row_factory = sqlite3.Row
            assert [tuple(row) for row in file.execute("PRAGMA integrity_check")] == [("ok",)]
            return [dict(row) for row in file.execute(asked)]

    def states(self) -> list[str]:
        """The state of every delivery, the oldest first."""
        return [str(one["state"]) for one in self.deliveries()]

    def let_leases_run_out(self) -> None:
        """The time goes by after which those that died are taken for dead."""
        over = "UPDATE deliveries SET lease_until = created_at WHERE state = 'sending'"
        url = self.adapter.database_url
        if url.startswith("postgresql:"):
            with psycopg.connect(url) as server:
                server.execute(over)
            return
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as file, file:
            file.execute(over)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to whatever lives, with its children."""
        for process in self.processes:
            if process.pid and process.is_alive():
                os.killpg(process.pid, number)

    def stop(self) -> None:
        """Kill whatever still lives."""
        for process in self.processes:
            if process.is_alive():
                launcher.kill(process)


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox, any_url: str) -> Iterator[Machine]:
    """A machine of the test's own, with nothing running on it yet; once with each kind of store."""
    machine = Machine(tmp_path, sandbox.url, ADAPTER_DATABASE_URL=any_url)
    yield machine
    machine.stop()


def effects(sandbox: Sandbox) -> list[str]:
    """What really happened at Xima: an operation for every phone that rang and every callback in a queue."""
    return [call["operation"] for call in sandbox.world.ledger() if call["effect"]]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store, with everything else new."""
    return str(request.param)


@pytest.fixture(scope="module")
def office(kind: str) -> Iterator[Sandbox]:
    """One pretend Xima for all tests here; each gives it its own script."""
    with Sandbox.start() as office:
        yield office


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """One line to Xima for clicks."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def front_desk(
    request: pytest.FixtureRequest,
    kind: str,
    office: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
    pool: ThreadPoolExecutor,
) -> Iterator[Desk]:
    """One adapter for all tests here."""
    home = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{home / 'store.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_server").new_database()
    with closing(Desk(office.url, home, url, pool)) as desk:
        yield desk


@pytest.fixture
def desk(front_desk: Desk, office: Sandbox) -> Desk:
    """The adapter with a new event to receive, at a new moment."""
    office.world.clear()
    front_desk.event += 1
    front_desk.now += timedelta(hours=1)
    return front_desk
