"""Rows of the tables as values of the product, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from adapter.model import Attempt, Delivery
from adapter.store.tables import deliveries

NAMES = Delivery.columns()
COLUMNS = tuple(deliveries.c[name] for name in NAMES)
PRIORITY = {"click_to_dial": 0, "select_caller_id": 0, "callback": 1}
"""Who goes first when several are due: somebody waits for a click with a headset on."""
BACKLOG = 2
"""A callback that was held goes behind those of people who ask just now."""
PRIORITIES = tuple(sorted({*PRIORITY.values(), BACKLOG}))


def delivery_of(row: Row[Any]) -> Delivery:
    """The delivery in a row selected with `COLUMNS`."""
    return delivery_in(row._mapping)


def delivery_in(row: Mapping[Any, Any]) -> Delivery:
    """The delivery in the named values of a row."""
    return Delivery(**row)


def row_of(delivery: Delivery) -> dict[str, Any]:
    """The row of a delivery."""
    values = {name: getattr(delivery, name) for name in NAMES}
    return {**values, "priority": PRIORITY[delivery.action.kind]}


def attempt_of(row: Row[Any]) -> Attempt:
    """The attempt in a row."""
    return Attempt(at=row.at, phase=row.phase, status=row.status, reason=row.reason, duration_ms=row.duration_ms)
