"""Stores of earlier releases, as they were left: upgraded with all they hold, and nothing in them is done twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from alembic import command
from running import Adapter, running, until
from sample import CALLBACK, NOW, SECOND, delivery
from sqlalchemy import text

from adapter.dispatcher import Dispatcher
from adapter.errors import StoreError
from adapter.model import Callback, ClickToDial
from adapter.sandbox import Sandbox
from adapter.store import Store, migrate
from adapter.store.engine import Database
from adapter.xima import Client, Tenant

from .contract import claim, keep

LEFT = sorted((Path(__file__).parent.parent / "data/stores").glob("*.sql"))
"""What a release wrote, named by its last migration."""

Rows = Mapping[str, list[dict[str, Any]]]
Put = Callable[[str, Path], None]


def rows(dump: Path) -> Rows:
    """The rows of every table."""
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.executescript(dump.read_text(encoding="utf-8"))
        memory.row_factory = sqlite3.Row
        names = [row[0] for row in memory.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in memory.execute(f"SELECT * FROM {name}")] for name in names}


def insert(database: Database, table: str, values: Mapping[str, Any]) -> None:
    """As that release does it: with the columns that it knows."""
    columns = ", ".join(f'"{name}"' for name in values)
    given = ", ".join(f":{name}" for name in values)
    with database.writing() as connection:
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({given})"), dict(values))


def put(url: str, dump: Path) -> None:
    """A store as its release left it: an SQLite file of the dump, or PostgreSQL migrated as far, with the same rows."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            file.executescript(dump.read_text(encoding="utf-8"))
        return
    with closing(Database(url)) as database:
        with database.writing() as connection:
            database.own.alone(connection, "upgrade", wait=True)
            config = migrate._config()
            config.attributes["connection"] = connection
            command.upgrade(config, dump.stem)
        for table, many in rows(dump).items():
            for one in many if table != "alembic_version" else ():
                insert(database, table, {name: value for name, value in one.items() if (table, name) != ("acts", "id")})


@pytest.fixture(params=LEFT, ids=lambda dump: str(dump.stem))
def dump(request: pytest.FixtureRequest) -> Path:
    """One of them."""
    assert isinstance(request.param, Path)
    return request.param


@pytest.fixture
def left(any_url: str, dump: Path) -> str:
    """The address of a store that a release left, once of each kind."""
    put(any_url, dump)
    return any_url


@pytest.fixture
def upgraded(left: str) -> Iterator[Store]:
    """The same with today's tables."""
    with closing(Store(left)) as store:
        store.upgrade()
        store.check()
        yield store


def test_it_is_refused_with_the_remedy_until_it_is_upgraded(left: str, dump: Path) -> None:
    if dump.stem == migrate.head():
        return
    with closing(Store(left)) as store, pytest.raises(StoreError, match=f"version {dump.stem}, .* db upgrade"):
        store.check()


def test_everything_in_it_can_be_read(upgraded: Store, dump: Path) -> None:
    found = {one.id: one for one in upgraded.newest()}
    assert {name: (one.state, one.reason) for name, one in found.items()} == {
        row["id"]: (row["state"], row["reason"]) for row in rows(dump)["deliveries"]
    }
    assert found["a-click"].action == ClickToDial(agent="0101", number_to_dial="8015550142")
    assert found["b-held"].action == Callback(skill="Sales", callback_number="8015550143")
    assert found["b-held"].policy == ""
    assert [(one.status, one.duration_ms) for one in upgraded.attempts("a-click")] == [(204, 41)]
    assert [(one["who"], one["new"]) for one in upgraded.acts("e-cancelled")] == [("Pat", "cancelled")]
    request = upgraded.request("of b-held")
    assert request is not None
    assert request["body"] == b'{"name": "\xc3\xa9"}\xff'
    assert [one["count"] for one in upgraded.refusals()] == [1]


