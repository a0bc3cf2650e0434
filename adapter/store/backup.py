"""A copy of an SQLite store while others write to it, and a store out of such a copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from adapter.errors import StoreError
from adapter.store import migrate, owned, recovery
from adapter.store.engine import Database

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite reads together with the file before it."""


def take(store: Path, file: Path, *, now: datetime) -> int:
    """Copy a store as it is at one moment; gives how much waits in the copy, where it is held.

    Nobody who writes meanwhile waits for it. Raises `StoreError`, also when there is such a file already.
    """
    return _copy(store, file, now=now)


def restore(file: Path, store: Path, *, now: datetime) -> int:
    """Make a store of today's tables out of a copy; gives how much waited in it, and is held.

    Raises `StoreError`, also when there is a store: whoever uses it has to end first, and it is not written over.
    """
    left = [one for ending in BESIDE if (one := Path(f"{store}{ending}")).exists()]
    if left:
        raise StoreError(f"{left[0]} is there: stop the adapter, and move it away together with {store}")
    held = _copy(file, store, now=now)
    owned.hand_over(store)
    return held


def _copy(old: Path, new: Path, *, now: datetime) -> int:
    if not old.is_file():
        raise StoreError(f"there is no file {old}")
    try:
        with _made(new) as fresh:
            _read(old, fresh)
            held = _held(old, fresh, now=now)
            _stand_alone(fresh)
            return held
    except FileExistsError as exc:
        raise StoreError(f"{new} is there already: choose another name, or move it away") from exc
    except OSError as exc:
        raise StoreError(f"{new} cannot be written: {exc.strerror}") from exc
    except sqlite3.Error as exc:
        raise StoreError(f"{old} cannot be copied: {exc}") from exc


@contextmanager
def _made(file: Path) -> Iterator[Path]:
    """A file to fill, which only its owner may read, and which then stands there whole or not at all."""
    if file.exists() or file.is_symlink():
        raise FileExistsError
    fresh = file.with_name(f".{file.name}.part")
    fresh.unlink(missing_ok=True)  # of one that was killed
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield fresh
        _reach_disk(fresh)
        os.link(fresh, file)  # unlike a rename it never takes the place of another
    finally:
        for ending in ("", *BESIDE):
            Path(f"{fresh}{ending}").unlink(missing_ok=True)
    _reach_disk(file.parent)


def _reach_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read(old: Path, fresh: Path) -> None:
    """SQLite's own online backup, in one step: one moment of the file, whoever writes."""
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(fresh)) as copy:
        source.backup(copy)
        (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise StoreError(f"{old} is damaged: {said}")


def _held(old: Path, fresh: Path, *, now: datetime) -> int:
    with closing(Database(f"sqlite:///{fresh}")) as database, database.writing() as connection:
        if migrate.version(connection) is None:
            raise StoreError(f"{old} is no store of this adapter")
        migrate.upgrade(connection)
        return recovery.held_past(connection) + recovery.hold_past(connection, now=now)


def _stand_alone(fresh: Path) -> None:
    """One file instead of one that is written ahead, so that it can be read where nobody may write."""
    with closing(sqlite3.connect(fresh)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE").close()
