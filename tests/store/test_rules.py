"""Our rules in both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from adapter.store import Store, migrate
from adapter.store.engine import Database

from .rules_contract import RulesContract


class TestRulesInSQLite(RulesContract):
    """Every promise about numbers, agents and tenants."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"


class TestRulesInPostgreSQL(RulesContract):
    """The same where other machines ask too."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


def test_who_was_on_the_list_before_it_knew_tenants_is_on_the_list_of_all(any_url: str) -> None:
    database, config = Database(any_url), migrate._config()
    before = ScriptDirectory.from_config(config).get_revision("0008").down_revision
    with database.writing() as connection:
        database.own.alone(connection, "upgrade", wait=True)
        config.attributes["connection"] = connection
        command.upgrade(config, str(before))
        connection.execute(
            text("INSERT INTO blocked (number, key_id, reason, who, at) VALUES ('h', 'k', 'no', 'Pat', 1)")
        )
    database.close()
    store = Store(any_url)
    store.upgrade()
    (found,) = store.rules.blocked()
    assert (found["number"], found["tenant"], found["key_id"], found["who"]) == ("h", "", "k", "Pat")
    store.close()
