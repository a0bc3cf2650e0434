"""What a version under trial beside the one in force makes of records, counted; and the requests to try one on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from adapter.store.tables import requests, shadow_counts

MOST_EXAMPLES = 20
"""Examples kept of a kind of difference; the count goes on."""

s = shadow_counts.c
KEY = ("mapping", "shadow", "version", "kind")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One record seen by the version in force and by the one under trial; an `example` when they differ."""

    mapping: str
    shadow: str
    version: str
    kind: str
    at: datetime
    example: Mapping[str, Any] | None = None


def count(connection: Connection, seen: Sequence[Trial]) -> None:
    """Add records to their counts: one statement a count, however many records there are."""
    together: dict[tuple[str, ...], list[Trial]] = {}
    for one in seen:
        together.setdefault(tuple(getattr(one, name) for name in KEY), []).append(one)
    for key, many in together.items():
        _add(connection, dict(zip(KEY, key, strict=True)), many)


def _add(connection: Connection, key: Mapping[str, str], many: Sequence[Trial]) -> None:
    this = [s[name] == value for name, value in key.items()]
    row = connection.execute(select(s.count.label("so_far"), s.examples).where(*this).with_for_update()).first()
    known = row.examples if row else []
    examples = [*known, *(one.example for one in many if one.example)][:MOST_EXAMPLES]
    values = {"last_at": max(one.at for one in many), "examples": examples}
    if row is None:
        fresh = {"first_at": min(one.at for one in many), "count": len(many)}
        connection.execute(insert(shadow_counts), {**key, **values, **fresh})
    else:
        connection.execute(update(shadow_counts).where(*this).values(count=row.so_far + len(many), **values))


def counted(connection: Connection, mapping: str) -> list[Mapping[str, Any]]:
    """The counts of a mapping's versions under trial, the latest first."""
    asked = select(shadow_counts).where(s.mapping == mapping).order_by(s.last_at.desc(), s.count.desc(), s.kind)
    return [dict(row._mapping) for row in connection.execute(asked)]


def requests_of(connection: Connection, mapping: str, *, most: int) -> list[str]:
    """The ids of a mapping's latest requests, the latest first."""
    r = requests.c
    asked = select(r.id).where(r.mapping == mapping).order_by(r.received_at.desc()).limit(most)
    return [row.id for row in connection.execute(asked)]
