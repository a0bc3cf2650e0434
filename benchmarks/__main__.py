"""`python -m benchmarks`: measure, print the table; `--only click` measures a part, `--rounds 5` more carefully."""

from __future__ import annotations

import argparse
import os
import platform
import time
from contextlib import nullcontext
from pathlib import Path

from benchmarks import postgres
from benchmarks.cases import CASES, Effort
from benchmarks.figures import Figure, table
from benchmarks.stage import Shape


def main() -> None:
    """Run the cases that are asked for, one after the other."""
    asked = _arguments()
    with postgres.running(options=()) if asked.store == "postgres" else nullcontext() as server:
        shape = Shape(workers=asked.workers, threads=asked.threads, server=server)
        told = _measure(asked.only or list(CASES), _effort(asked, shape))
    print(f"\n{told}")
    if asked.write:
        asked.write.write_text(f"# What was measured\n\n```text\n{told}\n```\n", encoding="utf-8")


def _effort(asked: argparse.Namespace, shape: Shape) -> Effort:
    return Effort(rounds=asked.rounds, seconds=asked.seconds, shape=shape, rows=asked.rows)


def _measure(names: list[str], effort: Effort) -> str:
    """What the cases found, as text."""
    begun = time.monotonic()
    figures: list[Figure] = []
    for name in names:
        print(f"{name}: {(CASES[name].__doc__ or '').splitlines()[0]}", flush=True)
        figures += CASES[name](effort)
    return f"{_machine(effort)}, {time.monotonic() - begun:.0f} s in all\n\n{table(figures)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="times that product and baseline take turns (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each is measured (%(default)s)")
    parser.add_argument("--only", choices=CASES, action="append", metavar="NAME", help=f"one of {', '.join(CASES)}")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite", help="of both (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="web processes of both (%(default)s)")
    parser.add_argument("--threads", type=int, default=16, help="threads of each web process (%(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="old deliveries of `purge` (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this file too")
    return parser.parse_args()


def _machine(effort: Effort) -> str:
    shape = effort.shape
    store = "SQLite" if shape.server is None else "PostgreSQL"
    return (
        f"Python {platform.python_version()}, {store}, {os.cpu_count()} processors, "
        f"{shape.workers} worker(s) x {shape.threads} threads, medians of {effort.rounds} rounds"
    )


if __name__ == "__main__":
    main()
