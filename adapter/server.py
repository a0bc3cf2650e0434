"""Processes: gunicorn's web workers, the dispatcher, and both together."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from gunicorn.app.base import BaseApplication

from adapter import logs, wsgi
from adapter.dispatcher import Dispatcher, Loop
from adapter.logs import event
from adapter.settings import Settings
from adapter.store import Store

DISPATCH_THREADS = 16
STOP_SECONDS = 35
PR_SET_PDEATHSIG = 1


class Gunicorn(BaseApplication):
    """gunicorn with our options and no configuration file."""

    def __init__(self, given: Settings) -> None:
        self.given = given
        super().__init__()

    def load_config(self) -> None:
        """Hand the options over; called by gunicorn."""
        for name, value in options(self.given).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application; called by gunicorn in every worker, after the fork."""
        return wsgi.create(self.given)


def options(given: Settings) -> Mapping[str, Any]:
    """gunicorn's options: threads, because a click waits for Xima; no forwarded headers, no control socket."""
    return {
        "bind": given.bind,
        "workers": given.workers,
        "threads": given.threads,
        "worker_class": "gthread",
        "keepalive": 30,
        "timeout": 60,
        "graceful_timeout": 30,
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "accesslog": None,
        "loglevel": "warning",
        "proc_name": "xima-adapter",
    }


def web(given: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    Gunicorn(given).run()


def dispatch(given: Settings) -> None:
    """Send what is due until SIGTERM or SIGINT; what is under way is finished."""
    logs.set_up((given.xima_token, *given.secret_keys))
    store = Store(given.database_url)
    store.check()
    dispatcher = Dispatcher(store, wsgi.tenants(given), wsgi.clock, owner=wsgi.owner("dispatch"))
    loop = Loop(dispatcher, threads=DISPATCH_THREADS, retention=given.retention, clock=wsgi.clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    event("dispatcher.started", threads=DISPATCH_THREADS)
    loop.run()
    store.close()
    event("dispatcher.stopped")


def serve(given: Settings) -> int:
    """Web workers and the dispatcher as two child processes, stopped together; gives an exit code.

    A dispatcher that dies is started again; without the web there is nothing to serve, so its end ends all.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    children = {"web": _start("web", given), "dispatch": _start("dispatch", given)}
    while not stopping.wait(0.2):
        if children["web"].poll() is not None:
            break
        if children["dispatch"].poll() is not None:
            event("dispatcher.died", code=children["dispatch"].returncode)
            children["dispatch"] = _start("dispatch", given)
    return _stop(children, asked=stopping.is_set())


def _start(command: str, given: Settings) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "adapter", command]
    if command == "web":
        arguments += ["--bind", given.bind]
    return subprocess.Popen(arguments, preexec_fn=_die_with_parent, start_new_session=True)


def _die_with_parent() -> None:
    """Ask Linux to stop this child when its parent is killed, so that no half is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(children: Mapping[str, subprocess.Popen[bytes]], *, asked: bool) -> int:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for name, child in children.items():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            event("process.killed", process=name)
            child.kill()
            child.wait()
    return 0 if asked and all(child.returncode in (0, -signal.SIGTERM) for child in children.values()) else 1
