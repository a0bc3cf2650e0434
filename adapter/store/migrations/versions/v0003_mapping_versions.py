"""The history of mappings, and what a version under trial would have done otherwise."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables and their indexes."""
    op.create_table(
        "mapping_versions",
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("file", "content", "beside")),
        sa.PrimaryKeyConstraint("mapping", "number"),
    )
    op.create_index("mapping_versions_since", "mapping_versions", ["since"])
    op.create_table(
        "shadow_counts",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("mapping", "shadow", "version", "kind")),
        sa.Column("count", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first_at", "last_at")),
        sa.Column("examples", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("mapping", "shadow", "version", "kind"),
    )
    op.create_index("shadow_counts_last", "shadow_counts", ["last_at"])
