"""What our rules remember, and who may use the API."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from adapter.store.kinds import Json, Moment
from adapter.store.tables.base import metadata

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
