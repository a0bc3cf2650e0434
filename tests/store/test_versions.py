"""The history of mappings in both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.store import Store

from .versions_contract import VersionsContract


class TestSQLite(VersionsContract):
    """Every promise about versions."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"


class TestPostgreSQL(VersionsContract):
    """The same where other machines ask too."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


@pytest.mark.parametrize("name", ["mapping_versions", "shadow_counts"])
def test_what_the_purge_looks_for_has_an_index(store: Store, name: str) -> None:
    column = {"mapping_versions": "since", "shadow_counts": "last_at"}[name]
    with store._database.reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT * FROM {name} WHERE {column} < 1").all()
    assert f"{name}_" in str(rows)
