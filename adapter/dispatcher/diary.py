"""A line of the log for every state that a delivery reaches."""

from __future__ import annotations

import logging
from typing import Any

from adapter.logs import event
from adapter.model import Delivery


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
