"""Deliveries a page at a time, the newest first; what sorts them is their id, which begins with the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Text, select, type_coerce

from adapter.model import Delivery
from adapter.store.kinds import EPOCH
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import deliveries

d = deliveries.c
MILLISECOND = timedelta(milliseconds=1)
LATEST = (1 << 44) - 1
"""Milliseconds that eleven hexadecimal digits hold: the year 2527."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which deliveries: those that agree in everything that is given; `until` itself is not among them."""

    state: str = ""
    mapping: str = ""
    tenant: str = ""
    action: str = ""
    agent: str = ""
    since: datetime | None = None
    until: datetime | None = None


def id_at(moment: datetime, later: int = 0) -> str:
    """How the ids of a moment begin, or of some milliseconds later: eleven hexadecimal digits."""
    return f"{min(max((moment - EPOCH) // MILLISECOND + later, 0), LATEST):011x}"


def newest(connection: Connection, wanted: Wanted, *, most: int, below: str) -> list[Delivery]:
    """At most so many deliveries before that id, first the latest."""
    asked = select(*COLUMNS).where(*_conditions(wanted)).order_by(d.id.desc()).limit(most)
    if below:
        asked = asked.where(d.id < below)
    return [delivery_of(row) for row in connection.execute(asked)]


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    for name in ("state", "mapping", "tenant"):
        if value := getattr(wanted, name):
            yield d[name] == value
    written = type_coerce(d.action, Text)
    if wanted.action:
        yield written.startswith(f'["{wanted.action}",', autoescape=True)
    if wanted.agent:
        yield written.contains(f'"agent":"{wanted.agent}"', autoescape=True)
    if wanted.since:
        yield (d.id >= id_at(wanted.since)) & (d.created_at >= wanted.since)
    if wanted.until:  # up to its whole millisecond, for ids are no finer
        yield (d.id < id_at(wanted.until, 1)) & (d.created_at < wanted.until)
