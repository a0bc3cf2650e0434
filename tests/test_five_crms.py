"""The five minutes of docs/five-crms.md: every line is typed, from nothing, and the pretend Xima rings."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from pages import ROOT
from running import free_port, until
from test_docs import between

PAGE = (ROOT / "docs/five-crms.md").read_text(encoding="utf-8")
CRMS = [name for name in re.findall(r"<!-- (\w+) -->", PAGE) if name != "start"]


def lines(name: str) -> list[str]:
    """The commands between two markers of the page."""
    return between(PAGE, name).removeprefix("```sh\n").removesuffix("\n```").splitlines()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of somebody who has `xima-adapter`; what is started in it is stopped."""
    program = tmp_path / "bin/xima-adapter"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho $$ >> {tmp_path}/pids\nexec {sys.executable} -m adapter "$@"\n')
    program.chmod(0o755)
    (tmp_path / "home").mkdir()
    yield tmp_path / "home"
    for pid in (tmp_path / "pids").read_text().split():
        with suppress(OSError):  # most of them ended long ago
            if sys.platform != "linux" or Path(f"/proc/{pid}/cwd").readlink() == tmp_path / "home":
                os.kill(int(pid), signal.SIGTERM)


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="needs bash, curl and openssl")
@pytest.mark.parametrize("crm", CRMS)
def test_from_nothing_to_a_ringing_phone(crm: str, home: Path) -> None:
    xima, port = free_port(), free_port()
    script = "\n".join(("set -eu", *lines("start"), *lines(crm)))
    script = script.replace("8100", str(xima)).replace("8000", str(port))
    script = script.replace("xima-adapter sandbox", f"xima-adapter sandbox --bind 127.0.0.1:{xima}")
    environ = {
        "PATH": f"{home.parent}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "ADAPTER_BIND": f"127.0.0.1:{port}",
    }
    ran = subprocess.run(
        ["bash", "-c", script], cwd=home, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "example as expected" in ran.stdout or "examples as expected" in ran.stdout
    assert "200 from" in ran.stdout
    assert re.search(r"accepted|queued|sending", ran.stdout.splitlines()[-1])
    until(lambda: [call for call in _ledger(xima) if call["effect"]])


def _ledger(xima: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"http://127.0.0.1:{xima}/_sandbox/calls", timeout=30).json()["calls"]
    return found


def test_there_are_five_of_ten_lines_each() -> None:
    assert len(CRMS) == 5
    assert {name: len(lines("start") + lines(name)) for name in CRMS} == dict.fromkeys(CRMS, 10)


def test_each_calls_back_another_number_so_that_none_is_left_in_peace_for_the_one_before() -> None:
    sent = {name: next(line for line in lines(name) if " send " in line) for name in CRMS}
    given = [
        re.findall(r"=([+0-9-]{10,})", line) for name, line in sent.items() if name not in ("hubspot", "salesforce")
    ]
    assert len({re.sub("[^0-9]", "", numbers[0])[-10:] for numbers in given}) == 3
