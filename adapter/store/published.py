"""The part of a store that is about mappings: their versions, and what those on trial made of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.store import trials, versions
from adapter.store.engine import Database
from adapter.store.trials import Trial
from adapter.store.versions import Version


class Published:
    """Each method is one transaction and raises `StoreError` when it fails."""

    _database: Database

    def in_force(self) -> dict[str, Version]:
        """The last version of every mapping, by its name; one without a `version` was removed."""
        with self._database.reading() as connection:
            return versions.in_force(connection)

    def publish(self, version: Version) -> Version:
        """Keep a version that comes into force, unless it is in force already; gives what is kept."""
        with self._database.writing() as connection:
            return versions.publish(connection, version)

    def history(self, mapping: str) -> list[Version]:
        """Every version of a mapping that was in force, the latest first."""
        with self._database.reading() as connection:
            return versions.history(connection, mapping)

    def requests_of(self, mapping: str, *, most: int) -> list[str]:
        """The ids of a mapping's latest requests, the latest first."""
        with self._database.reading() as connection:
            return trials.requests_of(connection, mapping, most=most)

    def count_trials(self, seen: Sequence[Trial]) -> None:
        """Count what versions under trial made of records."""
        with self._database.writing() as connection:
            trials.count(connection, seen)

    def trials(self, mapping: str) -> list[Mapping[str, Any]]:
        """What was counted for versions of a mapping under trial, the latest first."""
        with self._database.reading() as connection:
            return trials.counted(connection, mapping)
