"""The store in PostgreSQL: the contract of every store, and what only a server can do wrong."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from running import until
from sample import CALLBACK, NOW, SECOND, delivery
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.compiler import SQLCompiler

from adapter.errors import StoreError
from adapter.store import Store, gates, queue
from adapter.store.clock import SharedClock
from adapter.store.engine import Database
from adapter.store.statements import Prepared
from adapter.store.tables import metadata
from benchmarks.postgres import PASSWORD

from .contract import StoreContract, claim, keep, to, tried


class TestPostgreSQL(StoreContract):
    """Every promise of a store."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server forgets to end a transaction that stands still behind psycopg's `executemany`, see `queue`."""
    monkeypatch.setattr(psycopg.Cursor, "executemany", lambda *_, **__: pytest.fail("executemany was used"))


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """A store with today's tables."""
    with closing(Store(postgres_url)) as store:
        store.upgrade()
        yield store


@pytest.fixture
def database(store: Store, postgres_url: str) -> Iterator[Database]:
    """The same store, seen by another process."""
    with closing(Database(postgres_url)) as database:
        yield database


def run(url: str, *statements: str) -> None:
    """Do something to the database, as its administrator."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def this(url: str) -> str:
    """The name of the database."""
    return url.rpartition("/")[2]


# the tables


def test_migrations_and_tables_are_the_same(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_queue_is_read_in_the_order_of_an_index_however_long_it_is(database: Database) -> None:
    values = {"state_1": "queued", "tenant": "default", "priority": 0, "now": 0, "most": 1}
    with database.writing() as connection:
        asked = gates.NEXT.compile(connection)
        assert isinstance(asked, SQLCompiler)
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        given = tuple(values[name] for name in asked.positiontup or ())
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {asked.string}", given).scalars())
    assert "Index Scan using deliveries_turn" in plan
    assert "Sort" not in plan


def test_what_waits_is_not_looked_through_for_what_is_taken(store: Store, database: Database) -> None:
    keep(store, *(delivery(CALLBACK, id=f"d{number}", key=f"k{number}") for number in range(200)))
    with database.writing() as connection:
        asked = queue._take(8)._statement.compile(connection)
        assert isinstance(asked, SQLCompiler)
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        given = tuple(0 if name in ("now", "until", "attempt_1") else "d1" for name in asked.positiontup or ())
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {asked.string}", given).scalars())
    assert "deliveries_pkey" in plan
    assert "deliveries_due" not in plan


# durability


def test_a_commit_is_on_disk_before_it_counts_whatever_the_default_is(store: Store, postgres_url: str) -> None:
    run(postgres_url, f"ALTER DATABASE {this(postgres_url)} SET synchronous_commit = off")
    with closing(Database(postgres_url)) as database:
        for way in (database.reading, database.writing):
            with way() as connection:
                assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
                assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"


def test_a_server_that_forgets_at_a_power_cut_is_told_of(
    store: Store, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "adapter")
    with closing(Store(postgres_url)) as again:
        again.check()
    told = [vars(one)["fields"]["reason"] for one in caplog.records if one.getMessage() == "store.unsafe"]
    assert [reason.split(" ")[0] for reason in told] == ["fsync", "full_page_writes"]


def test_a_database_that_only_reads_is_not_usable(store: Store, postgres_url: str) -> None:
    run(postgres_url, f"ALTER DATABASE {this(postgres_url)} SET default_transaction_read_only = on")
    with closing(Store(postgres_url)) as reading:
        with pytest.raises(StoreError, match="read-only transaction"):
            reading.check()
        with pytest.raises(StoreError, match="read-only transaction"):
            keep(reading, delivery())


# a server that is away


def finds(url: str, asked: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute(asked.encode()).fetchone() is not None


def test_connections_that_ended_are_made_again_before_anybody_notices(store: Store, postgres_url: str) -> None:
    keep(store, delivery(CALLBACK))
    others = f"FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '{this(postgres_url)}'"
    for number in range(3):
        run(postgres_url, f"SELECT pg_terminate_backend(pid) {others}")
        until(lambda: not finds(postgres_url, f"SELECT 1 {others}"))  # the server says good-bye in its own time
        assert [one.duplicate for one in keep(store, delivery(id=f"e{number}", key=f"e{number}"))] == [False]
        assert store.get("d1") is not None


def test_a_connection_that_breaks_in_a_transaction_is_not_used_again(
    database: Database,
) -> None:
    """Also when it breaks in a statement that runs on the driver."""
    deadly = Prepared(select(func.pg_terminate_backend(func.pg_backend_pid())))
    with pytest.raises(StoreError, match="terminat"), database.writing() as connection:
        deadly.rows(connection, {})
    with database.writing() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ((PASSWORD.replace(" ", "%20"), "a%20wrong%20one"), "password authentication failed"),
        (("127.0.0.1:", "127.0.0.1:1"), "refused|out of range|invalid port"),
        (("/test_", "/no_such_"), "does not exist"),
    ],
    ids=["password", "port", "database"],
)
def test_what_is_wrong_with_a_server_is_said_without_the_password(
    store: Store, postgres_url: str, wrong: tuple[str, str], said: str
) -> None:
    with closing(Store(postgres_url.replace(*wrong))) as other:
        for use in (other.check, other.upgrade, other.counts):
            with pytest.raises(StoreError, match=said) as found:
                use()
            assert not any(word in found.value.reason for word in ("secret", "wrong one", "wrong%20one"))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name_is_refused_with_the_remedy(postgres_url: str, encoding: str) -> None:
    narrow = f"{this(postgres_url)}_narrow"
    run(postgres_url, f"CREATE DATABASE {narrow} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    with closing(Store(postgres_url.replace(this(postgres_url), narrow))) as other:
        for use in (other.check, other.upgrade, other.counts):
            with pytest.raises(StoreError, match=f"keeps text as {encoding}.*: make one with ENCODING 'UTF8'"):
                use()
    run(postgres_url, f"DROP DATABASE {narrow}")


def test_every_name_is_kept_whatever_the_environment_says(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with closing(Database(postgres_url)) as database, database.reading() as connection:
        assert connection.execute(text("SELECT CAST(:name AS text)"), {"name": "Łukasz"}).scalar() == "Łukasz"


def test_an_address_that_postgresql_does_not_understand_is_said_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"postgresql://u:\*\*\*@h/d\?sslmod=on is not one") as found:
        Store("postgresql://u:hush@h/d?sslmod=on")
    assert "hush" not in repr(found.value.__cause__)


def test_without_its_driver_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "adapter.store.postgres", raising=False)
    with pytest.raises(StoreError, match=r"pip install 'xima-crm-adapter\[postgres\]'"):
        Store("postgresql://localhost/adapter")


# several machines


def test_who_takes_work_passes_over_what_another_is_just_taking(store: Store, database: Database) -> None:
    keep(store, *(delivery(CALLBACK, id=f"d{number}", key=f"k{number}") for number in range(4)))
    with database.writing() as connection:
        more = {"owner": "other", "now": NOW, "lease_until": NOW + SECOND}
        taken, _ = queue.claim(connection, lambda _: None, most=2, **more)  # type: ignore[arg-type]  # as it says
        assert [one.id for one in claim(store)] == ["d2", "d3"]
    assert {one.id for one in taken} == {"d0", "d1"}


def take_and_stop(database: Database) -> None:
    """Take three deliveries, and do nothing until the server ends the transaction."""
    with database.writing() as connection:
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "10s"
        connection.execute(text("SET idle_in_transaction_session_timeout = '100ms'"))
        pid = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        lease = NOW + 30 * SECOND
        taken, _ = queue.claim(connection, lambda _: None, owner="east", now=NOW, lease_until=lease, most=3)
        assert len(taken) == 3
        until(lambda: not is_open(database, pid))
        connection.execute(text("SELECT 1"))


def is_open(database: Database, pid: int) -> bool:
    """Whether this server process has a transaction open."""
    with database.reading() as connection:
        found = text("SELECT xact_start FROM pg_stat_activity WHERE pid = :pid")
        return connection.execute(found, {"pid": pid}).scalar() is not None


def test_a_machine_that_was_stopped_while_it_took_work_does_not_keep_it_from_the_others(
    store: Store, database: Database
) -> None:
    keep(store, *(delivery(CALLBACK, id=f"d{number}", key=f"k{number}") for number in range(3)))
    with pytest.raises(StoreError, match="idle-in-transaction"):
        take_and_stop(database)
    assert len(claim(store, owner="west", most=3)) == 3


def test_only_one_machine_purges_at_a_time(store: Store, database: Database) -> None:
    keep(store, delivery(state="accepted"))
    later = NOW + timedelta(days=90)
    with database.writing() as connection:
        assert database.own.alone(connection, "purge")
        assert store.purge(before=later, now=later) == 0
    assert store.purge(before=later, now=later) > 0


def test_a_bell_rings_as_soon_as_another_process_has_put_work_in(store: Store, postgres_url: str) -> None:
    with closing(Store(postgres_url)) as other, closing(other.bell()) as bell:
        bell.wait(60)  # the first ring says that it listens
        for number, put in enumerate(work(store)):
            assert put()
            begun = time.monotonic()
            bell.wait(60)
            assert time.monotonic() - begun < 50, number


def work(store: Store) -> tuple[Callable[[], object], ...]:
    """Everything that makes a delivery due at once."""
    return (
        lambda: keep(store, delivery(CALLBACK)),
        lambda: store.save(claim(store)[0], to("queued"), [], now=NOW),
        lambda: store.save(claim(store)[0], to("refused"), [tried()], now=NOW) and act(store),
    )


def act(store: Store) -> bool:
    one = store.get("d1")
    assert one is not None
    store.act(one, to("queued"), who="Pat", now=NOW)
    return True


def test_a_bell_listens_again_when_its_connection_ended(store: Store, postgres_url: str) -> None:
    with closing(store.bell()) as bell:
        bell.wait(60)
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = "
        run(postgres_url, f"{ended}'{this(postgres_url)}'")
        begun = time.monotonic()
        bell.wait(60)  # it rings when it listens again, for what was put in meanwhile
        assert time.monotonic() - begun < 50


def test_a_bell_without_a_server_waits_as_long_as_it_was_asked_to(postgres_url: str) -> None:
    with closing(Store(postgres_url.replace("/test_", "/no_such_"))) as store, closing(store.bell()) as bell:
        begun = time.monotonic()
        bell.wait(0.05)
        assert time.monotonic() - begun < 50


# the clock


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A measure may take as long as it does on a slow machine, of which the steady clock shows nothing."""
    monkeypatch.setattr("adapter.store.clock.MOST_SECONDS", 60)
    monkeypatch.setattr("adapter.store.clock.time", SimpleNamespace(monotonic=lambda: 1000.0))


