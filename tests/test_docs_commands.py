"""Every command in the documentation can be given, and those that need nobody else are carried out."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pages import PAGES, ROOT, Typed, commands, find

from adapter.cli import main

TYPED = {str(one): one for page in PAGES for one in commands(page)}
ALONE = ("presets", "new", "check", "schema", "mappings", "suppress", "pause", "resume", "recover", "settings", "db")
"""Commands that need no server, no Xima and no request that came before."""
NOT_THERE = ("ID", "NAME", "callback.draft", "list.csv", "PRESET", "--live", "restore", "diff", "/var/")
"""What stands for something of the reader's own."""


def refusal(command: click.Command, words: list[str]) -> str:
    """Why these words cannot be given to a command, or nothing."""
    context = click.Context(command)
    try:
        given, left, _ = command.make_parser(context).parse_args(list(words))
        for one in command.params:
            if one.required and not isinstance(given.get(one.name or ""), str | tuple | list):
                return f"{one.name} is missing"
            if isinstance(one.type, click.Choice) and isinstance(value := given.get(one.name or ""), str):
                one.type.convert(value, one, context)
    except click.UsageError as exc:
        return exc.format_message()
    return f"{left} is too much" if left else ""


def test_the_pages_hold_commands() -> None:
    assert len(TYPED) > 150
    assert {one.page.name for one in TYPED.values()} >= {"README.md", "mappings.md", "deploying.md", "hubspot.md"}


@pytest.mark.parametrize("typed", TYPED.values(), ids=str)
def test_a_command_of_a_page_can_be_given(typed: Typed) -> None:
    command, words = find(typed.words)
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        pytest.fail(f"there is no command {words[0]}")
    if typed.in_block or words:
        assert refusal(command, words) == ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the reader's, with the shipped mappings."""
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    (tmp_path / "my-mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    settings = {
        "XIMA_HOST": "http://127.0.0.1:9",
        "XIMA_TOKEN": "sandbox-token",
        "ADAPTER_SECRET_KEY": "a secret key of the tests that is long enough",
        "ADAPTER_PUBLIC_URL": "https://hooks.example.com",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_that_need_nobody_else_work_one_after_the_other(page: Path, folder: Path) -> None:
    for typed in commands(page):
        line = " ".join(typed.words)
        if not (typed.in_block and line.startswith(ALONE)) or any(one in line for one in NOT_THERE):
            continue
        ran = CliRunner().invoke(main, list(typed.words))
        assert ran.exit_code == 0, f"{typed}\n{ran.output}"
        if typed.into:
            (folder / typed.into).write_text(ran.output, encoding="utf-8")
