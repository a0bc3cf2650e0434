"""The store in PostgreSQL: the contract of every store, and what only a server can do wrong."""

from __future__ import annotations

import pytest

from .contract import StoreContract


class TestPostgreSQL(StoreContract):
    """Every promise of a store."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url
