"""The outer keys of a mapping file: once, hours, tables, examples, and the file itself."""

from __future__ import annotations

import re
from collections.abc import Mapping as ReadOnly
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load

from adapter import hours
from adapter.condition import folded
from adapter.errors import TextError
from adapter.mapping.compiled import Csv, Example
from adapter.mapping.fields import FIELDS
from adapter.mapping.limits import LimitsSchema, QuietSchema
from adapter.mapping.lint import LINTS
from adapter.mapping.problems import Said, as_field
from adapter.mapping.report import ReportSchema
from adapter.mapping.rule import RuleSchema
from adapter.mapping.schema import PhoneKeys, a_value
from adapter.mapping.sender import ReceiveSchema, sent_at
from adapter.mapping.text import Group
from adapter.mapping.vocabulary import (
    MESSAGES,
    Each,
    Named,
    Part,
    Read,
    Strict,
    TextOr,
    a_duration,
    a_moment,
    a_template,
    a_text,
    exactly_one,
    one_of,
    yes_no,
)

NUMBERS = tuple(name for names in FIELDS.values() for name, field in names.items() if field.kind == "phone")


NAME = r"\w[\w.-]*"
IN_URL = "a name is part of the URL: letters, digits, - and _ only"


def _format(text: str) -> str:
    if text != "1":
        raise TextError("this version of the adapter reads format 1")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise TextError(IN_URL)
    return str(text)


class OnceSchema(Strict):
    """The idempotency key."""

    key = a_template()
    for_ = a_duration(data_key="for")

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> dict[str, Any]:
        """The keys that are given; a key without a path would make all records one."""
        if "key" in data and not data["key"].paths:
            said = Said("this key is the same for every record", hint=as_field(data["key"].text))
            raise ValidationError({"key": [said]})
        return data


def _zone(text: str) -> str:
    if problem := hours.zone_problem(text):
        raise TextError(problem)
    return str(text)


class Week(Named):
    """Days, each line with its times; what is wrong with a day is told beside what is wrong with its times."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        found: dict[str, Any] = {}
        try:
            found = super()._deserialize(value, attr, data, **extra)
        except ValidationError as exc:
            if not isinstance(exc.messages, dict):
                raise
            errors = exc.messages
        for name in value:
            try:
                hours.days(name)
            except TextError as exc:
                errors[name] = [Said(exc.reason, offset=exc.offset, of_key=True), *errors.get(name, ())]
        if not value:
            raise ValidationError(Said("no day is open", hint="write days and times, like mon-fri: 08:00-18:00"))
        if errors:
            raise ValidationError(errors)
        return found


class HoursSchema(Strict):
    """Calling hours on the clock of the called number."""

    clock = one_of(NUMBERS)
    zone = Read(_zone, required=True)
    open = Week(Read(hours.spans, several="write them one after the other: 08:00-12:00, 13:00-18:00"), required=True)
    closed_on = Each(Read(hours.on_date), load_default=())
    outside = one_of(("hold", "skip", "send"), load_default="hold")

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> hours.Hours:
        """The compiled hours."""
        opened: dict[int, tuple[hours.Span, ...]] = {}
        for name, spans in data["open"].items():
            opened |= {day: (*opened.get(day, ()), *spans) for day in hours.days(name)}
        closed = frozenset(data["closed_on"])
        return hours.Hours(open=opened, closed_on=closed, zone=data["zone"], outside=data["outside"])


def _expected(kind: str) -> type[Schema]:
    """An action as an example expects it: the texts that would go to Xima."""
    return Strict.from_dict(
        {name: yes_no() if field.kind == "yes_no" else a_text() for name, field in FIELDS[kind].items()},
        name=f"expected_{kind}",
    )


class ExpectSchema(Strict):
    """What one record of an example must give."""

    click_to_dial = Part(_expected("click_to_dial"))
    callback = Part(_expected("callback"))
    select_caller_id = Part(_expected("select_caller_id"))
    call_ended = Part(_expected("call_ended"))
    skip = a_text()
    reject = a_text()
    once = a_text()
    hold_until = Read(a_moment)

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> dict[str, Any]:
        """The expectation, with its result under `result`."""
        return {**data, "result": exactly_one(original, (*FIELDS, "skip", "reject"), "the result is missing")}


def _any_reason(text: str) -> dict[str, Any]:
    """A `skip` or `reject` for whatever reason."""
    if text not in ("skip", "reject"):
        hint = "write the action with its fields below it, skip: with the reason, or reject: with the field"
        raise ValidationError(Said(f"'{text}' is no result", hint=hint))
    return {"result": str(text), str(text): None}


class ExampleSchema(Strict):
    """A request as it was sent, and what must come of it."""

    name = a_text(required=True)
    body = a_text(
        required=True, several="write body: | and, on the lines below it, further to the right, the body as sent"
    )
    headers = Named(a_text(), load_default=dict)
    query = a_text(load_default="")
    at = Read(a_moment)
    expect = Each(TextOr(_any_reason, ExpectSchema, metadata={"words": ("skip", "reject")}), required=True)

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Example:
        """The compiled example; the last line break of a block text is YAML's, not the sender's."""
        return Example(**{**data, "body": data["body"].removesuffix("\n")}, where=original.where)


class CsvSchema(Strict):
    """A lookup table in a spreadsheet beside the mapping."""

    file = a_text(required=True)
    key = a_text(required=True)
    value = a_text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Csv:
        """The compiled form."""
        return Csv(**data)


class Table(fields.Field[Any]):
    """Lines `key: value`, or the name of a CSV file with its two columns."""

    default_error_messages = MESSAGES

    def __init__(self, **extra: Any) -> None:
        super().__init__(**extra)
        self.inline = Named(a_text())
        self.csv = Part(CsvSchema)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Any:
        if isinstance(value, Group) and "file" in value:
            return self.csv.deserialize(value)
        lines = self.inline.deserialize(value)
        table: dict[str, str] = {}
        for key, text in lines.items():
            if folded(key) in table:
                said = Said(f"the key '{key}' is here already", hint="case does not count: remove one", of_key=True)
                raise ValidationError({key: [said]})
            table[folded(key)] = text
        return table


class LintSchema(Strict):
    """Which warnings of `check` are not wanted for this mapping."""

    ignore = Each(one_of(tuple(LINTS)), required=True)


class MappingSchema(Strict):
    """A whole mapping file."""

    remedies: ClassVar[ReadOnly[str, str]] = {
        "mode": "a draft that runs beside NAME.yaml and does nothing is a file called NAME.shadow.yaml",
    }

    format = Read(_format, required=True, metadata={"words": (1, "1")})
    name = Read(_name, required=True)
    about = a_text(load_default="")
    tenant = a_text(load_default="default")
    receive = Part(ReceiveSchema, required=True)
    sent_at = sent_at()
    fresh_for = a_duration()
    empty_values = Each(a_text(), load_default=())
    phones = Part(PhoneKeys, load_default=dict)
    tables = Named(Table(), load_default=dict)
    let = Named(a_value(), load_default=dict)
    once = Part(OnceSchema, load_default=dict)
    hours = Part(HoursSchema)
    quiet = Part(QuietSchema, load_default=dict)
    limits = Part(LimitsSchema, load_default=dict)
    report = Part(ReportSchema)
    match = one_of(("first", "all"), load_default="first")
    rules = Each(Part(RuleSchema), required=True)
    examples = Each(Part(ExampleSchema), load_default=())
    lint = Part(LintSchema, load_default=dict)
