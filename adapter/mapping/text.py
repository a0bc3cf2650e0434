"""Read a YAML text into plain data in which every scalar is the text that was typed, and remember where it stood.

Only the C parser's events are used, never a typed loader: `0101`, `+4420...`, `NO` and `08:30` stay what they are.
Tags, anchors, aliases, merge keys, duplicate keys and keys that are not plain text are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from adapter.errors import MappingError
from adapter.mapping import complaints
from adapter.mapping.problems import Place, Problem

MOST_BYTES = 512 * 1024
MOST_DEPTH = 30
MOST_NODES = 50_000

Where = tuple[str | int, ...]


class Text(str):
    """A scalar as typed; `where` is its path in the file."""

    where: Where = ()


class Group(dict[str, Any]):
    """A group of keys; `where` is its path in the file."""

    where: Where = ()


class Items(list[Any]):
    """A list; `where` is its path in the file."""

    where: Where = ()


@dataclass(slots=True)
class Tree:
    """Data of `Group`, `Items`, `Text`, and None where nothing was typed; the parser's events tell the places."""

    lines: list[str]
    data: Any = None
    keys: dict[Where, Any] = field(default_factory=dict)
    values: dict[Where, Any] = field(default_factory=dict)

    def place(self, where: Where, *, of_key: bool = False) -> Place:
        """The place of a value or a key, or of the nearest thing around it that is in the text."""
        if of_key and where in self.keys:
            return self._place(self.keys[where])
        for end in range(len(where), -1, -1):
            event = self.values.get(where[:end]) or self.keys.get(where[:end])
            if event is not None:
                return self._place(event)
        return Place(1, 1)

    def _place(self, event: Any) -> Place:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if not isinstance(event, yaml.ScalarEvent):
            return Place(line, column)
        if event.style in ("|", ">"):
            return Place(line, column, block=self._margin(event))
        inside = column + (event.style in ("'", '"'))
        typed = self.lines[line - 1 : line] or [""]
        return Place(line, column, inside=inside if typed[0].startswith(event.value, inside - 1) else None)

    def _margin(self, event: Any) -> int | None:
        """The column at which the lines of a block text begin; None when they are folded or empty."""
        for typed, meant in zip(self.lines[event.start_mark.line + 1 :], event.value.split("\n"), strict=False):
            if meant:
                return len(typed) - len(meant) + 1 if event.style == "|" and typed.endswith(meant) else None
        return None


@dataclass(slots=True)
class _Open:
    """A group or a list whose end has not been met yet."""

    where: Where
    content: Group | Items
    key: str | None = None


@dataclass(slots=True)
class _Reader:
    """Builds the tree from the parser's events, one after the other, without recursion."""

    tree: Tree
    open: list[_Open] = field(default_factory=list)
    nodes: int = 0
    documents: int = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.NodeEvent):
            self.check(event)
            self.node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _problem(event, "a second document begins here", "keep one mapping in one file")

    def check(self, event: Any) -> None:
        self.nodes += 1
        if event.anchor is not None:
            sign, what = ("*", "aliases are") if isinstance(event, yaml.AliasEvent) else ("&", "anchors are")
            hint = f'a text that begins with {sign} needs quotes: "{sign}{event.anchor}"'
            raise _problem(event, f"{what} not read here", hint)
        if event.tag is not None:
            raise _problem(event, "tags are not read here", f'a text that begins with ! needs quotes: "{event.tag}"')
        if self.nodes > MOST_NODES:
            raise _problem(event, *_TOO_MANY)
        if len(self.open) > MOST_DEPTH:
            raise _problem(event, f"nested deeper than {MOST_DEPTH} levels", "write it flatter")

    def node(self, event: Any) -> None:
        parent = self.open[-1] if self.open else None
        if parent is None:
            self.tree.data = self.value((), event)
        elif isinstance(parent.content, Items):
            parent.content.append(self.value((*parent.where, len(parent.content)), event))
        elif parent.key is None:
            parent.key = self.key(parent, event)
        else:
            parent.content[parent.key] = self.value((*parent.where, parent.key), event)
            parent.key = None

    def value(self, where: Where, event: Any) -> Any:
        self.tree.values[where] = event
        if isinstance(event, yaml.ScalarEvent):
            if not event.value and event.implicit[0]:
                return None
            if event.style == '"' and (found := _UNREADABLE.search(event.value)):
                raise _problem(event, *_unreadable(found[0]))
            text = Text(event.value)
            text.where = where
            return text
        content: Group | Items = Group() if isinstance(event, yaml.MappingStartEvent) else Items()
        content.where = where
        self.open.append(_Open(where, content))
        return content

    def key(self, parent: _Open, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            braces = isinstance(event, yaml.MappingStartEvent) and event.flow_style
            hint = "use ${field} instead of {{field}}" if braces else "write a single word, a colon and a blank"
            raise _problem(event, "a key must be plain text", hint)
        name: str = event.value
        if name == "<<":
            raise _problem(event, "merge keys (<<) are not read here", "write the keys out")
        if name in parent.content:
            first = self.tree.keys[*parent.where, name].start_mark.line + 1
            raise _problem(event, f"the key '{name}' appears twice (first on line {first})", "remove one of the two")
        self.tree.keys[*parent.where, name] = event
        return name


_TOO_MANY = (f"more than {MOST_NODES:,} values in one file", "keep long tables in a CSV file beside the mapping")
_UNREADABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.2 does not count as printable (section 5.1)."""
_DIRECTIVE = re.compile("^%", re.MULTILINE)


def read(text: str) -> Tree:
    """The tree of a YAML text; raises `MappingError` with the first thing that cannot be read."""
    text = text.removeprefix("\ufeff")
    tree = Tree(text.splitlines())
    _refuse_at_sight(text, tree.lines)
    reader = _Reader(tree)
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            reader.take(event)
    except yaml.YAMLError as exc:
        raise MappingError([complaints.problem(text, exc)]) from exc
    return tree


def _refuse_at_sight(text: str, lines: list[str]) -> None:
    """Raise `MappingError` for what the parser would take too long to refuse, or would tell less well."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        said = f"the file is larger than {MOST_BYTES // 1024} KB"
        raise MappingError([Problem(Place(1, 1), said, hint=_TOO_MANY[1])])
    if len(lines) + text.count(",") > MOST_NODES:
        raise MappingError([Problem(Place(1, 1), _TOO_MANY[0], hint=_TOO_MANY[1])])
    if found := _UNREADABLE.search(text):
        said, hint = _unreadable(found[0])
        raise MappingError([Problem(_position(text, found.start()), said, hint=hint)])
    if found := _DIRECTIVE.search(text):
        said = "a line cannot begin with %"
        raise MappingError([Problem(_position(text, found.start()), said, hint="put a text with % in quotes")])


def _unreadable(character: str) -> tuple[str, str]:
    return f"the character U+{ord(character):04X} cannot stand in a mapping", "remove it"


def _position(text: str, at: int) -> Place:
    before = f"{text[:at]}.".splitlines()
    return Place(len(before), len(before[-1]))


def _problem(event: Any, message: str, hint: str = "") -> MappingError:
    mark = event.start_mark
    return MappingError([Problem(Place(mark.line + 1, mark.column + 1), message, hint=hint)])
