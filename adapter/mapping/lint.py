"""What is allowed in a mapping and yet likely to be regretted, in an admin's words, each with its place and remedy.

`lint: {ignore: [...]}` in the mapping silences a warning on purpose; a comment beside it should say why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass

from adapter.mapping import dialling, examples, mistyped, opening, text, unsent, uses, value
from adapter.mapping.compiled import Mapping, Phones, Rule, Value
from adapter.mapping.fields import FIELDS, internal
from adapter.mapping.problems import Problem, Said
from adapter.mapping.run import firing
from adapter.mapping.text import Where
from adapter.path import Path

Found = Iterator[tuple[Where, Said]]

PUBLIC_PRESETS = frozenset({"typeform"})
"""Senders that anybody can fill in; so can whatever sends a form."""

_CHANGES = re.compile(
    r"modified|updated|attempt|retry|retries|timestamp|received|sent_?at|(?:^|[_-])(?:now|date|time)$", re.IGNORECASE
)
"""Names of fields that are another in every repetition of one event."""


@dataclass(frozen=True, slots=True)
class Lint:
    """A kind of warning: what it is about, and what finds it."""

    about: str
    find: Callable[[Mapping], Found]


def problems(mapping: Mapping, content: str) -> list[Problem]:
    """The warnings of a mapping that loads, in the order of its text, without those the file ignores."""
    tree = text.read(content)
    found = []
    for word, lint in LINTS.items():
        said_of = mistyped.found(tree) if word == mistyped.WORD else lint.find(mapping)
        for where, said in said_of if word not in mapping.ignore else ():
            place = tree.place(where, of_key=said.of_key).at(said.offset)
            hint = said.hint() if callable(said.hint) else said.hint
            found.append(Problem(place, f"warning: {said} [{word}]", hint=hint))
    return sorted(found, key=lambda one: (one.place.line, one.place.column))


def _public(mapping: Mapping) -> bool:
    return mapping.receive.body == "form" or mapping.receive.preset in PUBLIC_PRESETS


def _filled(mapping: Mapping, *kinds: str) -> Iterator[tuple[Rule, str, Value]]:
    """Every value that fills a field of one of these kinds."""
    for rule in mapping.rules:
        for name, given in rule.fields.items():
            if isinstance(given, Value) and FIELDS[rule.action][name].kind in kinds:
                yield rule, name, given


def _numbers(mapping: Mapping) -> Iterator[tuple[Rule, str, Value, Phones]]:
    """Every value that gives a telephone number from the record, with its dialling rules."""
    for rule, name, given in _filled(mapping, "phone"):
        if given.text is None or given.text.paths:
            yield rule, name, given, given.phones or mapping.phones


def _no_country(mapping: Mapping) -> Found:
    for _, name, given, phones in _numbers(mapping):
        if not (phones.rules.region or phones.region or phones.region_field):
            hint = "write phones: with region: and your country, like US"
            yield given.where, Said(f"no country: a {name} without + will be refused", hint=hint)


def _any_country(mapping: Mapping) -> Found:
    for _, name, given, phones in _numbers(mapping) if _public(mapping) else ():
        if phones.rules.allow_regions is None:
            said = f"whoever fills in this form can have any country called ({name}), at your cost"
            yield given.where, Said(said, hint="write phones: with allow_regions: and the countries you call")


def _internal_number(mapping: Mapping) -> Found:
    whence = "from a public form" if _public(mapping) else "by whoever may send"
    for _, name, given in _filled(mapping, "phone"):
        template = given.text
        if template and not template.paths and internal(template.text.strip()):
            said = f"this mapping can dial the internal number {template.text.strip()} {whence} ({name})"
            yield given.where, Said(said, hint="write a full telephone number, or ignore this if it is meant")


def _agent_from_record(mapping: Mapping) -> Found:
    for _, name, given in _filled(mapping, "extension") if _public(mapping) else ():
        if _straight(given, mapping):
            said = f"whoever fills in this form can ring any extension of yours: {name} is taken as it was sent"
            yield given.where, Said(said, hint="look it up in a table that lists who may be rung")


def _straight(given: Value, mapping: Mapping) -> bool:
    """Whether the record's own text comes out of a value, not one that stands in the mapping."""
    if given.lookup is not None:
        return bool(given.default and given.default.paths)
    if given.choose:
        return any(_straight(case.use, mapping) for case in given.choose)
    found = [one.path for one in uses.of_value(given)]
    return any(one.root != "let" or _straight(mapping.let[str(one.steps[0])], mapping) for one in found)


def _key_changes(mapping: Mapping) -> Found:
    field_values = mapping.receive.preset == "salesforce-outbound"
    for use in uses.key(mapping):
        for one in _behind(use.path, mapping):
            if field_values and one.root == "record" and one.steps != ("Id",):
                hint = "write key: ${Id}, which stays the same when Salesforce repeats with newer values"
                yield use.where, Said(f"the key uses a field's value ({one})", hint=hint, offset=use.offset)
            elif any(isinstance(step, str) and _CHANGES.search(step) for step in one.steps):
                hint = "use the sender's event id, or the record's id and a short once.for"
                said = f"the key uses a field that changes on retry ({one}), so a repeat would count as new"
                yield use.where, Said(said, hint=hint, offset=use.offset)


def _behind(path: Path, mapping: Mapping) -> Iterator[Path]:
    """A path, or those that a let value is made from."""
    if path.root != "let":
        yield path
        return
    for use in uses.of_value(mapping.let[str(path.steps[0])]):
        yield from _behind(use.path, mapping)


