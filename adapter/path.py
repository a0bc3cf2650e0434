"""Paths into a record: `a.b`, `list[0]`, `list[key=value]`, `$["odd.name"]`, `let.name`, `request.query.src`.

A path is compiled once, when its mapping is loaded, and then followed through every record. The work of `get`
is bounded by the steps of the path and the lengths of the lists it searches; no record can make it hang.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from adapter.errors import TextError

Root: TypeAlias = Literal["record", "let", "request"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The step `[key=value]`; `value` is folded as `_folded` folds what it is compared with."""

    key: tuple[str, ...]
    value: str


Step: TypeAlias = str | int | Match


@dataclass(frozen=True, kw_only=True, slots=True)
class Path:
    """A compiled path: `steps` lead from the tree that `root` names to the value; none mean that tree."""

    text: str
    root: Root
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return self.text


_NAME = r"[\w@:/-]+(?:[ ]+[\w@:/-]+)*"
_QUOTED = r""" "[^"]*" | '[^']*' """
_STEP = re.compile(
    rf"""
      \. (?P<name>{_NAME})
    | \[ [ ]* (?:
          (?P<index> -?[0-9]{{1,9}})
        | (?P<quoted> {_QUOTED})
        | (?P<key> {_NAME}(?:\.{_NAME})*) [ ]* = [ ]* (?P<value> {_QUOTED} | [^\]"' ] [^\]]*)
      ) [ ]* \]
    """,
    re.VERBOSE,
)


def compile(text: str) -> Path:  # noqa: A001 - read as `path.compile`, like `re.compile`
    """Return the path written as `text`; raise `TextError` with the remedy when it is written wrongly."""
    plain = text.strip()
    if not plain:
        raise TextError("a path is missing: write the name of a field, or $ for the whole record")
    marked = plain if plain.startswith("$") else f"$.{plain}"
    steps: list[Step] = []
    at = 1
    while at < len(marked):
        found = _STEP.match(marked, at)
        if found is None:
            raise TextError(_remedy(plain, marked, at), _offset(text, plain, at - len(marked)))
        steps.append(_step(found))
        at = found.end()
    return _rooted(plain, steps)


def get(path: Path, tree: Any) -> Any:
    """Return what `path` leads to in `tree`, None where it leads nowhere; never raise on a JSON-like tree."""
    for step in path.steps:
        if isinstance(step, str):
            tree = tree.get(step) if isinstance(tree, dict) else None
        elif isinstance(step, int):
            tree = _item(tree, step)
        else:
            tree = _first(tree, step)
        if tree is None:
            return None
    return tree


def text_of(value: Any) -> str | None:
    """Return the text of a scalar, or of a list's first item; None for null and for a group of keys."""
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _digits(Decimal(str(value))) if isinstance(value, float | Decimal) else None


def _digits(number: Decimal) -> str | None:
    """8.015550142E9 and 8015550142.0 are telephone numbers that passed through a spreadsheet."""
    if not number.is_finite():
        return None
    whole = int(number)
    return str(whole) if whole == number else f"{number:f}"


def _items(tree: Any) -> list[Any]:
    """In XML one child is an object and two are a list: whatever is no list counts as a list of one."""
    return tree if isinstance(tree, list) else [tree]


def _item(tree: Any, index: int) -> Any:
    items = _items(tree)
    return items[index] if -len(items) <= index < len(items) else None


def _first(tree: Any, match: Match) -> Any:
    for item in _items(tree):
        value = item
        for name in match.key:
            value = value.get(name) if isinstance(value, dict) else None
        text = text_of(value)
        if text is not None and _folded(text) == match.value:
            return item
    return None


def _folded(text: str) -> str:
    return text.strip().casefold()


def _step(found: re.Match[str]) -> Step:
    name, index, quoted, key, value = found.groups()
    if key is not None:
        return Match(key=tuple(key.split(".")), value=_folded(_unquoted(value)))
    if index is not None:
        return int(index)
    return str(name) if quoted is None else _unquoted(quoted)


def _unquoted(text: str) -> str:
    return text[1:-1] if text[0] in "\"'" else text


def _rooted(text: str, steps: list[Step]) -> Path:
    first = None if text.startswith("$") else steps[0]
    if first == "let":
        return Path(text=text, root="let", steps=tuple(steps[1:]))
    if first == "request":
        return Path(text=text, root="request", steps=_lower_header(steps[1:]))
    return Path(text=text, root="record", steps=tuple(steps))


def _lower_header(steps: list[Step]) -> tuple[Step, ...]:
    """Names of headers know no case, and `Received` holds them in lower case."""
    match steps:
        case ["headers", str(name), *rest]:
            return ("headers", name.lower(), *rest)
    return tuple(steps)


def _remedy(plain: str, marked: str, at: int) -> str:
    """Say what is wrong at `at` of `marked`, and what to write instead."""
    if plain.startswith(("${", "{")):
        return f"here stands a field without braces: {plain.strip('${} ')}"
    if plain.startswith("["):
        return f"a path starts with a name or with $: ${plain}"
    if marked[at] == ".":
        return "right after a dot comes a name"
    return _bracket_remedy(plain, marked, at) if marked[at] == "[" else _name_remedy(marked, at)


def _bracket_remedy(plain: str, marked: str, at: int) -> str:
    if "]" not in marked[at:]:
        return "[ is never closed with ]"
    start = marked.rfind(".", 0, at) + 1
    name, whole = _quoted_name(marked, start, marked.index("]", at) + 1)
    return f"in [ ] comes a number, key=value or a quoted name; a field called {name} is {whole}"


def _name_remedy(marked: str, at: int) -> str:
    if _STEP.match(f".{marked[at]}"):
        return f"a dot is missing before {marked[at]!r}"
    start = max(marked.rfind(".", 0, at), marked.rfind("]", 0, at)) + 1
    end = re.compile(r"[.\[\]]|$").search(marked, start)
    _, whole = _quoted_name(marked, start, end.start() if end else len(marked))
    return f"{marked[at]!r} cannot stand in a plain name; quoted it can: {whole}"


def _quoted_name(marked: str, start: int, end: int) -> tuple[str, str]:
    """The name between two places of a path, and the path with it in quotes, as far as it is sound behind it."""
    name, before = marked[start:end].strip(), marked[:start].removesuffix(".")
    path = f"{before}[{_quote(name)}]{marked[end:]}"
    return name, path if before == "$" else path.removeprefix("$.")


def _offset(text: str, plain: str, from_end: int) -> int:
    """Where in `text`, as it was typed, stands what is `from_end` characters before the end of `plain`."""
    return text.index(plain) + max(len(plain) + from_end, 0)


def _quote(name: str) -> str:
    return f"'{name}'" if '"' in name else f'"{name}"'
