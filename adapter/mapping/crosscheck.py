"""What the parts of a mapping must be to each other: tables that exist, `let` before use, one name."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from typing import Any

from adapter import path
from adapter.condition import Condition, Group
from adapter.mapping.compiled import Mapping, Rule, Value
from adapter.mapping.document import ExampleSchema, HoursSchema, MappingSchema, OnceSchema, ReceiveSchema
from adapter.mapping.fields import FIELDS
from adapter.mapping.problems import Said, did_you_mean
from adapter.mapping.schema import ConditionSchema, PhoneKeys, PhoneValueSchema, RuleSchema
from adapter.mapping.text import Where
from adapter.mapping.vocabulary import Strict

Found = Iterator[tuple[Where, str]]

REQUEST = ("body", "headers", "query", "method", "index")
_SCHEMAS: ReadOnly[Where, type[Strict]] = {
    (): MappingSchema,
    ("receive",): ReceiveSchema,
    ("once",): OnceSchema,
    ("hours",): HoursSchema,
    ("phones",): PhoneKeys,
    ("rules",): RuleSchema,
    ("examples",): ExampleSchema,
}


def known_keys(where: Where) -> list[str]:
    """The keys that could stand in the group at `where`, for did-you-mean."""
    words = tuple(step for step in where if isinstance(step, str))
    if len(words) == 2 and words[0] == "rules" and words[1] in FIELDS:
        return list(FIELDS[words[1]])
    schema = ConditionSchema if "when" in words else _SCHEMAS.get(words, PhoneValueSchema)
    return [field.data_key or name for name, field in schema._declared_fields.items()]


def check(mapping: Mapping, data: ReadOnly[str, Any], name: str) -> Found:
    """Every contradiction as (path in the file, message)."""
    if mapping.name != name:
        yield (
            ("name",),
            Said(f"the name is '{mapping.name}' but the file is {name}.yaml", hint="they must be the same"),
        )
    seen: set[str] = set()
    for let, value in mapping.let.items():
        yield from _value(value, mapping, seen)
        seen.add(let)
    for rule in mapping.rules:
        yield from _rule(rule, mapping, seen)
    for where, paths in _elsewhere(mapping, data):
        yield from _paths(where, paths, seen)
    if not mapping.rules:
        yield ("rules",), "a mapping needs at least one rule"


def _elsewhere(mapping: Mapping, data: ReadOnly[str, Any]) -> Iterator[tuple[Where, tuple[path.Path, ...]]]:
    if "key" in data["once"]:
        yield ("once", "key"), data["once"]["key"].paths
    if mapping.phones.region_field:
        yield ("phones", "region_field"), (mapping.phones.region_field,)
    if mapping.sent_at and "sent_at" in data:
        yield ("sent_at",), (mapping.sent_at.path,)


def _rule(rule: Rule, mapping: Mapping, seen: set[str]) -> Found:
    for number, one in enumerate(rule.when):
        for found in _tested(one):
            yield from _paths((*rule.where, "when", number, "field"), (found,), seen)
    for value in rule.fields.values():
        if isinstance(value, Value):
            yield from _value(value, mapping, seen)


def _tested(one: Condition) -> Iterator[path.Path]:
    if isinstance(one, Group):
        for member in one.members:
            yield from _tested(member)
    else:
        yield one.field


def _value(value: Value, mapping: Mapping, seen: set[str]) -> Found:
    if value.lookup is not None and value.lookup not in mapping.tables:
        hint = did_you_mean(value.lookup, mapping.tables)
        yield (*value.where, "lookup"), Said(f"there is no table called '{value.lookup}'", hint=hint)
    named = [value.field] if value.field else list(value.first_of)
    named += [found for part in (value.text, value.key, value.default) if part for found in part.paths]
    yield from _paths(value.where, tuple(named), seen)
    for case in value.choose:
        for one in case.when:
            yield from _paths(value.where, tuple(_tested(one)), seen)
        yield from _value(case.use, mapping, seen)


def _paths(where: Where, paths: tuple[path.Path, ...], seen: set[str]) -> Found:
    for one in paths:
        first = one.text.split(".")[1].split("[")[0] if "." in one.text else ""
        if one.root == "let" and first not in seen:
            hint = did_you_mean(first, seen) or "let values can be used below the line that defines them"
            yield where, Said(f"there is no let value called '{first}' here", hint=hint)
        if one.root == "request" and first not in REQUEST:
            yield where, Said(f"request has no '{first}'", hint=f"it has {', '.join(REQUEST)}")
