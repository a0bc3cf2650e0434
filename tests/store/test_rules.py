"""Our rules in an SQLite file."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rules_contract import RulesContract


class TestRulesInSQLite(RulesContract):
    """Every promise about numbers, agents and tenants."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"
