"""Every line for a shell in docs/api.md, typed in its order at a real adapter and the pretend Xima."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT
from running import running

from adapter.sandbox import Sandbox

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
ID = "1a2044ed0aa564432e257fd80"
"""The delivery of the page."""
SETUP, *CALLS = re.findall(
    r"^(?:export|curl).*?(?=^export|^curl|\Z)", "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)), re.S | re.M
)


def _program(folder: Path) -> Path:
    """A folder with `xima-adapter` in it, for a shell."""
    program = folder / "bin/xima-adapter"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m adapter "$@"\n')
    program.chmod(0o755)
    return program.parent


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl"))), reason="needs bash and curl")
def test_every_line_of_the_page_does_what_the_page_says(tmp_path: Path) -> None:
    with Sandbox.start() as xima, running(tmp_path, xima.url) as adapter:
        environ = adapter.whole_environ | {"PYTHONPATH": str(ROOT)}
        environ["PATH"] = f"{_program(tmp_path)}:{environ['PATH']}"

        def typed(line: str) -> str:
            ran = subprocess.run(["bash", "-ec", line], env=environ, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr
            return ran.stdout

        environ["XCA"] = typed(f"{SETUP}\necho $XCA").strip()
        answers: list[tuple[int, Any]] = []
        for call in CALLS:
            latest = next((body["id"] for _, body in reversed(answers) if "id" in body), ID)
            line = call.replace("https://hooks.example.com", adapter.url).replace(ID, latest)
            body, _, status = typed(line.replace("curl -sS", "curl -sS -w '\\n%{http_code}'")).rpartition("\n")
            answers.append((int(status), json.loads(body)))
    (dialled, queued, listed, shown, cancelled, mappings, caller_ids) = answers
    assert (dialled[0], dialled[1]["state"]) == (200, "accepted"), dialled
    assert queued[0] == 200, queued
    assert queued[1]["state"] in ("queued", "held")
    assert listed == (200, {"deliveries": [], "next": None})
    assert (shown[0], shown[1]["id"]) == (200, queued[1]["id"])
    assert cancelled[0] in (200, 409), cancelled  # it depends on the hour in Denver
    assert mappings[0] == 200
    assert caller_ids[0] == 200
    assert caller_ids[1]["available"]
