"""A store full of what ended long ago, written by the database itself: a million rows in about a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, Text, cast, func, insert, literal, select

from adapter.model import ClickToDial, Delivery
from adapter.store.engine import Database
from adapter.store.rows import row_of
from adapter.store.tables import attempts, deliveries, marks, once, requests
from benchmarks import bodies

AGE = timedelta(days=60)
BITE = 50_000
SPREAD, MODULUS = 2_654_435_761, 2**32
"""Turns numbers that follow each other into such that do not: keys and marks come in no order."""


def fill(database: Database, count: int) -> None:
    """Put so many finished deliveries in, each with its request, attempt, key and mark."""
    for first in range(0, count, BITE):
        with database.writing() as connection:
            for table, values in _tables(first, min(first + BITE, count)):
                _insert(connection, table, values)
    if database.own.far:
        with database.reading() as connection:
            connection.exec_driver_sql("ANALYZE")


def left(database: Database) -> int:
    """How many of them are there."""
    with database.reading() as connection:
        asked = select(func.count()).select_from(deliveries).where(deliveries.c.id.startswith("old-"))
        return int(connection.execute(asked).scalar_one())


Values = dict[str, Any]


def _tables(first: int, last: int) -> list[tuple[Table, tuple[Select[Any], Values]]]:
    """For each table where its rows come from and their values, column by column."""
    numbers = select(literal(first, BigInteger).label("i")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.i + 1).where(numbers.c.i < last - 1))
    number = numbers.c.i
    text, mixed = cast(number + 10_000_000, Text), cast((number * SPREAD) % MODULUS, Text)
    this, of = literal("old-") + text, literal("from-") + text
    then = datetime.now(UTC) - AGE
    rows: list[tuple[Table, Values]] = [
        (requests, {**_request(then), "id": of}),
        (deliveries, {**row_of(_delivery(then)), "id": this, "request_id": of, "key": mixed}),
        (attempts, {**_attempt(then), "delivery_id": this}),
        (once, {"mapping": "bench", "key": mixed, "delivery_id": this, "until": then + timedelta(days=1)}),
        (marks, {"mark": literal("number ") + mixed, "delivery_id": this, "at": then, "count": 1}),
    ]
    return [(table, (select(number), values)) for table, values in rows]


def _insert(connection: Connection, table: Table, source: tuple[Select[Any], Values]) -> None:
    numbers, values = source
    typed = [_typed(table, name, value).label(name) for name, value in values.items()]
    connection.execute(insert(table).from_select(list(values), numbers.with_only_columns(*typed)))


def _typed(table: Table, name: str, value: Any) -> ColumnElement[Any]:
    return value if isinstance(value, ColumnElement) else literal(value, table.c[name].type)


def _request(then: datetime) -> Values:
    return {
        "mapping": "bench",
        "version": "1",
        "received_at": then,
        "method": "POST",
        "url": "https://hooks.example.com/hooks/bench",
        "headers": {"content-type": "application/json", "user-agent": "HubSpot"},
        "body": bodies.body("click", 0),
        "results": [{"rule": "click", "delivery": "d1", "duplicate": False}],
    }


def _attempt(then: datetime) -> Values:
    return {"number": 1, "at": then, "phase": "answered", "status": 204, "reason": "", "duration_ms": 40}


def _delivery(then: datetime) -> Delivery:
    return Delivery(
        id="",
        request_id="",
        mapping="bench",
        version="1",
        rule="click",
        tenant="default",
        action=ClickToDial(agent="0101", number_to_dial=bodies.phone(1)),
        key="",
        state="accepted",
        reason="",
        deliver="now",
        if_unknown="ask",
        terms={"fresh_for": 600.0},
        created_at=then,
        updated_at=then,
        due_at=then,
        expires_at=then + timedelta(minutes=10),
    )
