"""What our rules remember: marks of numbers and agents, the do-not-call list, the gates of the tenants."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables, and the rule that stopped a delivery to its row."""
    op.add_column("deliveries", sa.Column("policy", sa.Text, nullable=False, server_default=sa.text("''")))
    op.drop_index("deliveries_next", "deliveries")
    op.create_index("deliveries_turn", "deliveries", ["state", "tenant", "priority", "due_at"])
    op.create_index("deliveries_overdue", "deliveries", ["state", "tenant", "expires_at"])
    op.create_table(
        "marks",
        sa.Column("mark", sa.Text, primary_key=True),
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_index("marks_at", "marks", ["at"])
    op.create_table(
        "blocked",
        sa.Column("number", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("key_id", "reason", "who")),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "gates",
        sa.Column("tenant", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("paused", "trouble")),
        sa.Column("failures", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("since", "probe_at")),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("tokens_at", sa.BigInteger),
    )
