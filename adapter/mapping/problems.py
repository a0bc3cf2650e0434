"""What is wrong with a mapping file, at which place, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

LONGEST_LINE = 200
LONGEST_MESSAGE = 1000
MOST_COMPARED = 200
"""Names of a record that are looked through for one that was meant."""
UNSEEN = re.compile("[\xa0\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]")
"""Blanks that are none to a parser, and signs that are not seen at all: pasted from web pages and word processors."""

TYPOGRAPHIC = "“”„‘’‚"
"""Quotes that word processors make."""


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1, at which a key or a value begins.

    `inside` is the column of a scalar's first own character, if it stands on one line exactly as it is meant;
    `block` is the column at which every line of a block text (after |) begins.
    """

    line: int
    column: int
    inside: int | None = None
    block: int | None = None

    def at(self, offset: int) -> Place:
        """The place `offset` characters into the scalar, as near as that can be told."""
        return Place(self.line, self.inside + offset) if self.inside else self

    def within(self, line: int, column: int) -> Place:
        """The place of a line and column (both from 1) of the scalar's own text, as near as that can be told."""
        if self.block:
            return Place(self.line + line, self.block + column - 1)
        return self.at(column - 1) if line == 1 else self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing an admin has to change; `where` is its path in the file, like `rules[1].click_to_dial.agent`.

    `private` says that the line may hold a secret and is not to be shown.
    """

    place: Place
    message: str
    where: str = ""
    hint: str = ""
    private: bool = False

    def __str__(self) -> str:
        where = f" (in {self.where})" if self.where else ""
        return f"{self.place.line}:{self.place.column}: {self.message}{where}"


class Said(str):
    """A message that also knows its remedy, and whether it is about the key and where in the value's text.

    The remedy may be a function: looking for the word that was meant takes time, and only those that are shown
    need it.
    """

    hint: str | Callable[[], str]
    offset: int
    of_key: bool
    private: bool

    def __new__(
        cls,
        message: str,
        *,
        hint: str | Callable[[], str] = "",
        offset: int = 0,
        of_key: bool = False,
        private: bool = False,
    ) -> Said:
        """A text with the extras; marshmallow hands it through as it is."""
        said = super().__new__(cls, message)
        said.hint, said.offset, said.of_key, said.private = hint, offset, of_key, private
        return said


def render(file: str, lines: list[str], problem: Problem) -> str:
    """The problem as `file:line:column: message`, the line itself, a caret and the remedy."""
    shown, remedies = [f"{file}:{problem}"[:LONGEST_MESSAGE]], [problem.hint]
    if problem.place.line <= len(lines) and not problem.private:
        typed = lines[problem.place.line - 1][:LONGEST_LINE]
        line = _printable(typed)
        before = line[: problem.place.column - 1]
        caret = "".join("\t" if letter == "\t" else " " for letter in before) + "^"
        shown += [f"{problem.place.line:>8} | {line}", f"{'':>8} | {caret}"]
        remedies += _odd_signs(typed, problem.place.column)
    return "\n".join([*shown, *(f"{'':>8} = {remedy}" for remedy in remedies if remedy)])


def _odd_signs(line: str, column: int) -> Iterator[str]:
    """What is said of a quote of a word processor at this column, and of a sign that is not seen in the line."""
    if line[column - 1 : column] in tuple(TYPOGRAPHIC):
        yield f"{line[column - 1]} is no quote to a computer: type it anew"
    if unseen := UNSEEN.search(line):
        said = f"in column {unseen.start() + 1} stands a sign that is not seen (U+{ord(unseen[0]):04X})"
        yield f"{said}: type the line anew, with ordinary blanks"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean agents?` when one of the known words is close to the one written, else nothing."""
    bare = {_bare(name): name for name in known}
    close = difflib.get_close_matches(_bare(word[:100]), bare, n=1, cutoff=0.65)  # enabled is not tables
    return f"did you mean {bare[close[0]]}?" if close else ""


def as_field(text: str) -> str:
    """`a field is written ${phone}` for a text that may have been meant for one, else nothing."""
    name = text.strip("${}()%<> ")
    return f"a field is written ${{{name}}}" if re.search(r"[^\W\d]", name) else ""


def nearest(word: str, there: Iterable[str], *, most: int = 5) -> list[str]:
    """A few of the names that are there: those closest to the one written, then the first."""
    names = list(there)[:MOST_COMPARED]
    bare = {_bare(name[:100]): name for name in reversed(names)}
    close = [bare[one] for one in difflib.get_close_matches(_bare(word[:100]), bare, n=most)]
    return list(dict.fromkeys((*close, *names)))[:most]


def beginning(word: str, known: Iterable[str]) -> str:
    """`did you mean a-b or a-c?` for the known names that begin so, else for one that is close, else nothing."""
    names = sorted(known)
    found = [name for name in names if word and _bare(name).startswith(_bare(word[:100]))]
    shown = " or ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))
    return f"did you mean {shown}?" if found else did_you_mean(word, names)


def spoken(where: Iterable[str | int]) -> str:
    """A path into the file as an admin reads it, lists counted from 1: `rules[1].click_to_dial.agent`."""
    text = ""
    for step in where:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\t" else "?" for letter in line)


def _bare(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()
