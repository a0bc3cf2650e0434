"""The everyday writes as one statement each: one journey to a server instead of four, or of ten.

What is not everyday they leave as it is, and the long way is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.elements import BindParameter

from adapter.model import WAITING, Attempt, Delivery
from adapter.policy import Facts, Verdict, judge
from adapter.policy import marks as marks_of
from adapter.store import gates
from adapter.store.arrivals import Arrival, Entry, Kept, request_row
from adapter.store.queue import MOVED, NEXT_NUMBER, moving
from adapter.store.rows import row_of
from adapter.store.statements import Prepared, upsert
from adapter.store.tables import attempts, blocked, deliveries, marks, once, requests

TRIED = (*Attempt.__slots__,)


def _given(column: Column[Any], which: int | str = "") -> BindParameter[Any]:
    """The value of a column, under a name that no other part of the statement uses."""
    return bindparam(f"{column.table.name}{which} {column.name}", type_=column.type)


# what came of a delivery

_moved = MOVED.where(~gates.IN_TROUBLE).cte("moved")
_tried = (
    insert(attempts)
    .from_select(
        ("delivery_id", "number", *TRIED),
        select(_given(attempts.c.delivery_id), NEXT_NUMBER, *(_given(attempts.c[name]) for name in TRIED)).where(
            exists(select(_moved.c.id))
        ),
    )
    .cte("tried")
)
SAVE = Prepared(select(_moved.c.id).add_cte(_tried))


def save(connection: Connection, delivery: Delivery, verdict: Verdict, made: Attempt, *, now: datetime) -> bool:
    """Keep what came of a claimed delivery and its one try.

    False, and nothing is kept, when the claim was lost, or there is something to say about the tenant's gate.
    """
    tried = {f"attempts {name}": getattr(made, name) for name in TRIED}
    values = {**moving(delivery, verdict, tries=delivery.tries + 1, now=now), **tried}
    return bool(SAVE.rows(connection, {**values, "attempts delivery_id": delivery.id, "tenant": delivery.tenant}))


# what arrives


def add(connection: Connection, arrival: Arrival, entries: Sequence[Entry]) -> list[Kept | None]:
    """Keep a request with one new delivery that nothing stands against, as `arrivals.add` would.

    Gives nothing, and keeps nothing, when anything does: its key or a mark of its number is there, the number is on
    the do-not-call list, its tenant's gate has a story. Raises the driver's error of a division by zero when another
    request was first with the key or a mark at this very moment.
    """
    wanted = [entry for entry in entries if entry.delivery]
    values = _values(wanted[0], now=arrival.received_at) if len(wanted) == 1 else None
    if values is None:
        return []
    kept = [Kept(delivery=entry.delivery, duplicate=False) if entry.delivery else None for entry in entries]
    row = {f"requests {name}": value for name, value in request_row(arrival, entries, kept).items()}
    taken, numbers = (sum(name.endswith(end) for name in values) for end in (" mark", " number"))
    return kept if _adding(taken, numbers).rows(connection, {**values, **row}) else []


def _values(entry: Entry, *, now: datetime) -> dict[str, Any] | None:
    """The parameters of `_adding` but for the request's; None when more must be known than that all is well."""
    delivery = entry.delivery
    assert delivery is not None
    mine = marks_of(delivery)
    if delivery.state not in WAITING or mine.line or not {"per_minute", "report"}.isdisjoint(delivery.terms):
        return None
    if judge(delivery, Facts(), now=now):
        return None
    key = {"mapping": delivery.mapping, "key": delivery.key, "delivery_id": delivery.id, "until": entry.remember_until}
    values = {"tenant": delivery.tenant, **_named("deliveries", row_of(delivery)), **_named("once", key)}
    for place, number in enumerate(delivery.terms.get("numbers", ())):
        values[f"blocked{place} number"] = number
    for place, (mark, count) in enumerate(sorted((name, n) for name, n in ((mine.quiet, 0), (mine.day, 1)) if name)):
        taken = {"mark": mark, "delivery_id": delivery.id, "at": now, "count": count}
        values |= _named(f"marks{place}", taken)
    return values


def _named(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as parameters, see `_given`."""
    return {f"{table} {name}": value for name, value in row.items()}


@cache
def _adding(taken: int, numbers: int) -> Prepared:
    """A delivery with so many marks and hashes of its number, its request, and what is remembered of them.

    Each step is done if the one before it was: first the marks in their order, then the key, as they are locked by
    whoever goes the long way. What others did since it was seen that all is well is met as a row that is there
    already; of that the division by zero makes an error, which undoes the rest and tells the server's log of nobody.
    """
    well = step = select(literal_column("1").label("one")).where(_all_is_well(taken, numbers)).cte("well")
    for place in range(taken):
        step = _step(marks, step, place)
    key = _step(once, step)
    rows = (_row(table, key).cte(f"new_{table.name}") for table in (deliveries, requests))
    kept = select(func.count()).select_from(key).scalar_subquery()
    done = select((literal_column("1") / kept).label("done")).select_from(well)
    return Prepared(done.add_cte(*rows))


def _step(table: Table, before: CTE, which: int | str = "") -> CTE:
    """Insert a row unless it is there, if the step before did so."""
    key = next(iter(table.primary_key.columns))
    return _row(table, before, which).on_conflict_do_nothing().returning(key).cte(f"new_{table.name}{which}")


def _row(table: Table, before: CTE, which: int | str = "") -> Insert:
    """Insert a row if the step before was done."""
    row = select(*(_given(column, which) for column in table.columns)).select_from(before)
    return upsert(table).from_select([column.name for column in table.columns], row)


def _all_is_well(taken: int, numbers: int) -> ColumnElement[bool]:
    names = [_given(marks.c.mark, place) for place in range(taken)]
    hashes = [_given(blocked.c.number, place) for place in range(numbers)]
    theirs = blocked.c.tenant.in_((gates.ALL, bindparam("tenant")))
    return ~or_(
        exists().where(once.c.mapping == _given(once.c.mapping), once.c.key == _given(once.c.key)),
        gates.IN_TROUBLE,
        *([exists().where(marks.c.mark.in_(names))] if names else []),
        *([exists().where(blocked.c.number.in_(hashes), theirs)] if hashes else []),
    )
