"""Read a YAML text into plain data in which every scalar is the text that was typed, and remember where it stood.

Only the C parser's events are used, never a typed loader: `0101`, `+4420...`, `NO` and `08:30` stay what they are.
Tags, aliases, merge keys, duplicate keys and keys that are not plain text are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from adapter.errors import MappingError
from adapter.mapping.problems import Place, Problem

MOST_CHARACTERS = 512 * 1024
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
    """Data of `Group`, `Items` and `Text`; `keys` and `values` say at which place each began."""

    data: Any
    keys: dict[Where, Place]
    values: dict[Where, Place]
    lines: list[str]

    def place(self, where: Where, *, of_key: bool = False) -> Place:
        """The place of a key or a value, or of the nearest thing around it that is in the text."""
        for end in range(len(where), -1, -1):
            here = where[:end]
            found = self.keys.get(here) if of_key and end == len(where) else self.values.get(here)
            if found or (found := self.keys.get(here)):
                return found
        return Place(1, 1)


@dataclass(slots=True)
class _Open:
    """A group or a list whose end has not been met yet."""

    where: Where
    content: Group | Items
    key: str | None = None

    def next_where(self) -> Where:
        """Where the next value belongs."""
        return (*self.where, len(self.content) if isinstance(self.content, Items) else str(self.key))

    def wants_key(self) -> bool:
        return isinstance(self.content, Group) and self.key is None

    def put(self, value: Any) -> None:
        if isinstance(self.content, Items):
            self.content.append(value)
        else:
            self.content[str(self.key)] = value
            self.key = None


@dataclass(slots=True)
class _Reader:
    """Builds the tree from the parser's events, one after the other, without recursion."""

    tree: Tree
    open: list[_Open] = field(default_factory=list)
    nodes: int = 0
    documents: int = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _problem(event, "a second document begins here", "keep one mapping in one file")
        elif isinstance(event, yaml.AliasEvent):
            raise _problem(event, "aliases are not read here", _ALIAS_HINT.format(event.anchor))
        elif isinstance(event, yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self.check(event)
            self.node(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.open.pop()

    def check(self, event: Any) -> None:
        self.nodes += 1
        if event.tag is not None:
            raise _problem(event, f"the tag {event.tag} is not read here", "quote text that begins with !")
        if self.nodes > MOST_NODES:
            raise _problem(event, f"more than {MOST_NODES:,} values in one file")
        if len(self.open) > MOST_DEPTH:
            raise _problem(event, f"nested deeper than {MOST_DEPTH} levels")

    def node(self, event: Any) -> None:
        parent = self.open[-1] if self.open else None
        if parent is not None and parent.wants_key():
            self.key(parent, event)
            return
        where = parent.next_where() if parent else ()
        self.tree.values[where] = _place(event)
        value: Any = Text(event.value) if isinstance(event, yaml.ScalarEvent) else self.begin(where, event)
        value.where = where
        if parent is not None:
            parent.put(value)
        else:
            self.tree.data = value

    def begin(self, where: Where, event: Any) -> Group | Items:
        content: Group | Items = Group() if isinstance(event, yaml.MappingStartEvent) else Items()
        self.open.append(_Open(where, content))
        return content

    def key(self, parent: _Open, event: Any) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise _problem(event, "a key must be plain text", "use ${field} instead of {{field}}")
        where = (*parent.where, event.value)
        if event.value == "<<":
            raise _problem(event, "merge keys (<<) are not read here")
        if where in self.tree.keys:
            first = self.tree.keys[where].line
            raise _problem(event, f"the key '{event.value}' appears twice (first on line {first})")
        self.tree.keys[where] = _place(event)
        parent.key = event.value


_ALIAS_HINT = 'a text that begins with * needs quotes: "*{}"'


def read(text: str) -> Tree:
    """The tree of a YAML text; raises `MappingError` with the first thing YAML itself objects to."""
    if len(text) > MOST_CHARACTERS:
        raise MappingError([Problem(Place(1, 1), f"the file is larger than {MOST_CHARACTERS // 1024} KB")])
    tree = Tree(None, {}, {}, text.splitlines())
    reader = _Reader(tree)
    try:
        for event in _events(text):
            reader.take(event)
    except yaml.YAMLError as exc:
        raise _yaml_problem(text, exc) from exc
    return tree


def _events(text: str) -> Iterator[Any]:
    if "\x00" in text:
        raise MappingError([Problem(Place(1, 1), "the file is not a text: it holds a NUL character")])
    yield from yaml.parse(text, Loader=yaml.CBaseLoader)


def _place(event: Any) -> Place:
    quoted = isinstance(event, yaml.ScalarEvent) and event.style in ("'", '"')
    folded = isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">")
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1, inside=None if folded else mark.column + 1 + quoted)


def _problem(event: Any, message: str, hint: str = "") -> MappingError:
    return MappingError([Problem(_place(event), message, hint=hint)])


_HINTS = (
    (
        "found character that cannot start any token",
        "indent with blanks, not tabs, and quote text with @ ` or %",
    ),
    (
        "mapping values are not allowed",
        "a text with ': ' in it needs quotes, and every level its own indentation",
    ),
    (
        "did not find expected key",
        "check the indentation, and quote a text that goes on after a closing quote",
    ),
    ("expected <block end>", "check the indentation, and quote a text that goes on after a closing quote"),
    ("could not find expected ':'", "a key is followed by a colon and a blank"),
    ("expected ',' or", 'inside [ ] and { } a text with { } or , needs quotes: ["${field}"]'),
    ("found undefined alias", "a text that begins with * needs quotes"),
)


def _yaml_problem(text: str, exc: yaml.YAMLError) -> MappingError:
    """YAML's own complaint; the pure parser is asked again because its words say more than the C parser's."""
    said: yaml.YAMLError = exc
    if len(text) < 64 * 1024:
        try:
            for _ in yaml.parse(text, Loader=yaml.BaseLoader):
                pass
        except yaml.YAMLError as better:
            said = better
        except RecursionError:
            said = exc
    mark = getattr(said, "problem_mark", None)
    words = " ".join(str(part) for part in (getattr(said, "context", ""), getattr(said, "problem", "")) if part)
    message = words or "this is not YAML text (a character that no text file holds)"
    hint = next((hint for sign, hint in _HINTS if sign in message), "")
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    return MappingError([Problem(place, message, hint=hint)])
