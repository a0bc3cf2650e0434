"""The extensions, skills and caller ids that a mapping names itself, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapter.mapping.compiled import Mapping, Rule, Value
from adapter.mapping.text import Where
from adapter.template import Template


@dataclass(frozen=True, slots=True)
class Name:
    """A text that stands in the file (or its spreadsheet) and goes to Xima as it is; `line` tells a table's line."""

    where: Where
    text: str
    line: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What one rule may send to Xima; what only the record knows is not among them."""

    extensions: tuple[Name, ...] = ()
    skills: tuple[Name, ...] = ()
    caller_ids: tuple[Name, ...] = ()
    labels: tuple[Name, ...] = ()


def of_rule(mapping: Mapping, rule: Rule) -> Names:
    """Everything the rule names."""

    def named(field: str) -> tuple[Name, ...]:
        given = rule.fields.get(field)
        return tuple(_texts(given, mapping)) if isinstance(given, Value) else ()

    return Names(
        extensions=named("agent"),
        skills=named("skill"),
        caller_ids=named("outbound_caller_id"),
        labels=named("label"),
    )


def _texts(given: Value, mapping: Mapping) -> Iterator[Name]:
    """Every text of the file that the value can give, looking through `let`, tables and `choose`.

    What is cleaned is left out, but for the default: it may come out as another text.
    """
    yield from _constant((*given.where, "default"), given.default)
    if given.clean:
        return
    yield from _constant(given.where, given.text)
    for path in given.text.paths if given.text and len(given.text.parts) == 1 else [given.field, *given.first_of]:
        if path and path.root == "let" and len(path.steps) == 1:
            yield from _texts(mapping.let[str(path.steps[0])], mapping)
    if given.lookup is not None:
        for key, text in mapping.tables[given.lookup].items():
            yield Name(("tables", given.lookup, key), text, f" (in the table {given.lookup}, for '{key}')")
    for case in given.choose:
        yield from _texts(case.use, mapping)


def _constant(where: Where, template: Template | None) -> Iterator[Name]:
    if template and not template.paths:
        yield Name(where, template.text)
