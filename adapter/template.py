"""Text with `${path}` in it, and the names a mapping can reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter import path
from adapter.errors import TextError

LONGEST = 100_000
"""Characters of a text that is put together; every word that Xima takes is far shorter."""
Find = Callable[[path.Path], Any]
"""Gives what a path leads to in the record, in `let` or in the request; None for empty (see `mapping.scope`)."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text as typed, cut into plain pieces and paths."""

    text: str
    parts: tuple[str | path.Path, ...]

    @property
    def paths(self) -> tuple[path.Path, ...]:
        """Every path in the text, in order."""
        return tuple(part for part in self.parts if isinstance(part, path.Path))


def compile(text: str) -> Template:  # noqa: A001 - read as template.compile, beside path.compile
    """Cut a text at its `${...}`; raises `TextError` for one that is never closed or holds no path."""
    parts: list[str | path.Path] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        end = _end(text, start)
        if start > at:
            parts.append(text[at:start])
        parts.append(_path(text, start + 2, end))
        at = end + 1
    if at < len(text):
        parts.append(text[at:])
    return Template(text, tuple(parts))


def fill(template: Template, find: Find) -> str | None:
    """The text with every path replaced by what it leads to; None when it has paths and all of them are empty.

    None as well for a text that nobody can mean: each value of `let` may hold the one before it twice, and forty such
    lines would fill any memory.
    """
    if len(template.parts) == 1 and isinstance(template.parts[0], path.Path):
        return path.text_of(find(template.parts[0]))
    found = [part if isinstance(part, str) else path.text_of(find(part)) for part in template.parts]
    if template.paths and all(
        text is None for part, text in zip(template.parts, found, strict=True) if isinstance(part, path.Path)
    ):
        return None
    return "".join(text or "" for text in found) if sum(len(text or "") for text in found) <= LONGEST else None


_QUOTE = re.compile(r"""[\[=][ ]*["']""")
"""Where a quoted name begins in a path."""


def _end(text: str, start: int) -> int:
    """Where the field that begins at `start` is closed; a brace in a quoted name closes nothing: ${$["a}"]}."""
    at, end = start, text.find("}", start)
    while end >= 0 and (opened := _QUOTE.search(text, at, end)):
        at = text.find(opened[0][-1], opened.end()) + 1 or end
        end = end if at <= end else text.find("}", at)
    if end < 0:
        raise TextError("${ is never closed with }", start)
    return end


def _path(text: str, start: int, end: int) -> path.Path:
    try:
        return path.compile(text[start:end])
    except TextError as exc:
        raise TextError(exc.reason, start + exc.offset) from exc
