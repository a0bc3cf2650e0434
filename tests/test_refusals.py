"""Refusals are counted in memory and told to the store at most once a second; nothing of a request is in them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running import until
from web.front import migrated

from adapter.errors import StoreError
from adapter.metrics import MOST_REASONS, OTHER
from adapter.refusals import Refusals
from adapter.store import Store

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)


class Counting(Store):
    """A store that counts how often it is written, and fails when it is told to."""

    written = 0
    broken = False
    free = threading.Event()

    def count_refusal(self, **given: object) -> None:
        """Count."""
        self.written += 1
        assert self.free.wait(60)
        if self.broken:
            raise StoreError("the disk is full")
        super().count_refusal(**given)  # type: ignore[arg-type] # handed through


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Counting]:
    (tmp_path / "adapter.db").write_bytes(migrated())
    made = Counting(f"sqlite:///{tmp_path / 'adapter.db'}")
    made.free.set()
    yield made
    made.close()


def count(refusals: Refusals, reason: str = "signature mismatch", times: int = 1) -> None:
    for _ in range(times):
        refusals.count(mapping="lead", code="unauthorized", reason=reason, now=NOW)


def test_a_flood_costs_a_commit_a_second_and_none_is_lost(store: Counting) -> None:
    refusals, begun = Refusals(store), time.monotonic()
    count(refusals)
    assert store.written == 1, "the first is told at once"
    count(refusals, times=499)
    until(lambda: store.refusals()[0]["count"] == 500)
    assert 2 <= store.written <= 2 + (time.monotonic() - begun), "nor more often where a machine takes its time"


def test_whoever_writes_at_once_leaves_nobody_who_writes_later(store: Counting) -> None:
    before, refusals = set(threading.enumerate()), Refusals(store, lambda: 0.0)
    count(refusals, times=2)
    (timer,) = set(threading.enumerate()) - before
    assert isinstance(timer, threading.Timer)
    refusals.write()
    assert timer.finished.is_set()
    assert (store.refusals()[0]["count"], store.written) == (2, 2)


def test_the_first_after_a_quiet_second_is_written_at_once(store: Counting) -> None:
    now = [0.0]
    refusals = Refusals(store, lambda: now[0])
    count(refusals)
    now[0] = 1.0
    count(refusals)
    assert store.refusals()[0]["count"] == 2


def test_what_the_store_cannot_take_is_told_with_the_next(store: Counting) -> None:
    now = [0.0]
    refusals = Refusals(store, lambda: now[0])
    store.broken = True
    count(refusals)
    store.broken, now[0] = False, 5.0
    count(refusals)
    assert store.refusals()[0]["count"] == 2


def test_who_writes_waits_for_what_is_just_being_written_and_who_counts_does_not(store: Counting) -> None:
    now = [0.0]
    refusals = Refusals(store, lambda: now[0])
    store.free.clear()
    first, last = threading.Thread(target=count, args=(refusals,)), threading.Thread(target=refusals.write)
    first.start()
    until(lambda: store.written == 1)
    last.start()
    now[0] = 5.0
    count(refusals)
    last.join(0.2)
    assert last.is_alive(), "a process that ends now would lose the first"
    store.free.set()
    for one in (first, last):
        one.join(60)
    until(lambda: store.refusals()[0]["count"] == 2)


def test_no_number_of_a_body_becomes_a_reason_and_strangers_cannot_make_endless_ones(store: Counting) -> None:
    refusals = Refusals(store)
    count(refusals, "the same key appears twice: 8015550142")
    for number in range(MOST_REASONS + 50):
        count(refusals, f"the same key appears twice: {number}")
    refusals.write()
    reasons = {one["reason"]: one["count"] for one in store.refusals(most=1000)}
    assert not any("8015550142" in reason for reason in reasons)
    assert len(reasons) == MOST_REASONS + 1
    assert reasons[OTHER] == 51
