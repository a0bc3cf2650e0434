"""The everyday writes in PostgreSQL: one statement does what the long way does, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sample import CALLBACK, NOW, SECOND, delivery
from sqlalchemy import select

from adapter.model import Attempt, Delivery, Evidence, State
from adapter.store import Entry, Store, arrivals, swift
from adapter.store.tables import metadata
from benchmarks.stage import until

from .contract import arrival, claim, entry, keep, to, tried
from .rules_contract import NUMBERS, asked, clicked

NOTE = Entry(note={"record": 1, "kind": "skip"})
TOLD: dict[str, Any] = {"report": {"to": "https://example.com/told", "when": ["queued"]}}


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """A store with today's tables."""
    with closing(Store(postgres_url)) as store:
        store.upgrade()
        yield store


def swiftly(store: Store, *entries: Entry) -> bool:
    """Add by one statement; whether it did."""
    with store._database.reading() as connection:
        return bool(swift.add(connection, arrival("swift"), entries))


def rows(store: Store) -> dict[str, list[Any]]:
    """Everything that was written, by table."""
    with store._database.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=str)
            for table in metadata.sorted_tables
        }


def day(**changes: Any) -> Delivery:
    """A delivery with every mark that a callback has."""
    return asked(1, terms={"number_per_day": 3}, **changes)


@pytest.mark.parametrize(
    "entries",
    [
        [entry(delivery(CALLBACK))],
        [entry(asked(1))],
        [entry(day())],
        [entry(day(state="held", reason="outside the calling hours", policy="hours"))],
        [NOTE, entry(asked(1)), NOTE],
    ],
    ids=["no marks", "quiet", "quiet and day", "held", "records without a delivery"],
)
def test_it_writes_what_the_long_way_writes(store: Store, postgres_server: Any, entries: list[Entry]) -> None:
    with closing(Store(postgres_server.new_database())) as other:
        other.upgrade()
        with other._database.writing() as connection:
            wanted = arrivals.add(connection, arrival("swift"), entries)
        with store._database.reading() as connection:
            assert swift.add(connection, arrival("swift"), entries) == wanted
        assert rows(store) == rows(other)


def test_it_writes_a_lead_of_a_store_on_a_server(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(arrivals, "add")
    assert [one.duplicate for one in keep(store, asked(1))] == [False]


def known_key(store: Store) -> None:
    keep(store, delivery(CALLBACK, id="first", key="k1"))


def forgotten_key(store: Store) -> None:
    keep(store, delivery(CALLBACK, id="first", key="k1"), remember=timedelta())


def known_number(store: Store) -> None:
    keep(store, asked(7))


def blocked(store: Store) -> None:
    store.rules.block(NUMBERS.hashes("+18015550142"), key_id="one", reason="asked", who="Pat", now=NOW)


def paused(store: Store) -> None:
    store.rules.pause("", said="by Pat", now=NOW)


def failing(store: Store) -> None:
    keep(store, delivery(CALLBACK, id="first", key="first"))
    (taken,) = claim(store)
    store.save(taken, to("queued", due_at=NOW + SECOND), [tried()], now=NOW, evidence=Evidence.NOT_SENT)


@pytest.mark.parametrize("before", [known_key, forgotten_key, known_number, blocked, paused, failing])
def test_it_writes_nothing_when_anything_stands_against_it(store: Store, before: Callable[[Store], None]) -> None:
    before(store)
    was = rows(store)
    assert not swiftly(store, entry(asked(1)))
    assert rows(store) == was


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [NOTE],
        [entry(asked(1)), entry(asked(2, phone="+18015550143"))],
        [entry(clicked(1))],
        [entry(asked(1, state="expired"))],
        [entry(asked(1, terms={"per_minute": 5}))],
        [entry(asked(1, terms=TOLD))],
    ],
    ids=["nothing", "no delivery", "two", "a click", "an end", "counted by the minute", "reported"],
)
def test_it_leaves_what_is_not_everyday_alone(store: Store, entries: list[Entry]) -> None:
    was = rows(store)
    assert not swiftly(store, *entries)
    assert rows(store) == was


@contextmanager
def under_way(url: str, *entries: Entry) -> Iterator[psycopg.Connection[Any]]:
    """A request that another process is just keeping, the long way; it gives up unless it is told to commit."""
    with closing(Store(url)) as other, other._database.engine.connect() as connection:
        own: Any = connection.connection.driver_connection
        own.execute("BEGIN")
        arrivals.add(connection, arrival("first"), entries)
        try:
            yield own
        finally:
            own.execute("ROLLBACK")


def waits(other: psycopg.Connection[Any]) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    (count,) = other.execute(asked).fetchone() or (0,)
    return bool(count)


@pytest.mark.parametrize(
    ("first", "became"),
    [
        (asked(2, key="k1", phone="+18015550143"), ("queued", "d2", True)),
        (asked(2), ("suppressed", "d1", False)),
        (day(id="d2", key="k2"), ("suppressed", "d1", False)),
    ],
    ids=["the same key", "the same number", "the same number counted by the day"],
)
def test_who_was_second_sees_what_the_first_committed(
    store: Store, postgres_url: str, first: Delivery, became: tuple[State, str, bool]
) -> None:
    with under_way(postgres_url, entry(first)) as other, ThreadPoolExecutor(1) as pool:
        second = pool.submit(keep, store, asked(1))
        until(lambda: waits(other))
        other.execute("COMMIT")
        (kept,) = second.result(60)
    assert (kept.delivery.state, kept.delivery.id, kept.duplicate) == became
    assert len(rows(store)["requests"]) == 2
    assert len(rows(store)["deliveries"]) == (1 if kept.duplicate else 2)


def test_who_waited_for_one_that_gave_up_is_the_first(store: Store, postgres_url: str) -> None:
    with under_way(postgres_url, entry(asked(2, key="k1"))) as other, ThreadPoolExecutor(1) as pool:
        second = pool.submit(keep, store, asked(1))
        until(lambda: waits(other))
        other.execute("ROLLBACK")
        (kept,) = second.result(60)
    assert (kept.delivery.state, kept.duplicate) == ("queued", False)


def test_an_id_that_is_there_already_is_an_error(store: Store) -> None:
    keep(store, delivery(CALLBACK))
    with pytest.raises(Exception, match="deliveries_pkey"):
        swiftly(store, entry(delivery(CALLBACK, key="another")))


# what came of a delivery


def test_a_save_sees_that_its_tenant_is_in_trouble(store: Store) -> None:
    keep(store, delivery(CALLBACK, id="d1"), delivery(CALLBACK, id="d2", key="k2"))
    (one, other) = claim(store)
    assert store.save(one, to("queued"), [tried()], now=NOW, evidence=Evidence.NOT_SENT)
    (gate,) = store.rules.gates()
    assert gate.failures == 1
    made = Attempt(at=NOW, phase="answered", status=204, reason="", duration_ms=5)
    assert store.save(other, to("accepted"), [made], now=NOW, evidence=Evidence.ACCEPTED)
    (gate,) = store.rules.gates()
    assert gate.failures == 0
    assert store.attempts(other.id) == [made]
