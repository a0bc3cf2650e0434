"""The kinds of text a mapping file is made of, as marshmallow fields that know where in the text the fault lies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as ReadOnly
from datetime import datetime, timedelta
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from adapter import path, template, units
from adapter.condition import moment
from adapter.errors import TextError
from adapter.mapping.problems import Said, did_you_mean
from adapter.mapping.text import Group, Items

MISSING = "this key is missing"
UNKNOWN = "unknown key"
EMPTY = "this is empty: write a value, or remove the key"
MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {"required": MISSING, "null": EMPTY}


_SCHEMA_MESSAGES: dict[str, str] = {"unknown": UNKNOWN, "type": "a group of keys is expected here"}


class Strict(Schema):
    """A group of keys in which every key is known; `remedies` tell more about some that are not."""

    error_messages = _SCHEMA_MESSAGES
    remedies: ClassVar[ReadOnly[str, str]] = {}

    def handle_error(self, error: ValidationError, data: Any, **extra: Any) -> None:
        """Tell which keys could have been meant instead of unknown ones, or of a text."""
        known = keys_of(self)
        for key, said in error.messages_dict.items():
            if said == [UNKNOWN]:
                error.messages_dict[key] = [unknown_key(key, known, self.remedies)]
            elif said == [_SCHEMA_MESSAGES["type"]]:
                error.messages_dict[key] = [Said(said[0], hint=f"write below it, as key: value: {', '.join(known)}")]


def keys_of(schema: Schema) -> list[str]:
    """The keys of a group as they are written."""
    return [field.data_key or name for name, field in schema.fields.items()]


def unknown_key(key: str, known: Collection[str], remedies: ReadOnly[str, str] | None = None) -> Said:
    """What is said about a key that has no meaning where it stands."""

    def hint() -> str:
        return (remedies or {}).get(key) or did_you_mean(key, known) or f"known here: {', '.join(sorted(known))}"

    return Said(f"{UNKNOWN} '{key}'", hint=hint, of_key=True)


def exactly_one(
    given: Collection[str], words: Collection[str], missing: str, *, remedy: str = "remove one of the two"
) -> str:
    """The one of `words` that is among the given keys; raises `ValidationError` when none or several are."""
    found = [key for key in given if key in words]
    if not found:
        raise ValidationError(Said(missing, hint=f"write one of {', '.join(words)}"))
    if len(found) > 1:
        said = Said(f"{found[0]} and {found[1]} exclude each other", hint=remedy, of_key=True)
        raise ValidationError({found[1]: [said]})
    return found[0]


class Part(fields.Nested):
    """A group of keys with a schema of its own."""

    default_error_messages = MESSAGES


class _Own(fields.Field[Any]):
    default_error_messages = MESSAGES


class Read(_Own):
    """A scalar read by one of our own readers, whose `TextError` becomes a message with its place in the text.

    `words` in its metadata are all it can be, as an editor sees them; `several` is how more than one text is written.
    """

    def __init__(self, reader: Callable[[Any], Any], *, several: str = "", **extra: Any) -> None:
        super().__init__(**extra)
        self.reader = reader
        self.several = several

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(Said("a text is expected here, not a group or a list", hint=self.several))
        try:
            return self.reader(value)
        except TextError as exc:
            raise ValidationError(Said(exc.reason, offset=exc.offset)) from exc


class TextOr(Read):
    """Either a plain text, given to the reader, or a group of keys with a schema of its own."""

    def __init__(self, reader: Callable[[Any], Any], schema: Callable[[], Schema], **extra: Any) -> None:
        super().__init__(reader, **extra)
        self.group = Part(schema)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Any:
        if isinstance(value, Group):
            return self.group.deserialize(value)
        if isinstance(value, Items):
            raise ValidationError(Said("a text or a group of keys is expected here, not a list", hint=self.several))
        return super()._deserialize(value, attr, data, **extra)


class Each(_Own):
    """A list, or a single item standing for a list of one; every item is read by the same field."""

    def __init__(self, item: fields.Field[Any], **extra: Any) -> None:
        super().__init__(**extra)
        self.item = item

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> tuple[Any, ...]:
        if not isinstance(value, Items):
            return (self._alone(value),)
        if not value:
            raise ValidationError("this list is empty: write what belongs in it, or remove the key")
        return tuple(_each(self.item, enumerate(value)).values())

    def _alone(self, value: Any) -> Any:
        try:
            return self.item.deserialize(value)
        except ValidationError as exc:
            if not isinstance(value, str) or "," not in value:
                raise
            raise ValidationError(_for_a_list(exc.messages[0])) from exc


def _for_a_list(said: str) -> Said:
    """What is wrong with a text that was meant for several, and how they are written."""
    hint = getattr(said, "hint", "")
    hints = ("a list is written in brackets: [one, two]", hint if isinstance(hint, str) else "")
    return Said(said, hint="; ".join(filter(None, hints)), private=getattr(said, "private", False))


class Named(_Own):
    """A group whose keys are names of the author's own choice; every value is read by the same field."""

    def __init__(self, item: fields.Field[Any], **extra: Any) -> None:
        super().__init__(**extra)
        self.item = item

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> dict[str, Any]:
        if not isinstance(value, Group):
            said = "a group of names, each with its value, is expected here"
            raise ValidationError(Said(said, hint="write each on a line of its own, without a -, as name: value"))
        return _each(self.item, value.items())


