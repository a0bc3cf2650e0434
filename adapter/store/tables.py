"""The tables; `migrations` builds the same, and a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    literal_column,
    text,
)

from adapter.store.kinds import ActionText, Json, Moment

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
"""Bodies that came, for senders whose signatures carry no time."""

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

mapping_versions = Table(
    "mapping_versions",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("file", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("beside", Json, nullable=False),
    PrimaryKeyConstraint("mapping", "number"),
    Index("mapping_versions_since", "since"),
)
"""Every version of a mapping that was in force, with the texts it is made of; an empty version: it was removed."""

shadow_counts = Table(
    "shadow_counts",
    metadata,
    Column("mapping", Text, nullable=False),
    Column("shadow", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("examples", Json, nullable=False),
    PrimaryKeyConstraint("mapping", "shadow", "version", "kind"),
    Index("shadow_counts_last", "last_at"),
)
"""What a version under trial (`shadow`) made of records otherwise than the version in force, counted by kind."""

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

marks = Table(
    "marks",
    metadata,
    Column("mark", Text, primary_key=True),
    Column("delivery_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    Index("marks_at", "at"),
    sqlite_with_rowid=False,
)
"""Who was last called under a mark (see `policy.marks`); its row is also the lock that two requests meet at."""

blocked = Table(
    "blocked",
    metadata,
    Column("number", Text, nullable=False),
    Column("tenant", Text, nullable=False, server_default=text("''")),
    Column("key_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("number", "tenant"),
)
"""The do-not-call list, as keyed hashes, of a tenant or (without a name) of all; it is never purged: a number leaves it
when a person says so."""

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

api_keys = Table(
    "api_keys",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("used_on", Text, nullable=False),
    Index("api_keys_revoked", "revoked_at"),
)
"""Keys for the API by the hash of their token; one that is revoked stays until the purge. `used_on` is a day."""

api_asked = Table(
    "api_asked",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("until", Moment, nullable=False),
    Index("api_asked_until", "until"),
)
"""What was asked for under an idempotency key of the API, so that another request cannot hide behind it."""
