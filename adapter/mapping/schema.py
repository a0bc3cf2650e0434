"""The keys of conditions, of values and of telephone numbers; what comes out is `compiled`."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import ValidationError, post_load

from adapter import condition, phone, template
from adapter.errors import TextError
from adapter.mapping import outside
from adapter.mapping.compiled import Case, Value
from adapter.mapping.problems import Said, as_field
from adapter.mapping.text import Group
from adapter.mapping.value import CLEAN
from adapter.mapping.vocabulary import (
    MISSING,
    Each,
    Part,
    Read,
    Strict,
    TextOr,
    a_moment,
    a_path,
    a_template,
    a_text,
    exactly_one,
    one_of,
    yes_no,
)

_OTHER_WORDS: ReadOnly[str, str] = {
    "is": "equals equal eq",
    "is_not": "not_equals not_equal ne",
    "present: yes or present: no": "exists empty is_empty",
    "like, in which * is any text: like: '+44*'": "matches match regex pattern starts_with ends_with",
    "more_than": "greater_than gt",
    "less_than": "lower_than smaller_than lt",
}
"""An operator -> words of other programs for it."""


def _number(text: str) -> Decimal:
    found = condition.number(text)
    if found is None:
        raise TextError("write a number like 500 or 0.5")
    return found


def _moment(text: str) -> datetime | None:
    """A moment, or None for `now`; raises `TextError`."""
    return None if text.strip().lower() == "now" else a_moment(text)


def _wanted(text: str) -> str:
    """What a field is compared with; raises `TextError` for what no field is ever equal to."""
    if "${" in text:
        raise TextError("a field is compared with a text written here, never with another field", text.index("${"))
    if not text.strip():
        raise TextError("there is nothing to compare with: for an empty field write present: no")
    return str(text)


class ConditionSchema(Strict):
    """One condition: a field with one operator, or `all`, `any`, `not` with a list."""

    remedies: ClassVar[ReadOnly[str, str]] = {
        word: f"write {ours}" for ours, words in _OTHER_WORDS.items() for word in words.split()
    }

    field = a_path()
    present = yes_no()
    is_ = Read(_wanted, data_key="is", several="compare with several texts by in: [one, two]")
    is_not = Read(_wanted, several="compare with several texts by not_in: [one, two]")
    in_ = Each(Read(_wanted), data_key="in")
    not_in = Each(Read(_wanted))
    contains = Read(_wanted, several="write any: with a condition for each")
    like = Read(lambda text: condition.pattern(_wanted(text)))
    more_than = Read(_number)
    less_than = Read(_number)
    before = Read(_moment)
    after = Read(_moment)
    all_ = Each(Part(lambda: ConditionSchema()), data_key="all")
    any_ = Each(Part(lambda: ConditionSchema()), data_key="any")
    not_ = Each(Part(lambda: ConditionSchema()), data_key="not")

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> condition.Condition:
        """The compiled condition."""
        given = {name.rstrip("_"): value for name, value in data.items()}
        words = [key for key in original if key != "field"]
        if not words:
            hint = f"write one of {', '.join(condition.OPERATORS)}"
            raise ValidationError(
                Said(f"what {given.get('field', 'the field')} is compared with is missing", hint=hint)
            )
        word = exactly_one(words, given, "", remedy="write it as a condition of its own: all of them must hold")
        if word in condition.GROUPS and "field" in given:
            hint = f"begin the next condition with: - {word}:"
            raise ValidationError({word: [Said(f"field and {word} exclude each other", hint=hint, of_key=True)]})
        if word in condition.GROUPS:
            return condition.Group(word, given[word])
        if "field" not in given:
            raise ValidationError({"field": [MISSING]})
        return condition.Test(given["field"], word, given[word])


def of_text(text: Any) -> Value:
    """A plain text as a value; raises `TextError`."""
    return Value(text=template.compile(text), where=text.where)


FIRST_OF = "of several fields the first that is not empty: first_of: [one, two]"
SOURCES = ("field", "first_of", "lookup", "choose", "nearest_to")


class ValueSchema(Strict):
    """A value written as a group: where it comes from, and what is done with it."""

    remedies: ClassVar[ReadOnly[str, str]] = {"if_missing": "if_missing belongs to a field of an action"}

    field = a_path()
    first_of = Each(a_path())
    nearest_to = one_of(("number",))
    lookup = a_text()
    key = a_template()
    choose = Each(Part(lambda: CaseSchema()))
    clean = Each(one_of(tuple(CLEAN)))
    default = a_template()

    def handle_error(self, error: ValidationError, data: Any, **extra: Any) -> None:
        """`{phone}` is a group of one key without a value to YAML, and was meant for the field `${phone}`."""
        super().handle_error(error, data, **extra)
        for key in error.messages_dict:
            if data == {key: None} and key not in self.fields:
                said, hint = f"a field needs a $ before its braces: {{{key}}}", f"a field is written ${{{key}}}"
                error.messages_dict[key] = [Said(said, hint=hint, of_key=True)]

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Value:
        """The compiled value."""
        source = exactly_one(original, SOURCES, "it is not said where the value comes from")
        if problem := dict(_at_odds(data, source)):
            raise ValidationError(problem)
        own = {name: data.pop(name) for name in list(data) if name in PhoneKeys._declared_fields}
        return Value(where=original.where, own_phones=own or None, **data)


def _at_odds(data: dict[str, Any], source: str) -> Iterator[tuple[str, list[str]]]:
    """What the keys of a value may not say together."""
    if source == "lookup" and "key" not in data:
        yield "key", [MISSING]
    elif source != "lookup" and "key" in data:
        yield "key", [Said("a key is only for a lookup", hint="add lookup: with the name of a table", of_key=True)]
    elif source == "lookup" and not data["key"].paths:
        yield "key", [Said("this key is the same for every record", hint=as_field(data["key"].text))]
    if source == "choose" and not all(case.when for case in data["choose"][:-1]):
        said = Said("only the last line may stand without when", hint="nothing below such a line would be used")
        yield "choose", [said]


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
    return TextOr(of_text, ValueSchema, several=FIRST_OF, **extra)


def country(text: str) -> str:
    """A country's two letters; raises `TextError`."""
    problem = phone.region_problem(text)
    if problem:
        raise TextError(problem)
    return str(text)


def _area_code(text: str) -> str:
    if not (text.isascii() and text.isdecimal()):
        raise TextError("an area code is digits only, like 801")
    return str(text)


def _prefix(text: str) -> str:
    if not outside.SHAPE.fullmatch(text):
        raise TextError("a prefix is one to eight digits, * and #, like 9 or '*67'")
    return str(text)


class DialKeys(Strict):
    """How numbers are dialled, and which."""

    area_code = Read(_area_code)
    dial_as = one_of(("dialled", "e164", "e164_digits", "as_given"))
    allow_regions = Each(Read(country))
    keep_extension = yes_no()
    reject_types = Each(one_of(sorted(phone.TYPES)))
    prefixes = Each(Read(_prefix))


class PhoneKeys(DialKeys):
    """How numbers are read; the same keys stand under `phones` and inside a phone value."""

    region = TextOr(country, ValueSchema)
    region_field = a_path()
