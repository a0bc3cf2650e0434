"""The rules that need nothing but the delivery and the time: is it still wanted, and may it be called now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from adapter import hours
from adapter.model import Delivery
from adapter.policy.verdict import Verdict, honest
from adapter.units import spoken

Policy = Callable[[Delivery, datetime], Verdict | None]


def terms(*, fresh_for: timedelta, open_hours: hours.Hours | None, zones: tuple[str, ...]) -> dict[str, Any]:
    """The limits a delivery carries with it, so that they can be asked again without its mapping."""
    made: dict[str, Any] = {"fresh_for": fresh_for.total_seconds()}
    if open_hours is not None and open_hours.outside != "send":
        made |= {"hours": hours.as_dict(open_hours), "zones": list(zones)}
    return made


def decide(delivery: Delivery, *, now: datetime) -> Verdict | None:
    """The first verdict that stops the delivery from being sent now, or None: send it."""
    for policy in POLICIES:
        if verdict := policy(delivery, now):
            return honest(delivery, verdict)
    return None


def _fresh(delivery: Delivery, now: datetime) -> Verdict | None:
    if now <= delivery.expires_at:
        return None
    limit = spoken(timedelta(seconds=delivery.terms["fresh_for"]))
    reason = f"older than {limit}, so it is not wanted any more (fresh_for){_before(delivery)}"
    return Verdict(state="expired", reason=reason, due_at=now, expires_at=delivery.expires_at, policy="fresh_for")


def _before(delivery: Delivery) -> str:
    """What kept it waiting until it was too old."""
    if not delivery.reason or not (delivery.tries or delivery.policy):
        return ""
    return f"; {'the last try' if delivery.tries else 'it was kept back'}: {delivery.reason}"


def _within_hours(delivery: Delivery, now: datetime) -> Verdict | None:
    if "hours" not in delivery.terms or delivery.terms.get("released"):
        return None
    spec = hours.from_dict(delivery.terms["hours"])
    opens = hours.next_open(spec, delivery.terms["zones"], now=now)
    if opens is None:
        reason = "the calling hours do not open within a year (hours)"
        return Verdict(state="expired", reason=reason, due_at=now, expires_at=delivery.expires_at, policy="hours")
    if opens <= now:
        return None
    reason = f"outside the calling hours; they open on {opens:%A %d %B %Y at %H:%M %Z} (hours)"
    wanted_until = opens + timedelta(seconds=delivery.terms["fresh_for"])
    return Verdict(state="held", reason=reason, due_at=opens, expires_at=wanted_until, policy="hours")


POLICIES: tuple[Policy, ...] = (_fresh, _within_hours)
"""Asked in this order; the first that does not accept decides."""
