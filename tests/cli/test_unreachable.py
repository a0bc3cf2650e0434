"""Folders and files that the adapter's user may not reach: a line with the remedy, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from running import CLICK, Adapter, running, until

NOBODY = 65534
AS_NOBODY = f"""
import os
from adapter.cli import main
if not os.geteuid():  # only now: the interpreter may lie where nobody else may read
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
main(prog_name="xima-adapter")
"""
LONG = "x" * 5000


@pytest.fixture(scope="module")
def house() -> Iterator[Path]:
    """A folder anybody may work in, with folders inside that may not be entered, or be listed only."""
    with TemporaryDirectory() as made:
        house = Path(made)
        for name in ("locked", "listed"):
            (house / name / "mappings").mkdir(parents=True)
        house.chmod(0o777)
        (house / "listed" / "click.yaml").write_text(CLICK)
        owner = os.geteuid() or NOBODY
        for path in (house / "locked", house / "listed"):
            os.chown(path, owner, -1)
        (house / "locked").chmod(0)
        (house / "listed").chmod(0o444)
        yield house
        for path in (house / "locked", house / "listed"):
            path.chmod(0o700)


def told(house: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    """Exit code and output of a command of a user who is not root."""
    given = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XIMA_HOST": "http://127.0.0.1:1",
        "XIMA_TOKEN": "hush",
        "ADAPTER_SECRET_KEY": "k" * 32,
        "ADAPTER_MAPPINGS": str(house),
        **environ,
    }
    said = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *arguments],
        cwd=house,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "Traceback" not in said.stdout
    return said.returncode, said.stdout


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("ADAPTER_MAPPINGS", "{}/locked/mappings", "mappings cannot be reached (Permission denied): make it, or"),
        ("ADAPTER_MAPPINGS", "{}/locked", "locked cannot be read: let the adapter's user list and enter it"),
        ("ADAPTER_MAPPINGS", "{}/listed", "listed cannot be read: let the adapter's user list and enter it"),
        ("ADAPTER_MAPPINGS", LONG, "cannot be reached (File name too long): make it, or"),
        ("ADAPTER_DATABASE_URL", "sqlite:///{}/locked/mappings/a.db", "cannot be reached (Permission denied): make it"),
        ("ADAPTER_DATABASE_URL", "sqlite:///{}/locked/a.db", "a.db cannot be reached: Permission denied: let the"),
        ("ADAPTER_DATABASE_URL", "sqlite:///" + LONG, "cannot be reached: File name too long: let the"),
        ("ADAPTER_DATABASE_URL", "sqlite:////dev/null/a.db", "/dev/null is no folder: make it, or name another"),
    ],
    ids=["below", "shut", "listed only", "long", "store below", "store in it", "long store", "in a file"],
)
def test_a_place_that_cannot_be_reached_is_said_with_its_remedy(house: Path, name: str, text: str, why: str) -> None:
    code, said = told(house, "serve", **{name: text.format(house)})
    assert code == 1
    (line,) = [line for line in said.splitlines() if why in line]
    assert f"{name}: " in line


def test_deliveries_of_a_store_that_cannot_be_reached(house: Path) -> None:
    code, said = told(house, "deliveries", ADAPTER_DATABASE_URL=f"sqlite:///{house}/locked/a.db")
    assert (code, said.count("\n")) == (1, 1)
    assert "cannot be reached" in said


def test_mappings_that_may_not_be_looked_at_are_not_said_to_be_none(house: Path) -> None:
    code, said = told(house, "check", str(house / "listed"))
    assert code == 2
    assert "listed cannot be read: become a user who may list and enter it" in said
    said = told(house, "doctor", ADAPTER_MAPPINGS=str(house / "listed"))[1]
    assert "listed cannot be read" in said
    assert "there is none in" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_greeting_that_nobody_can_read_is_no_reason_not_to_start(tmp_path: Path) -> None:
    with running(tmp_path, "http://127.0.0.1:1", start=False) as adapter:
        adapter.write("click", CLICK)
        with Path("/dev/full").open("w") as full, (tmp_path / "log").open("w") as log:
            served = subprocess.Popen(
                [sys.executable, "-m", "adapter", "serve", "--bind", f"127.0.0.1:{adapter.port}"],
                env=adapter.whole_environ,
                stdout=full,
                stderr=log,
            )
        try:
            until(lambda: served.poll() is not None or _lives(adapter))
            assert served.poll() is None, (tmp_path / "log").read_text()
        finally:
            served.terminate()
        assert served.wait(90) == 0
        assert "Traceback" not in (tmp_path / "log").read_text()


def _lives(adapter: Adapter) -> bool:
    try:
        return requests.get(f"{adapter.url}/healthz", timeout=30).ok
    except requests.RequestException:
        return False
