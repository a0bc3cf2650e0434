"""What a mapping looks at: every value and every path in it, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapter.condition import Condition, Group
from adapter.mapping.compiled import Mapping, Value
from adapter.mapping.text import Where
from adapter.path import Path
from adapter.template import Template


@dataclass(frozen=True, slots=True)
class Use:
    """A path and where in the file it is written; `offset` is its beginning within the text there."""

    where: Where
    path: Path
    offset: int = 0


def values(mapping: Mapping) -> Iterator[Value]:
    """Every value of the file, those within others too."""
    outer = [*mapping.let.values(), *([mapping.phones.region] if mapping.phones.region else [])]
    outer += mapping.report.include.values() if mapping.report else ()
    outer += [one for rule in mapping.rules for one in rule.fields.values() if isinstance(one, Value)]
    for one in outer:
        yield from within(one)


def within(value: Value) -> Iterator[Value]:
    """A value, and every one within it."""
    yield value
    for case in value.choose:
        yield from within(case.use)
    own = value.phones.region if value.phones and value.own_phones and "region" in value.own_phones else None
    if own:
        yield from within(own)


def paths(mapping: Mapping) -> Iterator[Use]:
    """Every path of the file."""
    for value in values(mapping):
        yield from of_value(value)
    for rule in mapping.rules:
        yield from _conditions((*rule.where, "when"), rule.when)
    yield from _conditions(("receive", "test_when"), mapping.receive.test_when)
    yield from key(mapping)
    if mapping.phones.region_field:
        yield Use(("phones", "region_field"), mapping.phones.region_field)
    if mapping.sent_at:
        yield Use(("sent_at",), mapping.sent_at.path)


def key(mapping: Mapping) -> Iterator[Use]:
    """The paths of the idempotency key that the file itself says."""
    yield from _template(("once", "key"), mapping.once.key if mapping.once.own else None)


def of_value(value: Value) -> Iterator[Use]:
    """The paths that stand in this very value."""
    if value.field:
        yield Use((*value.where, "field"), value.field)
    for number, one in enumerate(value.first_of):
        yield Use((*value.where, "first_of", number), one)
    for step, template in (((), value.text), (("key",), value.key), (("default",), value.default)):
        yield from _template((*value.where, *step), template)
    for number, case in enumerate(value.choose):
        yield from _conditions((*value.where, "choose", number, "when"), case.when)
    if value.phones and value.own_phones and value.phones.region_field:
        yield Use((*value.where, "region_field"), value.phones.region_field)


def _template(where: Where, template: Template | None) -> Iterator[Use]:
    for one in template.paths if template else ():
        yield Use(where, one, template.text.find(one.text) if template else 0)


def _conditions(where: Where, conditions: Iterable[Condition]) -> Iterator[Use]:
    for number, one in enumerate(conditions):
        here = (*where, number)
        if isinstance(one, Group):
            yield from _conditions((*here, one.word), one.members)
        else:
            yield Use((*here, "field"), one.field)