class Times:
    """A machine's clock and a database's, which is asked when `ask` is called."""

    def __init__(self, behind: float) -> None:
        self.machine = NOW
        self.behind = behind
        self.asked = 0
        self.away = False

    def clock(self) -> datetime:
        return self.machine

    def ask(self) -> datetime:
        self.asked += 1
        if self.away:
            raise OperationalError("SELECT", {}, Exception("away"))
        return self.machine + self.behind * SECOND


def near(found: datetime, wanted: datetime) -> bool:
    return abs(found - wanted) < timedelta(seconds=0.2)


@pytest.mark.parametrize("behind", [-3600.0, -2.5, 0.0, 2.5, 3600.0])
def test_a_machine_goes_by_the_databases_clock(behind: float, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "adapter")
    times = Times(behind)
    shared = SharedClock(times.clock, times.ask)
    assert near(shared(), NOW + behind * SECOND)
    assert near(shared(), NOW + behind * SECOND)
    assert times.asked == 1  # not every time
    assert len(caplog.records) == (1 if behind else 0)


def test_a_machine_whose_clock_is_set_asks_again_at_once() -> None:
    times = Times(0)
    shared = SharedClock(times.clock, times.ask)
    shared()
    times.machine += 60 * SECOND
    times.behind = -60
    assert near(shared(), NOW)
    assert times.asked == 2


