"""How a script is read: YAML to values, every wrong key named; the building blocks of `script`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from typing import Any, TypeVar

import yaml
from marshmallow import Schema, ValidationError
from marshmallow import fields as read
from marshmallow.validate import Length, OneOf, Range

from adapter import units
from adapter.errors import SettingsError, TextError

T = TypeVar("T")
FILLED = Length(min=1, error="Must not be empty.")


class _TextLoader(yaml.BaseLoader):
    """All scalars are text and no key may stand twice.

    Not the loader written in C: that one can be crashed with deep nesting, and scripts also come over HTTP.
    """

    def construct_scalar(self, node: Any) -> str:
        # JSON writes an emoji as two escapes; YAML reads each as a character of its own.
        return str(super().construct_scalar(node)).encode("utf-16", "surrogatepass").decode("utf-16")

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.YAMLError(f"a key stands twice in the mapping at line {node.start_mark.line + 1}")
        return made


def load(text: str | bytes) -> dict[str, Any]:
    """The mapping a YAML text holds, its scalars as text; raise `SettingsError` when it holds none."""
    try:
        text = text.decode() if isinstance(text, bytes) else text
        made = _TextLoader(text).get_single_data()
    except (UnicodeError, yaml.YAMLError) as exc:
        raise SettingsError(["script: not YAML: " + " ".join(str(exc).split())]) from exc
    except RecursionError as exc:
        raise SettingsError(["script: nested too deeply"]) from exc
    if made in (None, ""):  # a script of remarks alone
        return {}
    if not isinstance(made, dict):
        raise SettingsError(["script: must be a mapping"])
    return made


def problems(messages: Any, path: str = "") -> Iterator[str]:
    """Marshmallow's messages as lines of `path.to.key: message`."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from problems(inner, path if key == "_schema" else f"{path}.{key}".lstrip("."))
    elif isinstance(messages, str):
        yield f"{path or 'script'}: {messages}"
    else:
        for inner in messages:
            yield from problems(inner, path)


class Duration(read.Field[float]):
    """Seconds, written as `500ms`, `2s`, `1m30s`, or a bare number of seconds; an hour at most."""

    def _serialize(self, value: float | None, attr: str | None, obj: Any, **_: Any) -> str:
        return f"{value:g}s"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s?", str(value))
        try:
            length = float(found[1]) if found else units.duration(str(value)).total_seconds()
        except TextError as exc:
            raise ValidationError(exc.reason) from exc
        if length > 3600:
            raise ValidationError("Longer than an hour.")
        return length


class Part(read.Field[Any]):
    """A mapping that becomes a dataclass of `kind`; bare text is its `name`, where it has one."""

    def __init__(self, kind: type[Any], **rest: Any) -> None:
        super().__init__(**rest)
        self.kind = kind
        self.schema = Schema.from_dict({item.name: item.metadata["read"] for item in fields(kind)})()
        known = ", ".join(one.data_key or name for name, one in self.schema.fields.items())
        self.schema.error_messages["unknown"] = f"Unknown field. Known here: {known}."

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        return {key: plain for key, plain in self.schema.dump(value).items() if plain is not None}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if isinstance(value, str) and "name" in self.schema.fields:
            value = {"name": value}
        return self.kind(**self.schema.load(value))

    def plain(self, part: Any) -> dict[str, Any]:
        """The part as plain values, which can be read again."""
        return self._serialize(part, None, None) or {}

    def parse(self, value: Mapping[str, Any]) -> Any:
        """The part that plain values describe; raise `SettingsError` with every wrong key."""
        try:
            return self.deserialize(value)
        except ValidationError as exc:
            raise SettingsError(list(problems(exc.messages))) from exc


def as_read(reader: read.Field[Any]) -> dict[str, read.Field[Any]]:
    """Metadata of a dataclass field: how its value is read from a script."""
    return {"read": reader}


def choice(*values: str) -> str:
    """A key with one of `values`; the first is in force until a script says otherwise."""
    return field(default=values[0], metadata=as_read(read.String(validate=OneOf(values))))


def duration() -> float:
    """A key that holds seconds, none by default."""
    return field(default=0.0, metadata=as_read(Duration()))


def flag(*, default: bool = False) -> bool:
    """A key that is yes or no."""
    return field(default=default, metadata=as_read(read.Boolean(error_messages={"invalid": "Must be yes or no."})))


def integer(default: T, least: int, most: int | None = None) -> T | int:
    """A key that holds a whole number within bounds."""
    return field(default=default, metadata=as_read(read.Integer(validate=Range(least, most))))


def unique(key: str) -> Callable[[Sequence[Any]], None]:
    """A check that no two parts of a list have the same `key`."""

    def check(parts: Sequence[Any]) -> None:
        if len({getattr(part, key) for part in parts}) < len(parts):
            raise ValidationError(f"Two of them have the same {key}.")

    return check
