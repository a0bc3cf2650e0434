"""The gates in PostgreSQL, where people, dispatchers and senders meet at them at the same instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import psycopg
import pytest
from sample import CALLBACK, NOW, SECOND, delivery
from sqlalchemy import Connection

from adapter.model import Delivery, Evidence
from adapter.policy import Gate, Rate
from adapter.store import Store, arrivals, gates, queue
from benchmarks.stage import until

from .contract import arrival, claim, deliveries, entry, keep, send, to

T = TypeVar("T")
SOON = NOW + 31 * SECOND
RATES = {"default": Rate(per_second=1, burst=3)}


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """A store with today's tables."""
    with closing(Store(postgres_url)) as store:
        store.upgrade()
        yield store


class Other:
    """What another process does in a transaction that has not ended yet; and what waits for it."""

    def __init__(self, url: str, connection: Connection, pool: ThreadPoolExecutor) -> None:
        self.connection = connection
        self._own: Any = connection.connection.driver_connection
        self._url = url
        self._pool = pool
        self.begin()

    def begin(self) -> None:
        self._own.execute("BEGIN")

    def commit(self) -> None:
        self._own.execute("COMMIT")

    def makes_wait(self, work: Callable[..., T], *given: Any, **named: Any) -> Future[T]:
        """Have a thread do something that waits for this transaction."""
        started = self._pool.submit(work, *given, **named)
        with psycopg.connect(self._url, autocommit=True) as look:
            until(lambda: self._is_waited_for(look) or started.done())
            assert self._is_waited_for(look), "it waits for nobody"
        return started

    def _is_waited_for(self, look: psycopg.Connection[Any]) -> bool:
        asked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        (count,) = look.execute(asked).fetchone() or (0,)
        return bool(count)


@contextmanager
def another(url: str) -> Iterator[Other]:
    with closing(Store(url)) as store, store._database.engine.connect() as connection, ThreadPoolExecutor(1) as pool:
        other = Other(url, connection, pool)
        try:
            yield other
        finally:
            other._own.execute("ROLLBACK")


def gate(store: Store, tenant: str = "default") -> Gate:
    (found,) = (one for one in store.rules.gates() if one.tenant == tenant)
    return found


def failed(store: Store, one: Delivery) -> bool:
    later = to("queued", due_at=NOW + SECOND)
    return store.save(one, later, [], now=NOW, evidence=Evidence.NOT_SENT)


# pauses beside dispatchers


@pytest.mark.parametrize("said", ["by Pat", ""], ids=["pause", "resume"])
def test_what_an_exchange_says_takes_back_no_word_of_a_person(store: Store, postgres_url: str, said: str) -> None:
    keep(store, *deliveries(2))
    one, another_one = claim(store)
    failed(store, one)
    store.rules.pause("default", said="by Lee", now=NOW)
    with another(postgres_url) as other:
        gates.pause(other.connection, "default", said)
        saving = other.makes_wait(failed, store, another_one)
        other.commit()
        assert saving.result(60)
    assert (gate(store).paused, gate(store).failures) == (said, 2)


def test_what_a_person_says_takes_back_nothing_an_exchange_says(store: Store, postgres_url: str) -> None:
    with another(postgres_url) as other:
        gates.settle(other.connection, "default", Evidence.UNAUTHORIZED, now=NOW)
        pausing = other.makes_wait(store.rules.pause, "default", said="by Pat", now=NOW)
        other.commit()
        pausing.result(60)
    assert (gate(store).paused, gate(store).trouble) == ("by Pat", "token")


def test_of_failures_in_the_same_instant_each_counts(store: Store, postgres_url: str) -> None:
    keep(store, *deliveries(1))
    (one,) = claim(store)
    with another(postgres_url) as other:
        gates.settle(other.connection, "default", Evidence.NOT_SENT, now=NOW)
        saving = other.makes_wait(failed, store, one)
        other.commit()
        saving.result(60)
    assert gate(store).failures == 2


def test_a_pause_in_the_midst_of_a_claim_waits_for_it_and_not_in_a_circle(store: Store, postgres_url: str) -> None:
    keep(store, *deliveries(9))
    claim(store, most=1)
    with another(postgres_url) as other:
        due, _ = gates.candidates(other.connection, now=NOW, most=2, rates=RATES, room=lambda _: 2)
        pausing = other.makes_wait(store.rules.pause, "default", said="by Pat", now=NOW)
        gates.spend(other.connection, Counter(one.tenant for one in due), RATES, now=NOW)
        other.commit()
        assert pausing.result(60) == 8
    assert (gate(store).paused, gate(store).tokens) == ("by Pat", 1)


