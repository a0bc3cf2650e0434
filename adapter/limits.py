"""How much is let in: so many a second for a name, with ten seconds' worth saved up; counted in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from adapter.errors import TooMany

SAVED_SECONDS = 10
"""A burst may bring what this long would have allowed."""
MOST_NAMES = 10_000


class Limit:
    """Allows each name `rate` a second; 0 allows everything. Names that have been quiet are forgotten."""

    def __init__(self, rate: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = rate * SAVED_SECONDS
        self._clock = clock
        self._used: dict[str, tuple[float, float]] = {}
        self._turn = threading.Lock()

    def wait(self, name: str) -> float:
        """The seconds until one more is allowed; 0 when it is now. Nothing is counted."""
        if not self._rate or name not in self._used:
            return 0.0
        return max(0.0, (self._now(name, self._clock()) + 1 - self._most) / self._rate)

    def count(self, name: str) -> None:
        """Count one."""
        if not self._rate:
            return
        with self._turn:
            now = self._clock()
            if name not in self._used and len(self._used) >= MOST_NAMES:
                self._forget(now)
            self._used[name] = (min(self._now(name, now) + 1, self._most), now)

    def take(self, name: str, reason: str) -> None:
        """Count one; raises `TooMany` instead when that is not allowed now."""
        if seconds := self.wait(name):
            raise TooMany(reason, retry_after=seconds)
        self.count(name)

    def _now(self, name: str, now: float) -> float:
        used, at = self._used.get(name, (0.0, now))
        return max(0.0, used - (now - at) * self._rate)

    def _forget(self, now: float) -> None:
        """Keep those that still count, and of these the latest half when they are too many."""
        living = [name for name in self._used if self._now(name, now) > 0]
        kept = sorted(living, key=lambda name: self._used[name][1])[-MOST_NAMES // 2 :]
        self._used = {name: self._used[name] for name in kept}


NO_LIMIT = Limit(0)


def neighbourhood(address: str) -> str:
    """What stands for an address: an IPv6 client has a whole /64 to choose from."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
