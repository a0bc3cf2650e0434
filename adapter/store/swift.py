"""The everyday writes as one statement each: one journey to a server instead of four or five."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, bindparam, exists, insert, select
from sqlalchemy.sql.elements import BindParameter

from adapter.model import Attempt, Delivery
from adapter.policy import Verdict
from adapter.store.queue import MOVED, NEXT_NUMBER, moving
from adapter.store.statements import Prepared
from adapter.store.tables import attempts

TRIED = (*Attempt.__slots__,)


def _given(column: Column[Any]) -> BindParameter[Any]:
    """The value of a column, under a name that no other part of the statement uses."""
    return bindparam(f"{column.table.name} {column.name}", type_=column.type)


_moved = MOVED.cte("moved")
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
    """Keep what came of a claimed delivery and its one try; False when the claim was lost, and nothing is kept."""
    tried = {f"attempts {name}": getattr(made, name) for name in TRIED}
    values = {**moving(delivery, verdict, tries=delivery.tries + 1, now=now), **tried}
    return bool(SAVE.rows(connection, {**values, "attempts delivery_id": delivery.id}))
