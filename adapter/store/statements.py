"""Statements for both databases, compiled once for each and run on the driver itself where every request needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["Prepared", "upsert"]
# `upsert` is PostgreSQL's insert: SQLite took its ON CONFLICT over, and SQLAlchemy compiles it for either.


class Ran(Protocol):
    """What both drivers give for a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one driver wants it; `order` names its parameters and what makes them fit."""

    text: str
    fixed: Mapping[str, Any]
    order: Sequence[tuple[str, Callable[[Any], Any] | None]]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        given = {**self.fixed, **values} if self.fixed else values
        return [convert(given[name]) if convert else given[name] for name, convert in self.order]


class Prepared:
    """A statement of SQLAlchemy's, compiled once, that runs on the driver itself; for what every request does.

    Executed by SQLAlchemy, such a statement costs four times what SQLite takes for it. psycopg prepares by itself
    at the server what comes again and again with the same text.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Ran:
        """Execute it with these values, of which it takes those it knows; raises the driver's errors."""
        compiled = self._for(connection.dialect)
        ran: Ran = _driver(connection).execute(compiled.text, compiled.parameters(values))
        return ran

    def run_many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute it for every row, without waiting for one before the next; raises the driver's errors."""
        compiled = self._for(connection.dialect)
        _driver(connection).cursor().executemany(compiled.text, [compiled.parameters(row) for row in rows])

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiled, SQLCompiler)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        kinds = {name: bind.type.dialect_impl(dialect) for name, bind in binds.items()}
        return _Compiled(
            text=compiled.string,
            fixed={name: bind.value for name, bind in binds.items() if not bind.required},
            order=[(name, kinds[name].bind_processor(dialect)) for name in compiled.positiontup or ()],
        )


def _driver(connection: Connection) -> Any:
    """The driver's own connection below one of SQLAlchemy's; both drivers have `execute` and `cursor`."""
    return connection.connection.driver_connection
