"""Keys for the API, by the hashes of their tokens; and what was asked for under an idempotency key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from adapter.errors import Conflict
from adapter.store.engine import Database
from adapter.store.statements import upsert
from adapter.store.tables import api_asked, api_keys

k = api_keys.c
ASK = upsert(api_asked).on_conflict_do_nothing(index_elements=["key"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key that a program shows; `digest` stands for its token, an empty tenant for all of them.

    `used_on` is the last day (ISO 8601, UTC) on which it was shown, empty when it never was.
    """

    digest: str
    name: str
    scopes: Sequence[str]
    tenant: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_on: str = ""


class Keys:
    """The part of a store that is for the API; each method is one transaction and raises `StoreError` when it fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: Key) -> None:
        """Keep a new key; raises `Conflict` when one of that name is in force."""
        with self._database.writing() as connection:
            asked = select(k.name).where(k.name == key.name, k.revoked_at.is_(None))
            if connection.execute(asked).first():
                raise Conflict(f"there is a key called {key.name} already: revoke it first, or choose another name")
            connection.execute(insert(api_keys), {name: getattr(key, name) for name in Key.__slots__})

    def find(self, digest: str) -> Key | None:
        """The key with this hash, unless it was revoked."""
        with self._database.reading() as connection:
            row = connection.execute(select(api_keys).where(k.digest == digest, k.revoked_at.is_(None))).first()
        return Key(**row._mapping) if row else None

    def all(self) -> list[Key]:
        """Every key that is still kept, by name, the revoked ones too."""
        with self._database.reading() as connection:
            return [Key(**row._mapping) for row in connection.execute(select(api_keys).order_by(k.name, k.created_at))]

    def revoke(self, name: str, *, now: datetime) -> bool:
        """End a key from the next request on, whatever process gets it; False when none of that name is in force."""
        with self._database.writing() as connection:
            ended = update(api_keys).where(k.name == name, k.revoked_at.is_(None)).values(revoked_at=now)
            return bool(connection.execute(ended).rowcount)

    def used(self, digest: str, day: str) -> None:
        """Note the day on which a key was shown."""
        with self._database.writing() as connection:
            connection.execute(update(api_keys).where(k.digest == digest).values(used_on=day))

    def is_first(self, key: str, fingerprint: str, *, now: datetime, until: datetime) -> bool:
        """Whether the first to ask under an idempotency key that is remembered asked for the very same."""
        with self._database.writing() as connection:
            connection.execute(delete(api_asked).where(api_asked.c.key == key, api_asked.c.until <= now))
            row = {"key": key, "fingerprint": fingerprint, "until": until}
            connection.execute(ASK, row)
            found = connection.execute(select(api_asked.c.fingerprint).where(api_asked.c.key == key)).scalar_one()
        return bool(found == fingerprint)
