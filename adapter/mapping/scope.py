"""What the texts of a mapping can reach: the record, the values of `let`, the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adapter import path
from adapter.condition import folded
from adapter.mapping.problems import nearest
from adapter.mapping.text import Where


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a rule did not fire, or gave no action; `where` is the place in the mapping file."""

    rule: str
    where: Where
    text: str


@dataclass(slots=True)
class Trace:
    """What was found on the way, for a person who asks why, each note with its place in the mapping file."""

    notes: list[tuple[Where, str]] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    empty_lets: dict[str, str] = field(default_factory=dict)
    instead: dict[str, list[str]] = field(default_factory=dict)
    """Paths that led nowhere, each with keys that were there."""

    def note(self, where: Where, text: str) -> None:
        """Remember one step."""
        self.notes.append((where, text))

    def stop(self, rule: str, where: Where, text: str) -> None:
        """Remember a step that stood in the way of an action, with what there was instead of what is missing."""
        for missing, there in self.instead.items():
            if there and re.search(rf"(?<![\w.]){re.escape(missing)} is not in the ", text):
                text += f"; instead of {missing} there is {', '.join(name[:40] for name in there)}"
        self.note(where, text)
        self.obstacles.append(Obstacle(rule, where, text))


@dataclass(slots=True)
class Scope:
    """One record with its surroundings; `let` is filled while the mapping runs."""

    record: Any
    request: Mapping[str, Any]
    empty: frozenset[str]
    let: dict[str, Any] = field(default_factory=dict)
    trace: Trace | None = None

    def raw(self, where: path.Path) -> Any:
        """What stands there, empty or not."""
        if where.root == "record":
            return path.get(where, self.record)
        return path.get(where, self.let if where.root == "let" else self.request)

    def find(self, where: path.Path) -> Any:
        """What stands there, or None when it is missing, null, blank or one of `empty_values`."""
        value = self.raw(where)
        return None if self.is_empty(value) else value

    def is_empty(self, value: Any) -> bool:
        """Whether a value counts as nothing; 0 and false do not."""
        if isinstance(value, str):
            text = value.strip()
            return not text or (bool(self.empty) and folded(text) in self.empty)
        if isinstance(value, list):
            return all(self.is_empty(item) for item in value)
        return value is None or value == {}

    def why_empty(self, where: path.Path) -> str:
        """In words, why `find` gives nothing there, or why a text place finds no text."""
        value = self.raw(where)
        if value is None:
            return f"{where} {self._why_none(where)}"
        if isinstance(value, dict) and value:
            return f"{where} is a group of keys ({', '.join(key[:40] for key in list(value)[:5])}), not a text"
        text = path.text_of(value)
        if text is None and not self.is_empty(value):
            return f"{where} is a list that does not begin with a text"
        return f"{where} is empty" + (f" ({describe(text)} is one of empty_values)" if text and text.strip() else "")

    def _why_none(self, where: path.Path) -> str:
        if where.root == "let":
            because = self.trace.empty_lets.get(str(where.steps[0])) if self.trace and where.steps else None
            return "is empty" + (f" ({because})" if because else "")
        around = self.raw(replace(where, steps=where.steps[:-1]))
        is_null = isinstance(around, dict) and where.steps[-1:] and where.steps[-1] in around
        if self.trace and not is_null:
            self.trace.instead[where.text] = self._beside(where, around)
        return "is null" if is_null else f"is not in the {where.root}"

    def _beside(self, where: path.Path, around: Any) -> list[str]:
        """A few of the keys that stand where the last one of a path was looked for, or else its first."""
        there = around if isinstance(around, dict) else self.raw(replace(where, steps=()))
        step = where.steps[-1 if there is around else 0] if where.steps else None
        return nearest(step, there) if isinstance(step, str) and isinstance(there, dict) and step not in there else []


def describe(value: Any) -> str:
    """A value as a trace shows it: short, quoted, never longer than a line."""
    text = path.text_of(value)
    if text is None:
        return "a group of keys" if isinstance(value, dict) else "nothing"
    return f"'{text[:77]}...'" if len(text) > 80 else f"'{text}'"
