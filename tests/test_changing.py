"""The five commands of docs/changing-a-mapping.md, as somebody who has never programmed would type them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from running import Adapter, running, until

from adapter.mapping.difference import KINDS
from adapter.sandbox import Sandbox

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/changing-a-mapping.md").read_text(encoding="utf-8")
KEY = "a key of the tests for the form"


@pytest.fixture
def adapter(tmp_path: Path, sandbox: Sandbox) -> Iterator[Adapter]:
    """A running adapter with the shipped mapping `callback`."""
    with running(tmp_path, sandbox.url, start=False, CALLBACK_KEY=KEY) as adapter:
        (adapter.mappings / "click.yaml").unlink()
        shutil.copy(ROOT / "mappings/callback.yaml", adapter.mappings)
        adapter.start()
        yield adapter


def commands() -> Iterator[list[str]]:
    """What stands after the numbers of the page, one command each."""
    section = PAGE.partition("## From draft to published")[2].partition("\n##")[0]
    for line in re.findall(r"^ {7}(\S.*)$", section, re.MULTILINE):
        yield line.split()


def typed(adapter: Adapter, words: list[str]) -> str:
    """What a command prints, in the folder above the mappings."""
    if words[0] == "xima-adapter":
        words = [sys.executable, "-m", "adapter", *words[1:]]
    environ = {**os.environ, **adapter.environ}
    done = subprocess.run(
        words, cwd=adapter.home, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(adapter: Adapter) -> str:
    """Send the form; the state and the reason of its receipt."""
    form = {"name": "Ann", "phone": "801-555-0142", "mobile": "801-555-0143"}
    answer = requests.post(f"{adapter.url}/hooks/callback", data=form, headers={"X-Form-Key": KEY}, timeout=30)
    (receipt,) = answer.json()["receipts"]
    return str(receipt["message"])


def test_a_change_goes_from_draft_to_published_in_five_commands_and_back(adapter: Adapter) -> None:
    assert "0142" in ask(adapter)
    make, check, backtest, publish, look = commands()
    typed(adapter, make)
    draft = adapter.mappings / "callback.draft.yaml"
    text = draft.read_text(encoding="utf-8")
    draft.write_text(text.replace("${phone}", "${mobile}").partition("\nexamples:")[0], encoding="utf-8")
    assert "good" in typed(adapter, check)
    assert "callback_number …0142 -> …0143" in typed(adapter, backtest)
    assert "0142" in ask(adapter), "a draft does nothing"
    typed(adapter, publish)
    until(lambda: "mapping.in_force" in adapter.log())
    assert adapter.source("callback").mapping.version in typed(adapter, look)
    assert "0143" in ask(adapter)


def test_a_shadow_counts_and_the_first_version_comes_back(adapter: Adapter) -> None:
    text = (adapter.mappings / "callback.yaml").read_text(encoding="utf-8")
    changed = text.replace("${phone}", "${mobile}").partition("\nexamples:")[0]
    (adapter.mappings / "callback.shadow.yaml").write_text(changed, encoding="utf-8")
    shadow = ["xima-adapter", "mappings", "shadow", "callback"]
    forms = (
        requests.post(
            f"{adapter.url}/hooks/callback",
            data={"phone": f"801-555-{number:04}", "mobile": "801-555-0143"},
            headers={"X-Form-Key": KEY},
            timeout=30,
        )
        for number in range(1000, 9999)
    )
    until(lambda: next(forms).ok and "other number" in typed(adapter, shadow))
    (adapter.mappings / "callback.shadow.yaml").rename(adapter.mappings / "callback.yaml")
    until(lambda: "mapping.in_force" in adapter.log())
    typed(adapter, ["xima-adapter", "mappings", "restore", "callback", "1"])
    until(lambda: adapter.log().count("mapping.in_force") == 2)
    assert (adapter.mappings / "callback.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_explains_every_kind_of_difference(kind: str) -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    assert kind in {word.strip() for row in rows for word in row.split(",")}
