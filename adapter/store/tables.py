"""The tables; `migrations` builds the same, and a test compares the two."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from adapter.model import ACTIONS, Action

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as whole microseconds since 1970 so that both databases sort and compare it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    """Plain data as compact JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From the database."""
        return None if value is None else json.loads(value)


class ActionText(TypeDecorator[Action]):
    """An action as JSON: its kind, then its fields."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Action | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else json.dumps([value.kind, value.as_dict()], separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Action | None:
        """From the database."""
        if value is None:
            return None
        kind, fields = json.loads(value)
        return ACTIONS[kind](**fields)


metadata = MetaData()

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mapping", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("results", Json, nullable=False),
    Index("requests_received", "received_at"),
    Index("requests_mapping", "mapping", "received_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("action", ActionText, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("deliver", Text, nullable=False),
    Column("if_unknown", Text, nullable=False),
    Column("terms", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", Moment),
    Column("policy", Text, nullable=False, server_default=text("''")),
    Index("deliveries_due", "state", "due_at"),
    Index("deliveries_turn", "state", "tenant", "priority", "due_at"),
    Index("deliveries_overdue", "state", "tenant", "expires_at"),
    Index("deliveries_lease", "state", "lease_until"),
    Index("deliveries_updated", "updated_at"),
    Index("deliveries_request", "request_id"),
)

once = Table(
    "once",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("until", Moment, nullable=False),
    PrimaryKeyConstraint("mapping", "key"),
    Index("once_until", "until"),
    Index("once_delivery", "delivery_id"),
)
"""One row a remembered idempotency key: its primary key is what makes an event happen once."""

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("phase", Text, nullable=False),
    Column("status", Integer),
    Column("reason", Text, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
    Index("attempts_at", "at"),
)

acts = Table(
    "acts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("acts_delivery", "delivery_id"),
    Index("acts_at", "at"),
)
"""What people did to deliveries: cancel, settle, replay."""

refusals = Table(
    "refusals",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    PrimaryKeyConstraint("mapping", "code", "reason", "day"),
    Index("refusals_last", "last_at"),
)
"""Requests that were refused, counted by reason and day; nothing of their content is kept."""

marks = Table(
    "marks",
    metadata,
    Column("mark", Text, primary_key=True),
    Column("delivery_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    Index("marks_at", "at"),
)
"""Who was last called under a mark (see `policy.marks`); its row is also the lock that two requests meet at."""

blocked = Table(
    "blocked",
    metadata,
    Column("number", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
"""The do-not-call list, as keyed hashes; it is never purged: a number leaves it when a person says so."""

gates = Table(
    "gates",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("paused", Text, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", Moment),
    Column("probe_at", Moment),
    Column("tokens", Float, nullable=False),
    Column("tokens_at", Moment),
)
"""One row a tenant (see `policy.Gate`); that of the empty name pauses them all."""