def test_a_pause_that_was_ended_before_it_held_anything_holds_nothing(store: Store) -> None:
    keep(store, *deliveries(1))
    store.rules.resume("default", now=NOW)
    with store._database.writing() as connection:
        assert gates.hold(connection, "default", now=NOW) == 0
    assert store.counts() == {"queued": 1}


# what arrives while a gate is opened


def paused(store: Store, tenant: str) -> Callable[[], object]:
    store.rules.pause(tenant, said="by Pat", now=NOW)
    return lambda: store.rules.resume(tenant, now=SOON)


def refused(store: Store, tenant: str) -> Callable[[], object]:
    keep(store, delivery(CALLBACK, id="first", key="first"))
    (first,) = claim(store)
    store.save(first, to("held", due_at=NOW + 30 * SECOND), [], now=NOW, evidence=Evidence.UNAUTHORIZED)
    (probe,) = claim(store, now=SOON)
    return lambda: store.save(probe, to("accepted"), [], now=SOON, evidence=Evidence.ACCEPTED)


SHUT = pytest.mark.parametrize(
    ("shut", "tenant"),
    [(paused, "default"), (paused, ""), (refused, "default")],
    ids=["paused", "all paused", "token refused"],
)


@SHUT
def test_who_opens_a_gate_lets_go_what_is_just_being_held_behind_it(
    store: Store, postgres_url: str, shut: Callable[[Store, str], Callable[[], object]], tenant: str
) -> None:
    open_ = shut(store, tenant)
    with another(postgres_url) as other:
        (kept,) = arrivals.add(other.connection, arrival(), [entry(delivery(CALLBACK))])
        assert kept is not None
        assert kept.delivery.state == "held"
        opening = other.makes_wait(open_)
        other.commit()
        opening.result(60)
    assert [one.id for one in claim(store, now=SOON)] == ["d1"]


@pytest.mark.parametrize("tenant", ["default", ""], ids=["one", "all"])
def test_who_comes_while_a_gate_is_opened_finds_it_open(store: Store, postgres_url: str, tenant: str) -> None:
    store.rules.pause(tenant, said="by Pat", now=NOW)
    with another(postgres_url) as other:
        gates.pause(other.connection, tenant, "")
        adding = other.makes_wait(keep, store, delivery(CALLBACK))
        other.commit()
        (kept,) = adding.result(60)
    assert kept.delivery.state == "queued"


def test_who_comes_while_a_dispatcher_counts_at_the_gate_does_not_wait(store: Store, postgres_url: str) -> None:
    keep(store, *deliveries(3))
    (first,) = claim(store, most=1)
    failed(store, first)
    with another(postgres_url) as other:
        gates.lock(other.connection, "default", opens=False)
        (kept,) = keep(store, delivery(CALLBACK, id="late", key="late"))
        assert kept.delivery.state == "queued"


# dispatchers beside each other


def take(store: Store) -> list[Delivery]:
    return store.claim(send, owner="two", now=SOON, lease_until=SOON + 15 * SECOND, most=9, rates=RATES)[0]


@pytest.mark.parametrize("before", [False, True], ids=["for the first time", "again"])
def test_dispatchers_that_claim_at_once_share_a_rate(store: Store, postgres_url: str, before: bool) -> None:
    keep(store, *deliveries(12))
    if before:
        store.claim(send, owner="two", now=NOW, lease_until=SOON, most=3, rates=RATES)
    with another(postgres_url) as other:
        taken, _ = queue.claim(other.connection, send, owner="one", now=SOON, lease_until=SOON, most=9, rates=RATES)
        claiming = other.makes_wait(take, store)
        other.commit()
        assert (len(taken), claiming.result(60)) == (3, [])


def test_of_dispatchers_that_claim_at_once_one_tries_whether_a_trouble_is_over(store: Store, postgres_url: str) -> None:
    with store._database.writing() as connection:
        gates.settle(connection, "default", Evidence.UNAUTHORIZED, now=NOW)
    keep(store, *deliveries(4), at=SOON)
    with another(postgres_url) as other:
        probes, _ = queue.claim(other.connection, send, owner="one", now=SOON, lease_until=SOON, most=9)
        claiming = other.makes_wait(claim, store, now=SOON)
        other.commit()
        assert (len(probes), claiming.result(60)) == (1, [])


def test_a_claim_waits_for_no_gate_of_a_tenant_that_has_nothing_to_send(store: Store, postgres_url: str) -> None:
    keep(store, delivery(CALLBACK, tenant="acme"))
    with another(postgres_url) as other:
        gates.lock(other.connection, "default", opens=False)
        assert [one.id for one in take(store)] == ["d1"]
