"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables and their indexes."""
    op.create_table(
        "requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("results", sa.Text, nullable=False),
    )
    op.create_index("requests_received", "requests", ["received_at"])
    op.create_index("requests_mapping", "requests", ["mapping", "received_at"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (
                *("request_id", "mapping", "version", "rule", "tenant", "action"),
                *("key", "state", "reason", "deliver", "if_unknown", "terms"),
            )
        ),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("created_at", "updated_at", "due_at", "expires_at")
        ),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("priority", "attempt", "tries")),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
    )
    op.create_index("deliveries_due", "deliveries", ["state", "due_at"])
    op.create_index("deliveries_next", "deliveries", ["state", "priority", "due_at"])
    op.create_index("deliveries_lease", "deliveries", ["state", "lease_until"])
    op.create_index("deliveries_updated", "deliveries", ["updated_at"])
    op.create_index("deliveries_request", "deliveries", ["request_id"])
    op.create_table(
        "once",
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("mapping", "key"),
    )
    op.create_index("once_until", "once", ["until"])
    op.create_index("once_delivery", "once", ["delivery_id"])
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
    )
    op.create_index("attempts_at", "attempts", ["at"])
    op.create_table(
        "acts",
        sa.Column("id", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("delivery_id", "who", "old", "new", "reason")),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("acts_delivery", "acts", ["delivery_id"])
    op.create_index("acts_at", "acts", ["at"])
    op.create_table(
        "refusals",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("mapping", "code", "reason", "day")),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("mapping", "code", "reason", "day"),
    )
    op.create_index("refusals_last", "refusals", ["last_at"])
