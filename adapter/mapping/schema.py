"""The mapping file as marshmallow schemas; what comes out is `compiled`, but for `receive` (see `receive`)."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from adapter import condition, phone, template
from adapter.errors import TextError
from adapter.mapping.compiled import Case, Rule, Value
from adapter.mapping.fields import FIELDS, Field
from adapter.mapping.problems import Said
from adapter.mapping.text import Group
from adapter.mapping.value import CLEAN
from adapter.mapping.vocabulary import (
    Each,
    Part,
    Read,
    Strict,
    TextOr,
    a_moment,
    a_path,
    a_template,
    a_text,
    one_of,
    yes_no,
)


def exactly_one(data: ReadOnly[str, Any], words: ReadOnly[str, Any] | tuple[str, ...], what: str) -> str:
    """The one of `words` that is in `data`; raises `ValidationError` when none or several are."""
    given = [word for word in words if word in data]
    if len(given) != 1:
        said = f"{' and '.join(given)} exclude each other" if given else f"{what} is missing"
        raise ValidationError(Said(said, hint=f"write exactly one of {', '.join(words)}"))
    return given[0]


def _number(text: str) -> Any:
    found = condition.number(text)
    if found is None:
        raise TextError("write a number like 500 or 0.5")
    return found


def _moment(text: str) -> datetime | None:
    """A moment, or None for `now`; raises `TextError`."""
    return None if text == "now" else a_moment(text)


class ConditionSchema(Strict):
    """One condition: a field with one operator, or `all`, `any`, `not` with a list."""

    field = a_path()
    present = yes_no()
    is_ = a_text(data_key="is")
    is_not = a_text()
    in_ = Each(a_text(), data_key="in")
    not_in = Each(a_text())
    contains = a_text()
    like = Read(condition.pattern)
    more_than = Read(_number)
    less_than = Read(_number)
    before = Read(_moment)
    after = Read(_moment)
    all_ = Each(Part(lambda: ConditionSchema()), data_key="all")
    any_ = Each(Part(lambda: ConditionSchema()), data_key="any")
    not_ = Each(Part(lambda: ConditionSchema()), data_key="not")

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> condition.Condition:
        """The compiled condition."""
        given = {name.rstrip("_"): value for name, value in data.items()}
        if "field" not in given:
            word = exactly_one(given, condition.GROUPS, "field")
            if len(given) > 1:
                raise ValidationError(f"an operator needs a field; {word} takes a list of conditions")
            return condition.Group(word, given[word])
        operator = exactly_one(
            given, (*condition.OPERATORS, *condition.GROUPS), f"what {given['field'].text} is compared with"
        )
        if operator in condition.GROUPS:
            raise ValidationError(f"field and {operator} exclude each other")
        return condition.Test(given["field"], operator, given[operator])


def of_text(text: Any) -> Value:
    """A plain text as a value; raises `TextError`."""
    return Value(text=template.compile(text), where=text.where)


SOURCES = ("field", "first_of", "lookup", "choose")


class ValueSchema(Strict):
    """A value written as a group: where it comes from, and what is done with it."""

    field = a_path()
    first_of = Each(a_path())
    lookup = a_text()
    key = a_template()
    choose = Each(Part(lambda: CaseSchema()))
    clean = Each(one_of(tuple(CLEAN)))
    default = a_template()
    if_missing = one_of(("reject", "skip", "omit"))

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Value:
        """The compiled value."""
        return value_of(data, original)


def value_of(data: dict[str, Any], original: Group) -> Value:
    """The compiled value of loaded keys; raises `ValidationError` when they do not fit together."""
    source = exactly_one(data, SOURCES, "where the value comes from")
    if ("key" in data) is not (source == "lookup"):
        raise ValidationError("lookup and key belong together")
    if source == "choose" and not all(case.when for case in data["choose"][:-1]):
        raise ValidationError(
            {"choose": [Said("only the last line may stand without when: nothing below it would be used")]}
        )
    return Value(where=original.where, **data)


class CaseSchema(Strict):
    """One line of a `choose`."""

    when = Each(Part(ConditionSchema), load_default=())
    use = TextOr(of_text, ValueSchema, required=True)

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Case:
        """The compiled case."""
        return Case(**data)


def a_value(**extra: Any) -> TextOr:
    """Text with `${path}`, or a group of keys."""
    return TextOr(of_text, ValueSchema, **extra)


def _region(text: str) -> str:
    problem = phone.region_problem(text)
    if problem:
        raise TextError(problem)
    return text


def _area_code(text: str) -> str:
    if not text.isdecimal():
        raise TextError("an area code is digits only, like 801")
    return text


class PhoneKeys(Strict):
    """How numbers are read; the same keys stand under `phones` and inside a phone value."""

    region = TextOr(_region, ValueSchema)
    region_field = a_path()
    area_code = Read(_area_code)
    dial_as = one_of(("dialled", "e164", "e164_digits", "as_given"))
    allow_regions = Each(Read(_region))
    keep_extension = yes_no()
    reject_types = Each(one_of(tuple(phone.TYPES)))


class PhoneValueSchema(PhoneKeys, ValueSchema):
    """A value that holds a telephone number, with its own dialling rules where they differ."""

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Value:
        """The compiled value; its own phone keys are kept apart until they are merged with the file's."""
        own = {name: data.pop(name) for name in list(data) if name in PhoneKeys._declared_fields}
        return replace(value_of(data, original), own_phones=own or None)


def _action_schema(kind: str) -> type[Strict]:
    """The schema of one action, made from the table of its fields."""
    declared = {name: _action_field(field) for name, field in FIELDS[kind].items()}
    return type(f"{kind}_schema", (Strict,), declared)


def _action_field(field: Field) -> fields.Field[Any]:
    if field.kind == "yes_no":
        return yes_no(required=field.required)
    return TextOr(of_text, PhoneValueSchema if field.kind == "phone" else ValueSchema, required=field.required)


class RuleSchema(Strict):
    """One rule: when it holds, one action is done."""

    name = a_text()
    when = Each(Part(ConditionSchema), load_default=())
    click_to_dial = Part(_action_schema("click_to_dial"))
    callback = Part(_action_schema("callback"))
    select_caller_id = Part(_action_schema("select_caller_id"))
    deliver = one_of(("now", "queued"))
    if_unknown = one_of(("ask", "again"))

    @validates_schema
    def check(self, data: dict[str, Any], **extra: Any) -> None:
        """What the keys may not say together."""
        dial = data.get("click_to_dial", {})
        if dial.get("use_selected_caller_id") and (
            clash := [name for name in ("outbound_caller_id", "external_prefix") if name in dial]
        ):
            said = f"use_selected_caller_id excludes {' and '.join(clash)}"
            raise ValidationError({"click_to_dial": {clash[0]: [said]}})
        if "click_to_dial" in data and data.get("if_unknown") == "again":
            said = "a dial whose answer never came is never repeated by itself"
            raise ValidationError({"if_unknown": [Said(said, hint="remove if_unknown, or write ask")]})

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Rule:
        """The compiled rule."""
        action = exactly_one(data, tuple(FIELDS), "the action")
        number = original.where[-1]
        return Rule(
            name=data.get("name") or f"rule {int(number) + 1}",
            when=data["when"],
            action=action,
            fields=data[action],
            deliver=data.get("deliver") or ("queued" if action == "callback" else "now"),
            if_unknown=data.get("if_unknown") or ("again" if action == "select_caller_id" else "ask"),
            where=original.where,
        )
