"""Statements for both databases, compiled once for each and run on the driver itself where every request needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, UpdateBase
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["Prepared", "likely", "upsert"]
Convert = Callable[[Any], Any]
# `upsert` is PostgreSQL's insert: SQLite took its ON CONFLICT over, and SQLAlchemy compiles it for either.


class likely(FunctionElement[bool]):
    """A condition that may hold for nearly all rows; SQLite takes it for a rare one, and looks for its rows first.

    See https://sqlite.org/lang_corefunc.html#likely
    """

    inherit_cache = True


@compiles(likely)
def _as_it_is(given: likely, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(given.clauses, **more)


@compiles(likely, "sqlite")
def _for_sqlite(given: likely, compiler: SQLCompiler, **more: Any) -> str:
    return f"likely({compiler.process(given.clauses, **more)})"


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one driver wants it; `order` names its parameters and what makes them fit, `given` its columns."""

    text: str
    fixed: Mapping[str, Any]
    order: Sequence[tuple[str, Convert | None]]
    given: Sequence[tuple[str, Convert | None]]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        given = {**self.fixed, **values} if self.fixed else values
        return [convert(given[name]) if convert else given[name] for name, convert in self.order]

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        pairs = zip(self.given, values, strict=True)
        return {name: convert(value) if convert else value for (name, convert), value in pairs}


class Prepared:
    """A statement of SQLAlchemy's, compiled once, that runs on the driver itself; for what every request does.

    Executed by SQLAlchemy, such a statement costs four times what SQLite takes for it. psycopg prepares by itself
    at the server what comes again and again with the same text.
    """

    def __init__(self, statement: Select[Any] | UpdateBase, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Execute it with these values, of which it takes those it knows; raises the driver's errors."""
        compiled = self._for(connection.dialect)
        _driver(connection).execute(compiled.text, compiled.parameters(values))

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Execute it, and give its rows by the names of the columns; raises the driver's errors."""
        compiled = self._for(connection.dialect)
        ran = _driver(connection).execute(compiled.text, compiled.parameters(values))
        return [compiled.row(values) for values in ran.fetchall()]

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
            given=[
                (column.name, column.type.dialect_impl(dialect).result_processor(dialect, None))
                for column in self._statement.exported_columns
            ],
        )


def _driver(connection: Connection) -> Any:
    """The driver's own connection below one of SQLAlchemy's; both drivers have `execute` and `cursor`."""
    return connection.connection.driver_connection
