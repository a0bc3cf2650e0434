"""The store in an SQLite file: the contract of every store, and what only SQLite can do wrong."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sample import CALLBACK, NOW, SECOND, delivery
from sqlalchemy import Connection, event, inspect, text

from adapter.errors import StoreError
from adapter.model import Delivery
from adapter.policy import Verdict
from adapter.store import Store, backup, gates, migrate, queue, sqlite
from adapter.store.engine import Database
from adapter.store.readiness import TOUCH_SECONDS
from adapter.store.tables import metadata

from .contract import StoreContract, claim, keep, to, tried


class TestSQLite(StoreContract):
    """Every promise of a store."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of the `store` of a test."""
    return tmp_path / "store.db"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores that are made from now on do not wait long for a lock."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)


# durability


def test_every_connection_writes_ahead_and_reaches_the_disk_before_a_commit_counts(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with ExitStack() as stack:
        pooled = [stack.enter_context(database.reading()) for _ in range(5)]
        pooled.append(stack.enter_context(database.writing()))
        assert len({id(one.connection.dbapi_connection) for one in pooled}) == 6
        for connection in pooled:
            assert pragma(connection, "journal_mode") == "wal"
            assert pragma(connection, "synchronous") == 2  # FULL
    with database.reading() as connection:  # one of the pool, used before
        assert pragma(connection, "synchronous") == 2
    database.close()


def test_an_end_that_need_not_be_on_disk_at_once_does_not_spare_the_next_commit(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with database.writing(at_once=False) as connection:
        assert pragma(connection, "synchronous") == 1  # NORMAL
    with database.writing() as connection:
        assert pragma(connection, "synchronous") == 2
    database.close()


@pytest.mark.parametrize("verdict", [to("accepted"), to("queued")], ids=["an end", "another try"])
def test_only_an_end_may_reach_the_disk_later(
    store: Store, file: Path, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, delivery())
    (mine,) = claim(store)
    asked: list[bool] = []
    writing = Database.writing

    def watched(self: Database, *, at_once: bool = True) -> AbstractContextManager[Connection]:
        asked.append(at_once)
        return writing(self, at_once=at_once)

    monkeypatch.setattr(Database, "writing", watched)
    assert store.save(mine, verdict, [tried()], now=NOW)
    assert asked == [verdict.state == "queued"]


def test_a_call_whose_end_a_power_cut_took_back_is_never_made_again(store: Store, file: Path, tmp_path: Path) -> None:
    keep(store, delivery())
    (mine,) = claim(store)
    for name in ("store.db", "store.db-wal"):  # as the disk has it when the call is made
        (tmp_path / "after").mkdir(exist_ok=True)
        shutil.copy(tmp_path / name, tmp_path / "after" / name)
    assert store.save(mine, to("accepted"), [tried()], now=NOW)
    with closing(Store(f"sqlite:///{tmp_path / 'after' / 'store.db'}")) as after:
        assert claim(after) == []
        assert [one.id for one in after.abandoned(now=NOW + 60 * SECOND)] == ["d1"]


def pragma(connection: Connection, name: str) -> Any:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_what_was_kept_is_read_by_whoever_opens_the_file_next(store: Store, file: Path) -> None:
    keep(store, delivery())
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT id FROM deliveries").fetchall() == [("d1",)]


def test_the_queue_is_read_in_the_order_of_an_index_however_long_it_is(store: Store, file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with database.reading() as connection:
        due = gates.NEXT.params(tenant="default", now=NOW, most=1, priority=0)
        asked = str(due.compile(connection, compile_kwargs={"render_postcompile": True}))
        plan = [
            row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", (0,) * asked.count("?"))
        ]
    assert plan == ["SEARCH deliveries USING INDEX deliveries_turn (tenant=? AND priority=? AND due_at<?)"]
    database.close()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(queue._take(32), "sqlite_autoindex_deliveries_1 (id=?)", id="what is taken"),
        pytest.param(gates.TENANT_AFTER, "deliveries_overdue (tenant>?)", id="the next tenant"),
    ],
)
def test_what_waits_is_not_looked_through_at_every_claim(store: Store, file: Path, statement: Any, index: str) -> None:
    asked = str(statement._statement.compile(dialect=store._database.engine.dialect))
    with closing(sqlite3.connect(file)) as other:
        plan = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {asked}", (0,) * asked.count("?"))]
    assert plan == [f"SEARCH deliveries USING INDEX {index}"]


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_stays_as_it_is(file: Path, tmp_path: Path) -> None:
    for path, mode in ((file, 0o600), (tmp_path / "old.db", 0o640)):
        if path != file:
            path.touch()
            path.chmod(mode)
        with closing(Store(f"sqlite:///{path}")) as store:
            store.upgrade()
            beside = list(tmp_path.glob(f"{path.name}*"))
            assert {stat.S_IMODE(one.stat().st_mode) for one in beside} == {mode}
            assert len(beside) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_store_that_root_makes_belongs_to_whom_its_folder_belongs(tmp_path: Path) -> None:
    made, again = (tmp_path / name / "adapter.db" for name in ("made", "again"))
    for number, file in ((4001, made), (4002, again)):
        file.parent.mkdir()
        os.chown(file.parent, number, number)
    with closing(Store(f"sqlite:///{made}")) as store:
        store.upgrade()
        backup.take(made, tmp_path / "copy.db", now=NOW)
        assert {(one.stat().st_uid, one.stat().st_gid) for one in made.parent.iterdir()} == {(4001, 4001)}
    backup.restore(tmp_path / "copy.db", again, now=NOW)
    assert (again.stat().st_uid, stat.S_IMODE(again.stat().st_mode)) == (4002, 0o600)


# migrations


def test_migrations_and_tables_are_the_same(store: Store, file: Path, tmp_path: Path) -> None:
    migrated, built = Database(f"sqlite:///{file}"), Database(f"sqlite:///{tmp_path / 'built.db'}")
    with built.writing() as connection:
        metadata.create_all(connection)
    with migrated.reading() as one, built.reading() as other:
        context = MigrationContext.configure(one, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert shape(one) == shape(other)
    migrated.close()
    built.close()


def shape(connection: Connection) -> dict[str, Any]:
    """Tables with columns, keys (which alembic does not compare) and indexes."""
    found = inspect(connection)
    return {
        table: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(table)),
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((index["name"] or "", index["column_names"]) for index in found.get_indexes(table)),
        )
        for table in metadata.tables
    }


