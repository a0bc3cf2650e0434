"""Fill the fields of an action from a record, or say which one is not usable and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from adapter import path, phone
from adapter.mapping import outside, told, value
from adapter.mapping.compiled import Mapping, Phones, Rule, Value
from adapter.mapping.scope import Scope, describe
from adapter.model import ACTIONS, Action, CallEnded


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A field that could not be filled."""

    kind: Literal["skip", "reject"]
    field: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """An action with every field, its number in E.164, and the time zones that could be in.

    An extension written into the mapping stands for itself; without a number it is empty. `nearest` asks for a
    caller id near to the number.
    """

    action: Action
    number: str = ""
    nearest: bool = False
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """What a field of an action holds, and whether Xima requires it."""

    kind: Literal["extension", "phone", "text", "prefix", "yes_no", "agent", "called", "word", "length", "moment"]
    required: bool = True


FIELDS: ReadOnly[str, ReadOnly[str, Field]] = {
    "click_to_dial": {
        "agent": Field("extension"),
        "external_prefix": Field("prefix", required=False),
        "number_to_dial": Field("phone"),
        "outbound_caller_id": Field("text", required=False),
        "use_selected_caller_id": Field("yes_no", required=False),
    },
    "callback": {"skill": Field("text"), "callback_number": Field("phone")},
    "select_caller_id": {
        "agent": Field("extension"),
        "label": Field("text"),
        "outbound_caller_id": Field("text"),
    },
    "call_ended": {
        "agent": Field("agent"),
        "number": Field("called"),
        "outcome": Field("word", required=False),
        "duration": Field("length", required=False),
        "ended_at": Field("moment", required=False),
    },
}
"""In the order of filling: the prefix comes before the number, which is checked with the prefix in front."""

MADE: ReadOnly[str, type[Action]] = {**ACTIONS, CallEnded.kind: CallEnded}
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text must look like, and what is said of one that does not."""

    pattern: re.Pattern[str]
    problem: str


SHAPES: ReadOnly[str, Shape] = {
    "extension": Shape(re.compile("[0-9]{1,20}"), "this is not an extension: digits only"),
    "prefix": Shape(outside.SHAPE, "this is not an outside-line prefix: up to eight digits"),
    "phone": Shape(re.compile(r".*\d.*", re.DOTALL), "this is not a telephone number: it has no digit"),
}


@dataclass(slots=True)
class _Filling:
    """The fields found so far for one action."""

    mapping: Mapping
    rule: Rule
    scope: Scope
    now: datetime
    found: dict[str, Any]
    number: str = ""
    zones: tuple[str, ...] = ()


def action(mapping: Mapping, rule: Rule, scope: Scope, *, now: datetime) -> Filled | Missing:
    """The rule's action for this record; the first field that is not usable decides."""
    filling, nearest = _Filling(mapping, rule, scope, now, {}), False
    for name, field in FIELDS[rule.action].items():
        given = rule.fields.get(name)
        if given is None:
            continue
        if isinstance(given, bool):
            filling.found[name] = given
            continue
        nearest = nearest or given.nearest_to is not None
        if missing := _fill(filling, name, field, given):
            return missing
    return Filled(
        action=MADE[rule.action](**filling.found), number=filling.number, nearest=nearest, zones=filling.zones
    )


def _fill(filling: _Filling, name: str, field: Field, given: Value) -> Missing | None:
    text = value.text(given, filling.scope, filling.mapping.tables, now=filling.now)
    if text is None:
        return _missing(filling, name, field, given)
    if problem := CHECKS[field.kind](filling, name, given, text):
        return _stopped(filling, given, Missing(kind="reject", field=name, reason=f"{name}: {problem}"))
    if filling.scope.trace:
        filling.scope.trace.note(given.where, f"{name} is {describe(filling.found[name])}")
    return None


def _missing(filling: _Filling, name: str, field: Field, given: Value) -> Missing | None:
    why = value.why_missing(given, filling.scope, now=filling.now)
    kind = given.if_missing or ("reject" if field.required else "omit")
    if kind != "omit":
        return _stopped(filling, given, Missing(kind=kind, field=name, reason=f"{name} is missing: {why}"))
    if filling.scope.trace:
        filling.scope.trace.note(given.where, f"{name} is left out: {why}")
    return None


def _stopped(filling: _Filling, given: Value, missing: Missing) -> Missing:
    if filling.scope.trace:
        filling.scope.trace.stop(filling.rule.name, given.where, missing.reason)
    return missing


