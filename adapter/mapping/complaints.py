"""What YAML's parser objects to, in the words of an admin who is no programmer."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from adapter.mapping.problems import LONGEST_LINE, UNSEEN, Place, Problem


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where the parser stopped, the line before and after that place, the one above, and where that part began."""

    place: Place
    before: str
    after: str
    above: str
    began: Place


def problem(text: str, exc: yaml.YAMLError) -> Problem:
    """The parser's complaint about `text` as a problem at its place."""
    mark, lines = getattr(exc, "problem_mark", None), text.splitlines() or [""]
    place = _place(mark)
    if place.line > len(lines):
        place = Place(len(lines), len(lines[-1]) + 1)
    line, began = lines[place.line - 1], _place(getattr(exc, "context_mark", None) or mark)
    fault = _Fault(place, line[: place.column - 1], line[place.column - 1 :], _above(lines, began.line), began)
    complaint = str(getattr(exc, "problem", None) or "this cannot be read as YAML text")
    for sign, say in _SIGNS.items():
        if sign in complaint:
            return _look_alike(lines, place.line) or say(fault)
    return Problem(place, complaint, hint="a text with signs of YAML in it, such as : # or {, needs quotes")


def not_utf8(content: bytes) -> Problem:
    """Where the bytes of a file cease to be text."""
    hint = "save it as UTF-8 (Notepad: Save as, Encoding)"
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return Problem(Place(1, 1), "the file is UTF-16 text", hint=hint, private=True)
    try:
        content.decode()
    except UnicodeDecodeError as exc:
        before = content[: exc.start].decode("utf-8-sig")
        at = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return Problem(at, "the file is not UTF-8 text", hint=hint)
    return Problem(Place(1, 1), "the file was not UTF-8 text a moment ago", hint=hint)


def _above(lines: list[str], number: int) -> str:
    """The last line above this one that is not empty."""
    return next((line for line in reversed(lines[: number - 1]) if line.strip()), "")


def _look_alike(lines: list[str], number: int) -> Problem | None:
    """A sign in the line of a complaint, or in the one above, that is not what it seems to be."""
    above = next((one for one in range(number - 1, 0, -1) if lines[one - 1].strip()), number)
    for one in (above, number):
        line = lines[one - 1][:LONGEST_LINE]
        for pattern, said, hint in _LOOK_ALIKES:
            if found := pattern.search(line):
                return Problem(Place(one, found.end()), said, hint=hint)
    return None


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _here(message: str, hint: str) -> Callable[[_Fault], Problem]:
    return lambda fault: Problem(fault.place, message, hint=hint)


def _where_it_began(message: str, hint: str) -> Callable[[_Fault], Problem]:
    return lambda fault: Problem(fault.began, message, hint=hint)


_tab = _here("a tab cannot stand here", "indent with blanks")


def _no_token(fault: _Fault) -> Problem:
    if fault.after.startswith("\t"):
        return _tab(fault)
    return Problem(fault.place, f"a text cannot begin with {fault.after[:1]}", hint="put the whole text in quotes")


def _no_colon(fault: _Fault) -> Problem:
    if _BLOCK.search(fault.above):
        hint = "begin each of its lines further to the right than the key above"
        return Problem(fault.began, "this line is not part of the text after |", hint=hint)
    return Problem(fault.began, "a colon and a blank are missing after this", hint="write key: value")


def _colon(fault: _Fault) -> Problem:
    if "\t" in fault.before.removesuffix(fault.before.lstrip()):
        return _tab(fault)
    if re.search(r":\s", fault.before):
        said = "a second colon and blank on one line"
        return Problem(fault.place, said, hint="put quotes around a text that holds ': '")
    hint = "check its indentation, and that a colon and a blank end the key above it"
    return Problem(fault.place, "this line does not fit the one above it", hint=hint)


