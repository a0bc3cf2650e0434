"""What senders are to be told of their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "reports",
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("state", "reason", "policy")),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("said", "result")),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
    )
    op.create_index("reports_due", "reports", ["due_at", "host"])
    op.create_index("reports_at", "reports", ["at"])
