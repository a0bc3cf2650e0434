"""What was in force is written down in the store; while the store is away it is remembered, and written later."""

from __future__ import annotations

from adapter.errors import StoreError
from adapter.store import Store, Version


class Chronicle:
    """The history of mappings as one process knows it: `last` holds the last version of each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unkept: dict[str, Version] = {}
        self.last: dict[str, Version] = {}

    def read(self) -> None:
        """Learn what was in force; while the store is away, nothing was."""
        try:
            self.last = self._store.in_force()
        except StoreError:  # which /readyz says
            self.last = {}

    def keep(self, version: Version) -> Version:
        """Keep a version that comes into force; gives it as it is kept, since when another process put it in force."""
        self._unkept.pop(version.mapping, None)
        try:
            kept = self._store.publish(version)
        except StoreError:  # it takes no request either, so that nothing is done under a version nobody can find
            self._unkept[version.mapping] = kept = version
        self.last[version.mapping] = kept
        return kept

    def catch_up(self) -> None:
        """Try again to keep what could not be kept."""
        for version in list(self._unkept.values()):
            self.keep(version)
