"""Whether this process has been told to stop, and the signals that tell it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

STOPS = (signal.SIGTERM, signal.SIGINT)


class Halt:
    """True once it was asked for, by a signal handler at any moment.

    A handler must not set a `threading.Event`: it runs in the midst of what the main thread does, and waits for ever
    when that holds the event's lock. Only a `SimpleQueue` may be put into.
    """

    def __init__(self) -> None:
        self._asked = False
        self._asks: SimpleQueue[None] = SimpleQueue()

    def __bool__(self) -> bool:
        return self._asked

    def ask(self, *_: object) -> None:
        """Wake who waits; also a signal handler."""
        self._asked = True
        self._asks.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait until it is asked for, at most so long; whether it was."""
        if not self._asked:
            with suppress(Empty):
                self._asks.get(timeout=seconds)
        return self._asked


@contextmanager
def told() -> Iterator[Halt]:
    """What SIGTERM and SIGINT ask for within the block, which must be the main thread's."""
    halt = Halt()
    old = {number: signal.signal(number, halt.ask) for number in STOPS}
    try:
        yield halt
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
