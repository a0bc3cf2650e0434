"""What differs between SQLite and PostgreSQL, and nothing else, as one object each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Protocol

from sqlalchemy import Connection, Engine

Clock = Callable[[], datetime]


class Bell:
    """What a dispatcher waits at when it finds nothing to do; here nobody rings but the process itself."""

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()  # the one queue that a signal handler may put into

    def ring(self) -> None:
        """Wake whoever waits, or will wait next; may be called by a signal handler."""
        self._rings.put(None)

    def wait(self, seconds: float) -> None:
        """Wait for a ring, at most so long; many rings count as one."""
        with contextlib.suppress(Empty):
            self._rings.get(timeout=seconds)
            while True:
                self._rings.get_nowait()

    def close(self) -> None:
        """Wait no longer."""


class Database(Protocol):
    """A database as the store needs it; every way to it may raise `errors` and those of SQLAlchemy."""

    engine: Engine
    errors: tuple[type[Exception], ...]
    far: bool
    """Whether a statement is a journey to another process: then one that does more is better than several."""
    pauses: float
    """So many times as long as a bite of a purge took, all others have the store for themselves."""
    outrun: tuple[type[Exception], ...]
    """What `swift.add` raises when another was first."""

    def writing(self, *, at_once: bool = True) -> AbstractContextManager[Connection]:
        """One transaction, on disk when the block ends, or if not `at_once`, when it pleases: see `Store.save`."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Statements of which each is a transaction by itself, and sees what is committed by then."""

    def touch(self, connection: Connection) -> None:
        """Change nothing, and yet take the room that a write takes, where a transaction without changes needs none."""

    def alone(self, connection: Connection, work: str, *, wait: bool = False) -> bool:
        """Be the only one, on all machines, at this kind of work until the transaction ends; False when another is."""

    def unsafe(self, connection: Connection) -> list[str]:
        """What a power cut could take a commit by, in words; nothing when it cannot."""

    def overwrite(self, connection: Connection) -> None:
        """Have what is removed from now on overwritten where it stood, as far as the database can do so at once."""

    def clock(self, clock: Clock) -> Clock:
        """The clock that all who share this database go by."""

    def bell(self) -> Bell:
        """A bell that rings when somebody, on whatever machine, has put work into the queue."""

    def ring(self) -> None:
        """Ring every bell."""

    def close(self) -> None:
        """Give all connections back."""
