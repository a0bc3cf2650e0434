"""Requests, what is to be done because of them, and what became of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, literal_column, text

from adapter.store.kinds import ActionText, Json, Moment
from adapter.store.tables.base import metadata

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
    Index("deliveries_updated", "updated_at"),
)
QUEUED = deliveries.c.state == literal_column("'queued'")
"""Written out in every statement that looks for what is queued: with a parameter its indexes would not be used."""
_turn = (deliveries.c.tenant, deliveries.c.priority, deliveries.c.due_at)
Index("deliveries_turn", *_turn, sqlite_where=QUEUED, postgresql_where=QUEUED)
_age = (deliveries.c.tenant, deliveries.c.expires_at)
Index("deliveries_overdue", *_age, sqlite_where=QUEUED, postgresql_where=QUEUED)
_leased = deliveries.c.lease_until.is_not(None)
Index("deliveries_lease", deliveries.c.lease_until, sqlite_where=_leased, postgresql_where=_leased)

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
    sqlite_with_rowid=False,
)
"""One row a remembered idempotency key: its primary key is what makes an event happen once."""

seen = Table(
    "seen",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    PrimaryKeyConstraint("mapping", "fingerprint"),
    Index("seen_until", "until"),
)
"""Requests that came, for senders whose signatures carry no time or do not cover the id of the event."""

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
    sqlite_with_rowid=False,
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

reports = Table(
    "reports",
    metadata,
    Column("delivery_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("host", Text, nullable=False),
    Column("due_at", Moment),
    Column("tries", Integer, nullable=False),
    Column("status", Integer),
    Column("said", Text, nullable=False),
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
    Index("reports_due", "due_at", "host"),
    Index("reports_at", "at"),
)
"""What senders are to be told, written with the end of a delivery that it tells of; done when `due_at` is empty."""

outcomes = Table(
    "outcomes",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("duration", Integer),
    Column("ended_at", Moment),
    Column("told_at", Moment, nullable=False),
    Column("fits", Integer, nullable=False),
    Index("outcomes_key", "key", "told_at"),
    Index("outcomes_told", "told_at"),
)
"""How the call of a delivery ended, as Xima told afterwards; the key is that of the call, told once or more."""
