"""Which requests were received, so that a recorded one is known when its idempotency key does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from adapter.store.statements import upsert
from adapter.store.tables import seen

REMEMBERED = timedelta(days=180)


def first_seen(connection: Connection, mapping: str, fingerprint: str) -> datetime | None:
    """When such a request first came to this mapping; None when it never did."""
    asked = select(seen.c.first_at).where(seen.c.mapping == mapping, seen.c.fingerprint == fingerprint)
    found: datetime | None = connection.execute(asked).scalar()
    return found


def remember(connection: Connection, mapping: str, fingerprints: Sequence[str], *, now: datetime) -> None:
    """Remember that a request came, from the first time on."""
    until = now + REMEMBERED
    rows = [{"mapping": mapping, "fingerprint": one, "first_at": now, "until": until} for one in fingerprints]
    connection.execute(upsert(seen).on_conflict_do_nothing(), rows)
