"""The history of mappings: every version that was in force, since when, and the texts it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from adapter.store.tables import mapping_versions

KEPT = timedelta(days=365)
"""A version stays this long after it was replaced; the one in force stays for good."""

v = mapping_versions.c
_OTHER = mapping_versions.alias()
_LAST = select(func.max(_OTHER.c.number)).where(_OTHER.c.mapping == v.mapping).correlate(mapping_versions)


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A version of a mapping and the moment it came into force; without a `version`: its file was removed then.

    `beside` holds the texts of its tables by the names of their files; `number` counts a mapping's versions from 1.
    """

    mapping: str
    version: str
    since: datetime
    file: str
    content: str = field(default="", repr=False)
    beside: Mapping[str, str] = field(default_factory=dict, repr=False)
    number: int = 0


def in_force(connection: Connection) -> dict[str, Version]:
    """The last version of every mapping, by its name."""
    rows = connection.execute(select(mapping_versions).where(v.number == _LAST.scalar_subquery()))
    return {row.mapping: _version(row) for row in rows}


def publish(connection: Connection, new: Version) -> Version:
    """Keep a version that comes into force; one that is in force already stays as it was kept."""
    asked = select(mapping_versions).where(v.mapping == new.mapping).order_by(v.number.desc()).limit(1)
    last = connection.execute(asked).first()
    if last is not None and last.version == new.version:
        return _version(last)
    kept = replace(new, number=last.number + 1 if last is not None else 1)
    connection.execute(insert(mapping_versions), {name: getattr(kept, name) for name in Version.__slots__})
    return kept


def history(connection: Connection, mapping: str) -> list[Version]:
    """All versions of a mapping, the latest first."""
    rows = connection.execute(select(mapping_versions).where(v.mapping == mapping).order_by(v.number.desc()))
    return [_version(row) for row in rows]


def replaced(now: datetime) -> ColumnElement[bool]:
    """Whether a version was replaced longer than `KEPT` ago, by another that came into force before that too."""
    later = _OTHER.c
    by = select(later.number).where(later.mapping == v.mapping, later.number > v.number, later.since < now - KEPT)
    return by.correlate(mapping_versions).exists()


def _version(row: Row[Any]) -> Version:
    return Version(**row._mapping)