def _each(field: fields.Field[Any], items: Any) -> dict[Any, Any]:
    """Every item read by the field; raises `ValidationError` with what is wrong in any of them."""
    found, errors = {}, {}
    for key, item in items:
        try:
            found[key] = field.deserialize(item)
        except ValidationError as exc:
            errors[key] = exc.messages
    if errors:
        raise ValidationError(errors)
    return found


def a_text(**extra: Any) -> Read:
    """A text that means itself."""
    return Read(str, **extra)


def a_path(**extra: Any) -> Read:
    """A bare path like `properties.phone.value`; `${path}` is told apart and explained."""
    return Read(bare_path, **extra)


def a_template(**extra: Any) -> Read:
    """A text with `${path}` in it."""
    return Read(
        template.compile, several="a field is written ${one}, several one after the other: ${one}-${two}", **extra
    )


def a_duration(**extra: Any) -> Read:
    """A length of time like `30s`, `10m`, `4d`, but not none at all."""
    return Read(_duration, **extra)


def yes_no(**extra: Any) -> Read:
    """`yes` or `no`."""
    return Read(units.yes_no, metadata={"words": (True, False, "yes", "no")}, **extra)


def a_count(most: int, **extra: Any) -> Read:
    """A whole number from 1 to `most`."""
    return Read(lambda text: units.count(text, least=1, most=most), **extra)


def one_of(words: Collection[str], **extra: Any) -> Read:
    """One of a closed set of words."""
    return Read(lambda text: _word(text, words), metadata={"words": tuple(words)}, **extra)


def bare_path(text: str) -> path.Path:
    """The compiled path; raises `TextError`."""
    if text.startswith("${"):
        raise TextError("write the path alone here, without ${ }")
    return path.compile(text)


def a_moment(text: str) -> datetime:
    """An aware moment; raises `TextError`."""
    found = moment(text)
    if found is None:
        raise TextError("write a date and time like 2026-11-24T10:15:00-07:00")
    return found


def _duration(text: str) -> timedelta:
    found = units.duration(text)
    if not found:
        raise TextError("this is no time at all: write a length like 30s, 10m or 4d")
    return found


def _word(text: str, words: Collection[str]) -> str:
    if text not in words:
        raise ValidationError(
            Said(f"'{text}' is not one of {', '.join(words)}", hint=lambda: did_you_mean(text, words))
        )
    return str(text)
