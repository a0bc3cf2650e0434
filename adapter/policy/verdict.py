"""What a rule of ours says: where a delivery goes next, why, and which rule it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter.model import Delivery, State

TICK = timedelta(microseconds=1)
DOUBT = "doubt"
"""The term that says when and why an earlier try may have been done, for what is tried again all the same."""
NOT_DONE: tuple[State, ...] = ("refused", "failed", "expired", "suppressed")
"""Ends that say that nothing was done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Where a delivery goes next and why; `due_at` is when it is looked at again, `policy` the rule that said so.

    `terms` are those that it carries from then on, None while they stay.
    """

    state: State
    reason: str
    due_at: datetime
    expires_at: datetime
    policy: str = ""
    terms: Mapping[str, Any] | None = None


def moved(delivery: Delivery, verdict: Verdict, *, now: datetime, tries: int | None = None) -> Delivery:
    """The delivery where a verdict sends it; nobody holds it there."""
    return replace(
        delivery,
        state=verdict.state,
        reason=verdict.reason,
        policy=verdict.policy,
        terms=delivery.terms if verdict.terms is None else verdict.terms,
        due_at=verdict.due_at,
        expires_at=verdict.expires_at,
        updated_at=now,
        tries=delivery.tries if tries is None else tries,
        lease_owner=None,
        lease_until=None,
    )


def in_doubt(delivery: Delivery, why: str, *, now: datetime) -> Mapping[str, Any]:
    """The terms of a delivery that is tried again though the try that ends now may have been done."""
    return {**delivery.terms, DOUBT: {"at": now.isoformat(), "why": why}}


def last_called(delivery: Delivery) -> datetime:
    """When the call of a delivery was made, or may have been: tries after that came to nothing."""
    doubt = delivery.terms.get(DOUBT)
    return datetime.fromisoformat(doubt["at"]) if doubt and delivery.state != "accepted" else delivery.updated_at


def without_doubt(delivery: Delivery) -> Mapping[str, Any]:
    """The terms of a delivery whose earlier tries do not matter any more."""
    return {name: value for name, value in delivery.terms.items() if name != DOUBT}


def honest(delivery: Delivery, verdict: Verdict) -> Verdict:
    """The verdict; where it says that nothing was done and an earlier try may have been, that nobody knows."""
    if DOUBT in delivery.terms and verdict.state == "unknown":  # of the last try, which counts from now on
        return replace(verdict, terms=without_doubt(delivery))
    if DOUBT not in delivery.terms or verdict.state not in NOT_DONE:
        return verdict
    earlier = delivery.terms[DOUBT]["why"]
    return replace(verdict, state="unknown", reason=f"{verdict.reason}; of an earlier try: {earlier}")


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
