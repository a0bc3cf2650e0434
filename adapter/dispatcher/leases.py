"""The claims this process holds, and the thread that keeps their leases from running out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from adapter.errors import StoreError
from adapter.logs import event
from adapter.model import Delivery
from adapter.store import Claim, Store

Clock = Callable[[], datetime]


class Leases:
    """Leases of `length` for one process; `owner` is its name in them."""

    def __init__(self, store: Store, clock: Clock, *, owner: str, length: timedelta) -> None:
        self.owner = owner
        self._store = store
        self._clock = clock
        self._length = length
        self._held: dict[Claim, datetime] = {}
        self._turn = threading.Lock()
        self._heart: threading.Thread | None = None
        self._stop = threading.Event()

    def until(self) -> datetime:
        """Until when a delivery claimed now belongs to this process."""
        return self._clock() + self._length

    def hold(self, delivery: Delivery) -> None:
        """Keep the lease of a claimed delivery from now on, until `let_go`."""
        with self._turn:
            if self._heart is None:
                heart = threading.Thread(target=self._beat, name="leases", daemon=True)
                heart.start()  # before anything is held, for where no thread can be started nobody would let go of it
                self._heart = heart
            self._held.setdefault(_claim(delivery), delivery.lease_until or self.until())

    def let_go(self, delivery: Delivery) -> None:
        """Renew this lease no longer."""
        with self._turn:
            self._held.pop(_claim(delivery), None)

    def has(self, delivery: Delivery) -> bool:
        """Whether this process is at work on the delivery."""
        return _claim(delivery) in self._held

    def has_lost(self, delivery: Delivery, now: datetime) -> bool:
        """Whether the lease may have run out, so that somebody else may have settled the delivery."""
        with self._turn:
            return now >= self._held[_claim(delivery)]

    def renew(self) -> None:
        """Renew every lease that is held; one whose delivery was settled by somebody else is not extended."""
        with self._turn:
            ids = {delivery_id for delivery_id, _ in self._held}
        until = self.until()
        kept = self._store.renew(ids, owner=self.owner, until=until) if ids else set()
        with self._turn:
            self._held.update((claim, until) for claim in kept if claim in self._held)

    def _beat(self) -> None:
        """Renew three times a lease."""
        while not self._stop.wait(self._length.total_seconds() / 3):
            try:
                self.renew()
            except StoreError as exc:
                event("lease.not_renewed", level=logging.ERROR, reason=exc.reason)

    def close(self) -> None:
        """Stop renewing."""
        self._stop.set()
        if self._heart:
            self._heart.join()


def _claim(delivery: Delivery) -> Claim:
    return delivery.id, delivery.attempt
