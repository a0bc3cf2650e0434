"""Which bodies were received, so that a recorded one is known when its idempotency key is long forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from adapter.store.statements import upsert
from adapter.store.tables import seen

REMEMBERED = timedelta(days=180)


def first_seen(connection: Connection, mapping: str, fingerprint: str) -> datetime | None:
    """When this body first came to this mapping; None when it never did."""
    asked = select(seen.c.first_at).where(seen.c.mapping == mapping, seen.c.fingerprint == fingerprint)
    found: datetime | None = connection.execute(asked).scalar()
    return found


def remember(connection: Connection, mapping: str, fingerprint: str, *, now: datetime) -> None:
    """Remember that this body came, from the first time on."""
    row = {"mapping": mapping, "fingerprint": fingerprint, "first_at": now, "until": now + REMEMBERED}
    connection.execute(upsert(seen).on_conflict_do_nothing(), row)
