"""The store of the API in both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.store import Store

from .keys_contract import KeysContract


class TestKeysInSQLite(KeysContract):
    """Every promise to the API."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"


class TestKeysInPostgreSQL(KeysContract):
    """The same where other machines ask too."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


@pytest.mark.parametrize(("name", "column"), [("api_keys", "revoked_at"), ("api_asked", "until")])
def test_what_the_purge_looks_for_has_an_index(store: Store, name: str, column: str) -> None:
    with store._database.reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT * FROM {name} WHERE {column} < 1").all()
    assert f"{name}_" in str(rows)


def test_a_page_is_read_in_the_order_of_the_ids_and_no_further(store: Store) -> None:
    with store._database.reading() as connection:
        asked = "SELECT * FROM deliveries WHERE id < 'x' AND id >= 'a' ORDER BY id DESC LIMIT 50"
        (row,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all()
    assert "SEARCH deliveries USING INDEX" in str(row)
