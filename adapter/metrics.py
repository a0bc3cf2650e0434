"""What is counted and measured, shared by the processes of one machine through files; `GET /metrics` shows it.

prometheus-client chooses how values are kept when one is made, and every metric here has labels, so nothing is made
before a process counts. What a dead process counted stays in its file: a sum over all files never goes backwards.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from stat import S_ISDIR
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from adapter.logs import event
from adapter.model import Action, Outcome

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder; prometheus-client reads it itself."""
HOST = socket.gethostname().replace("_", "-")
PREFIX = "xima-adapter-"
LOCK = "lock"
MOST_REASONS = 100
OTHER = "other"

REQUESTS = Counter("xima_adapter_requests", "Webhooks by mapping and HTTP status.", ["mapping", "status"])
RECORDS = Counter("xima_adapter_records", "What became of records that were understood.", ["mapping", "result"])
REFUSALS = Counter("xima_adapter_refusals", "Requests that were refused.", ["mapping", "code", "reason"])
CALLS_ENDED = Counter("xima_adapter_calls_ended", "Calls that ended, by what was found of each.", ["mapping", "result"])
OVERHEAD = Histogram(
    "xima_adapter_overhead_seconds",
    "What the adapter itself needs for a webhook, without waiting for Xima.",
    ["mapping"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
XIMA = Histogram(
    "xima_adapter_xima_seconds",
    "How long Xima takes for one request.",
    ["tenant", "action"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
ATTEMPTS = Counter(
    "xima_adapter_attempts",
    "Requests to Xima by what they proved and the HTTP status.",
    ["tenant", "action", "outcome", "status"],
)
SKEW = Histogram(
    "xima_adapter_signature_skew_seconds",
    "How far the time of a valid signature lies behind our clock; negative: ahead of it.",
    ["mapping"],
    buckets=(-300, -60, -30, -10, -5, -2, 2, 5, 10, 30, 60, 300),
)
REPORTS = Counter("xima_adapter_reports", "Tries to tell senders what became of deliveries.", ["mapping", "result"])
COUNTED = (REQUESTS, RECORDS, REFUSALS, CALLS_ENDED, OVERHEAD, XIMA, ATTEMPTS, SKEW, REPORTS)


class Stopwatch:
    """How long Xima has been asked in all, the exchange that is under way included; one at a time."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """An exchange begins."""
        self._since = time.perf_counter()

    def stop(self) -> float:
        """It has ended; gives the seconds it took."""
        took = self._running()
        self._before, self._since = self._before + took, None
        return took

    def seconds(self) -> float:
        """The time of all exchanges until now."""
        return self._before + self._running()

    def _running(self) -> float:
        since = self._since
        return 0.0 if since is None else time.perf_counter() - since


_watch: ContextVar[Stopwatch | None] = ContextVar("watch", default=None)


class Carrier(Protocol):
    """What a tenant's client does (`xima.Client`)."""

    def carry_out(self, action: Action) -> Outcome:
        """Ask Xima once and say what the exchange proved."""


class Measured:
    """A tenant's client whose exchanges are counted and timed."""

    def __init__(self, tenant: str, carrier: Carrier) -> None:
        self._tenant = tenant
        self._carrier = carrier

    def carry_out(self, action: Action) -> Outcome:
        """Ask Xima once and say what the exchange proved."""
        watch = _watch.get() or Stopwatch()
        watch.start()
        outcome = self._carrier.carry_out(action)
        seconds = watch.stop()
        with suppress(OSError):  # what Xima answered counts for more than that it can be counted
            if outcome.phase != "not_sent":
                XIMA.labels(self._tenant, action.kind).observe(seconds)
            ATTEMPTS.labels(self._tenant, action.kind, outcome.evidence.value, str(outcome.status or "")).inc()
        return outcome


def measured(carriers: Mapping[str, Carrier]) -> dict[str, Carrier]:
    """The tenants' clients, measured."""
    return {name: Measured(name, carrier) for name, carrier in carriers.items()}


def stopwatch() -> Stopwatch:
    """One that runs while this context, or a copy of it, asks Xima from now on."""
    watch = Stopwatch()
    _watch.set(watch)
    return watch


class Bounded:
    """Lets so many different texts become a label, and calls the rest `other`: one may hold a part of a body."""

    def __init__(self, most: int = MOST_REASONS) -> None:
        self._most = most
        self._known: set[str] = set()
        self._turn = threading.Lock()

    def __call__(self, text: str) -> str:
        """The text, or `other`."""
        if text in self._known:
            return text
        with self._turn:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(text)
        return text


@contextmanager
def shared() -> Iterator[None]:
    """Let this process and those it forks count together, in a folder that is removed at the end.

    One that is named by PROMETHEUS_MULTIPROC_DIR is used and left alone. Without any folder each process counts for
    itself, which is said in the log.
    """
    if os.environ.get(FOLDER):
        _begin()
        yield
        return
    try:
        _sweep()
        folder, lock = _made()
    except OSError as exc:
        event("metrics.not_shared", level=logging.WARNING, reason=exc.strerror)
        yield
        return
    os.environ[FOLDER] = str(folder)
    _begin()
    maker = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == maker:  # a worker that ends leaves this block too: it was forked inside of it
            del os.environ[FOLDER]
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _made() -> tuple[Path, int]:
    """A new folder, and the descriptor of a lock in it that this process and those it forks hold while they live.

    It has its name only when it is locked: then nobody takes it for one that was left behind.
    """
    made = Path(tempfile.mkdtemp(prefix=PREFIX + "new-"))
    lock = os.open(made / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return made.rename(made.with_name(made.name.replace("new-", "metrics-"))), lock


def _sweep() -> None:
    """Remove the folders of this user that processes which were killed have left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}metrics-*"):
        with suppress(OSError):
            if _is_left(folder):
                shutil.rmtree(folder)


def _is_left(folder: Path) -> bool:
    """Whether nobody who counts in it lives; raises `OSError` too when somebody does."""
    about = folder.lstat()
    if not S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
        return False
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)
    return True


def _begin() -> None:
    """Keep values in files that are named by machine and process: containers that share a folder have like pids."""
    Path(os.environ[FOLDER]).mkdir(parents=True, exist_ok=True)
    values.ValueClass = values.MultiProcessValue(_process)  # type: ignore[no-untyped-call] # it has no annotations


def _born() -> None:
    """Called in a process that was forked, for which there must be a folder: some machines clean up in /tmp."""
    with suppress(OSError, KeyError):
        Path(os.environ[FOLDER]).mkdir(0o700)


def _process() -> str:
    return f"{HOST}-{os.getpid()}"


def registry(*more: Collector) -> CollectorRegistry:
    """Everything that was counted by this process and those it shares a folder with, and what `more` finds now."""
    found = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(found)  # type: ignore[no-untyped-call] # its constructor has no annotations
    else:
        more = (*more, *COUNTED)
    for one in more:
        found.register(one)
    return found


os.register_at_fork(after_in_child=_born)
if os.environ.get(FOLDER):  # a server of somebody else's, or `dispatch` beside `web`
    _begin()
