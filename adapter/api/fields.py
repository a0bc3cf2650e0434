"""Fields of JSON that take a value of their own kind and no other: what looks like one is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate


class Strict(Schema):
    """An object in which every key is known."""

    class Meta:
        """Said once more for the description."""

        unknown = RAISE


class YesNo(fields.Boolean):
    """`true` or `false`; neither a word nor a number that stands for one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A whole number; 5.0 is one, as JSON Schema sees it, `"5"` and `true` are none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != round(value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Shape(validate.Regexp):
    """A text that has the shape from its first character to its last, a line break at the end included."""

    def __call__(self, value: Any) -> Any:
        """The text; raises `ValidationError`."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


def no_zero(value: str) -> None:
    """Raises `ValidationError` for a text with a zero byte, which PostgreSQL cannot hold nor be asked for."""
    if "\0" in value:
        raise ValidationError("Zero bytes are not allowed.")


def text(about: str, *, least: int = 1, most: int = 200, shape: str = "", **extra: Any) -> fields.String:
    """A text of so many characters; `extra` are marshmallow's own, what stands beside them is its description."""
    checks: list[Any] = [validate.Length(min=least, max=most), no_zero]
    checks += [Shape(f"^{shape}$", error=extra.pop("error", None))] if shape else []
    return fields.String(validate=checks, metadata={"description": about, **extra.pop("metadata", {})}, **extra)


def nullable(kind: type[fields.Field[Any]], about: str, **extra: Any) -> fields.Field[Any]:
    """A field of an answer that may be null."""
    return kind(allow_none=True, required=True, metadata={"description": about, **extra})


def sure(kind: type[fields.Field[Any]], about: str, **extra: Any) -> fields.Field[Any]:
    """A field of an answer that is always there."""
    return kind(required=True, metadata={"description": about, **extra})
