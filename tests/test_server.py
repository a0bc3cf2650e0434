"""`serve` and its halves as processes: they start together, mend themselves, and leave nothing behind."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkProcess
from pathlib import Path
from queue import SimpleQueue

import pytest
import requests
from gunicorn.arbiter import Arbiter
from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders, ParseException
from gunicorn.workers.gthread import ThreadWorker
from running import Adapter, running, until

from adapter import halt, logs, patience, server, settings
from adapter.sandbox import Sandbox
from adapter.server import PAUSES, YOUNG_SECONDS, Watched, follow, options

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel stops the children of a killed parent on Linux")
QUICKLY = 30.0
"""Seconds; an idle machine needs 1.2, who does not hear of it 55."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """A running adapter for the tests that leave it running."""
    with Sandbox.start() as xima, running(tmp_path_factory.mktemp("serve"), xima.url, start=False) as adapter:
        adapter.start()
        until(lambda: "dispatcher.started" in adapter.log())
        yield adapter


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Adapter]:
    """An adapter that is not started yet, before a Xima that is never asked."""
    with running(tmp_path, "http://127.0.0.1:9", start=False) as adapter:
        yield adapter


def children(pid: int) -> dict[str, list[int]]:
    """The living processes below one, by what they are: web (masters and workers), dispatch."""
    found: dict[str, list[int]] = {"web": [], "dispatch": []}
    below, parents = {pid}, _parents()
    for _ in range(3):
        below |= {child for child, parent in parents.items() if parent in below}
    for one in below - {pid}:
        with contextlib.suppress(OSError, KeyError):  # it is gone again, or has no name yet
            found[Path(f"/proc/{one}/comm").read_text().strip().removeprefix("xima-")].append(one)
    return {name: sorted(pids) for name, pids in found.items()}


def _parents() -> dict[int, int]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(path.parent.name)] = int(parent)
    return found


def lives(pid: int) -> bool:
    return pid in _parents()


def masters(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """The pids of the web master and the dispatcher."""
    parents = _parents()
    ours = children(process.pid)
    (web,) = (pid for pid in ours["web"] if parents[pid] == process.pid)
    (dispatch,) = ours["dispatch"]
    return web, dispatch


def stopped(process: subprocess.Popen[bytes], number: int) -> float:
    """The seconds a process takes to end after a signal."""
    started = time.monotonic()
    process.send_signal(number)
    process.wait(60)
    return time.monotonic() - started


# the whole, started and stopped


def test_serve_starts_both_halves_and_stops_them_cleanly_and_quickly(idle: Adapter) -> None:
    started = time.monotonic()
    process = idle.start()
    print(f"cold start to the first 200: {time.monotonic() - started:.2f} s")  # noqa: T201 - a measure, no promise
    until(lambda: "dispatcher.started" in idle.log())
    below = children(process.pid)
    assert len(below["web"]) == 2, "master and worker"
    assert len(below["dispatch"]) == 1
    assert stopped(process, signal.SIGTERM) < QUICKLY
    assert process.returncode == 0
    assert not any(lives(pid) for pids in below.values() for pid in pids)
    assert "Traceback" not in idle.log()


def test_serve_makes_the_store_by_itself(shared: Adapter) -> None:
    store = shared.store()
    store.check()
    store.close()


def test_serve_says_where_senders_post_to(shared: Adapter) -> None:
    assert f"Serving on http://127.0.0.1:{shared.port}; senders post to\n  {shared.url}/hooks/click\n" in shared.log()


def test_a_click_under_way_is_finished_before_the_adapter_stops(tmp_path: Path) -> None:
    slow = {"faults": [{"operation": "click_to_dial", "delay": "1s"}]}
    with Sandbox.start() as xima, running(tmp_path, xima.url, start=False) as adapter:
        process = adapter.start()
        assert requests.post(f"{xima.url}/_sandbox/script", json=slow, timeout=30).ok
        with ThreadPoolExecutor(1) as pool:
            click = pool.submit(adapter.post, "click", b'{"id": "1", "agent": "0101", "phone": "8015550142"}')
            until(xima.world.ledger)  # it is under way, and for a second
            process.send_signal(signal.SIGTERM)
            (receipt,) = click.result(60).json()["receipts"]
        assert (receipt["state"], process.wait(60)) == ("accepted", 0)


# what dies


@LINUX
def test_a_dispatcher_that_is_killed_is_started_again(shared: Adapter) -> None:
    (process,) = shared.processes
    _, dispatch = masters(process)
    os.kill(dispatch, signal.SIGKILL)
    until(lambda: shared.log().count("dispatcher.started") == 2)
    assert masters(process)[1] != dispatch
    assert "error dispatcher.died code=-9 again_in_seconds=0" in shared.log()
    lead = shared.post("click", b'{"id": "2", "skill": "Sales", "phone": "8015550142"}').json()["receipts"][0]
    until(lambda: requests.get(lead["status_url"], timeout=30).json()["state"] == "accepted")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux tells the limits of another process")
@pytest.mark.parametrize("command", ["serve", "web", "dispatch"])
def test_no_process_leaves_a_core_file_with_its_secrets(tmp_path: Path, command: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if not before[1]:
        pytest.skip("this machine lets nobody write core files")
    with running(tmp_path, "http://127.0.0.1:9", start=False) as adapter:
        adapter.store().upgrade()
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
            process = adapter.start(command)
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, before)
        until(lambda: "dispatcher.started" in adapter.log() or command == "web")
        ours = {process.pid, *(pid for pids in children(process.pid).values() for pid in pids)}
        assert {resource.prlimit(pid, resource.RLIMIT_CORE)[0] for pid in ours} == {0}


@LINUX
def test_a_web_worker_that_is_killed_is_started_again(shared: Adapter) -> None:
    (process,) = shared.processes
    web, _ = masters(process)
    (worker,) = (pid for pid in children(process.pid)["web"] if pid != web)
    os.kill(worker, signal.SIGKILL)
    until(lambda: not lives(worker) and shared.is_ready())
    assert process.poll() is None
    assert "Z error gunicorn.error message=" in shared.log(), "gunicorn speaks in our shape"


@LINUX
def test_without_its_web_master_serve_ends_with_1_and_takes_everything_along(idle: Adapter) -> None:
    process = idle.start()
    until(lambda: "dispatcher.started" in idle.log())
    below = children(process.pid)
    os.kill(masters(process)[0], signal.SIGKILL)
    assert process.wait(60) == 1
    until(lambda: not any(lives(pid) for pids in below.values() for pid in pids))
    assert "error web.died code=-9" in idle.log()


@LINUX
def test_when_serve_is_killed_nothing_is_left_behind(idle: Adapter) -> None:
    process = idle.start()
    until(lambda: "dispatcher.started" in idle.log())
    below = children(process.pid)
    process.kill()
    process.wait()
    until(lambda: not any(lives(pid) for pids in below.values() for pid in pids))
    with socket.create_server(("127.0.0.1", idle.port)):  # and the port is free again
        pass


@LINUX
def test_ctrl_c_in_a_terminal_reaches_serve_alone_which_lets_its_halves_end(idle: Adapter) -> None:
    process = idle.start()
    until(lambda: "dispatcher.started" in idle.log())
    for half in masters(process):  # a terminal interrupts everybody in the foreground group
        assert os.getpgid(half) != os.getpgid(process.pid)
    assert stopped(process, signal.SIGINT) < QUICKLY
    assert process.returncode == 0
    assert "dispatcher.stopped" in idle.log()
    assert not any(word in idle.log() for word in ("Traceback", "KeyboardInterrupt", "Aborted"))


@LINUX
def test_a_dispatcher_that_dies_at_once_is_not_started_in_a_busy_loop(idle: Adapter) -> None:
    process = idle.start()
    until(lambda: "dispatcher.started" in idle.log())
    for path in [*idle.home.glob("adapter.db*")]:  # with what was written ahead: no new dispatcher can start
        shutil.move(path, idle.home / f"elsewhere-{path.name}")
    os.kill(masters(process)[1], signal.SIGKILL)
    until(lambda: "again_in_seconds=1" in idle.log())
    died = [line.rpartition("=")[2] for line in idle.log().splitlines() if "dispatcher.died" in line]
    assert died[:2] == ["0", "1"]  # it may have died once more by now
    assert "the store has no tables" in idle.log(), "and it says why"
    assert requests.get(f"{idle.url}/healthz", timeout=30).ok, "the web goes on"
    assert stopped(process, signal.SIGTERM) < QUICKLY
    assert process.returncode == 0


# the same by hand


class Ends:
    """Begins processes that end at once, and counts them."""

    def __init__(self) -> None:
        self.begun = 0

    def __call__(self) -> ForkProcess:
        self.begun += 1
        process = server.FORKS.Process(target=int)
        process.start()
        process.join()
        return process


@contextlib.contextmanager
def child(work: Callable[[], object]) -> Iterator[ForkProcess]:
    """A process that runs `work` once it has said that it is up."""
    up = server.FORKS.Event()

    def run() -> None:
        work()
        up.set()
        signal.pause()

    process = server.FORKS.Process(target=run)
    process.start()
    assert up.wait(60)
    yield process
    process.kill()
    process.join()


@pytest.fixture
def quiet() -> Iterator[io.StringIO]:
    stream, before = io.StringIO(), (list(logs.log.handlers), logs.log.propagate)
    logs.set_up((), stream)
    yield stream
    logs.log.handlers[:], logs.log.propagate = before


def test_the_pauses_grow_while_a_process_keeps_dying_young_and_begin_anew_when_it_lived(quiet: io.StringIO) -> None:
    begin = Ends()
    kept, now = Watched(begin), time.monotonic()
    paused: list[float] = []
    for _ in range(len(PAUSES) + 2):
        kept.look(now)  # it is dead
        begun, died = begin.begun, now
        while begin.begun == begun and paused:
            now += 0.25
            kept.look(now)
        paused.append(now - died)
        now += 1
    assert paused == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    now += YOUNG_SECONDS
    kept.look(now)
    assert quiet.getvalue().splitlines()[-1].endswith("again_in_seconds=0")


def test_a_process_that_lives_is_left_alone() -> None:
    with child(int) as living:
        kept = Watched(lambda: living)
        kept.look(time.monotonic() + 3600)
        assert kept.process is living


def test_a_process_whose_parent_is_gone_already_does_not_start() -> None:
    with pytest.raises(SystemExit) as ended:
        follow(os.getpid())  # nobody is his own parent
    assert ended.value.code == 1
    follow(None)


def test_a_child_that_does_not_stop_in_time_is_killed(quiet: io.StringIO) -> None:
    with child(lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)) as deaf:
        assert server.stop({"web": deaf}, within=0.3) is False
        assert deaf.exitcode == -signal.SIGKILL
    assert "error process.killed process=web" in quiet.getvalue()


def test_a_child_that_ends_badly_is_no_clean_stop() -> None:
    with child(lambda: signal.signal(signal.SIGTERM, lambda *_: os._exit(3))) as bad:
        assert server.stop({"web": bad}, within=20) is False
        assert bad.exitcode == 3


def test_a_half_that_is_told_to_stop_before_it_has_begun_does_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is forked with the handlers of `serve`, which would only note that it was asked to."""
    monkeypatch.setattr(os, "setsid", lambda: os.kill(os.getpid(), signal.SIGTERM))
    with halt.told():
        half = server.start(lambda _: time.sleep(3600), None)  # type: ignore[arg-type] # it asks nothing of its settings
    try:
        half.join(30)
        assert half.exitcode == -signal.SIGTERM
    finally:
        half.kill()
        half.join()