def test_what_later_tables_hold_is_there_too(upgraded: Store, dump: Path) -> None:
    if dump.stem >= "0002":
        assert upgraded.first_seen("lead", "f1") == NOW
    if dump.stem >= "0003":
        assert upgraded.in_force()["lead"].beside == {"agents.csv": "who,extension\nann,0101\n"}
        assert [one["count"] for one in upgraded.trials("lead")] == [1]
    if dump.stem >= "0004":
        assert [one["reason"] for one in upgraded.rules.blocked()] == ["asked us to stop"]
        assert [(gate.tenant, gate.paused) for gate in upgraded.rules.gates()] == [("acme", "by Pat: new phones")]


def test_an_event_that_it_knew_is_not_done_again(upgraded: Store) -> None:
    (again,) = keep(upgraded, delivery(CALLBACK, id="new", key="key of c-queued"))
    assert (again.duplicate, again.delivery.id) == (True, "c-queued")


def test_what_waits_in_it_goes_out_once_and_what_was_under_way_is_unknown(upgraded: Store, sandbox: Sandbox) -> None:
    tenant = Tenant(name="default", base_url=sandbox.url, token="sandbox-token")
    for owner in ("one", "after a restart"):
        with closing(Client(tenant)) as client:
            dispatcher = Dispatcher(upgraded, {"default": client}, lambda: datetime.now(UTC), owner=owner)
            dispatcher.sweep()
            while dispatcher.step():
                pass
            dispatcher.close()
        assert upgraded.counts() == {"accepted": 3, "unknown": 2, "cancelled": 1}
    numbers = [call["json"]["callbackNumber"] for call in sandbox.world.ledger() if call["effect"]]
    assert sorted(numbers) == ["8015550143", "8015550144"]


def counts(adapter: Adapter) -> dict[str, int]:
    with closing(adapter.store()) as store:
        return store.counts()


# the release before is still at work while the store is upgraded


def test_what_the_release_before_writes_is_sent_by_this_one(upgraded: Store, left: str, dump: Path) -> None:
    """As it is promised from each release to the next; the earlier ones hold as well."""
    before = rows(dump)
    with closing(Database(left)) as database:
        for table, name in (("requests", "id"), ("deliveries", "id"), ("once", "delivery_id")):
            one = next(row for row in before[table] if row[name] in ("c-queued", "of c-queued"))
            new = {key: str(value).replace("c-queued", "written late") for key, value in one.items() if key in TEXTS}
            insert(database, table, {**one, **new})
        tried = {**before["attempts"][0], "delivery_id": "written late"}
        insert(database, "attempts", tried)
    taken = claim(upgraded, now=NOW + SECOND)
    assert sorted(one.id for one in taken) == ["c-queued", "written late"]
    (again,) = keep(upgraded, delivery(CALLBACK, id="new", key="key of written late"))
    assert again.duplicate
    assert len(upgraded.attempts("written late")) == 1


TEXTS = ("id", "request_id", "key", "delivery_id")


def test_who_is_at_work_goes_on_when_a_later_release_has_upgraded_the_store(
    tmp_path: Path, sandbox: Sandbox, any_url: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with running(home, sandbox.url, ADAPTER_DATABASE_URL=any_url) as adapter:
        with closing(Database(any_url)) as database, database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            connection.execute(text("ALTER TABLE deliveries ADD COLUMN later TEXT NOT NULL DEFAULT ''"))
        assert requests.get(f"{adapter.url}/readyz", timeout=30).status_code == 200
        for number, given in enumerate(({"skill": "Sales"}, {"agent": "0101"})):
            body = json.dumps({"id": str(number), "phone": "8015550142", **given}).encode()
            assert adapter.post("click", body).status_code == 200
        until(lambda: counts(adapter) == {"accepted": 2})
    with closing(Store(any_url)) as fresh, pytest.raises(StoreError, match="the store has version 9999"):
        fresh.check()


def test_there_is_something_of_every_release_that_changed_the_tables() -> None:
    assert [dump.stem for dump in LEFT][:3] == ["0001", "0003", "0004"]
