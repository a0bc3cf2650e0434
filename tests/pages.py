"""The pages of the documentation, and the commands that stand in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from adapter.cli import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
BEFORE = ("sudo", "--", "web", "timeout")
"""Words that may stand before a command of ours: docker compose exec web xima-adapter doctor."""

FENCED = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """One command as somebody types it: the words behind `xima-adapter`, and the file its output goes to.

    Outside of a block it may be the mere name of a command.
    """

    page: Path
    words: tuple[str, ...]
    into: str = ""
    in_block: bool = True

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: xima-adapter {shlex.join(self.words)}"


def blocks(text: str) -> Iterator[str]:
    """The fenced and the indented blocks of a page, in order."""
    for found in re.finditer(rf"{FENCED.pattern}|(?:^    .*\n?)+", text, re.DOTALL | re.MULTILINE):
        yield found["text"] if found["text"] is not None else re.sub("(?m)^    ", "", found[0])


def commands(page: Path) -> Iterator[Typed]:
    """Every command of ours in the blocks and, between backticks, in the sentences of a page."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _of_line(page, line)
    for inline in re.findall(r"`(xima-adapter [^`]+)`", FENCED.sub("", text)):
        yield from (replace(one, in_block=False) for one in _of_line(page, inline))


def find(words: tuple[str, ...]) -> tuple[click.Command, list[str]]:
    """The command that words lead to, and what is left of them."""
    found: click.Command = main
    while isinstance(found, click.Group) and words and words[0] in found.commands:
        found, words = found.commands[words[0]], words[1:]
    return found, list(words)


def _of_line(page: Path, line: str) -> Iterator[Typed]:
    if "xima-adapter" not in line:
        return
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>()")
        lexer.whitespace_split = True
        tokens = list(lexer)
    except ValueError:  # not a line for a shell
        return
    simple: list[str] = []
    for token in [*tokens, ";"]:
        if set(token) <= set(";&|()"):
            yield from _of_simple(page, simple)
            simple = []
        else:
            simple.append(token)


def _of_simple(page: Path, words: list[str]) -> Iterator[Typed]:
    at = next((number for number, word in enumerate(words) if re.fullmatch(r"(\.venv/bin/)?xima-adapter", word)), None)
    if at is None or not all("=" in word for word in words[: at if at and words[at - 1] not in BEFORE else 0]):
        return
    into = words[words.index(">") + 1] if ">" in words else ""
    own = words[at + 1 : words.index(">")] if into else words[at + 1 :]
    yield Typed(page=page, words=tuple(own), into=into)