# gunicorn


def test_gunicorn_believes_no_forwarded_header_and_opens_no_control_socket(tmp_path: Path) -> None:
    given = settings.load(
        {
            "XIMA_HOST": "xima.invalid",
            "XIMA_TOKEN": "token",
            "ADAPTER_SECRET_KEY": "k" * 16,
            "ADAPTER_MAPPINGS": str(tmp_path),
            "ADAPTER_DATABASE_URL": f"sqlite:///{tmp_path / 'a.db'}",
            "ADAPTER_WORKERS": "3",
            "ADAPTER_THREADS": "7",
        }
    )
    cfg = server.Gunicorn(given).cfg
    assert cfg is not None
    assert (cfg.workers, cfg.threads, cfg.worker_class) == (3, 7, patience.PatientWorker)
    assert cfg.post_fork is server._born
    assert cfg.forwarded_allow_ips == []
    assert cfg.control_socket_disable is True
    assert set(options(given)) <= set(cfg.settings)


@pytest.mark.parametrize(("told", "alive"), [((signal.SIGCHLD, signal.SIGTERM), False), ((signal.SIGCHLD,), True)])
def test_a_worker_that_was_told_to_stop_before_it_could_hear_does_stop(
    monkeypatch: pytest.MonkeyPatch, told: tuple[int, ...], alive: bool
) -> None:
    """gunicorn forks it with the handlers of the master, which put the signal into a queue that nobody reads."""
    monkeypatch.setattr(ThreadWorker, "init_signals", lambda self: None)
    master, worker = Arbiter.__new__(Arbiter), patience.PatientWorker.__new__(patience.PatientWorker)
    master.SIG_QUEUE, worker.alive = SimpleQueue(), True
    server._born(master, worker)
    for number in told:
        master.signal(number, None)
    worker.init_signals()
    assert worker.alive is alive


def test_a_bug_of_gunicorn_is_left_to_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[object] = []
    monkeypatch.setattr(ThreadWorker, "handle_error", lambda *arguments: left.append(arguments[-1]))
    bug = RuntimeError("a bug")
    with socket.socket() as client:
        patience.PatientWorker.handle_error(object.__new__(patience.PatientWorker), None, client, ("127.0.0.1", 1), bug)
    assert left == [bug]


@pytest.mark.parametrize(
    ("exc", "first"),
    [
        (InvalidHeader("hush"), b"HTTP/1.1 400 Bad Request"),
        (LimitRequestHeaders("hush"), b"HTTP/1.1 431 Headers Too Large"),
    ],
)
def test_the_answer_to_what_is_not_http_is_whole_and_repeats_nothing(exc: ParseException, first: bytes) -> None:
    head, _, body = patience.malformed(exc, "1d").partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == first
    assert b"Content-Length: %d" % len(body) in lines
    assert b"Connection: close" in lines
    assert b"X-Request-Id: 1d" in lines
    assert b"hush" not in body
