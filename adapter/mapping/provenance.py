"""Where each field of an action came from: the line of the mapping, and the place in the request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from adapter import path
from adapter.mapping import value as values
from adapter.mapping.compiled import Mapping, Rule, Value
from adapter.mapping.scope import Scope
from adapter.mapping.text import Where
from adapter.path import Path
from adapter.template import Template


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """`where` the mapping says it, the `paths` in the request that it read, and the text that stood there.

    A text of the mapping itself has no paths and no text.
    """

    where: Where
    paths: tuple[str, ...] = ()
    text: str | None = None


def of_action(mapping: Mapping, rule: Rule, scope: Scope, *, now: datetime) -> dict[str, Origin]:
    """The origin of every field that the rule writes, by the names of the fields."""
    return {name: _origin(mapping, rule, name, given, scope, now=now) for name, given in rule.fields.items()}


def _origin(mapping: Mapping, rule: Rule, name: str, given: Value | bool, scope: Scope, *, now: datetime) -> Origin:
    where = (*rule.where, rule.action, name)
    if isinstance(given, bool):
        return Origin(where=where)
    read = list(dict.fromkeys(_read(mapping, given, scope, now=now)))
    texts = [text for one in read if (text := path.text_of(scope.raw(one))) is not None]
    return Origin(where=where, paths=tuple(map(str, read)), text=" ".join(texts) if texts else None)


def _read(mapping: Mapping, value: Value, scope: Scope, *, now: datetime) -> Iterator[Path]:
    """The paths of the request, looked at through `let`, that the text of a value is made of."""
    nothing = values.find(replace(value, default=None), scope, mapping.tables, now=now) is None
    for one in _paths(value.default) if nothing else _direct(value, scope):
        if one.root == "let" and one.steps:
            yield from _read(mapping, mapping.let[str(one.steps[0])], scope, now=now)
        else:
            yield one
    case = None if nothing else values.chosen(value, scope, now=now)
    if case:
        yield from _read(mapping, case.use, scope, now=now)


def _direct(value: Value, scope: Scope) -> Iterator[Path]:
    """The paths that stand in this very value and gave something."""
    yield from _paths(value.text)
    yield from _paths(value.key)
    if value.field:
        yield value.field
    yield from [one for one in value.first_of if path.text_of(scope.find(one)) is not None][:1]


def _paths(template: Template | None) -> tuple[Path, ...]:
    return template.paths if template else ()
