"""Which bodies were received, so that a recorded one is known when its idempotency key is long forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from adapter.store.tables import seen

REMEMBERED = timedelta(days=180)


def first_seen(connection: Connection, mapping: str, fingerprint: str) -> datetime | None:
    """When this body first came to this mapping; None when it never did."""
    asked = select(seen.c.first_at).where(seen.c.mapping == mapping, seen.c.fingerprint == fingerprint)
    found: datetime | None = connection.execute(asked).scalar()
    return found


def remember(connection: Connection, mapping: str, fingerprint: str, *, now: datetime) -> None:
    """Remember that this body came, from the first time on.

    It runs after the idempotency keys of the same request are taken, and who else has these waits until then: so
    nobody can come between the question and the new row.
    """
    if first_seen(connection, mapping, fingerprint) is None:
        row = {"mapping": mapping, "fingerprint": fingerprint, "first_at": now, "until": now + REMEMBERED}
        connection.execute(insert(seen), row)
