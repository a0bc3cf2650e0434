"""Run the whole suite in several processes at once: `python tests/shards.py [pytest's arguments]`.

Much of its time goes by in waiting for processes that start, die and come back. Each process collects everything and
takes one file of tests after the other, the slow ones first, until none is left. A test or two that fail in this crowd
are tried again, alone, and named at the end, but for those that judge the promises: broken once is broken.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLAIMS = "XIMA_TEST_CLAIMS"
"""Names the folder in which the processes tell each other which file is whose."""
FAILED = "failed.txt"
COUNT = int(os.environ.get("SHARDS", "4"))
SAY_SECONDS = 30
FEW = 2
"""Tests that are tried again; when more fail, it is not the crowd."""
NEVER_AGAIN = ("tests/chaos/", "tests/store/")
SLOW = ("chaos/", "deploy/", "store/", "cli/", "web/", "test_")
"""Folders whose files are begun first: what takes long must not be begun last."""


class Sharing:
    """A pytest plugin: runs only the files that no other process has taken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Called by pytest instead of its own loop."""
        if session.testsfailed:
            raise session.Interrupted(f"{session.testsfailed} errors during collection")
        mine = self._taken(session.items)
        item = next(mine, None)
        while item is not None:
            after = next(mine, None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.shouldfail or session.shouldstop:
                raise session.Interrupted(session.shouldfail or session.shouldstop)
            item = after
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest with what came of each part of a test."""
        if report.failed:
            with (self._folder.parent / FAILED).open("a", encoding="utf-8") as failed:
                failed.write(f"{report.nodeid}\n")

    def _taken(self, items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
        files = [(path, list(group)) for path, group in groupby(items, key=lambda item: item.path)]
        for path, group in sorted(files, key=lambda pair: _turn(pair[0])):
            try:
                (self._folder / str(path.relative_to(HERE)).replace("/", ".")).touch(exist_ok=False)
            except FileExistsError:
                continue
            yield from group


def _turn(path: Path) -> int:
    name = str(path.relative_to(HERE))
    return next((place for place, start in enumerate(SLOW) if name.startswith(start)), len(SLOW))


def main(arguments: Sequence[str]) -> int:
    """Run the shards, show what they say when they are done, and end with one line for them all.

    With arguments it is one process, which says what it does while it does it. With COVERAGE in the environment the
    lines are counted that they go through, which takes twice the processor's time.
    """
    measured = ["-m", "coverage", "run"] if os.environ.get("COVERAGE") else []
    command = [sys.executable, *measured, "-m", "pytest", *arguments]
    if arguments or COUNT == 1:
        return subprocess.run(command, check=False).returncode
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shards-") as made:
        said = [Path(made, f"{number}.txt") for number in range(COUNT)]
        claims = Path(made, "claims")
        claims.mkdir()
        environ = {**os.environ, CLAIMS: str(claims), "PYTHONPATH": str(HERE)}
        shard = [*command, "-q", "--color=no", "-p", "shards"]
        running = [
            subprocess.Popen(shard, stdout=out.open("wb"), stderr=subprocess.STDOUT, env=environ) for out in said
        ]
        _watch(running, claims)
        texts = [out.read_text(encoding="utf-8", errors="replace") for out in said]
        failed = _lines(Path(made, FAILED))
    for text in texts:
        sys.stdout.write(text)
    code = max(abs(int(one.returncode)) for one in running)
    unsteady = len(failed) if code == pytest.ExitCode.TESTS_FAILED and _passed_alone(command, failed) else 0
    print(f"==== {closing(texts, unsteady)} in {time.monotonic() - begun:.2f}s ====")  # noqa: T201
    return 0 if unsteady else code


def _lines(path: Path) -> list[str]:
    """The different lines of a file, in order; of none when it is not there."""
    return sorted(set(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def _passed_alone(command: Sequence[str], failed: Sequence[str]) -> bool:
    """Whether a few that failed pass when they are tried again, with nothing beside them."""
    if not 0 < len(failed) <= FEW or any(name.startswith(NEVER_AGAIN) for name in failed):
        return False
    print("\nTried again, alone:", *failed, sep="\n  ", flush=True)  # noqa: T201
    return subprocess.run([*command, "-q", "--color=no", *failed], check=False).returncode == 0


def _watch(running: Sequence[subprocess.Popen[bytes]], claims: Path) -> None:
    """Say now and then how many files have been begun, until all processes are done."""
    begun = time.monotonic()
    while any(one.poll() is None for one in running):
        time.sleep(1)
        if int(time.monotonic() - begun) % SAY_SECONDS == 0:
            taken, files = len(list(claims.iterdir())), len(list(HERE.rglob("test_*.py")))
            print(f"{time.monotonic() - begun:4.0f} s: {taken} of {files} files begun", flush=True)  # noqa: T201


def closing(texts: Sequence[str], unsteady: int = 0) -> str:
    """What pytest's closing lines say together: `5 passed, 1 skipped`; `unsteady` ones passed only when tried again."""
    counts: Counter[str] = Counter()
    for text in texts:
        last = next((line for line in reversed(text.splitlines()) if re.search(r" in [0-9.]+s", line)), "")
        counts.update({word: int(number) for number, word in re.findall(r"([0-9]+) ([a-z]+)", last.split(" in ")[0])})
    counts["unsteady"] = unsteady
    failures = () if unsteady else ("failed", "errors", "error")
    order = (*failures, "passed", "skipped", "xfailed", "unsteady", "warnings", "warning")
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word]) or "nothing ran"


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest in every shard."""
    if folder := os.environ.get(CLAIMS):
        config.pluginmanager.register(Sharing(Path(folder)), "sharing")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
