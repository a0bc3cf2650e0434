"""How values of the product are kept in columns, alike in both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from adapter.model import ACTIONS, Action

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_text = json.JSONEncoder(separators=(",", ":")).encode


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as whole microseconds since 1970 so that both databases sort and compare it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    """Plain data as compact JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else _text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From the database."""
        return None if value is None else json.loads(value)


class ActionText(TypeDecorator[Action]):
    """An action as JSON: its kind, then its fields."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Action | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else _text([value.kind, value.as_dict()])

    def process_result_value(self, value: str | None, dialect: Dialect) -> Action | None:
        """From the database."""
        if value is None:
            return None
        kind, fields = json.loads(value)
        return ACTIONS[kind](**fields)
