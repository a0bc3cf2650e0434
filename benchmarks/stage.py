"""Starts what is measured, each server a process with real files in a folder of its own, and stops all of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import bodies
from benchmarks.load import Plan, Report
from benchmarks.ports import free_port
from benchmarks.postgres import Server

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What the product and its baseline have in common; without a server each has an SQLite file."""

    workers: int
    threads: int
    server: Server | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A server that answers: its port and its process."""

    port: int
    process: subprocess.Popen[bytes]


Start = Callable[[Path, int, Shape], AbstractContextManager[Running]]
"""Starts a server in a folder, in front of an upstream's port."""


def until(fact: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, *, pause: float = 0.005) -> None:
    """Wait until `fact` holds; raises `TimeoutError`, or `ChildProcessError` when the process ends before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        if process and process.poll() is not None:
            raise ChildProcessError(f"it ended with code {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come true in time")
        time.sleep(pause)


def answers(port: int, path: str = "/") -> int:
    """The status of a GET, 0 while nobody answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except OSError:
        return 0
    finally:
        line.close()


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        yield Path(made)


@contextmanager
def process(*arguments: str, log: Path, environ: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process; its group is stopped at the end, gently first. What it wrote is shown when it failed."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield started
    except BaseException:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


@contextmanager
def upstream(home: Path, *, delay_ms: int = 0) -> Iterator[int]:
    """The port of a pretend upstream."""
    port = free_port()
    with process("-m", "benchmarks.stub", str(port), str(delay_ms), log=home / "stub.log") as started:
        until(lambda: answers(port) == 200, started)
        yield port


def heard(port: int) -> list[tuple[float, str]]:
    """What the upstream was sent: the moment and the body of every POST."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    line.request("GET", "/")
    found: list[tuple[float, str]] = [tuple(one) for one in json.loads(line.getresponse().read())]
    line.close()
    return found


def environment(home: Path, xima: int, shape: Shape) -> dict[str, str]:
    """The variables of the product and of the baselines."""
    mappings = home / "mappings"
    mappings.mkdir(exist_ok=True)
    (mappings / "bench.yaml").write_bytes(Path(__file__).with_name("bench.yaml").read_bytes())
    ours, theirs = _databases(home, shape.server)
    return {
        "XIMA_HOST": f"http://127.0.0.1:{xima}",
        "XIMA_TOKEN": "sandbox-token",
        "ADAPTER_MAPPINGS": str(mappings),
        "ADAPTER_DATABASE_URL": ours,
        "ADAPTER_SECRET_KEY": secrets.token_hex(),
        "ADAPTER_MAPPING_LIMIT": "0",
        "ADAPTER_WORKERS": str(shape.workers),
        "ADAPTER_THREADS": str(shape.threads),
        "BENCH_DATABASE": theirs,
        "BENCH_SECRET": bodies.SECRET,
    }


def _databases(home: Path, server: Server | None) -> tuple[str, str]:
    """Addresses of the product's store and of the baseline's, the same whenever they are asked for in this folder."""
    if server is None:
        return f"sqlite:///{home / 'adapter.db'}", f"sqlite:///{home / 'bare.db'}"
    known = home / "databases"
    if not known.exists():
        known.write_text("\n".join(server.new_database() for _ in range(2)))
    ours, theirs = known.read_text().splitlines()
    return ours, theirs


def prepared(home: Path, xima: int, shape: Shape) -> dict[str, str]:
    """The variables of the product, and its store made."""
    environ = environment(home, xima, shape)
    with process("-m", "adapter", "db", "upgrade", log=home / "upgrade.log", environ=environ) as upgrade:
        upgrade.wait(PATIENCE_SECONDS)
    return environ


def product(command: str, **settings: str) -> Start:
    """The adapter: `serve`, or one half of it; `settings` are further variables."""

    @contextmanager
    def start(home: Path, xima: int, shape: Shape) -> Iterator[Running]:
        environ = environment(home, xima, shape) if command == "serve" else prepared(home, xima, shape)
        environ |= settings
        port = free_port()
        bind = () if command == "dispatch" else ("--bind", f"127.0.0.1:{port}")
        with process("-m", "adapter", command, *bind, log=home / f"{command}.log", environ=environ) as started:
            if bind:
                until(lambda: answers(port, "/readyz") == 200, started)
            yield Running(port=port, process=started)

    return start


def bare(app: str) -> Start:
    """A baseline under gunicorn, as the product is: a call of a function in `benchmarks.baselines`."""

    @contextmanager
    def start(home: Path, xima: int, shape: Shape) -> Iterator[Running]:
        port, environ = free_port(), environment(home, xima, shape)
        arguments = [
            *("-m", "gunicorn", "--no-control-socket", "--log-level", "warning", "--worker-class", "gthread"),
            *("--workers", str(shape.workers), "--threads", str(shape.threads), "--keep-alive", "30"),
            *("--bind", f"127.0.0.1:{port}", f"benchmarks.baselines:{app}"),
        ]
        with process(*arguments, log=home / "bare.log", environ=environ) as started:
            until(lambda: answers(port) == 404, started)
            yield Running(port=port, process=started)

    return start


def load(plan: Plan) -> Report:
    """Carry a plan out in a process of its own; raises when answers are wrong or missing."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", json.dumps(asdict(plan))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    report = Report(**json.loads(told.stdout))
    if report.failed or report.missing or not report.answers:
        raise AssertionError(f"{report.failed} wrong answers, {report.missing} missing, {len(report.answers)} right")
    return report
