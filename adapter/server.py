"""Processes: gunicorn's web workers, the dispatcher, and both together."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import math
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkProcess
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from adapter import handed, logs, metrics, sources, tracing, wsgi
from adapter.dispatcher import Loop
from adapter.errors import AdapterError
from adapter.halt import STOPS, Halt
from adapter.logs import event
from adapter.patience import PatientWorker
from adapter.settings import Settings

DISPATCH_THREADS = 32
"""Xima answers within 50 ms when all is well: enough for 300 a second, with room for slower days."""
XIMA_SECONDS = 55
"""More than an exchange with Xima may take, and keeping what came of it: cut short, nobody would know."""
STOPPING = 5
"""Seconds more for a half to end when its requests have ended."""
PAUSES = (0, 1, 2, 5, 10, 30)
"""Seconds before a dispatcher that died is started again, longer each time it dies young."""
YOUNG_SECONDS = 60
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15

FORKS = multiprocessing.get_context("fork")


class Gunicorn(BaseApplication):
    """gunicorn with our options and no configuration file."""

    def __init__(self, given: Settings) -> None:
        self.given = given
        self.expected = {path.stem for path in sources.mapping_files(given.mappings)}
        super().__init__()

    def load_config(self) -> None:
        """Hand the options over; called by gunicorn."""
        for name, value in options(self.given).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application; called by gunicorn in every worker, after the fork."""
        return wsgi.create(self.given, self.expected)


def options(given: Settings) -> Mapping[str, Any]:
    """gunicorn's options: threads, because a click waits for Xima; no forwarded headers, no control socket."""
    return {
        "bind": given.bind,
        "workers": given.workers,
        "threads": given.threads,
        "worker_class": PatientWorker,
        "worker_connections": 800,  # with its files a process stays below the usual limit of 1,024
        "keepalive": 30,
        "timeout": 60,
        "graceful_timeout": grace(given),
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "accesslog": None,
        "errorlog": None,  # `logs` gives its logger a place to write to
        "loglevel": "warning",
        "post_fork": _born,
        "worker_exit": _last_words,
        "proc_name": "xima-adapter",
    }