def _digits(filling: _Filling, name: str, given: Value, text: str) -> str | None:
    shape = SHAPES[FIELDS[filling.rule.action][name].kind]
    filling.found[name] = text.strip()
    return None if shape.pattern.fullmatch(text.strip()) else shape.problem


def _prefix(filling: _Filling, name: str, given: Value, text: str) -> str | None:
    if problem := _digits(filling, name, given, text):
        return problem
    phones = outside.rules_of(filling.mapping, filling.rule)
    return outside.problem(filling.found[name], given, filling.mapping, phones)


def _text(filling: _Filling, name: str, given: Value, text: str) -> str | None:
    """Skills, labels and caller ids go to Xima byte for byte: never trimmed, never folded."""
    if len(text) > LONGEST_TEXT or not text.isprintable():
        return f"longer than {LONGEST_TEXT} characters, or not printable"
    filling.found[name] = text
    return None


def _phone(filling: _Filling, name: str, given: Value, text: str) -> str | None:
    phones = given.phones or filling.mapping.phones
    prefix = str(filling.found.get("external_prefix", ""))
    if _is_constant(given) and (short := internal(text.strip())):
        filling.found[name] = filling.number = short
        return _internal_problem(short, phones, filling.mapping.tenant, prefix)
    region = region_of(phones, filling.scope, filling.mapping.tables, now=filling.now)
    number = phone.read(text, phones.rules, region=region, prefix=prefix)
    if isinstance(number, phone.Unusable):
        own = phone.read(text, phones.written, region=region, prefix=prefix) if phones.written else number
        return number.reason if isinstance(own, phone.Unusable) else number.reason + outside.of(filling.mapping.tenant)
    if problem := _misleading(filling, number, prefix, phones):
        return problem
    filling.found[name], filling.number = number.dial, number.e164
    if filling.scope.trace:
        extension = (
            f", without its extension {number.extension}" if number.extension and ";ext=" not in number.dial else ""
        )
        said = f"{describe(text)} is {number.e164} ({number.region or 'of no country'}){extension}"
        filling.scope.trace.note(given.where, said)
    if filling.mapping.hours is not None:
        filling.zones = phone.zones(number)
    return None


def _misleading(filling: _Filling, number: phone.Number, prefix: str, phones: Phones) -> str | None:
    given = filling.rule.fields.get("external_prefix") if prefix else None
    return outside.misleading(number, prefix, given, filling.mapping, phones) if isinstance(given, Value) else None


def _internal_problem(short: str, phones: Phones, tenant: str, prefix: str) -> str | None:
    if phone.emergency(short, phones.rules.region, prefix):
        return "it would reach an emergency number"
    if phones.written and not outside.SHAPE.fullmatch(short):  # *679005551234: nobody judges what is behind it
        return f"a star code goes into external_prefix, without a number behind it{outside.of(tenant)}"
    return None if phones.internal else f"internal numbers are not dialled (internal_numbers){outside.of(tenant)}"


def _told(filling: _Filling, name: str, given: Value, text: str) -> str | None:
    """What Xima tells of a call, in our words."""
    kind = FIELDS[filling.rule.action][name].kind
    found = told.READERS[kind](text)
    filling.found[name] = found
    return None if found is not None else told.PROBLEMS[kind]


def _is_constant(given: Value) -> bool:
    return given.text is not None and not given.text.paths


def internal(text: str) -> str | None:
    """The extension or star code in a text that the admin wrote into the mapping itself, on purpose; else None."""
    return text if re.fullmatch(r"[0-9]{1,6}|[*#][0-9*#]{1,30}", text) else None


def region_of(phones: Phones, scope: Scope, tables: value.Tables, *, now: datetime) -> str | None:
    """The country that the record itself says its number is of, if it does."""
    if phones.region_field is not None:
        written = path.text_of(scope.find(phones.region_field))
        if written and re.fullmatch("[A-Za-z]{2}", written.strip()):
            return written.strip().upper()
    if phones.region is not None:
        return value.text(phones.region, scope, tables, now=now)
    return None


CHECKS: ReadOnly[str, Callable[[_Filling, str, Value, str], str | None]] = {
    "extension": _digits,
    "phone": _phone,
    "prefix": _prefix,
    "text": _text,
    **dict.fromkeys(told.READERS, _told),
}
