"""Whether the store can take work: its tables are those of this version, and it can be written."""

from __future__ import annotations

import time

from sqlalchemy import false, update

from adapter.store import migrate
from adapter.store.engine import Database
from adapter.store.tables import deliveries

TOUCH_SECONDS = 10.0
"""How long one page that was written stands for all others: whoever asks every second must not wear the disk."""


class Readiness:
    """What is known of a store by having used it; the tables are looked at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = False
        self._touch_at = 0.0

    def check(self, *, really: bool) -> None:
        """Raise `StoreError` unless the store can be used; if `really`, a page is written now and then.

        Without one a full disk goes unnoticed: SQLite writes nothing for a transaction that changed nothing. It need
        not be on disk at once, for it is the room that is asked for.
        """
        touch = really and time.monotonic() >= self._touch_at
        with self._database.writing(at_once=False) as connection:
            if not self._known:
                migrate.check(connection)
            connection.execute(update(deliveries).where(false()).values(reason=""))
            if touch:
                self._database.own.touch(connection)
        self._known = True
        if touch:
            self._touch_at = time.monotonic() + TOUCH_SECONDS
