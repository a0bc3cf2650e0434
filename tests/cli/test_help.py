"""Every command explains itself: a line in the list, a help with an example, and the example is one."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from adapter import __version__
from adapter.cli import main

CONTRACT = {
    *("serve", "web", "dispatch", "sandbox", "check", "explain", "verify"),
    *("send", "deliveries", "settings", "presets", "db", "pause", "resume", "suppress"),
}


def walk(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from walk(below, (*words, name))


COMMANDS = [pytest.param(words, id=" ".join(words) or "(alone)") for words in walk(main)]


def helped(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(main, [*words, "--help"], prog_name="xima-adapter")
    assert result.exit_code == 0
    return result.output


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words lead to, and what is left of them."""
    found: click.Command = main
    while isinstance(found, click.Group) and words and words[0] in found.commands:
        found, words = found.commands[words[0]], words[1:]
    return found, words


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(main.commands) >= CONTRACT
    assert {words[1] for words in walk(main) if words[:1] == ("deliveries",) and words[1:]} == {
        *("list", "requests", "show", "cancel", "replay", "settle", "release", "tell"),
    }


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_a_help_with_an_example_of_itself_that_can_be_given(words: tuple[str, ...]) -> None:
    lines = helped(words).splitlines()
    heading = next(number for number, line in enumerate(lines) if line.strip().startswith("Example"))
    example = lines[heading + 1].strip()
    assert example.startswith("xima-adapter "), "on one line, so that it can be copied"
    command, arguments = find(shlex.split(example)[1:])
    assert command in (find(list(words))[0], *getattr(find(list(words))[0], "commands", {}).values())
    command.make_parser(click.Context(command)).parse_args(arguments)  # raises when an option is not there


@pytest.mark.parametrize("words", COMMANDS)
def test_no_line_of_a_list_of_commands_is_cut_off(words: tuple[str, ...]) -> None:
    assert "..." not in helped(words).replace("[ARGS]...", "").replace("[OPTIONS]...", "").replace("[PATHS]...", "")


def test_the_parent_option_is_nobodys_business() -> None:
    assert "--parent" not in helped(("serve",)) + helped(("web",)) + helped(("dispatch",))


@pytest.mark.parametrize("words", [(), ("deliveries",), ("db",)], ids=str)
def test_a_word_that_is_no_command_is_wrong_use(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "nonsense"])
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.output


def test_it_runs_as_a_module_under_its_own_name() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "adapter", "--version"], capture_output=True, text=True, check=True, timeout=300
    )
    assert said.stdout == f"xima-adapter, version {__version__}\n"