def _whole_record(mapping: Mapping) -> Found:
    if mapping.once.key is None and not mapping.tells:
        said = "everything in the record is the key: a repeat that differs anywhere is done again"
        yield ("once",), Said(said, hint="write once: with key: and what makes an event unique, like ${id}")


def _call_time(mapping: Mapping) -> Found:
    for rule in mapping.rules if not mapping.once.own else ():
        if rule.action == "call_ended" and "ended_at" not in rule.fields:
            hint = "write ended_at: with the time, or once: with key: and the call's id, if Xima sends one"
            said = "a call that is told twice looks like a second one when the number was dialled again meanwhile"
            yield (*rule.where, "call_ended"), Said(said, hint=hint, of_key=True)


def _rule_never(mapping: Mapping) -> Found:
    first = next((number for number, rule in enumerate(mapping.rules) if not rule.when), len(mapping.rules))
    for rule in mapping.rules[first + 1 :] if not mapping.match_all else ():
        said = f"this rule can never fire: '{mapping.rules[first].name}' above it has no when and takes every record"
        yield rule.where, Said(said, hint="move it up, give the one above a when, or write match: all")


def _unused_table(mapping: Mapping) -> Found:
    used = {one.lookup for one in uses.values(mapping)}
    for name in mapping.tables:
        if name not in used:
            yield ("tables", name), Said(f"nobody uses the table '{name}'", hint="remove it", of_key=True)


def _unused_let(mapping: Mapping) -> Found:
    used = {str(one.path.steps[0]) for one in uses.paths(mapping) if one.path.root == "let" and one.path.steps}
    for name in mapping.let:
        if name not in used:
            yield ("let", name), Said(f"nobody uses let.{name}", hint="remove it", of_key=True)


def _no_hours(mapping: Mapping) -> Found:
    for rule in mapping.rules if mapping.hours is None else ():
        if rule.action == "callback":
            said = "no hours: a request at night becomes a callback at night"
            yield (*rule.where, "callback"), Said(said, hint="write hours: with zone: and open:", of_key=True)


def _no_caller_id(mapping: Mapping) -> Found:
    for rule in mapping.rules:
        given = rule.fields
        if rule.action == "click_to_dial" and not (
            "outbound_caller_id" in given or given.get("use_selected_caller_id")
        ):
            said = "no caller id: Xima chooses the number that the called person sees"
            hint = "write outbound_caller_id: with one of the agent's, or use_selected_caller_id: yes"
            yield (*rule.where, "click_to_dial"), Said(said, hint=hint, of_key=True)


def _no_example(mapping: Mapping) -> Found:
    if not mapping.examples:
        said = "no example: nothing shows that this mapping does what is meant"
        yield ("rules",), Said(said, hint="add examples: with a body as it is sent", of_key=True)


def _missing_phone(mapping: Mapping) -> Found:
    scopes = list(examples.scopes(mapping))
    for _, name, given, _ in _numbers(mapping) if scopes else ():
        if all(value.text(given, one, mapping.tables, now=examples.NOW) for one in scopes):
            said = f"no example covers a missing phone ({name})"
            yield given.where, Said(said, hint="add an example without the number, and what is to come of it")


def _untested_rule(mapping: Mapping) -> Found:
    told = {where for where, _ in _rule_never(mapping)}
    told |= {rule.where for scope in examples.scopes(mapping) for rule in firing(mapping, scope, now=examples.NOW)}
    for rule in mapping.rules if mapping.examples else ():
        if rule.where not in told:
            said = f"no example comes to this rule: nothing shows that '{rule.name}' does what is meant"
            yield rule.where, Said(said, hint="add an example for it, with a body as it is sent")


def _none(mapping: Mapping) -> Found:
    """Nothing: these are not found in the mapping alone."""
    return iter(())


LINTS: ReadOnly[str, Lint] = {
    "no-country": Lint("numbers without + will be refused", _no_country),
    "any-country": Lint("a public form may have any country called", _any_country),
    "internal-number": Lint("the mapping dials an internal extension", _internal_number),
    "agent-from-record": Lint("a public form may ring any extension", _agent_from_record),
    "key-changes": Lint("the idempotency key uses a field that changes on retry", _key_changes),
    "whole-record": Lint("no `once` and no key of the preset: everything in the record is the key", _whole_record),
    "call-time": Lint("a call that ended has no time and no id: told twice, it may count as two", _call_time),
    "rule-never": Lint("a rule above takes every record", _rule_never),
    "unused-table": Lint("nobody uses a table", _unused_table),
    "unused-let": Lint("nobody uses a `let` value", _unused_let),
    "no-hours": Lint("a callback may happen at night", _no_hours),
    "winter-time": Lint("the zone of the hours knows no summer time", opening.winter_time),
    "times-add-up": Lint("a day is named twice in `open`, with times within each other", opening.added_up),
    "no-caller-id": Lint("Xima chooses which number the called person sees", _no_caller_id),
    "no-example": Lint("the file has no example", _no_example),
    "missing-phone": Lint("no example covers a missing phone", _missing_phone),
    "untested-rule": Lint("no example comes to a rule", _untested_rule),
    mistyped.WORD: Lint(
        "a text is perhaps not what was meant: cut at a `#`, oddly quoted, `in: a, b`, `$field`", _none
    ),
    dialling.WORD: Lint("the tenant lets less be dialled than the mapping does", _none),
    unsent.WORD: Lint("nobody has sent a field lately (`check --history`)", _none),
}
"""The word that silences a warning -> what it is about, in the order in which they are looked for."""