def _misfit(fault: _Fault) -> Problem:
    """Something that neither goes on nor ends what stands before it."""
    written = re.search(r"(?::|-)\s+((?:\".*|'.*|\[.*\]|\{.*\})\s*)$", fault.before)
    if not written:
        hint = "begin it in the same column as the lines it belongs with"
        return Problem(fault.place, "this line fits none of those above it", hint=hint)
    whole = f"{written[1]}{fault.after}".strip()
    example = f", like '{whole}'" if "'" not in whole and "#" not in whole and len(whole) < 80 else ""
    said = "the text goes on after its closing quote or bracket"
    return Problem(fault.place, said, hint=f"put quotes around the whole of it{example}")


def _flow(fault: _Fault) -> Problem:
    if fault.after.startswith("{"):
        hint = 'write "${field}", or put each value on a line of its own'
        return Problem(fault.place, "braces inside [ ] or { } need quotes", hint=hint)
    hint = "close it with ] or }; inside, a text with , [ ] { } or ': ' needs quotes"
    return Problem(fault.began, "what is opened here is not closed where it should be", hint=hint)


def _no_content(fault: _Fault) -> Problem:
    if not fault.after:
        return Problem(fault.place, "something is missing here", hint="close every [ with ] and every { with }")
    return _here(*_SPECIAL)(fault)


_LOOK_ALIKES = (
    (UNSEEN, "a blank that is none stands here", ""),
    (
        re.compile(r"^\s*[\u2010-\u2015\u2212\u2022](?=\s)"),
        "this is not the - that begins an item",
        "write - and a blank",
    ),
    (re.compile(r"^\s*(?:- +)?\w+[:\uff1a](?=\w[^:]*$)"), "a blank is missing after this colon", "write key: value"),
)
_BLOCK = re.compile(r":\s+[|>][+-]?\s*(?:#.*)?$")
"""A line whose value is a block text that begins below it."""
_OPEN_QUOTE = _where_it_began("a quote is opened here and never closed", "close it with the same sign")
_BACKSLASH = _here("a backslash has a meaning inside double quotes", "use single quotes")
_BLOCK_SIGN = _where_it_began(
    "after | or > nothing else can stand on the line", "put a text that begins with | or > in quotes"
)
_TAG = _where_it_began("tags are not read here", "a text that begins with ! needs quotes")
_ITEM = _here(
    "a list cannot begin behind its key",
    "write [one, two], or each item on a line of its own; a text that begins with - and a blank needs quotes",
)
_OVER = _here("what is above this is complete already", "write key: value on each line, without a line of ...")
_SPECIAL = ("a text cannot begin with this sign", "put the whole text in quotes")
_SIGNS: Mapping[str, Callable[[_Fault], Problem]] = {
    "cannot start any token": _no_token,
    "mapping keys are not allowed": _no_token,
    "a tab character": _tab,
    "mapping values are not allowed": _colon,
    "block sequence entries are not allowed": _ITEM,
    "did not find expected key": _misfit,
    "did not find expected '-' indicator": _misfit,
    "did not find expected ','": _flow,
    "unexpected end of stream": _OPEN_QUOTE,
    "unexpected document indicator": _OPEN_QUOTE,
    "unknown escape character": _BACKSLASH,
    "expected hexdecimal number": _BACKSLASH,
    "invalid Unicode character escape": _BACKSLASH,
    "expected comment or line break": _BLOCK_SIGN,
    "an indentation indicator equal to 0": _BLOCK_SIGN,
    "could not find expected ':'": _no_colon,
    "expected alphabetic or numeric character": _where_it_began(*_SPECIAL),
    "did not find expected node content": _no_content,
    "undefined tag handle": _TAG,
    "expected whitespace or line break": _TAG,
    "expected tag URI": _TAG,
    "URI escaped octet": _TAG,
    "the expected '>'": _TAG,
    "expected <document start>": _OVER,
}
"""Words of libyaml's complaints -> what to say instead."""
