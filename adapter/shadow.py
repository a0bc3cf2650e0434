"""Versions under trial: each looks at what the version in force has answered, later, and only its differences count."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, Full, Queue

from adapter import compared, receipt
from adapter.errors import PayloadError, StoreError
from adapter.logs import event
from adapter.mapping import Mapping, Result
from adapter.mapping.difference import SAME, Pair, made, pairs
from adapter.model import Received
from adapter.sources import Source, Sources
from adapter.store import Store, Trial

MOST_WAITING = 200
"""Requests that may wait to be looked at; more are left out, for they stand in memory with their bodies."""
TOGETHER_SECONDS = 1.0
"""Requests that came within this time are counted in one write, which others would have to wait for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A request that was answered, and what the version in force made of it."""

    request_id: str
    received: Received = field(repr=False)
    at: datetime
    version: str
    before: Sequence[tuple[int, Result]]
    shadow: Mapping = field(repr=False)


class Shadow:
    """Runs shadows on a thread of its own: whatever becomes of them, nobody waits for it and nothing is sent."""

    def __init__(self, sources: Callable[[], Sources], store: Store, *, together: float = TOGETHER_SECONDS) -> None:
        self._sources = sources
        self._store = store
        self._together = together
        self._waiting: Queue[Seen | None] = Queue(MOST_WAITING)
        self._left_out = 0
        self._stop = threading.Event()
        self._thread = threading.Thread()
        self._beginning = threading.Lock()

    def look(
        self,
        source: Source,
        received: Received,
        before: Sequence[tuple[int, Result]],
        *,
        request_id: str,
        now: datetime,
    ) -> None:
        """Have the shadow of a mapping, if there is one, look at a request that was answered; comes back at once."""
        shadow = self._sources().shadows.get(source.mapping.name)
        if shadow is None or self._stop.is_set():
            return
        version = source.mapping.version
        seen = Seen(request_id=request_id, received=received, at=now, version=version, before=before, shadow=shadow)
        try:
            self._begin()
            self._waiting.put_nowait(seen)
        except (Full, RuntimeError):  # no thread can be started: the answer that was decided is still to be given
            self._left_out += 1

    def _begin(self) -> None:
        with self._beginning:
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Count what waits and stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            first = self._waiting.get()
            self._stop.wait(self._together)
            self._count([one for one in (first, *self._rest()) if one is not None])

    def _rest(self) -> Iterator[Seen | None]:
        try:
            while True:
                yield self._waiting.get_nowait()
        except Empty:
            return

    def _count(self, seen: Sequence[Seen]) -> None:
        try:
            self._store.count_trials([trial for one in seen for trial in trials(one)])
        except StoreError as exc:
            event("shadow.not_counted", level=logging.ERROR, requests=len(seen), reason=exc.reason)
        if self._left_out:
            event("shadow.left_out", level=logging.WARNING, requests=self._left_out)
            self._left_out = 0


def trials(seen: Seen) -> Iterator[Trial]:
    """What a shadow makes of a request beside what was made of it, a trial for every kind of difference."""
    before: dict[int, list[Result]] = {}
    for index, result in seen.before:
        before.setdefault(index, []).append(result)
    try:
        after = made(seen.shadow, seen.received, now=seen.at)
    except PayloadError:
        after = None
    for pair in pairs(before, after):
        for kind in pair.kinds:
            yield _trial(seen, pair, kind)


def _trial(seen: Seen, pair: Pair, kind: str) -> Trial:
    example = {"request": seen.request_id, "received_at": receipt.instant(seen.at), **compared.plain(pair)}
    return Trial(
        mapping=seen.shadow.name,
        shadow=seen.shadow.version,
        version=seen.version,
        kind=kind,
        at=seen.at,
        example=None if kind == SAME else example,
    )
