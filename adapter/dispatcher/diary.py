"""A line of the log for every state that a delivery reaches, and for a Xima that takes nothing for long."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapter.logs import event
from adapter.model import Delivery, Evidence

LONG = timedelta(minutes=1)
"""Xima may be away for moments, and nobody is needed then."""
APART = timedelta(minutes=10)
"""Failures that lie further apart, clicks of an hour say, are no one trouble."""
NOTHING_DONE = (Evidence.NOT_SENT, Evidence.LATER)


def log_delivery(delivery: Delivery, *, level: int = logging.INFO, **extra: Any) -> None:
    """One line for the state a delivery has reached, of those that want a person a warning."""
    if _wants_a_person(delivery):
        level = max(level, logging.WARNING)
    event(
        f"delivery.{delivery.state}",
        level=level,
        mapping=delivery.mapping,
        request=delivery.request_id,
        id=delivery.id,
        action=delivery.action.kind,
        tries=delivery.tries,
        reason=delivery.reason or None,
        **extra,
    )


def _wants_a_person(delivery: Delivery) -> bool:
    """Nobody knows what happened, the token is refused, or a customer waits for a call that Xima refused."""
    lost = delivery.state == "refused" and delivery.action.kind == "callback"
    return lost or delivery.state == "unknown" or (delivery.state in ("held", "refused") and "token" in delivery.reason)


@dataclass
class _Trouble:
    since: datetime
    last: datetime
    is_told: bool = False


class Outages:
    """Tells once that Xima takes nothing of a tenant for long, as far as this process knows, and when it does again."""

    def __init__(self) -> None:
        self._known: dict[str, _Trouble] = {}
        self._missing: set[str] = set()

    def missing(self, tenant: str, reason: str) -> None:
        """A delivery is there of a tenant that is not."""
        if tenant not in self._missing:
            self._missing.add(tenant)
            event("tenant.missing", level=logging.ERROR, tenant=tenant, reason=reason, remedy="xima-adapter doctor")

    def note(self, tenant: str, evidence: Evidence, reason: str, *, now: datetime) -> None:
        """What one exchange proved."""
        if evidence in NOTHING_DONE:
            trouble = self._known.setdefault(tenant, _Trouble(now, now))
            if now - trouble.last > APART:
                trouble.since = now
            trouble.last = now
            if not trouble.is_told and now - trouble.since >= LONG:
                trouble.is_told = True
                event("tenant.away", level=logging.ERROR, tenant=tenant, reason=reason)
        elif (ended := self._known.pop(tenant, None)) and ended.is_told:
            event("tenant.back", tenant=tenant)
