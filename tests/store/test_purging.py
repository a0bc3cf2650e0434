"""What is taken up again while the purge runs stays: only in PostgreSQL can both be under way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from sample import CALLBACK, NOW, SECOND, delivery

from adapter.store import Store

from .contract import keep

LATER = NOW + timedelta(days=40)
TAKEN_UP = {
    "a delivery that is sent again": ("deliveries", "state = 'queued'"),
    "a key that stands for a new event": ("once", f"until = {int((LATER + SECOND).timestamp() * 1_000_000)}"),
    "a mark of somebody who was just called": ("marks", f"at = {int(LATER.timestamp() * 1_000_000)}"),
}
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE%'"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """A store with today's tables."""
    with closing(Store(postgres_url)) as store:
        store.upgrade()
        yield store


def purge_meanwhile(store: Store, url: str, statement: str) -> None:
    """Purge while another transaction has done this, and is committed only when the purge waits for it."""
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(url) as connection,
        psycopg.connect(url, autocommit=True) as looking,
    ):
        connection.execute(statement.encode())
        purged = pool.submit(store.purge, before=LATER - timedelta(days=30), now=LATER)
        deadline = time.monotonic() + 60
        while looking.execute(WAITS).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        connection.commit()
        purged.result()


@pytest.mark.parametrize(("table", "change"), TAKEN_UP.values(), ids=list(TAKEN_UP))
def test_what_is_taken_up_again_while_the_purge_runs_stays(
    store: Store, postgres_url: str, table: str, change: str
) -> None:
    keep(store, delivery(CALLBACK, state="refused", terms={"quiet": 60.0, "numbers": ["a hash"]}))
    with psycopg.connect(postgres_url) as connection:
        if table == "marks":
            values = (b"quiet a hash", b"d1", int(NOW.timestamp() * 1_000_000), 0)
            connection.execute(b"DELETE FROM marks")
            connection.execute(b"INSERT INTO marks VALUES (%s, %s, %s, %s)", values)
    purge_meanwhile(store, postgres_url, f"UPDATE {table} SET {change}")
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (1,)
