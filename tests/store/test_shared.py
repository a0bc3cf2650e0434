"""Writers that share a commit: all of them are kept, or hear that they are not."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from adapter.errors import StoreError
from adapter.store import shared
from adapter.store.shared import Turns


class File:
    """A file with a table of words, its turns, and what was executed on the connection."""

    def __init__(self, path: Path, patience: float = 60.0) -> None:
        self.path = path
        self.said: list[str] = []
        self.opened = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.opened.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; CREATE TABLE known (word TEXT PRIMARY KEY);"
            "CREATE TABLE words (word TEXT REFERENCES known DEFERRABLE INITIALLY DEFERRED);"
            "INSERT INTO known VALUES ('a'), ('b'), ('c')"
        )
        self.opened.set_trace_callback(self.said.append)
        self.turns = Turns(self._begin, patience=patience)
        self.pool = ThreadPoolExecutor(8)

    def _begin(self, opened: sqlite3.Connection, at_once: bool) -> None:
        opened.execute("BEGIN IMMEDIATE" if at_once else "BEGIN")

    def write(self, word: str, meanwhile: Callable[[], object] = lambda: None, *, at_once: bool = True) -> None:
        with self.turns.taken(lambda: self.opened, at_once=at_once):
            self.opened.execute("INSERT INTO words VALUES (?)", (word,))
            meanwhile()

    def starts(self, word: str, *, behind: int, at_once: bool = True, fails: bool = False) -> Future[None]:
        """Another thread that writes, once it waits as the last of so many."""
        started = self.pool.submit(self.write, word, give_up if fails else lambda: None, at_once=at_once)
        until(lambda: len(self.turns._waiting) == behind)
        return started

    def kept(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as other:
            return [word for (word,) in other.execute("SELECT word FROM words ORDER BY rowid")]

    def commits(self) -> int:
        return sum(one.startswith("COMMIT") for one in self.said)


def give_up() -> None:
    raise ZeroDivisionError


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[File]:
    """A file whose writers rely on each other, however long the next one takes to come to its turn."""
    monkeypatch.setattr(shared, "RESCUE_SECONDS", 60)
    file = File(tmp_path / "words.db")
    yield file
    file.pool.shutdown()
    file.opened.close()


def test_alone_a_writer_commits_at_once_and_by_itself(file: File) -> None:
    file.write("a")
    assert file.kept() == ["a"]
    assert [one.split()[0] for one in file.said] == ["BEGIN", "INSERT", "COMMIT"]


def test_those_who_wait_share_one_commit_and_go_on_after_it(file: File) -> None:
    others: list[Future[None]] = []
    file.write("a", lambda: others.extend(file.starts(word, behind=place) for place, word in ((1, "b"), (2, "c"))))
    assert sorted(file.kept()) == ["a", "b", "c"]  # whoever returns first finds everything on disk
    for one in others:
        one.result()
    assert file.commits() == 1


def test_what_one_block_raises_undoes_nothing_of_the_others(file: File) -> None:
    others: list[Future[None]] = []
    file.write("a", lambda: others.append(file.starts("b", behind=1, fails=True)))
    with pytest.raises(ZeroDivisionError):
        others[0].result()
    assert file.kept() == ["a"]


def test_a_first_block_that_raises_leaves_the_turn_to_the_next(file: File) -> None:
    others: list[Future[None]] = []

    def fail() -> None:
        others.append(file.starts("b", behind=1))
        give_up()

    with pytest.raises(ZeroDivisionError):
        file.write("a", fail)
    others[0].result()
    assert file.kept() == ["b"]


def test_everybody_hears_that_the_commit_failed(file: File) -> None:
    others: list[Future[None]] = []
    with pytest.raises(sqlite3.OperationalError, match="FOREIGN KEY"):
        file.write("a", lambda: others.append(file.starts("unknown", behind=1)))
    with pytest.raises(sqlite3.OperationalError, match="FOREIGN KEY"):
        others[0].result()
    assert file.kept() == []
    file.write("b")
    assert file.kept() == ["b"]


@pytest.mark.parametrize("words", ["RELEASE", "ROLLBACK"])
def test_nothing_is_kept_of_a_block_whose_end_could_not_be_said(file: File, words: str) -> None:
    others: list[Future[None]] = []

    def allowed(action: int, first: str | None, *_: object) -> int:
        return sqlite3.SQLITE_DENY if (action, first) == (sqlite3.SQLITE_SAVEPOINT, words) else sqlite3.SQLITE_OK

    file.opened.set_authorizer(allowed)
    with pytest.raises(sqlite3.Error, match="not authorized"):
        file.write("a", lambda: others.append(file.starts("b", behind=1, fails=words == "ROLLBACK")))
    with pytest.raises(sqlite3.Error, match="not authorized"):
        others[0].result()
    file.opened.set_authorizer(None)
    assert file.kept() == []
    file.write("c")
    assert file.kept() == ["c"]


def test_everybody_hears_that_a_full_disk_undid_everything(file: File) -> None:
    others: list[Future[None]] = []
    file.opened.execute("INSERT INTO known VALUES (?)", ("long" * 100_000,))
    (pages,) = file.opened.execute("PRAGMA page_count").fetchone()
    file.opened.execute(f"PRAGMA max_page_count={pages}")
    raised: list[bool] = []
    try:
        file.write("a", lambda: others.append(file.starts("long" * 100_000, behind=1)))
    except sqlite3.Error:
        raised.append(True)
    with pytest.raises(sqlite3.Error, match="full"):
        others[0].result()
    assert file.kept() == ([] if raised else ["a"])


def test_nobody_waits_for_one_who_gave_up_waiting(tmp_path: Path) -> None:
    file = File(tmp_path / "words.db", patience=0.01)

    def outlast() -> None:
        with pytest.raises(StoreError, match="the store is busy"):
            file.pool.submit(file.write, "b").result()
        file.turns._waiting.append(None)  # one who is just about to give up

    file.write("a", outlast)
    assert file.kept() == ["a"]
    file.pool.shutdown()
    file.opened.close()


def test_who_must_be_on_disk_at_once_does_not_join_those_who_need_not(file: File) -> None:
    others: list[Future[None]] = []
    file.write("a", lambda: others.append(file.starts("b", behind=1)), at_once=False)
    others[0].result()
    assert file.kept() == ["a", "b"]
    assert file.commits() == 2


def test_a_commit_has_so_many_writers_and_no_more(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST", 2)
    others: list[Future[None]] = []
    file.write("a", lambda: others.extend(file.starts(word, behind=place) for place, word in ((1, "b"), (2, "c"))))
    for one in others:
        one.result()
    assert sorted(file.kept()) == ["a", "b", "c"]
    assert file.commits() == 2


def test_many_writers_are_all_kept_and_no_commit_is_one_by_one(file: File) -> None:
    together = threading.Barrier(8)

    def some(number: int) -> None:
        together.wait()
        for _ in range(100):
            file.write("abc"[number % 3])

    list(file.pool.map(some, range(8)))
    assert len(file.kept()) == 800
    assert file.commits() < 800


def test_closing_commits_what_is_open(file: File) -> None:
    file.write("a")
    file.turns.close()
    file.write("b")
    assert file.kept() == ["a", "b"]


@pytest.mark.parametrize("place", [1, 2])
def test_nobody_is_told_of_a_commit_after_sqlite_undid_everything_by_itself(file: File, place: int) -> None:
    others: list[Future[None]] = []

    def undone() -> None:
        file.opened.execute("ROLLBACK")  # as for a full disk, by a block that goes on nevertheless

    def write(word: str, number: int) -> None:
        file.write(word, undone if number == place else lambda: None)

    def first() -> None:
        others.append(file.pool.submit(write, "b", 2))
        until(lambda: len(file.turns._waiting) == 1)
        if place == 1:
            undone()

    with pytest.raises(sqlite3.OperationalError):
        file.write("a", first)
    if place == 2:
        with pytest.raises(sqlite3.OperationalError):
            others[0].result()
    assert "a" not in file.kept()
    file.write("c")
    assert file.kept()[-1] == "c"
