"""What a rule of ours says: where a delivery goes next, why, and which rule it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapter.model import Delivery, State

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Where a delivery goes next and why; `due_at` is when it is looked at again, `policy` the rule that said so."""

    state: State
    reason: str
    due_at: datetime
    expires_at: datetime
    policy: str = ""


def moved(delivery: Delivery, verdict: Verdict, *, now: datetime, tries: int | None = None) -> Delivery:
    """The delivery where a verdict sends it; nobody holds it there."""
    return replace(
        delivery,
        state=verdict.state,
        reason=verdict.reason,
        policy=verdict.policy,
        due_at=verdict.due_at,
        expires_at=verdict.expires_at,
        updated_at=now,
        tries=delivery.tries if tries is None else tries,
        lease_owner=None,
        lease_until=None,
    )


def suppressed(delivery: Delivery, policy: str, reason: str, *, now: datetime) -> Verdict:
    """The end: a rule of ours says that it must not be sent."""
    return Verdict(
        state="suppressed",
        reason=f"{reason} ({policy})",
        due_at=now,
        expires_at=delivery.expires_at,
        policy=policy,
    )


def parked(delivery: Delivery, policy: str, reason: str, *, until: datetime | None = None) -> Verdict:
    """Held until a moment, or until somebody lets it go; what nobody lets go expires at its time."""
    too_old = delivery.expires_at + TICK
    return Verdict(
        state="held",
        reason=f"{reason} ({policy})",
        due_at=min(until or too_old, too_old),
        expires_at=delivery.expires_at,
        policy=policy,
    )
