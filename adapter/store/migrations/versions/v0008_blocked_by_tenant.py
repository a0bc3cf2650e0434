"""The do-not-call list by tenant; what is on it already counts for all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEPT = ["number", "key_id", "reason", "who", "at"]


def upgrade() -> None:
    """Make the table anew with its other key: SQLite cannot change one."""
    op.create_table(
        "blocked_anew",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False, server_default=sa.text("''")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("key_id", "reason", "who")),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", "tenant"),
    )
    before = sa.table("blocked", *map(sa.column, KEPT))
    op.execute(sa.table("blocked_anew", *map(sa.column, KEPT)).insert().from_select(KEPT, sa.select(*before.c)))
    op.drop_table("blocked")
    op.rename_table("blocked_anew", "blocked")
