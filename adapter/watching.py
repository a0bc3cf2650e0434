"""A thread that looks after the mappings in force, so that no request ever waits for a file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from adapter.inforce import InForce
from adapter.logs import event
from adapter.receipt import instant
from adapter.sources import Broken, Sources

LOOK_SECONDS = 0.4
"""A change counts after it was seen twice the same and was read: well within two seconds."""


class Watching:
    """Called, it gives the mappings in force at once; `changed` hears of new ones before they count."""

    def __init__(self, in_force: InForce, changed: Callable[[Sources], None]) -> None:
        self._in_force = in_force
        self._changed = changed
        self._stop = threading.Event()
        self._thread = threading.Thread()
        self._starting = threading.Lock()
        self._found = in_force.found

    def __call__(self) -> Sources:
        """The mappings in force; after a fork, which no thread survives, they are looked after again."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self.start()
        return self._found

    def start(self) -> None:
        """Look every moment from now on."""
        with self._starting:
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="mappings", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look once, and say what is new."""
        self._in_force.look()
        before, found = self._found, self._in_force.found
        if found != before:
            self._changed(found)
            self._found = found
            tell(before, found)  # only what already counts


def tell(before: Sources, found: Sources) -> None:
    """Log what is in force now and was not, and what is wrong now and was not."""
    for name, source in found.usable.items():
        old = before.usable.get(name)
        if (old is None or old.mapping.version != source.mapping.version) and source.since:
            event("mapping.in_force", mapping=name, version=source.mapping.version, since=instant(source.since))
    known = {**before.broken, **before.waiting}
    for name, broken in {**found.broken, **found.waiting}.items():
        if name not in known or known[name].problems != broken.problems:
            _complain(name, broken, found)


def _complain(name: str, broken: Broken, found: Sources) -> None:
    stays = found.usable[name].mapping.version if name in found.usable else None
    for problem in broken.problems:
        event("mapping.broken", level=logging.ERROR, problem=problem.splitlines()[0], stays_in_force=stays)