def test_tables_of_a_later_version_are_refused_and_left_alone(store: Store, file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.commit()
    for use in (store.check, store.upgrade):
        with pytest.raises(
            StoreError, match=r"9999, made by a newer adapter .*: start that release, or restore the backup"
        ):
            use()


def test_a_migration_that_breaks_leaves_nothing_behind(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{file}")
    upgrade = migrate.upgrade

    def broken(connection: Connection) -> None:
        upgrade(connection)
        connection.execute(text("SELECT * FROM no_such_table"))

    monkeypatch.setattr(migrate, "upgrade", broken)
    with pytest.raises(StoreError, match="no such table"):
        store.upgrade()
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == []
    store.close()


# a store that cannot be used: StoreError, and nothing is kept


Use = Callable[[Store, Delivery], object]
WRITES: dict[str, Use] = {
    "check": lambda store, one: store.check(),
    "add": lambda store, one: keep(store, delivery(id="d2", key="k2")),
    "count": lambda store, one: store.count_refusal(mapping="lead", code="x", reason="y", now=NOW),
    "claim": lambda store, one: claim(store, now=NOW + SECOND),
    "save": lambda store, one: store.save(one, to("accepted"), [tried()], now=NOW),
    "renew": lambda store, one: store.renew(["d1"], owner="one", until=NOW),
    "act": lambda store, one: store.act(delivery(CALLBACK, id="d3"), to("cancelled"), who="Pat", now=NOW),
    "purge": lambda store, one: store.purge(before=NOW + SECOND, now=NOW),  # the requests
}
READS: dict[str, Use] = {
    "get": lambda store, one: store.get("d1"),
    "attempts": lambda store, one: store.attempts("d1"),
    "acts": lambda store, one: store.acts("d1"),
    "newest": lambda store, one: store.newest(),
    "counts": lambda store, one: store.counts(),
    "refusals": lambda store, one: store.refusals(),
    "request": lambda store, one: store.request("r1"),
    "abandoned": lambda store, one: store.abandoned(now=NOW),
    "claim": WRITES["claim"],
}
ALL: dict[str, Use] = {**READS, **WRITES}


@pytest.fixture
def claimed(store: Store) -> Delivery:
    """A delivery that is being sent, beside one that waits."""
    keep(store, delivery(CALLBACK), delivery(CALLBACK, id="d3", key="k3", due_at=NOW + SECOND))
    (taken,) = claim(store)
    return taken


def rows(file: Path) -> list[Any]:
    """Everything in the store, seen by another."""
    with closing(sqlite3.connect(file)) as other:
        tables = [name for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [(table, other.execute(f"SELECT * FROM {table}").fetchall()) for table in tables]


@pytest.mark.parametrize("use", WRITES.values(), ids=WRITES)
def test_a_file_that_is_read_only(store: Store, claimed: Delivery, file: Path, use: Use) -> None:
    store.close()
    before = rows(file)
    read_only = Store(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(StoreError, match=r"readonly|read-only|read only"):
        use(read_only, claimed)
    read_only.close()
    assert rows(file) == before


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("use", WRITES.values(), ids=WRITES)
def test_a_file_that_somebody_else_keeps_locked(store: Store, claimed: Delivery, file: Path, use: Use) -> None:
    waiting = Store(f"sqlite:///{file}")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        before = rows(file)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            use(waiting, claimed)
        assert waiting.get("d1") == claimed  # reading needs no lock
        other.execute("ROLLBACK")
        assert rows(file) == before
    use(waiting, claimed)
    waiting.close()


@pytest.mark.usefixtures("hasty")
def test_a_process_whose_own_writer_takes_too_long(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with database.writing(), pytest.raises(StoreError, match="busy"), database.writing():
        pass
    with database.writing():
        pass
    database.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, before whom no file is read-only."""
    before = os.geteuid()
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_store_that_was_read_only_is_written_as_soon_as_it_is_mended() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        with closing(Store(f"sqlite:///{file}")) as store:
            store.upgrade()
        Path(folder).chmod(0o777)
        file.chmod(0o444)
        with closing(Store(f"sqlite:///{file}")) as store, as_nobody():
            for use in (store.check, partial(keep, store, delivery())):
                with pytest.raises(StoreError, match="readonly"):
                    use()
            os.seteuid(os.getuid())
            for path in Path(folder).iterdir():
                path.chmod(0o666)
            os.seteuid(os.getuid() or 65534)
            store.check(really=True)
            keep(store, delivery())
            assert [one.id for one in store.newest()] == ["d1"]


@pytest.mark.parametrize("there", [None, b"", b"a backup"], ids=["nothing", "an empty file", "another file"])
def test_a_file_that_was_moved_away_takes_no_promises_with_it(
    store: Store, claimed: Delivery, file: Path, there: bytes | None
) -> None:
    file.rename(file.with_name("moved"))
    if there is not None:
        file.write_bytes(there)
    uses: list[Callable[[], object]] = [partial(use, store, claimed) for use in WRITES.values()]
    uses.append(partial(store.check, really=True))
    for use in uses:
        with pytest.raises(StoreError, match="moved, removed or replaced"):
            use()
    file.with_name("moved").rename(file)
    store.check(really=True)
    keep(store, delivery(CALLBACK, id="d4", key="k4"))
    assert store.get("d4")


@contextmanager
def no_room(file: Path) -> Iterator[None]:
    """The files of a store cannot grow; their space is not asked for in advance."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.with_name(f"{file.name}-wal").stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_whether_it_can_be_written_is_asked_with_a_write(store: Store, file: Path) -> None:
    with no_room(file):
        with pytest.raises(StoreError):
            keep(store, delivery())
        for _ in range(3):
            with pytest.raises(StoreError):
                store.check(really=True)
        store.check()  # who only looks is let in
    store.check(really=True)
    assert pragmas(file, "user_version") == [(0,)]


def test_asking_every_second_does_not_wear_the_disk(store: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, now = file.with_name(f"{file.name}-wal"), [time.monotonic()]
    monkeypatch.setattr("adapter.store.readiness.time", SimpleNamespace(monotonic=lambda: now[0]))
    store.check(really=True)
    before = ahead.stat().st_size
    for _ in range(100):
        store.check(really=True)
    assert ahead.stat().st_size == before
    now[0] += TOUCH_SECONDS
    store.check(really=True)
    assert before < ahead.stat().st_size < before + 3 * 4096


def pragmas(file: Path, name: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as other:
        return other.execute(f"PRAGMA {name}").fetchall()


def test_a_disk_that_is_full(file: Path) -> None:
    store = Store(f"sqlite:///{file}")
    store.upgrade()
    (kept,) = keep(store, delivery(CALLBACK, state="sending", attempt=1))
    store.close()
    smallest = lambda connection, _: connection.execute("PRAGMA max_page_count = 1").close()  # noqa: E731
    event.listen(store._database.engine, "connect", smallest)  # which makes it as large as the file is now
    before = rows(file)
    huge = delivery(CALLBACK, id="d2", key="k2", reason="x" * 100_000)
    for _ in range(2):  # it stays usable for what fits
        with pytest.raises(StoreError, match="full"):
            keep(store, huge)
        assert rows(file) == before
        assert store.get("d1") == kept.delivery
    assert store.save(kept.delivery, to("accepted"), [], now=NOW)
    store.close()


@pytest.mark.parametrize("use", ALL.values(), ids=ALL)
def test_a_file_that_is_no_database(tmp_path: Path, use: Use) -> None:
    file = tmp_path / "garbage.db"
    file.write_bytes(b"this is no database" * 500)
    store = Store(f"sqlite:///{file}")
    with pytest.raises(StoreError, match="not a database"):
        use(store, delivery(state="sending"))
    store.close()


@pytest.mark.parametrize("use", READS.values(), ids=READS)
def test_a_database_with_broken_pages(store: Store, claimed: Delivery, file: Path, use: Use) -> None:
    store.close()
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096))
    broken = Store(f"sqlite:///{file}")
    with pytest.raises(StoreError, match="malformed"):
        use(broken, claimed)
    broken.close()


def test_a_file_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    with pytest.raises(
        StoreError, match=r"unable to open .*nowhere/store\.db: the user of the adapter must be let write"
    ):
        store.check()
    store.close()
