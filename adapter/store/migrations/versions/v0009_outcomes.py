"""How the calls of deliveries ended."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table and its indexes."""
    op.create_table(
        "outcomes",
        sa.Column("delivery_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("duration", sa.Integer),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("fits", sa.Integer, nullable=False),
    )
    op.create_index("outcomes_key", "outcomes", ["key", "told_at"])
    op.create_index("outcomes_told", "outcomes", ["told_at"])
