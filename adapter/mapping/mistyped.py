"""Texts of a mapping file that are read as they stand, and are perhaps not what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from adapter.mapping.problems import TYPOGRAPHIC, UNSEEN, Said, as_field
from adapter.mapping.text import Tree, Where

WORD = "mistyped"

_CUT = re.compile(r"\s+(?=#[\w{(])")
"""What a comment seldom looks like, and a number or a field of another program does: Sales #2."""
_QUOTED = re.compile(f"[{TYPOGRAPHIC}].*[{TYPOGRAPHIC}]", re.DOTALL)
_REGEX = re.compile(r"\^|\$$|\\[dwsDWS.+]|\.[*+]|\[\w-\w|\([^)]*\|")
_FIELD = re.compile(r"\$[^\W\d][\w.]*|\$\([\w.]+\)|\$\s+\{[\w.]+\}|<[^\W\d][\w.]*>")
"""A field as other programs write it."""
_FREE = ("about", "name")
_LISTS = ("in", "not_in", "empty_values")
"""Keys below which a text with a comma is one text."""


def found(tree: Tree) -> Iterator[tuple[Where, Said]]:
    """Every such text with its path in the file, and what is said of it."""
    for where, event in tree.values.items():
        if isinstance(event, yaml.ScalarEvent) and where and where[-1] not in _FREE:
            yield from ((where, said) for said in _cut(tree, event))
            if where[0] != "examples":  # a body is what the sender sends
                yield from ((where, said) for said in _odd(where, event))


def _cut(tree: Tree, event: Any) -> Iterator[Said]:
    end = event.end_mark
    rest = tree.lines[end.line][end.column :] if event.implicit[0] and end.line < len(tree.lines) else ""
    if gap := _CUT.match(rest):
        said = f"a # behind a blank begins a comment, so the text is '{event.value[:40]}' only"
        offset = len(event.value) + gap.end()
        yield Said(said, hint="put the whole text in quotes, or a blank behind the #", offset=offset)


def _odd(where: Where, event: Any) -> Iterator[Said]:
    """What a text seems to be, and is not."""
    if _QUOTED.fullmatch(event.value):
        yield Said("these quotes belong to the text, to a computer they are none", hint="write the text without them")
    if UNSEEN.search(event.value):
        yield Said("a sign that is not seen stands in this text")
    if where[-1] == "like" and _REGEX.search(event.value):
        hint = "* stands for any text and ? for any letter; everything else means itself"
        yield Said("like knows no regular expressions", hint=hint)
    if _FIELD.fullmatch(event.value):
        yield Said("this is a text and no field of the record", hint=as_field(event.value))
    if where[-1] in _LISTS and event.implicit[0] and "," in event.value:
        hint = "several are written in brackets: [one, two]; put one text with a comma in quotes"
        yield Said(f"this is one text: '{event.value[:40]}'", hint=hint)
