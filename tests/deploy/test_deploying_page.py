"""The page that leads to production: its commands are run, below a folder that stands for the machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from running import free_port, until
from test_docs import between

from adapter.cli import main
from deploy.proxies import DEPLOY, ROOT

PAGE = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
SYSTEMD = between(PAGE, "systemd").removeprefix("```sh\n").removesuffix("\n```")
HOST = "calls.example.org"
TYPED = f"{HOST}\nhttp://127.0.0.1:9\na-token-typed-by-hand\n"
PLACES = ("/opt/", "/etc/", "/usr/local/sbin/", "/var/")
STANDINS = ("apt-get", "systemctl", "certbot", "nginx", "make")
"""Commands that would change the machine; they are only noted."""

MOVED = ("deploy/xima-adapter.sh", "deploy/xima-adapter.service")
"""Files that name places of the machine."""


def moved(text: str, machine: Path) -> str:
    """The text with every place of the machine below a folder."""
    return re.sub("|".join(rf"(?<!\w){place}" for place in PLACES), lambda found: f"{machine}{found[0]}", text)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that stands for the machine after the commands of the page."""
    if missing := [name for name in ("bash", "openssl") if not shutil.which(name)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    here, place, bin_ = tmp_path / "checkout", tmp_path / "machine", tmp_path / "bin"
    here.mkdir()
    for path in ROOT.iterdir():
        (here / path.name).symlink_to(path)
    (here / "deploy").unlink()
    shutil.copytree(DEPLOY, here / "deploy")
    for name in MOVED:
        (here / name).write_text(moved((ROOT / name).read_text(encoding="utf-8"), place), encoding="utf-8")
    for name in ("etc/systemd/system", "etc/nginx/conf.d", "usr/local/sbin", "opt"):
        (place / name).mkdir(parents=True)
    bin_.mkdir()
    _program(bin_ / "sudo", 'exec "$@"')
    for name in STANDINS:
        _program(bin_ / name, f'echo {name} "$@" >> {place}/noted')
    _program(place / "opt/xima-crm-adapter/.venv/bin/xima-adapter", f'exec {sys.executable} -m adapter "$@"')
    search = f"{place}/usr/local/sbin:{bin_}:{os.environ['PATH']}"
    script = "set -euo pipefail\n" + moved(SYSTEMD, place)
    environ = {**os.environ, "PATH": search, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-c", script],
        input=TYPED,
        cwd=here,
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place


def _program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def unit(path: Path) -> tuple[dict[str, str], list[str], str]:
    """The environment, the command and the folder a unit starts with, as systemd reads them."""
    lines = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    given = {name: text for name, _, text in lines if name != "Environment"}
    environ = dict(text.split("=", 1) for name, _, text in lines if name == "Environment")
    settings = Path(given["EnvironmentFile"]).read_text(encoding="utf-8").splitlines()
    environ |= dict(line.split("=", 1) for line in settings)
    return environ, shlex.split(given["ExecStart"]), given["WorkingDirectory"]


def test_the_commands_for_one_machine_lead_to_an_adapter_that_is_ready(machine: Path) -> None:
    env_file = machine / "etc/xima-adapter/adapter.env"
    assert env_file.stat().st_mode & 0o777 == 0o600
    site = (machine / "etc/nginx/conf.d/xima-adapter.conf").read_text(encoding="utf-8")
    assert f"server_name {HOST};" in site
    assert "example.com" not in site
    noted = (machine / "noted").read_text(encoding="utf-8")
    assert "systemctl enable --now xima-adapter" in noted
    assert f"-d {HOST}" in noted
    environ, command, folder = unit(machine / "etc/systemd/system/xima-adapter.service")
    assert environ["XIMA_TOKEN"] == "a-token-typed-by-hand"
    (machine / "var/lib/xima-adapter").mkdir(parents=True)  # StateDirectory=
    address = f"127.0.0.1:{free_port()}"
    with (machine / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ADAPTER_BIND": address, **environ},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: process.poll() is not None or _ready(address))
        assert process.poll() is None, (machine / "log").read_text()
        assert requests.post(f"http://{address}/hooks/callback", timeout=30).status_code == 401
    finally:
        process.terminate()
    assert process.wait(90) == 0


def _ready(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/readyz", timeout=30).ok
    except requests.RequestException:
        return False


def test_one_machine_is_up_in_ten_commands() -> None:
    without_input = re.sub(r"(?s)<<EOF\n.*?\nEOF", "", SYSTEMD)
    assert len(without_input.splitlines()) <= 10


def test_the_page_names_only_commands_and_files_there_are() -> None:
    commands = re.findall(r"(?:`|sudo |web |-- )xima-adapter ([a-z]+)", PAGE)
    assert {"doctor", "check", "send", "deliveries"} <= set(commands) <= set(main.commands)
    for path in re.findall(r"(?<![\w/])deploy/[\w./-]+\w", PAGE):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"[\w-]+\.env\.example|compose[\w.]*\.yaml", PAGE):
        assert (DEPLOY / name).exists(), name


def test_the_script_for_a_clean_debian_reads_these_commands_and_this_unit() -> None:
    script = ROOT / "tests/deploy/clean-debian"
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=300)
    text = script.read_text(encoding="utf-8")
    assert "<!-- systemd -->" in text
    asked = set(re.findall(r"value (\w+)", text))
    given = {
        line.partition("=")[0] for line in (DEPLOY / "xima-adapter.service").read_text(encoding="utf-8").splitlines()
    }
    assert asked <= given
