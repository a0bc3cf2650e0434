"""Our rules in both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

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
