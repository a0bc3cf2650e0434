"""Real adapter processes that die where a test wants them to: SIGKILL, to every process of theirs, at a boundary.

The product has no hooks for this. A public method is wrapped in the child before its command line is run; the
child is forked from a process that has everything imported, so that it is up in a moment.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
from collections.abc import Mapping
from datetime import timedelta
from functools import wraps
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from processes import FORKS

from adapter.cli import main
from adapter.dispatcher import Timing, loop
from adapter.reporting import Poster, reporter
from adapter.store import Reports, Store
from adapter.store.engine import Prepared
from adapter.xima import Client

CLONE_NEWNET = 0x40000000
STEADY = 60.0
"""Seconds after which a process is taken for dead: those that live are not to be, however slow the machine is."""
BRIEF = 1.0
"""The same for those that a test holds up for longer, or kills while they have a report."""
PATIENCE = timedelta(seconds=0.5)
POINTS: Mapping[str, tuple[type, str, bool, int]] = {
    "before the commit": (Store, "add", False, 1),
    "with half of a hundred rows written": (Prepared, "run", True, 100),  # each takes its key and adds its row
    "after the commit": (Store, "add", True, 1),
    "after the claim": (Store, "claim", True, 1),
    "after Xima's answer": (Client, "carry_out", True, 1),
    "after the outcome is saved": (Store, "save", True, 1),
    "after a report is taken": (Reports, "claim", True, 1),
    "after a report is posted": (Poster, "post", True, 1),
}
"""Where a process can be made to die: a method, whether before it begins or after it has done its work, which time."""

NOTHING: tuple[Any, ...] = (([], []), [])
"""What a claim gives that took nothing."""


def start(
    command: str,
    *arguments: str,
    environ: Mapping[str, str],
    log: Path,
    die: str = "",
    network: str = "",
    lease: float = STEADY,
) -> BaseProcess:
    """Start `xima-adapter COMMAND`, perhaps in another network; with `die` it kills itself at that point."""
    given = ((command, *arguments), dict(environ), log, die, network, timedelta(seconds=lease))
    process = FORKS.Process(target=_run, args=given, daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """SIGKILL to a process that was started here and to its children."""
    assert process.pid
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has only just begun, and leads no group yet
        process.kill()
    process.join(60)


def _enter(network: str) -> None:
    """Move this process and those it will start into a network namespace; raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", network).open() as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def _run(
    arguments: tuple[str, ...], environ: dict[str, str], log: Path, die: str, network: str, lease: timedelta
) -> None:
    os.setpgid(0, 0)
    if network:
        _enter(network)
    os.environ.update(environ)
    with log.open("ab") as target:
        os.dup2(target.fileno(), 1)
        os.dup2(target.fileno(), 2)
    defaults = Timing.__init__.__kwdefaults__ or {}
    Timing.__init__.__kwdefaults__ = {**defaults, "lease": lease, "patience": PATIENCE}
    loop.SWEEP_SECONDS = 0.1
    reporter.LEASE = lease
    if die:
        _wrap(*POINTS[die])
    main(arguments)


def _wrap(kind: type, name: str, afterwards: bool, times: int) -> None:
    method = getattr(kind, name)
    calls = itertools.count(1)

    @wraps(method)
    def wrapped(*given: Any, **more: Any) -> Any:
        if not afterwards and next(calls) >= times:
            os.killpg(0, signal.SIGKILL)
        found = method(*given, **more)
        if found not in NOTHING and next(calls) >= times:
            os.killpg(0, signal.SIGKILL)
        return found

    setattr(kind, name, wrapped)