def leave_no_core() -> None:
    """Have this process, and those it starts, write no core file when they crash: every secret would be in it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def grace(given: Settings) -> int:
    """The seconds that what is under way gets to end at a stop: more than Xima may take, and a click waits for it."""
    return max(XIMA_SECONDS, math.ceil(given.wait.total_seconds()) + 10)


@metrics.shared()
def web(given: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    leave_no_core()
    logs.set_up(given.secrets, form=given.log)
    Gunicorn(given).run()


def _born(master: Arbiter, worker: PatientWorker) -> None:
    """Called by gunicorn in a new worker, which is still deaf."""
    worker.told_before = master.SIG_QUEUE


def _last_words(_: Any, worker: PatientWorker) -> None:
    """Called by gunicorn when a worker stops: write what was only counted."""
    app: object = worker.wsgi
    if isinstance(app, Flask):  # it may have ended before there was an application
        app.extensions["adapter"].intake.refusals.write()


def dispatch(given: Settings) -> None:
    """Send what is due until SIGTERM or SIGINT; what is under way is finished.

    Raises `StoreError` when the store cannot be used at the start; later it waits for it.
    """
    leave_no_core()
    known = wsgi.known(given)
    logs.set_up((*known.tokens, *given.secrets), form=given.log)
    with contextlib.closing(tracing.kinds().store(given.database_url)) as store:
        store.check()
        clock = store.clock(wsgi.clock)
        dispatcher = wsgi.dispatcher(known, store, clock, "dispatch", lines=DISPATCH_THREADS, ask=given.recover_ask)
        told = wsgi.reporter(given, store, clock).run
        loop = Loop(dispatcher, threads=DISPATCH_THREADS, retention=given.retention, clock=clock, besides=(told,))
        for number in STOPS:
            signal.signal(number, lambda *_: loop.stop())
        event("dispatcher.started", threads=DISPATCH_THREADS)
        loop.run()
    event("dispatcher.stopped")


@metrics.shared()
def serve(given: Settings) -> int:
    """Web workers and the dispatcher as two child processes, stopped together; gives an exit code.

    A dispatcher that dies is started again; without the web there is nothing to serve, so its end ends all.
    """
    leave_no_core()
    logs.set_up(given.secrets, form=given.log)
    halt = Halt()
    for number in STOPS:
        signal.signal(number, halt.ask)
    gc.freeze()  # what is loaded by now is shared with the children as long as nobody touches it
    front = start(web, given)
    dispatcher = Watched(lambda: start(dispatch, given))
    while not halt.wait(0.2) and front.exitcode is None:
        dispatcher.look(time.monotonic())
    if front.exitcode is not None and not halt:
        event("web.died", level=logging.ERROR, code=front.exitcode)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(front.pid or 0, signal.SIGTERM)  # workers that outlived their master would keep the port
    clean = stop({"web": front, "dispatch": dispatcher.process}, within=grace(given) + STOPPING)
    return 0 if clean and halt else 1


class Watched:
    """A process that is started again when it dies: at once, then after growing pauses while it keeps dying young."""

    def __init__(self, begin: Callable[[], ForkProcess]) -> None:
        self._begin = begin
        self._born = time.monotonic()
        self._deaths = 0
        self._again_at: float | None = None
        self.process = begin()

    def look(self, now: float) -> None:
        """Start the process again if it is dead and its pause is over."""
        if self._again_at is None and self.process.exitcode is not None:
            self._deaths = self._deaths + 1 if now - self._born < YOUNG_SECONDS else 1
            pause = PAUSES[min(self._deaths, len(PAUSES)) - 1]
            self._again_at = now + pause
            event("dispatcher.died", level=logging.ERROR, code=self.process.exitcode, again_in_seconds=pause)
        if self._again_at is not None and now >= self._again_at:
            self.process, self._born, self._again_at = self._begin(), now, None


def start(work: Callable[[Settings], None], given: Settings) -> ForkProcess:
    """A half of ours as a fork of this process, which has no threads and has everything loaded already.

    A signal that stops waits until the half is no copy of this process any more: a copy would hear it, and go on.
    """
    half = FORKS.Process(target=_half, args=(work, given, os.getpid()), name=work.__name__)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    half.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    return half


def _half(work: Callable[[Settings], None], given: Settings, parent: int) -> None:
    os.setsid()  # Ctrl-C in a terminal reaches `serve` only
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    follow(parent, name=f"xima-{work.__name__}")
    handed.hand_on(parent)
    try:
        work(given)
    except AdapterError as exc:
        event("process.failed", level=logging.ERROR, process=work.__name__, reason=exc.reason)
        raise SystemExit(1) from exc


def follow(parent: int | None, *, name: str = "") -> None:
    """Stop this process when the one that started it dies, however it dies, so that no half is left behind (Linux).

    `name` is what `ps -o comm` shows.
    """
    if parent is None:
        return
    if sys.platform == "linux":
        kernel = ctypes.CDLL(None)
        kernel.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
        if name:
            kernel.prctl(PR_SET_NAME, name.encode())
    if os.getppid() != parent:  # it died before we asked
        raise SystemExit(1)


def stop(children: Mapping[str, ForkProcess], *, within: float) -> bool:
    """Ask the children to stop and wait for them; whether all that lived did so in time (seconds) and well."""
    living = {name: child for name, child in children.items() if child.exitcode is None}
    for child in living.values():
        child.terminate()
    deadline = time.monotonic() + within
    for name, child in living.items():
        child.join(max(0.1, deadline - time.monotonic()))
        if child.exitcode is None:
            event("process.killed", level=logging.ERROR, process=name)
            child.kill()
            child.join()
    return all(child.exitcode in (0, -signal.SIGTERM) for child in living.values())
