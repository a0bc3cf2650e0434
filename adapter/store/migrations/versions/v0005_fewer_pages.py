"""Fewer pages to write for every event: tables without a second key in SQLite, indexes of what waits only."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

GONE = (
    ("requests_received", "requests"),
    ("deliveries_turn", "deliveries"),
    ("deliveries_overdue", "deliveries"),
    ("deliveries_lease", "deliveries"),
    ("deliveries_request", "deliveries"),
    ("attempts_at", "attempts"),
    ("acts_at", "acts"),
)
KEPT = {
    "marks": {"marks_at": ["at"]},
    "once": {"once_until": ["until"], "once_delivery": ["delivery_id"]},
    "attempts": {},
}


def upgrade() -> None:
    """Make the indexes and tables anew; what was tried and done for deliveries that are gone goes, too."""
    for index, table in GONE:
        op.drop_index(index, table)
    for index, condition, columns in (
        ("deliveries_turn", "state = 'queued'", ["tenant", "priority", "due_at"]),
        ("deliveries_overdue", "state = 'queued'", ["tenant", "expires_at"]),
        ("deliveries_lease", "lease_until IS NOT NULL", ["lease_until"]),
    ):
        where = sa.text(condition)
        op.create_index(index, "deliveries", columns, sqlite_where=where, postgresql_where=where)
    there = sa.select(sa.table("deliveries", sa.column("id")).c.id)
    for name in ("attempts", "acts"):
        orphans = sa.delete(sa.table(name)).where(sa.column("delivery_id").not_in(there))
        op.execute(orphans)
    if op.get_context().dialect.name == "sqlite":
        _without_rowid()


def _without_rowid() -> None:
    """SQLite keeps a key of text beside its table; WITHOUT ROWID it keeps the table by the key."""
    for name, indexes in KEPT.items():
        for index in indexes:
            op.drop_index(index, name)
        old = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
        op.rename_table(name, f"{name}_old")
        op.create_table(
            name,
            *(sa.Column(column.name, column.type, nullable=column.nullable) for column in old.columns),
            sa.PrimaryKeyConstraint(*(column.name for column in old.primary_key)),
            sqlite_with_rowid=False,
        )
        columns = list(old.columns.keys())
        rows = sa.table(f"{name}_old", *map(sa.column, columns)).select()
        op.execute(sa.table(name, *map(sa.column, columns)).insert().from_select(columns, rows))
        op.drop_table(f"{name}_old")
        for index, keys in indexes.items():
            op.create_index(index, name, keys)
