"""The tables; `migrations` builds the same, and a test compares the two."""

from __future__ import annotations

from adapter.store.tables.base import metadata
from adapter.store.tables.events import (
    QUEUED,
    acts,
    attempts,
    deliveries,
    once,
    outcomes,
    refusals,
    reports,
    requests,
    seen,
)
from adapter.store.tables.mappings import mapping_versions, shadow_counts
from adapter.store.tables.rules import api_asked, api_keys, blocked, gates, marks

__all__ = [
    "QUEUED",
    "acts",
    "api_asked",
    "api_keys",
    "attempts",
    "blocked",
    "deliveries",
    "gates",
    "mapping_versions",
    "marks",
    "metadata",
    "once",
    "outcomes",
    "refusals",
    "reports",
    "requests",
    "seen",
    "shadow_counts",
]
