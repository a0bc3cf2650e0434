"""The folder of mapping files as it changes: what is new in it and has come to rest."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from adapter import sources, tenants

T = TypeVar("T")
Stamp = tuple[object, ...]
"""How a file and what is beside it (tables, tenants) look from outside; it changes whenever one of them is written."""

REST = timedelta(seconds=1)
"""A file that was written so recently may be half of what its author means to write."""


class Folder:
    """Remembers how each file looked at the last look, and when it was last read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[Path, Stamp] = {}
        self._read: dict[Path, Stamp] = {}
        self._resting: set[Path] = set()

    def look(self) -> list[Path]:
        """The files there are now; raises `OSError` when the folder itself cannot be listed."""
        os.scandir(self.path).close()  # `glob` finds nothing in a folder that is away, and says nothing
        found = [*sources.mapping_files(self.path), *sources.shadow_files(self.path)]
        tables = self._tables()
        before, self._seen = self._seen, {path: (*_stamp(path), tables) for path in found}
        self._resting = {path for path, stamp in self._seen.items() if before.get(path) == stamp}
        return found

    def changed(self) -> list[Path]:
        """Files that looked the same at the last two looks, but not as when they were last read."""
        return [path for path, stamp in self._seen.items() if path in self._resting and self._read.get(path) != stamp]

    def read(self, path: Path, reader: Callable[[Path], T]) -> T | None:
        """What `reader` makes of a file; None when the file changed meanwhile, so that it must be read again."""
        got = reader(path)
        if (*_stamp(path), self._tables()) != self._seen[path]:
            return None
        self._read[path] = self._seen[path]
        return got

    def is_fresh(self, path: Path, *, now: datetime) -> bool:
        """Whether somebody may be writing this file at this moment."""
        return any(now - REST < datetime.fromtimestamp(one.st_mtime, UTC) for one in _stat(path))

    def _tables(self) -> Stamp:
        beside = (path for path in self.path.glob("*") if path.suffix.lower() == ".csv" or path.name == tenants.FILE)
        return tuple((path.name, *_stamp(path)) for path in sorted(beside))


def _stat(path: Path) -> list[os.stat_result]:
    try:
        return [path.stat()]
    except OSError:  # it went between the look and now
        return []


def _stamp(path: Path) -> Stamp:
    return tuple((one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in _stat(path))
