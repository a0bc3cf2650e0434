"""SQLite: one writer at a time, one machine, a commit on disk before it counts."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from adapter.store import owned
from adapter.store.dialect import Bell, Clock
from adapter.store.shared import Turns

BUSY_SECONDS = 5.0
SYNCHRONOUS_FULL = 2
OF_THE_FILE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB)
MOVED = "its file was moved, removed or replaced while it was in use: put it back, or restart to use what is there now"
RETRY_SECONDS = 0.001
"""How soon a lock that another process holds is asked for again; it is held for about as long."""


def connect(url: str, *, connections: int = 40) -> Engine:
    """An engine for `sqlite:///FILE`; WAL with synchronous=FULL, so a commit has reached the disk."""
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=10,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare)
    return engine


def _make_private(dialect: Any, record: Any, given: list[Any], named: dict[str, Any]) -> None:
    """A file that is not there yet is made for its owner alone: it will hold names and numbers."""
    with contextlib.suppress(OSError):  # SQLite says what is wrong
        if not given[0].startswith("file:"):
            owned.make(Path(given[0]))


def _prepare(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `writing`, not by the driver
    _insist(connection, "PRAGMA journal_mode=WAL")
    # Every checkpoint makes one click wait for a few milliseconds: with 4,000 pages it is one in 200, not in 40.
    for pragma in ("synchronous=FULL", "wal_autocheckpoint=4000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()


def _insist(opened: sqlite3.Connection, statement: str) -> None:
    """Execute what needs a lock that other processes hold for moments.

    SQLite's own waiting sleeps longer every time, and finds the lock taken by a process that asks more often; for
    the lock under which a new file becomes one that is written ahead it does not wait at all.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            opened.execute(statement).close()
        except sqlite3.OperationalError as exc:
            kind = exc.sqlite_errorcode & 0xFF  # without what kind of busy it is
            if kind != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from every other that bears its name, before and after; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection below one of SQLAlchemy's."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


@contextmanager
def _anew_when_mended(close: Callable[[], None]) -> Iterator[None]:
    """Give connections back when the file is at fault: they go by how it was when they were opened."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as exc:
        code = getattr(getattr(exc, "orig", exc), "sqlite_errorcode", sqlite3.SQLITE_OK)
        if code & 0xFF in OF_THE_FILE:
            close()
        raise


class SQLite:
    """A file of this machine; see `dialect.Database`."""

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    far = False
    pauses = 4.0
    outrun: tuple[type[Exception], ...] = ()

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self._file = Path(str(self.engine.url.database)).absolute()
        self._opened: tuple[int, int] | None = None
        self._turns = Turns(self._begin, patience=BUSY_SECONDS)
        self._writer: Connection | None = None
        self._at_once = True

    @contextmanager
    def writing(self, *, at_once: bool = True) -> Iterator[Connection]:
        """One transaction, committed when the block ends; writers of this process queue here, not at the file.

        They share a connection, for SQLite forgets what it has read of the file when another connection has written.
        A commit that need not be on disk at once is written like any other, and gets there with the next that must.
        """
        with _anew_when_mended(self.close), self._turns.taken(self._connected, at_once=at_once):
            assert self._writer is not None
            yield self._writer

    def _begin(self, opened: sqlite3.Connection, at_once: bool) -> None:
        """Raises what SQLite would not: it goes on writing to a file that nobody will ever open again."""
        if _identity(self._file) != self._opened:
            raise sqlite3.OperationalError(MOVED)
        if at_once is not self._at_once:
            opened.execute(f"PRAGMA synchronous={'FULL' if at_once else 'NORMAL'}").close()
            self._at_once = at_once
        _insist(opened, "BEGIN IMMEDIATE")  # takes the lock for writing at once instead of half-way

    def _connected(self) -> sqlite3.Connection:
        """A connection which SQLAlchemy takes to be in one transaction for good: the true ones are the driver's."""
        self._writer = self.engine.connect()
        self._opened = _identity(self._file)
        self._writer.begin()
        opened = driver(self._writer)
        opened.execute("PRAGMA busy_timeout=0")  # `_insist` waits
        return opened

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Statements that only read, outside any transaction."""
        with _anew_when_mended(self.engine.dispose), self.engine.connect() as connection:
            yield connection

    def touch(self, connection: Connection) -> None:
        """One page, that of the file's head, with the number in it that is there for programs and that we leave 0."""
        opened = driver(connection)
        (number,) = opened.execute("PRAGMA user_version").fetchone()
        opened.execute(f"PRAGMA user_version={number}").close()

    def alone(self, connection: Connection, work: str, *, wait: bool = False) -> bool:
        """True: who writes is alone."""
        return True

    def unsafe(self, connection: Connection) -> list[str]:
        """A file that cannot be written ahead lies where that cannot be done, on a network share say."""
        kept = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        return [] if kept == ["wal", SYNCHRONOUS_FULL] else [f"journal_mode is {kept[0]}, synchronous {kept[1]}"]

    def overwrite(self, connection: Connection) -> None:
        """Zeros instead of free space that still tells what stood there."""
        driver(connection).execute("PRAGMA secure_delete=ON").close()

    def clock(self, clock: Clock) -> Clock:
        """The machine's own."""
        return clock

    def bell(self) -> Bell:
        """A bell nobody rings: looking at the file again and again costs less than telling other processes."""
        return Bell()

    def ring(self) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Give all connections back."""
        self._turns.close(self._forget)
        self.engine.dispose()

    def _forget(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer, self._at_once = None, True
