"""A copy of an SQLite file: whole or not there, for its owner only, and never over another."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sample import CALLBACK, NOW, delivery

from adapter.errors import StoreError
from adapter.store import Store, backup
from adapter.store.engine import Database

from .contract import claim, keep


@pytest.fixture
def file(store: Store, tmp_path: Path) -> Path:
    """The file of the `store` of a test, in which one callback waits."""
    keep(store, delivery(CALLBACK))
    return tmp_path / "store.db"


@pytest.fixture
def copy(file: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    backup.take(file, tmp_path / "copy.db", now=NOW)
    return tmp_path / "copy.db"


def left(folder: Path) -> set[str]:
    """The files there but for the store's own."""
    return {one.name for one in folder.iterdir()} - {"store.db", "store.db-wal", "store.db-shm"}


def test_a_copy_is_one_file_for_its_owner_and_can_be_read_where_nobody_may_write(copy: Path, tmp_path: Path) -> None:
    assert left(tmp_path) == {"copy.db"}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(f"file:{copy}?immutable=1", uri=True)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert opened.execute("SELECT state, policy FROM deliveries").fetchall() == [("held", "restored")]


def test_the_store_itself_goes_on_as_if_nothing_had_been(store: Store, copy: Path) -> None:
    assert [one.id for one in claim(store)] == ["d1"]


def test_a_copy_made_in_the_midst_of_a_write_has_nothing_of_it(file: Path, tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{file}")) as database, database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM deliveries")
        assert backup.take(file, tmp_path / "copy.db", now=NOW) == 1


def test_a_copy_becomes_a_store_again(copy: Path, tmp_path: Path) -> None:
    assert backup.restore(copy, tmp_path / "new.db", now=NOW) == 1
    with closing(Store(f"sqlite:///{tmp_path / 'new.db'}")) as again:
        again.check()
        assert again.counts() == {"held": 1}
        assert claim(again) == []


def test_a_copy_that_others_made_is_held_too(store: Store, file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file)) as opened:
        opened.execute(f"VACUUM INTO '{tmp_path / 'theirs.db'}'")
    assert backup.restore(tmp_path / "theirs.db", tmp_path / "new.db", now=NOW) == 1


Use = Callable[[Path], object]
REFUSED: dict[str, tuple[Use, str]] = {
    "over a copy": (lambda at: backup.take(at / "store.db", at / "copy.db", now=NOW), "copy.db is there already"),
    "over a link": (lambda at: backup.take(at / "store.db", at / "link.db", now=NOW), "link.db is there already"),
    "over a store": (lambda at: backup.restore(at / "copy.db", at / "store.db", now=NOW), "store.db"),
    "beside a journal": (lambda at: backup.restore(at / "copy.db", at / "gone.db", now=NOW), "gone.db-wal is there"),
    "of nothing": (lambda at: backup.restore(at / "no.db", at / "new.db", now=NOW), "there is no file"),
    "of text": (lambda at: backup.restore(at / "text.db", at / "new.db", now=NOW), "text.db cannot be copied: file is"),
    "of another program": (lambda at: backup.restore(at / "other.db", at / "new.db", now=NOW), "is no store of this"),
    "of a later version": (lambda at: backup.restore(at / "later.db", at / "new.db", now=NOW), "newer adapter"),
    "of a damaged file": (lambda at: backup.restore(at / "bad.db", at / "new.db", now=NOW), "malformed|damaged"),
    "into nowhere": (lambda at: backup.take(at / "store.db", at / "no/copy.db", now=NOW), "cannot be written"),
}


@pytest.mark.parametrize(("use", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_leaves_everything_as_it_was(copy: Path, tmp_path: Path, use: Use, said: str) -> None:
    (tmp_path / "link.db").symlink_to("nowhere")
    (tmp_path / "gone.db-wal").touch()
    (tmp_path / "text.db").write_text("this is no database" * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE theirs (one)")
    shutil.copy(copy, tmp_path / "later.db")
    with closing(sqlite3.connect(tmp_path / "later.db")) as later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
        later.commit()
    (tmp_path / "bad.db").write_bytes(copy.read_bytes()[:4096] + b"\xff" * (copy.stat().st_size - 4096))
    before, content = left(tmp_path), copy.read_bytes()
    with pytest.raises(StoreError, match=said):
        use(tmp_path)
    assert left(tmp_path) == before
    assert copy.read_bytes() == content


def test_what_a_killed_one_left_is_in_nobodys_way(file: Path, tmp_path: Path) -> None:
    (tmp_path / ".copy.db.part").write_text("half of a copy")
    backup.take(file, tmp_path / "copy.db", now=NOW)
    assert left(tmp_path) == {"copy.db"}
