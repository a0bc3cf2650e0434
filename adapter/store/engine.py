"""The database behind an address; every error of SQLAlchemy and of the driver becomes `StoreError`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from adapter.errors import StoreError
from adapter.store import dialect, location
from adapter.store.location import POSTGRES
from adapter.store.sqlite import SQLite
from adapter.store.statements import Prepared

__all__ = ["Database", "Prepared"]


def connected(url: str) -> dialect.Database:
    """The database of an address; nothing is opened yet. PostgreSQL's driver is loaded only when it is wanted."""
    if not url.startswith(POSTGRES):
        return SQLite(url)
    try:
        found: dialect.Database = importlib.import_module("adapter.store.postgres").PostgreSQL(url)
    except ImportError as exc:
        raise StoreError("PostgreSQL needs psycopg: pip install 'xima-crm-adapter[postgres]'") from exc
    return found


class Database:
    """A database and the two ways to use it."""

    def __init__(self, url: str) -> None:
        self.own = connected(url)
        self._at = location.shown(url).removeprefix("sqlite:///")
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError, *self.own.errors)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine."""
        return self.own.engine

    @contextmanager
    def writing(self, *, at_once: bool = True) -> Iterator[Connection]:
        """One transaction, on disk when the block ends and undone when something is raised.

        If not `at_once`, a power cut may take it back as long as nothing was written at once after it.
        """
        try:
            with self.own.writing(at_once=at_once) as connection:
                yield connection
        except self._errors as exc:
            raise _store_error(exc, self._at) from exc

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Statements of which each is a transaction by itself; on SQLite, where writers take turns, they only read."""
        try:
            with self.own.reading() as connection:
                yield connection
        except self._errors as exc:
            raise _store_error(exc, self._at) from exc

    def close(self) -> None:
        """Give all connections back."""
        self.own.close()


def _store_error(exc: Exception, at: str) -> StoreError:
    said = (str(getattr(exc, "orig", None) or exc).splitlines() or [type(exc).__name__])[0][:200]
    remedy = f" ({at}: {WRITABLE})" if said in UNWRITABLE else ""
    return StoreError(f"the store cannot be used: {said}{remedy}")


UNWRITABLE = ("unable to open database file", "attempt to write a readonly database")
WRITABLE = "the user of the adapter must be let write the file and its folder; ADAPTER_DATABASE_URL names them"
