"""What senders are to be told: noted in the transaction that settles a delivery, so that no end is forgotten."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, insert, select

from adapter.hosts import origin
from adapter.model import Delivery
from adapter.store.statements import Prepared
from adapter.store.tables import reports

r = reports.c
GIVEN = ("delivery_id", "state", "reason", "policy", "at", "host", "due_at")
_number = select(func.coalesce(func.max(r.number), 0) + 1).where(r.delivery_id == bindparam("this")).scalar_subquery()
NOTE = Prepared(
    insert(reports).inline().values(number=_number, tries=0, status=None, said="", result="pending"), columns=GIVEN
)
"""Numbered by the store: a delivery that is sent again comes to an end again."""


def note(connection: Connection, delivery: Delivery) -> None:
    """Note that a delivery is to be reported as it is now, if its mapping asked for that when it came."""
    asked = delivery.terms.get("report")
    if not asked or delivery.state not in asked["when"]:
        return
    row = {
        "this": delivery.id,
        "delivery_id": delivery.id,
        "state": delivery.state,
        "reason": delivery.reason,
        "policy": delivery.policy,
        "at": delivery.updated_at,
        "host": origin(asked["to"]),
        "due_at": delivery.updated_at,
    }
    NOTE.run(connection, row)
