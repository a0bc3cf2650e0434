"""What the kernel says about processes: their memory and their processor time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> Iterator[int]:
    """A process and everything that descends from it."""
    yield pid
    for path in Path("/proc").glob("[0-9]*"):
        if int(_stat(int(path.name))[1]) == pid:
            yield from tree(int(path.name))


def memory(pid: int) -> float:
    """MB of a process with its descendants; pages that several of them share are counted once."""
    return sum(map(_own_share, tree(pid))) / 1024


def _own_share(pid: int) -> int:
    """KB by proportional set size."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used, without its descendants."""
    return (int(_stat(pid)[11]) + int(_stat(pid)[12])) / TICKS


def _stat(pid: int) -> list[str]:
    """The fields of a process from its state on; of one that has ended meanwhile, zeros."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ["0"] * 20
    return text.rpartition(")")[2].split()
