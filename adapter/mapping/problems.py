"""What is wrong with a mapping file, at which place, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1; `inside` is the column of a scalar's first own character."""

    line: int
    column: int
    inside: int | None = None

    def at(self, offset: int) -> Place:
        """The place `offset` characters into the scalar, where its text stands on one line as it is."""
        return Place(self.line, self.inside + offset) if self.inside else self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing an admin has to change; `where` is its path in the file, like `rules[1].click_to_dial.agent`."""

    place: Place
    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        where = f" (in {self.where})" if self.where else ""
        return f"{self.place.line}:{self.place.column}: {self.message}{where}"


class Said(str):
    """A message that also knows its remedy and how far into the scalar the fault lies."""

    hint: str
    offset: int
    of_key: bool

    def __new__(cls, message: str, *, hint: str = "", offset: int = 0, of_key: bool = False) -> Said:
        """A text with the three extras; marshmallow hands it through as it is."""
        said = super().__new__(cls, message)
        said.hint, said.offset, said.of_key = hint, offset, of_key
        return said


def render(file: str, lines: list[str], problem: Problem) -> str:
    """The problem as `file:line:column: message`, the line itself, a caret and the remedy."""
    shown = [f"{file}:{problem}"]
    if 0 < problem.place.line <= len(lines):
        line = lines[problem.place.line - 1][:200]
        caret = min(problem.place.column, len(line) + 1)
        shown += [f"{problem.place.line:>8} | {line}", f"{'':>8} | {' ' * (caret - 1)}^"]
    if problem.hint:
        shown.append(f"{'':>8} = {problem.hint}")
    return "\n".join(shown)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean agents?` when one of the known words is close to the one written, else nothing."""
    folded = {name.replace("_", "").lower(): name for name in known}
    close = difflib.get_close_matches(word.replace("_", "").replace("-", "").lower(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]}?" if close else ""


def spoken(where: Iterable[str | int]) -> str:
    """A path into the file as an admin reads it, lists counted from 1: `rules[1].click_to_dial.agent`."""
    text = ""
    for step in where:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
