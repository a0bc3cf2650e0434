"""The kinds of text a mapping file is made of, as marshmallow fields that know where in the text the fault lies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields

from adapter import path, template, units
from adapter.condition import moment
from adapter.errors import TextError
from adapter.mapping.problems import Said, did_you_mean
from adapter.mapping.text import Group

MISSING = "this key is missing"
UNKNOWN = "unknown key"


MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {"required": MISSING, "null": "this is empty"}


class Strict(Schema):
    """A group of keys in which every key is known."""

    error_messages = {  # noqa: RUF012 - marshmallow's own way to set them
        "unknown": UNKNOWN,
        "type": "a group of keys is expected here",
    }


class Part(fields.Nested):
    """A group of keys with a schema of its own."""

    default_error_messages = MESSAGES


class Read(fields.Field[Any]):
    """A scalar read by one of our own readers, whose `TextError` becomes a message with its place in the text."""

    default_error_messages = MESSAGES

    def __init__(self, reader: Callable[[str], Any], **extra: Any) -> None:
        super().__init__(**extra)
        self.reader = reader

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError("a text is expected here, not a group or a list")
        try:
            return self.reader(value)
        except TextError as exc:
            raise ValidationError(Said(exc.reason, offset=exc.offset)) from exc


def a_path(**extra: Any) -> Read:
    """A bare path like `properties.phone.value`; `${path}` is told apart and explained."""
    return Read(_bare_path, **extra)


def a_template(**extra: Any) -> Read:
    """A text with `${path}` in it."""
    return Read(template.compile, **extra)


def a_text(**extra: Any) -> Read:
    """A text that means itself."""
    return Read(str, **extra)


def a_duration(**extra: Any) -> Read:
    """A length of time like `30s`, `10m`, `4d`."""
    return Read(units.duration, **extra)


def yes_no(**extra: Any) -> Read:
    """`yes` or `no`."""
    return Read(units.yes_no, **extra)


def a_count(most: int, **extra: Any) -> Read:
    """A whole number from 1 to `most`."""
    return Read(lambda text: units.count(text, least=1, most=most), **extra)


def one_of(words: Collection[str], **extra: Any) -> Read:
    """One of a closed set of words."""
    return Read(lambda text: _word(text, words), **extra)


def a_moment(text: str) -> datetime:
    """An aware moment; raises `TextError`."""
    found = moment(text)
    if found is None:
        raise TextError("write a date and time like 2026-11-24T10:15:00-07:00")
    return found


def a_date(text: str) -> date:
    """A calendar day; raises `TextError`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as exc:
        raise TextError("write a day like 2026-12-25") from exc


def _word(text: str, words: Collection[str]) -> str:
    if text not in words:
        guess = did_you_mean(text, words)
        raise TextError(f"'{text}' is not one of {', '.join(words)}" + (f" ({guess})" if guess else ""))
    return text


def _bare_path(text: str) -> path.Path:
    if text.startswith("${"):
        raise TextError("write the path alone here, without ${ }")
    return path.compile(text)


class Each(fields.Field[Any]):
    """A list, or a single item standing for a list of one; every item is read by the same field."""

    default_error_messages = MESSAGES

    def __init__(self, item: fields.Field[Any], **extra: Any) -> None:
        super().__init__(**extra)
        self.item = item

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> tuple[Any, ...]:
        items = value if isinstance(value, list) else [value]
        found, errors = [], {}
        for number, item in enumerate(items):
            try:
                found.append(self.item.deserialize(item))
            except ValidationError as exc:
                errors[number] = exc.messages
        if errors:
            raise ValidationError(errors if isinstance(value, list) else errors[0])
        return tuple(found)


class Named(fields.Field[Any]):
    """A group whose keys are names of the author's own choice; every value is read by the same field."""

    default_error_messages = MESSAGES

    def __init__(self, item: fields.Field[Any], **extra: Any) -> None:
        super().__init__(**extra)
        self.item = item

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("a group of names is expected here")
        found, errors = {}, {}
        for name, item in value.items():
            try:
                found[name] = self.item.deserialize(item)
            except ValidationError as exc:
                errors[name] = exc.messages
        if errors:
            raise ValidationError(errors)
        return found


class TextOr(fields.Field[Any]):
    """Either a plain text, given to `of_text`, or a group of keys with a schema of its own."""

    default_error_messages = MESSAGES

    def __init__(self, of_text: Callable[[Any], Any], schema: Callable[[], Schema], **extra: Any) -> None:
        super().__init__(**extra)
        self.of_text = of_text
        self.schema = schema

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Any:
        if isinstance(value, Group):
            return self.schema().load(value)
        if not isinstance(value, str):
            raise ValidationError("a text or a group of keys is expected here, not a list")
        try:
            return self.of_text(value)
        except TextError as exc:
            raise ValidationError(Said(exc.reason, offset=exc.offset)) from exc
