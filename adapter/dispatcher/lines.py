"""The lines to Xima that one process has, shared so that a tenant whose Xima hangs leaves the others theirs."""

from __future__ import annotations

import sys
import threading
from collections import Counter

PARTS = 4
"""Of so many tenants that hang at once nobody else hears, however many there are."""


class Lines:
    """Who holds how many of `most` lines: each of several tenants its share at most, one alone as it pleases."""

    def __init__(self, most: int, *, tenants: int) -> None:
        self._share = max(1, most // min(tenants, PARTS)) if tenants > 1 else sys.maxsize
        self._held = Counter[str]()
        self._lock = threading.Lock()

    def room(self, tenant: str) -> int:
        """How many more the tenant may take."""
        return self._share - self._held[tenant]

    def take(self, tenant: str) -> bool:
        """Take one; False when the tenant has its share."""
        with self._lock:
            has_room = self.room(tenant) > 0
            self._held[tenant] += has_room
        return has_room

    def leave(self, tenant: str) -> None:
        """Give one back."""
        with self._lock:
            self._held[tenant] -= 1
