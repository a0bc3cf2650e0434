"""The systemd units: accepted by systemd, hardened alike, and what they start is what the program offers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapter import server
from adapter.cli import main
from deploy.proxies import DEPLOY
from deploy.test_agreement import defaults

UNITS = sorted(DEPLOY.glob("*.service"))
INSTALLED = "/opt/xima-crm-adapter"
MOST_EXPOSED = 1.5
"""What systemd-analyze gives to a service that may do nearly nothing but talk to the network; 10 is the worst."""

ANALYZE = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
each = pytest.mark.parametrize("path", UNITS, ids=lambda path: str(path.stem))


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def analyze(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={**os.environ, "HOME": str(home), "SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@ANALYZE
@each
def test_systemd_accepts_the_unit(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    program = f"{INSTALLED}/.venv/bin/xima-adapter"
    text = path.read_text(encoding="utf-8")
    assert program in text
    copy.write_text(text.replace(program, sys.executable), encoding="utf-8")  # systemd looks whether it is there
    found = analyze("verify", str(copy), home=tmp_path)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@ANALYZE
@each
def test_a_unit_may_do_nearly_nothing_but_its_work(path: Path, tmp_path: Path) -> None:
    found = analyze("security", "--offline=yes", "--no-pager", str(path), home=tmp_path)
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", found.stdout)
    if not exposure:
        pytest.skip("this systemd-analyze cannot judge a file: " + found.stderr.strip())
    assert float(exposure[1]) <= MOST_EXPOSED


@each
def test_all_units_are_hardened_alike_and_share_user_and_files(path: Path) -> None:
    own = ("Description=", "ExecStart")
    alike = [line for line in lines(path) if not line.startswith(own)]
    assert alike == [line for line in lines(DEPLOY / "xima-adapter.service") if not line.startswith(own)]


@each
def test_a_unit_starts_a_command_there_is(path: Path) -> None:
    (command,) = [line.split() for line in lines(path) if line.startswith("ExecStart=")]
    assert command[0] == f"ExecStart={INSTALLED}/.venv/bin/xima-adapter"
    assert command[1] in main.commands
    assert len(command) == 2


@each
def test_systemd_waits_longer_than_the_adapter_needs_to_stop(path: Path) -> None:
    (seconds,) = re.findall(r"TimeoutStopSec=(\d+)", path.read_text(encoding="utf-8"))
    assert int(seconds) > server.grace(defaults()) + server.STOPPING


def test_the_socket_listens_where_the_proxies_ask_and_the_adapter_would() -> None:
    text = (DEPLOY / "xima-adapter.socket").read_text(encoding="utf-8")
    (address,) = re.findall(r"^ListenStream=(\S+)$", text, re.MULTILINE)
    assert address == defaults().bind
    assert f"server {address}" in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


@ANALYZE
def test_systemd_accepts_the_socket(tmp_path: Path) -> None:
    for name in ("xima-adapter.socket", "xima-adapter.service"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(
            text.replace(f"{INSTALLED}/.venv/bin/xima-adapter", sys.executable), encoding="utf-8"
        )
    found = analyze("verify", str(tmp_path / "xima-adapter.socket"), home=tmp_path)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")
