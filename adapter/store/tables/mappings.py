"""What is kept of mappings."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from adapter.store.kinds import Json, Moment
from adapter.store.tables.base import metadata

mapping_versions = Table(
    "mapping_versions",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("file", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("beside", Json, nullable=False),
    PrimaryKeyConstraint("mapping", "number"),
    Index("mapping_versions_since", "since"),
)
"""Every version of a mapping that was in force, with the texts it is made of; an empty version: it was removed."""

shadow_counts = Table(
    "shadow_counts",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("shadow", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("examples", Json, nullable=False),
    PrimaryKeyConstraint("mapping", "shadow", "version", "kind"),
    Index("shadow_counts_last", "last_at"),
)
"""What a version under trial (`shadow`) made of records otherwise than the version in force, counted by kind."""
