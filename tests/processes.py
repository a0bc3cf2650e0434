"""Other processes for tests: forked from one that has everything imported, so that each begins in a moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import TypeVar

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", "adapter.cli"])

T = TypeVar("T")
R = TypeVar("R")
_together: list[Barrier] = []


def _begin(barrier: Barrier) -> None:
    _together.append(barrier)


def together() -> None:
    """Wait until every process of `in_processes` is here."""
    _together[0].wait(120)


def in_processes(work: Callable[[T], R], given: Iterable[T]) -> list[R]:
    """What `work` gives for each argument, each in a process of its own and all at once (see `together`)."""
    arguments = list(given)
    barrier = FORKS.Barrier(len(arguments))
    with ProcessPoolExecutor(len(arguments), FORKS, _begin, (barrier,)) as pool:
        return list(pool.map(work, arguments))


def in_threads(work: Callable[[T], R], given: Iterable[T]) -> list[R]:
    """What `work` gives for each argument, each in a thread of its own."""
    arguments = list(given)
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(work, arguments))
