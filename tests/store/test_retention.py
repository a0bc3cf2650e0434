"""The purge: by indexes, in short bites, with rests between; what changes meanwhile stays."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sample import NOW, SECOND, delivery
from sqlalchemy import ClauseElement

from adapter.model import State
from adapter.store import Kept, Store, retention
from adapter.store.retention import BITE_SECONDS, LEAST, MOST, Old, Purge, fitting, olds

from .contract import LONG_AGO, MONTH_AGO, deliveries, keep, to


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store in either database."""
    here = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'store.db'}" if here else request.getfixturevalue("postgres_url")
    with closing(Store(url)) as made:
        made.upgrade()
        yield made


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """Bites of a row."""
    monkeypatch.setattr(retention, "LEAST", 1)
    monkeypatch.setattr(retention, "MOST", 1)
    store._purge._rows = 1


def keep_old(store: Store, count: int, state: State = "accepted") -> None:
    many = [replace(one, created_at=LONG_AGO, updated_at=LONG_AGO) for one in deliveries(count, state=state)]
    keep(store, *many, at=LONG_AGO, remember=SECOND)


@pytest.mark.parametrize(
    ("rows", "seconds", "then"),
    [
        (100, BITE_SECONDS, 100),
        (100, BITE_SECONDS / 1.5, 150),
        (100, 0.0, 200),
        (100, BITE_SECONDS * 4, 25),
        (100, 60.0, LEAST),
        (MOST, 0.0, MOST),
    ],
    ids=["as wanted", "faster", "in no time", "slower", "for ever", "all"],
)
def test_a_bite_is_as_large_as_its_time_allows(rows: int, seconds: float, then: int) -> None:
    assert fitting(rows, seconds) == then


@pytest.mark.usefixtures("one_by_one")
def test_what_is_put_to_work_again_after_the_look_stays(store: Store) -> None:
    keep_old(store, 3, "failed")

    def rest(_: float) -> bool:
        for name in ("d0", "d1", "d2"):
            if (found := store.get(name)) and found.state == "failed":
                store.act(found, to("queued"), who="Pat", now=NOW)
        return False

    store.purge(before=MONTH_AGO, now=NOW, rest=rest)
    assert store.counts() == {"queued": 2}
    assert sum(len(store.acts(name)) for name in ("d0", "d1", "d2")) == 2


@pytest.mark.usefixtures("one_by_one")
def test_a_key_that_is_taken_again_after_the_look_is_remembered(store: Store) -> None:
    keep_old(store, 2)
    taken: list[Kept] = []

    def rest(_: float) -> bool:
        if not taken and not store.counts():
            taken.extend(keep(store, delivery(id="new", key="k1")))
        return False

    store.purge(before=MONTH_AGO, now=NOW, rest=rest)
    (again,) = keep(store, delivery(id="d9", key="k1"))
    assert (again.delivery.id, again.duplicate) == ("new", True)


@pytest.mark.usefixtures("one_by_one")
def test_whoever_has_no_time_for_another_bite_ends_it(store: Store) -> None:
    keep_old(store, 3)
    assert store.purge(before=MONTH_AGO, now=NOW, rest=lambda _: True) == 1
    assert store.counts() == {"accepted": 2}


def test_it_rests_longer_than_it_bites(store: Store) -> None:
    keep_old(store, 1)
    ticks = itertools.count(0, 0.25)
    rests: list[float] = []
    purge = Purge(store._database, clock=lambda: next(ticks))

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return False

    purge.run(before=MONTH_AGO, now=NOW, most=100, rest=rest)
    assert len(rests) == 3  # the delivery, its request, its key
    assert set(rests) == {(2 if store._database.own.far else 4) * 0.25}


def test_nobody_waits_for_it_when_nothing_is_old(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(Store(f"sqlite:///{file}")) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        store.upgrade()
        keep(store, delivery(state="accepted"))
        other.execute("BEGIN IMMEDIATE")
        assert store.purge(before=NOW - timedelta(days=1), now=NOW) == 0


def plans(store: Store, old: Old) -> list[str]:
    """How SQLite goes about looking for what is old, and about removing three and three hundred rows of it."""
    removals = [old.removal([("x",) * len(old.keys)] * count) for count in (3, 300)]
    with store._database.reading() as connection:
        asked: list[ClauseElement] = [old.found(500), *removals]
        texts = [str(one.compile(connection, compile_kwargs={"literal_binds": True})) for one in asked]
        return [str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()) for text in texts]


def test_every_look_and_every_bite_goes_by_an_index_of_its_own(tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        store.upgrade()
        keep(store, delivery())
        with store._database.reading() as connection:
            every = list(olds(connection, before=MONTH_AGO, now=NOW))
        assert {one.table.name for one in every} >= {"deliveries", "requests", "once", "marks", "outcomes", "seen"}
        for old in every:
            look, *bites = plans(store, old)
            name = old.table.name
            assert re.search(rf"SEARCH {name} USING (COVERING )?INDEX {name}_\w+ \(.*<\?\)", look), look
            assert "deliveries_due" not in look, "by the states it would go through all that ever finished"
            for bite in bites:
                assert f"SCAN {name}" not in bite
                assert re.search(rf"SEARCH {name} USING (INDEX sqlite_autoindex_{name}_1|PRIMARY KEY) \(", bite), bite
