"""Whose a store is: its owner's alone, and that is the adapter's user, also when root makes it by a command."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make(file: Path) -> None:
    """An empty file which only its owner may read; raises `OSError`, also when there is one."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    hand_over(file)


def hand_over(file: Path) -> None:
    """Give a file that root made to whom its folder belongs, as SQLite does with what it puts beside the file."""
    if os.geteuid() == 0:
        folder = file.absolute().parent.stat()
        with suppress(OSError):  # some disks know no owners
            os.chown(file, folder.st_uid, folder.st_gid)
