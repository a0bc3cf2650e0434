"""What time it is for whoever shares a store: a machine on which commands are typed may have a clock of its own."""

from __future__ import annotations

from datetime import datetime

from adapter import wsgi
from adapter.store import Store


def time(store: Store) -> datetime:
    """The moment it is by the store's own clock, aware, in UTC: what a command decides is judged by that."""
    return store.clock(wsgi.clock)()
