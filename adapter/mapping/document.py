"""The outer keys of a mapping file: sender, once, hours, examples, and the file itself."""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, ValidationError, fields, post_load

from adapter import hours
from adapter.condition import folded
from adapter.errors import TextError
from adapter.mapping.compiled import Csv, Example, SentAt
from adapter.mapping.problems import Said
from adapter.mapping.schema import ConditionSchema, PhoneKeys, RuleSchema, a_value, exactly_one
from adapter.mapping.text import Group
from adapter.mapping.vocabulary import (
    Each,
    Named,
    Part,
    Read,
    Strict,
    TextOr,
    a_count,
    a_date,
    a_duration,
    a_moment,
    a_path,
    a_template,
    a_text,
    one_of,
)

ANSWERS = ("receipts", "soap_ack", "empty_object", "empty")
BODIES = ("json", "form", "soap", "xml")


def _format(text: str) -> str:
    if text != "1":
        raise TextError("this version of the adapter reads format 1")
    return text


def _secret_name(text: str) -> str:
    if not (text.isascii() and text.isupper() and text.replace("_", "").isalnum() and not text[0].isdigit()):
        raise TextError("name the variable that holds the secret, like HUBSPOT_CLIENT_SECRET; never the secret itself")
    return text


def _some(names: tuple[str, ...]) -> None:
    if not names:
        raise ValidationError("name at least one variable")


_SECRETS = Each(Read(_secret_name), validate=_some)


def secret_names(given: Any) -> tuple[str, ...]:
    """Names of variables; raises `ValidationError` under `secrets`."""
    try:
        return tuple(_SECRETS.deserialize(given))
    except ValidationError as exc:
        raise ValidationError({"secrets": exc.messages}) from exc


class AnswerSchema(Strict):
    """What a sender wants to hear when it is not the receipts."""

    failures = one_of(("4xx",))
    body = a_text()
    type = a_text()


class ReceiveSchema(Strict):
    """Who sends; what a preset asks for beside these keys is checked by `receive.build`."""

    class Meta:
        unknown = INCLUDE

    from_ = a_text(data_key="from")
    verify = Named(Read(str))
    secrets = Each(Read(_secret_name), validate=_some)
    body = one_of(BODIES)
    records = a_path()
    max_records = a_count(1000)
    answer = Part(AnswerSchema)
    test_when = Each(Part(ConditionSchema))


class SentAtSchema(Strict):
    """The sender's own time of the event."""

    path = a_path(required=True)
    unit = one_of(("iso8601", "s", "ms"), load_default="iso8601")

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> SentAt:
        """The compiled form."""
        return SentAt(**data)


def sent_at_of_text(text: str) -> SentAt:
    """A bare path; raises `TextError`."""
    from_text = a_path()
    return SentAt(path=from_text.reader(text))


class OnceSchema(Strict):
    """The idempotency key."""

    key = a_template()
    for_ = a_duration(data_key="for")


class HoursSchema(Strict):
    """Calling hours on the clock of the called number."""

    clock = one_of(("callback_number", "number_to_dial"))
    zone = a_text(required=True)
    open = Named(Read(hours.spans), required=True)
    closed_on = Each(Read(a_date), load_default=())
    outside = one_of(("hold", "skip", "send"), load_default="hold")

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> hours.Hours:
        """The compiled hours."""
        if problem := hours.zone_problem(data["zone"]):
            raise ValidationError({"zone": [problem]})
        opened: dict[int, Any] = {}
        errors: dict[str, Any] = {}
        for name, spans in data["open"].items():
            try:
                opened.update({day: (*opened.get(day, ()), *spans) for day in hours.days(name)})
            except TextError as exc:
                errors[name] = [Said(exc.reason, of_key=True)]
        if errors:
            raise ValidationError({"open": errors})
        return hours.Hours(
            open=opened, closed_on=frozenset(data["closed_on"]), zone=data["zone"], outside=data["outside"]
        )


class ExpectSchema(Strict):
    """What one record of an example must give."""

    click_to_dial = Named(a_text())
    callback = Named(a_text())
    select_caller_id = Named(a_text())
    skip = a_text()
    reject = a_text()
    once = a_text()
    hold_until = Read(a_moment)

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> dict[str, Any]:
        """The expectation, with its result under `result`."""
        kind = exactly_one(data, ("click_to_dial", "callback", "select_caller_id", "skip", "reject"), "the result")
        return {**data, "result": kind}


class ExampleSchema(Strict):
    """A request as it was sent, and what must come of it."""

    name = a_text(required=True)
    body = a_text(required=True)
    headers = Named(a_text(), load_default=dict)
    query = a_text(load_default="")
    at = Read(a_moment, load_default=None)
    expect = Each(Part(ExpectSchema), required=True)

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Example:
        """The compiled example."""
        return Example(where=original.where, **data)


class CsvTable(Strict):
    """A lookup table in a spreadsheet beside the mapping."""

    file = a_text(required=True)
    key = a_text(required=True)
    value = a_text(required=True)

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Csv:
        """The compiled form."""
        return Csv(where=original.where, **data)


class Table(fields.Field[Any]):
    """Lines `key: value`, or the name of a CSV file with its two columns."""

    def __init__(self, **extra: Any) -> None:
        super().__init__(**extra)
        self.inline = Named(a_text())

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Any:
        if isinstance(value, Group) and "file" in value:
            return CsvTable().load(value)
        return {folded(key): text for key, text in self.inline.deserialize(value).items()}


class MappingSchema(Strict):
    """A whole mapping file."""

    format = Read(_format, required=True)
    name = a_text(required=True)
    about = a_text(load_default="")
    tenant = a_text(load_default="default")
    receive = Part(ReceiveSchema, required=True)
    sent_at = TextOr(sent_at_of_text, SentAtSchema)
    fresh_for = a_duration(load_default=None)
    empty_values = Each(a_text(), load_default=())
    phones = Part(PhoneKeys, load_default=dict)
    tables = Named(Table(), load_default=dict)
    let = Named(a_value(), load_default=dict)
    once = Part(OnceSchema, load_default=dict)
    hours = Part(HoursSchema, load_default=None)
    match = one_of(("first", "all"), load_default="first")
    rules = Each(Part(RuleSchema), required=True)
    examples = Each(Part(ExampleSchema), load_default=())
