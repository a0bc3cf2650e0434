"""Connections and transactions: one writer at a time on SQLite, every commit on disk before it counts."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from adapter.errors import StoreError

BUSY_SECONDS = 5.0


def connect(url: str, *, connections: int = 40) -> Engine:
    """An engine for `sqlite:///FILE`; WAL with synchronous=FULL, so a commit has reached the disk."""
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=10,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that will write takes the lock at once instead of failing half-way.
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Database:
    """An engine with the two ways to use it; every error of the driver becomes `StoreError`."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self._reader = self.engine.execution_options(reading=True)
        self._turn = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed when the block ends; writers of this process queue here, not at the file."""
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise StoreError("the store is busy")
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise _store_error(exc) from exc
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Statements that only read, outside any transaction."""
        try:
            with self._reader.connect() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise _store_error(exc) from exc

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _store_error(exc: SQLAlchemyError) -> StoreError:
    said = str(getattr(exc, "orig", None) or exc).splitlines()[0]
    return StoreError(f"the store cannot be used: {said[:200]}")