def test_while_the_database_is_away_the_last_measure_stands() -> None:
    times = Times(30)
    shared = SharedClock(times.clock, times.ask)
    shared()
    times.away = True
    times.machine += 60 * SECOND
    assert near(shared(), NOW + 90 * SECOND)
    shared()
    assert times.asked == 2  # not again and again


@dataclass
class Stalled:
    """A database that tells a time a minute ahead, when it is let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> datetime:
        self.begun.set()
        assert self.end.wait(60)
        return NOW + 60 * SECOND


def asked_in_a_stall(shared: SharedClock, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """What the clock says while it is measured by a round trip that does not end, and ends too late."""
    stalled = Stalled()
    monkeypatch.setattr(shared, "_ask", stalled.ask)
    said = shared()
    assert stalled.begun.wait(60)
    assert not stalled.end.is_set()
    shared()
    stalled.end.set()
    with shared._turn:  # nobody measures any more
        return said


def test_nobody_waits_for_who_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.store.clock.MEASURE_SECONDS", 0)
    times = Times(30)
    shared = SharedClock(times.clock, times.ask)
    shared()
    begun = time.monotonic()
    assert near(asked_in_a_stall(shared, monkeypatch), NOW + 30 * SECOND)
    assert time.monotonic() - begun < 50


def test_at_first_and_when_a_clock_was_set_nobody_waits_longer_than_a_measure_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapter.store.clock.MOST_SECONDS", 0.01)
    assert near(asked_in_a_stall(SharedClock(lambda: NOW, lambda: NOW), monkeypatch), NOW)


def test_a_round_trip_that_took_long_says_nothing_of_the_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "adapter")
    times = Times(30)
    shared = SharedClock(times.clock, times.ask)
    shared()
    monkeypatch.setattr("adapter.store.clock.MOST_SECONDS", 0)
    times.behind = -600
    times.machine += 60 * SECOND
    shared()
    with shared._turn:
        assert times.asked == 2
    assert near(shared(), NOW + 90 * SECOND)
    assert len(caplog.records) == 1


def test_who_has_not_wanted_to_know_the_time_for_long_is_told_by_a_new_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.store.clock.MEASURE_SECONDS", -60)
    times = Times(0)
    shared = SharedClock(times.clock, times.ask)
    shared()
    times.behind = 5
    assert near(shared(), NOW + 5 * SECOND)


def test_the_databases_clock_is_the_one_of_its_server(store: Store) -> None:
    wrong = datetime(2001, 1, 1, tzinfo=NOW.tzinfo)
    with store._database.reading() as connection:
        wanted = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert abs(store.clock(lambda: wrong)() - wanted) < timedelta(seconds=60)
