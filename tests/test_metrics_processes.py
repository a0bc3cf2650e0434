"""Numbers of several web workers and the dispatcher are one sum, which no death makes smaller."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest
import requests
from running import Adapter, running, until
from test_server import LINUX, children, lives, masters
from web.test_metrics import Numbers, number, read

from adapter import metrics
from adapter.sandbox import Sandbox
from benchmarks.machine import tree

DIALS = {"tenant": "default", "action": "click_to_dial", "outcome": "accepted", "status": "204"}
CALLBACKS = {**DIALS, "action": "callback"}


def scrape(adapter: Adapter) -> Numbers:
    return read(requests.get(f"{adapter.url}/metrics", timeout=30).text)


def click(adapter: Adapter, number: int) -> None:
    body = b'{"id": "%d", "agent": "0101", "phone": "8015550142"}' % number
    assert adapter.post("click", body).status_code == 200


@LINUX
def test_what_all_processes_counted_adds_up_and_survives_them(tmp_path: Path, sandbox: Sandbox) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(tmp_path, sandbox.url, start=False, ADAPTER_WORKERS="3", TMPDIR=str(temporary)) as adapter:
        process = adapter.start()
        for each in range(30):
            click(adapter, each)
        assert adapter.post("click", b'{"id": "lead", "skill": "Sales", "phone": "8015550142"}').ok
        until(lambda: number(scrape(adapter), "attempts_total", **CALLBACKS) == 1)
        seen = [number(scrape(adapter), "attempts_total", **DIALS) for _ in range(10)]
        assert Counter(seen) == {30: 10}, "whichever worker is asked"
        before = set(children(process.pid)["web"])
        for pid in before - {masters(process)[0]}:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(set(children(process.pid)["web"]) - before) == 3)
        click(adapter, 31)
        found = scrape(adapter)
        assert number(found, "requests_total", mapping="click", status="200") == 32
        assert number(found, "deliveries", state="accepted") == 32
        assert len(list(temporary.glob("xima-adapter-metrics-*"))) == 1
    assert list(temporary.glob("xima-adapter-metrics-*")) == [], "the folder goes with the processes"


@LINUX
def test_processes_that_are_started_again_count_in_a_folder_that_was_cleaned_up_meanwhile(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(tmp_path, sandbox.url, start=False, ADAPTER_WORKERS="1", TMPDIR=str(temporary)) as adapter:
        process = adapter.start()
        (folder,) = temporary.glob("xima-adapter-metrics-*")
        shutil.rmtree(folder)
        (_, worker), (dispatcher,) = (children(process.pid)[half] for half in ("web", "dispatch"))
        for pid in (worker, dispatcher):
            os.kill(pid, signal.SIGKILL)
        until(lambda: {worker, dispatcher}.isdisjoint(pid for one in children(process.pid).values() for pid in one))
        until(lambda: [len(one) for _, one in sorted(children(process.pid).items())] == [1, 2])
        (receipt,) = adapter.post("click", b'{"id": "1", "agent": "0101", "phone": "8015550142"}').json()["receipts"]
        assert receipt["state"] == "accepted"
        assert adapter.post("click", b'{"id": "lead", "skill": "Sales", "phone": "8015550142"}').ok
        until(lambda: number(scrape(adapter), "deliveries", state="accepted") == 2)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert number(scrape(adapter), "attempts_total", **DIALS) == 1


@LINUX
def test_what_a_killed_adapter_left_behind_goes_at_the_next_start_and_nothing_of_those_that_live(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    temporary = tmp_path / "temporary"
    (temporary / "xima-adapter-metrics-of-others").mkdir(parents=True)

    def left() -> set[str]:
        return {one.name for one in temporary.glob("xima-adapter-metrics-*")}

    others = left()
    with running(tmp_path, sandbox.url, start=False, TMPDIR=str(temporary)) as adapter:
        process = adapter.start()
        until(lambda: "dispatcher.started" in adapter.log())
        halves = [pid for one in children(process.pid).values() for pid in one]
        first = left() - others
        process.kill()
        until(lambda: not any(map(lives, halves)))
        assert left() - others == first
        adapter.start()
        second = left() - others
        assert second.isdisjoint(first)
        with running(tmp_path / "temporary", sandbox.url, TMPDIR=str(temporary)):
            assert second < left()
            assert len(left() - others) == 2
    assert left() == others


def test_web_and_dispatch_apart_share_the_folder_they_are_told(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = tmp_path / "numbers"
    with running(tmp_path, sandbox.url, start=False, PROMETHEUS_MULTIPROC_DIR=str(folder)) as adapter:
        adapter.store().upgrade()
        adapter.start("web")
        adapter.start("dispatch")
        assert adapter.post("click", b'{"id": "lead", "skill": "Sales", "phone": "8015550142"}').ok
        until(lambda: number(scrape(adapter), "attempts_total", **CALLBACKS) == 1)
    assert folder.is_dir()


def test_without_a_folder_each_process_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(metrics.FOLDER, raising=False)
    monkeypatch.setattr("adapter.metrics.tempfile.mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space")))
    with metrics.shared():
        assert metrics.FOLDER not in os.environ
        assert "xima_adapter_requests" in {one.name for one in metrics.registry().collect()}


def _workers(pid: int) -> list[int]:
    """The processes below a `web`."""
    return [*tree(pid)][1:]


@LINUX
def test_a_worker_that_ends_leaves_the_folder_to_the_others(tmp_path: Path, sandbox: Sandbox) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(tmp_path, sandbox.url, start=False, TMPDIR=str(temporary)) as adapter:
        store = adapter.store()
        store.upgrade()
        store.close()
        web = adapter.start("web")
        (worker,) = _workers(web.pid)
        os.kill(worker, signal.SIGQUIT)
        until(lambda: _workers(web.pid) not in ([], [worker]))
        until(adapter.is_ready)
        click(adapter, 1)
        assert len([*temporary.glob("xima-adapter-metrics-*")]) == 1
