"""Why a signature was refused, for the operator's log: small bodies only and a few a second, for a flood costs too."""

from __future__ import annotations

import threading
from datetime import datetime

from adapter.model import Received
from adapter.sources import Source

LARGEST = 16 * 1024
"""Bytes of a body that is explained."""
A_SECOND = 3


class Hints:
    """Explains refusals as long as there are not too many; one for every web process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._given = 0

    def __call__(self, source: Source, received: Received, now: datetime) -> tuple[str, ...]:
        """The hints of `signature.explain`; none for a large body, or when this second has had its share."""
        if len(received.body) > LARGEST or not self._is_left(int(now.timestamp())):
            return ()
        return source.explain(received, now=now)

    def _is_left(self, second: int) -> bool:
        with self._lock:
            self._given = self._given + 1 if second == self._second else 1
            self._second = second
            return self._given <= A_SECOND
