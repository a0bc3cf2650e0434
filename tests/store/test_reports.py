"""Reports in both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reports_contract import ReportsContract


class TestReportsInSQLite(ReportsContract):
    """Every promise about reports."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"


class TestReportsInPostgreSQL(ReportsContract):
    """The same where other machines take reports too."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url
