"""What the parts of a mapping must be to each other: tables that exist, `let` before use, one name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from typing import Any

from adapter import path, phone
from adapter.condition import Condition, Group
from adapter.mapping import outside
from adapter.mapping.compiled import PARAMETERS, Mapping, Rule, Value
from adapter.mapping.document import IN_URL, NAME
from adapter.mapping.fields import FIELDS, SHAPES
from adapter.mapping.problems import Said, as_field, did_you_mean
from adapter.mapping.text import Where
from adapter.template import Template

Found = Iterator[tuple[Where, str]]

_OF = {"let": "let.name", "request": "request.body.id"}
REQUEST = ("body", "headers", "index", "method", "query")


@dataclass(frozen=True, slots=True)
class _Known:
    """The tables of the file, and the `let` values that are defined so far."""

    tables: Collection[str]
    let: set[str] = field(default_factory=set)


def check(mapping: Mapping, data: ReadOnly[str, Any], name: str) -> Found:
    """Every contradiction as (path in the file, message); `data` are the loaded keys of the file."""
    known = _Known(mapping.tables)
    if mapping.name != name:
        yield ("name",), _misnamed(mapping.name, name)
    for let, value in mapping.let.items():
        if not re.fullmatch(r"\w[\w-]*", let):
            yield ("let", let), Said("the name of a let value is one word", hint="write it with _", of_key=True)
        yield from _value(value, known)
        yield from _not_nearest(value)
        known.let.add(let)
    yield from _rules(mapping, known)
    for value in mapping.report.include.values() if mapping.report else ():
        yield from _value(value, known)
        yield from _not_nearest(value)
    yield from _dialling(("phones",), data["phones"], known)
    yield from _conditions(("receive", "test_when"), mapping.receive.test_when, known)
    yield from _template(("once", "key"), data["once"].get("key"), known)
    if "sent_at" in data:
        yield from _path(("sent_at", "path"), data["sent_at"].path, known)


def _misnamed(name: str, file: str) -> Said:
    """The file's name is not the mapping's; Notepad makes x.yaml.txt of x.yaml, and that is no name for a mapping."""
    if re.search(r"\.ya?ml$", file, re.IGNORECASE):
        said = f"the file is {file}.txt or the like, which the server does not read"
        return Said(said, hint=f"rename the file to {name}.yaml")
    can_be = re.fullmatch(NAME, file) is not None
    hint = f"write name: {file}, or rename the file" if can_be else f"rename the file to {name}.yaml: {IN_URL}"
    return Said(f"the name is '{name}' but the file is {file}.yaml", hint=hint)


def _rules(mapping: Mapping, known: _Known) -> Found:
    names = Counter(rule.name for rule in mapping.rules)
    for rule in mapping.rules:
        if names[rule.name] > 1:
            yield (*rule.where, "name"), Said("another rule has the same name", hint="give each rule its own")
        if mapping.receive.body == PARAMETERS and rule.action != "call_ended":
            hint = "write call_ended, or body: json or form"
            yield (*rule.where, rule.action), Said("a mere link could make this call", hint=hint, of_key=True)
        yield from _conditions((*rule.where, "when"), rule.when, known)
        for name, given in rule.fields.items():
            if isinstance(given, Value):
                yield from _value(given, known)
                yield from _constants(rule, name, given)
        yield from _prefixes(mapping, rule)


def _value(value: Value, known: _Known) -> Found:
    where = value.where
    if value.lookup is not None and value.lookup not in known.tables:
        hint = did_you_mean(value.lookup, known.tables) or "define it under tables"
        yield (*where, "lookup"), Said(f"there is no table called '{value.lookup}'", hint=hint)
    if value.field is not None:
        yield from _path((*where, "field"), value.field, known)
    for number, one in enumerate(value.first_of):
        yield from _path((*where, "first_of", number), one, known)
    for step, template in (((), value.text), (("key",), value.key), (("default",), value.default)):
        yield from _template((*where, *step), template, known)
    for number, case in enumerate(value.choose):
        yield from _conditions((*where, "choose", number, "when"), case.when, known)
        yield from _value(case.use, known)
        yield from _not_nearest(case.use)
    yield from _dialling(where, value.own_phones or {}, known)


def _not_nearest(value: Value) -> Found:
    if value.nearest_to is not None:
        hint = "write it there as the whole value, with default: for numbers of other countries"
        yield (*value.where, "nearest_to"), Said("nearest_to belongs into outbound_caller_id", hint=hint, of_key=True)


def _dialling(where: Where, keys: ReadOnly[str, Any], known: _Known) -> Found:
    """The keys of `phones`, or those of a phone value."""
    if "region_field" in keys:
        yield from _path((*where, "region_field"), keys["region_field"], known)
    region = keys.get("region")
    if isinstance(region, Value):
        yield from _value(region, known)
        if region.default and (problem := phone.region_problem(region.default.text)):
            yield (*region.where, "default"), problem


def _conditions(where: Where, conditions: tuple[Condition, ...], known: _Known) -> Found:
    for number, one in enumerate(conditions):
        here = (*where, number)
        if isinstance(one, Group):
            yield from _conditions((*here, one.word), one.members, known)
        else:
            yield from _path((*here, "field"), one.field, known)


def _template(where: Where, template: Template | None, known: _Known) -> Found:
    for one in template.paths if template else ():
        yield from _path(where, one, known, offset=template.text.find(one.text) if template else 0)


def _path(where: Where, one: path.Path, known: _Known, *, offset: int = 0) -> Found:
    first = str(one.steps[0]) if one.steps else ""
    if one.root != "record" and not first:
        hint = f"a field of the record that has this name is $.{one.root}"
        yield where, Said(f"it is not said what of {one.root}, as in {_OF[one.root]}", hint=hint, offset=offset)
    elif one.root == "let" and first not in known.let:
        hint = did_you_mean(first, known.let) or "let values can be used below the line that defines them"
        yield where, Said(f"there is no let value called '{first}' here", hint=hint, offset=offset)
    elif one.root == "request" and first not in REQUEST:
        yield where, Said(f"the request has no '{first}'", hint=f"it has {', '.join(REQUEST)}", offset=offset)


def _constants(rule: Rule, name: str, given: Value) -> Found:
    """Texts without a path that can never be what their field needs; often a path that lacks its `${}`."""
    shape = SHAPES.get(FIELDS[rule.action][name].kind)
    texts = [(given.where, given.text), ((*given.where, "default"), given.default)]
    texts += [(case.use.where, case.use.text) for case in given.choose]
    for where, template in texts:
        if shape and template and not template.paths and not shape.pattern.fullmatch(template.text.strip()):
            yield where, Said(shape.problem, hint=as_field(template.text))


def _prefixes(mapping: Mapping, rule: Rule) -> Found:
    """Prefixes that are written out and that the mapping itself does not list."""
    given, listed = rule.fields.get("external_prefix"), outside.rules_of(mapping, rule).rules.prefixes
    for value, prefix in outside.literals(given) if isinstance(given, Value) and listed is not None else ():
        if prefix not in (listed or ()):
            yield value.where, Said(f"phones.prefixes does not list {prefix}", hint="add it there, or write another")
