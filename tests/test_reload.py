"""A mapping changes under a running adapter: real processes, two web workers and the dispatcher."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from running import CLICK, Adapter, running, until

from adapter.sandbox import Sandbox
from adapter.watching import LOOK_SECONDS

OTHER_SKILL = CLICK.replace("skill: ${skill}", "skill: General ${skill}").replace(
    "- callback: {skill: Sales", "- callback: {skill: General Sales"
)
WORSE = OTHER_SKILL.replace("General Sales", "Nothing like it")
MANY = 24
"""Connections after which both workers have answered: that one never does has a chance of one to eight million."""

SOON = timedelta(seconds=30)
"""An idle machine needs a second: two looks, and the reading."""
PATIENT = """
from datetime import timedelta
from adapter import inforce
inforce.GRACE = timedelta(minutes=5)
from adapter.cli import main
main()
"""
"""The same program, which waits longer for a file that is away, as this machine may be slow."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the processes are looked for in /proc")
ids = count(1)


@pytest.fixture
def two(tmp_path: Path, sandbox: Sandbox) -> Iterator[Adapter]:
    """A running adapter with two web workers."""
    with running(tmp_path, sandbox.url, ADAPTER_WORKERS="2") as adapter:
        yield adapter


@pytest.fixture
def patient(tmp_path: Path, sandbox: Sandbox) -> Iterator[Adapter]:
    """The same, with more patience for a file that is away."""
    with running(tmp_path, sandbox.url, start=False, ADAPTER_WORKERS="2") as adapter:
        with (tmp_path / "serve.log").open("wb") as log:
            command = [sys.executable, "-c", PATIENT, "serve", "--bind", f"127.0.0.1:{adapter.port}"]
            adapter.processes.append(subprocess.Popen(command, env=adapter.whole_environ, stdout=log, stderr=log))
        until(adapter.is_ready)
        yield adapter


def lead(adapter: Adapter) -> dict[str, Any]:
    """The receipt of a new lead."""
    body = json.dumps({"id": f"lead {next(ids)}", "skill": "Sales", "phone": "801-555-0142"}).encode()
    answer = adapter.post("click", body)
    assert answer.status_code == 200, answer.text
    (receipt,) = answer.json()["receipts"]
    assert isinstance(receipt, dict)
    return receipt


def versions(adapter: Adapter, many: int = MANY) -> set[str]:
    """The versions under which requests are taken, whichever worker takes them."""
    return {lead(adapter)["version"] for _ in range(many)}


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ready(adapter: Adapter) -> Any:
    return requests.get(f"{adapter.url}/readyz", timeout=30)


def turned_away(adapter: Adapter, name: str) -> int:
    """The status that somebody gets who cannot sign."""
    return requests.post(f"{adapter.url}/hooks/{name}", timeout=30).status_code


def put_in_force(adapter: Adapter) -> list[datetime]:
    """When the workers put a new version in force."""
    return [datetime.fromisoformat(at) for at in re.findall(r"(\S+Z) info mapping\.in_force ", adapter.log())]


def test_two_looks_and_the_reading_fit_into_two_seconds() -> None:
    assert 3 * LOOK_SECONDS < 2


def test_a_change_counts_in_every_worker_soon_and_reaches_xima(two: Adapter, sandbox: Sandbox) -> None:
    assert versions(two) == {two.source("click").mapping.version}
    processes = children(two.processes[0].pid)
    written = datetime.fromtimestamp(two.write("click", OTHER_SKILL).stat().st_mtime).astimezone()
    until(lambda: len(put_in_force(two)) == 2)
    assert all(at - written < SOON for at in put_in_force(two))
    assert versions(two) == {two.source("click").mapping.version}
    receipt = lead(two)
    until(lambda: requests.get(receipt["status_url"], timeout=30).json()["state"] == "accepted")
    until(lambda: {call["json"]["skill"] for call in sandbox.world.ledger()} >= {"Sales", "General Sales"})
    assert children(two.processes[0].pid) == processes, "nothing was restarted"


def test_a_bad_change_never_counts_not_even_in_a_new_worker_or_after_a_restart(two: Adapter) -> None:
    good = two.source("click").mapping.version
    signed = two.signed("click", b'{"id": "1", "skill": "Sales", "phone": "801-555-0142"}')
    two.write("click", WORSE)
    until(lambda: two.log().count("stays_in_force=") >= 2)
    said = until(lambda: ready(two).json()["warnings"])
    assert said[0]["part"] == "mapping click"
    assert f"version {good}, in force since " in said[0]["message"]
    assert ready(two).status_code == 200
    front = next(pid for pid in children(two.processes[0].pid) if len(children(pid)) == 2)
    before = set(children(front))
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(set(children(front)) - before) == 1)
    for _ in range(MANY):
        answer = requests.post(f"{two.url}/hooks/click", data=signed.body, headers=dict(signed.headers), timeout=30)
        assert answer.json()["receipts"][0]["version"] == good
    two.stop()
    two.start()
    answer = requests.post(f"{two.url}/hooks/click", data=signed.body, headers=dict(signed.headers), timeout=30)
    assert answer.json()["receipts"][0]["version"] == good
    assert "Not used, so the version before stays in force: click" in two.log()


def test_no_request_is_turned_away_while_a_file_is_saved_in_every_way(patient: Adapter) -> None:
    path = patient.mappings / "click.yaml"
    signed = patient.signed("click", b'{"id": "1", "skill": "Sales", "phone": "801-555-0142"}')

    def statuses() -> set[int]:
        return {
            requests.post(
                f"{patient.url}/hooks/click", data=signed.body, headers=dict(signed.headers), timeout=20
            ).status_code
            for _ in range(MANY)
        }

    path.unlink()
    assert statuses() == {200}
    path.write_text("", encoding="utf-8")
    assert statuses() == {200}
    path.write_text(OTHER_SKILL[:700], encoding="utf-8")
    assert statuses() == {200}
    (patient.mappings / "click.yaml.new").write_text(OTHER_SKILL, encoding="utf-8")
    (patient.mappings / "click.yaml.new").rename(path)
    until(lambda: len(put_in_force(patient)) == 2)
    assert statuses() == {200}


def test_a_removed_mapping_asks_its_senders_to_try_again(two: Adapter) -> None:
    two.write("other", CLICK.replace("name: click", "name: other", 1))
    until(lambda: ready(two).ok and all(turned_away(two, "other") == 401 for _ in range(MANY)))
    signed = two.signed("click", b'{"id": "1", "skill": "Sales", "phone": "801-555-0142"}')

    def statuses() -> list[int]:
        answers = [
            requests.post(f"{two.url}/hooks/click", data=signed.body, headers=dict(signed.headers), timeout=30)
            for _ in range(MANY)
        ]
        assert all(one.ok or one.headers["Retry-After"] for one in answers)
        return [one.status_code for one in answers]

    (two.mappings / "click.yaml").unlink()
    until(lambda: statuses() == [503] * MANY)
    assert turned_away(two, "other") == 401
    assert ready(two).status_code == 200
    until(lambda: "click.yaml was removed" in str(ready(two).json()["warnings"]))  # whichever worker is asked
