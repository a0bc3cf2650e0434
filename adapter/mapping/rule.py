"""The keys of a rule: when it holds, which action is done, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from adapter.mapping.compiled import Rule, Value
from adapter.mapping.fields import FIELDS, Field
from adapter.mapping.problems import Said
from adapter.mapping.schema import FIRST_OF, ConditionSchema, PhoneKeys, ValueSchema, of_text
from adapter.mapping.text import Group
from adapter.mapping.vocabulary import Each, Part, Strict, TextOr, a_text, exactly_one, one_of, yes_no


class FieldSchema(ValueSchema):
    """A value in a field of an action, which says what becomes of the record when it is missing."""

    if_missing = one_of(("reject", "skip", "omit"))


class PhoneFieldSchema(PhoneKeys, FieldSchema):
    """A value that holds a telephone number, with its own dialling rules where they differ."""


def _action_schema(kind: str) -> type[Schema]:
    """The schema of one action, made from the table of its fields."""
    return Strict.from_dict({name: _action_field(field) for name, field in FIELDS[kind].items()}, name=kind)


def _action_field(field: Field) -> fields.Field[Any]:
    if field.kind == "yes_no":
        return yes_no(required=field.required)
    schema = PhoneFieldSchema if field.kind == "phone" else FieldSchema
    return TextOr(of_text, schema, several=FIRST_OF, required=field.required)


class RuleSchema(Strict):
    """One rule: when it holds, one action is done."""

    name = a_text()
    when = Each(Part(ConditionSchema), load_default=())
    click_to_dial = Part(_action_schema("click_to_dial"))
    callback = Part(_action_schema("callback"))
    select_caller_id = Part(_action_schema("select_caller_id"))
    call_ended = Part(_action_schema("call_ended"))
    deliver = one_of(("now", "queued"))
    if_unknown = one_of(("ask", "again"))

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Rule:
        """The compiled rule."""
        action = exactly_one(original, tuple(FIELDS), "the action is missing")
        if problem := dict(_forbidden(data, action)):
            raise ValidationError(problem)
        return Rule(
            name=data.get("name", ""),
            when=data["when"],
            action=action,
            fields=data[action],
            deliver=data.get("deliver") or ("queued" if action == "callback" else "now"),
            if_unknown=data.get("if_unknown") or ("again" if action == "select_caller_id" else "ask"),
            where=original.where,
        )


def _forbidden(data: dict[str, Any], action: str) -> Iterator[tuple[str, Any]]:
    """What a rule may not say, though each of its keys is right by itself."""
    given = data[action]
    if action == "click_to_dial" and data.get("if_unknown") == "again":
        said = "a dial whose answer never came is never repeated by itself"
        yield "if_unknown", [Said(said, hint="remove if_unknown, or write ask")]
    wrong: dict[str, Any] = {}
    if given.get("use_selected_caller_id"):
        for name in ("outbound_caller_id", "external_prefix"):
            said = Said(f"use_selected_caller_id excludes {name}", hint="remove one of the two", of_key=True)
            wrong |= {name: [said]} if name in given else {}
    for name, value in given.items():
        if FIELDS[action][name].required and value.if_missing == "omit":
            hint, needs = "write reject or skip", "a call is found by its" if action == "call_ended" else "Xima needs"
            wrong[name] = {"if_missing": [Said(f"{needs} {name}: it cannot be left out", hint=hint)]}
        if isinstance(value, Value) and value.nearest_to and name != "outbound_caller_id":
            said = Said("nearest_to chooses an outbound_caller_id", hint="it has no other use", of_key=True)
            wrong[name] = {"nearest_to": [said]}
    if wrong:
        yield action, wrong
