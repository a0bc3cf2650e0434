"""Keys for the API, and what was asked under an idempotency key."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "scopes", "tenant")),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("expires_at", "revoked_at")),
        sa.Column("used_on", sa.Text, nullable=False),
    )
    op.create_index("api_keys_revoked", "api_keys", ["revoked_at"])
    op.create_table(
        "api_asked",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("api_asked_until", "api_asked", ["until"])
