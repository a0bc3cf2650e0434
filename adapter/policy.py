"""What the rules of ours say about a delivery, before it is kept and again just before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter import hours, retry
from adapter.model import Delivery, Evidence, Outcome, State
from adapter.units import spoken


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Where a delivery goes next and why; `due_at` is when it is looked at again."""

    state: State
    reason: str
    due_at: datetime
    expires_at: datetime


Policy = Callable[[Delivery, datetime], Verdict | None]


def moved(delivery: Delivery, verdict: Verdict, *, now: datetime, tries: int | None = None) -> Delivery:
    """The delivery where a verdict sends it; nobody holds it there."""
    return replace(
        delivery,
        state=verdict.state,
        reason=verdict.reason,
        due_at=verdict.due_at,
        expires_at=verdict.expires_at,
        updated_at=now,
        tries=delivery.tries if tries is None else tries,
        lease_owner=None,
        lease_until=None,
    )


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
            return verdict
    return None


def _fresh(delivery: Delivery, now: datetime) -> Verdict | None:
    if now <= delivery.expires_at:
        return None
    limit = spoken(timedelta(seconds=delivery.terms["fresh_for"]))
    last = f"; the last try: {delivery.reason}" if delivery.tries and delivery.reason else ""
    reason = f"older than {limit}, so it is not wanted any more (fresh_for){last}"
    return Verdict(state="expired", reason=reason, due_at=now, expires_at=delivery.expires_at)


def _within_hours(delivery: Delivery, now: datetime) -> Verdict | None:
    if "hours" not in delivery.terms:
        return None
    spec = hours.from_dict(delivery.terms["hours"])
    opens = hours.next_open(spec, delivery.terms["zones"], now=now)
    if opens is None:
        reason = "the calling hours do not open within a year (hours)"
        return Verdict(state="expired", reason=reason, due_at=now, expires_at=delivery.expires_at)
    if opens <= now:
        return None
    reason = f"outside the calling hours; they open on {opens:%A %d %B %Y at %H:%M %Z} (hours)"
    wanted_until = opens + timedelta(seconds=delivery.terms["fresh_for"])
    return Verdict(state="held", reason=reason, due_at=opens, expires_at=wanted_until)


POLICIES: tuple[Policy, ...] = (_fresh, _within_hours)
"""Asked in this order; the first that does not accept decides."""

TOKEN_PAUSE = timedelta(seconds=30)
CAP_PAUSE = timedelta(minutes=5)
REPEATS = tuple(timedelta(seconds=wait) for wait in (2, 10, 30, 60, 120))
"""Waits before a callback is repeated that may be queued: each repeat may be one more call to the customer."""


def after(delivery: Delivery, outcome: Outcome, *, tries: int, now: datetime, jitter: float) -> Verdict:
    """Where a delivery goes after a try, by what the exchange proved; `tries` counts this one too."""
    return AFTER[outcome.evidence](delivery, outcome, tries=tries, now=now, jitter=jitter)


def next_try(delivery: Delivery, outcome: Outcome, *, tries: int, now: datetime, jitter: float) -> datetime | None:
    """When it is certain that nothing happened: the moment to try again while it is wanted, or None."""
    if outcome.evidence not in (Evidence.NOT_SENT, Evidence.LATER):
        return None
    at_least = retry.THROTTLED if outcome.evidence is Evidence.LATER else timedelta()
    return retry.next_attempt(
        outcome.retry_after,
        tries=tries,
        now=now,
        deadline=delivery.expires_at,
        jitter=jitter,
        at_least=at_least,
    )


def _end(state: State) -> Callable[..., Verdict]:
    def move(delivery: Delivery, outcome: Outcome, *, now: datetime, **extra: Any) -> Verdict:
        return Verdict(state=state, reason=outcome.reason, due_at=now, expires_at=delivery.expires_at)

    return move


def _again(delivery: Delivery, outcome: Outcome, *, tries: int, now: datetime, jitter: float) -> Verdict:
    """Certainly not done: again while it is wanted; without a next try it waits for its end, or fails at once.

    While Xima is away a click fails at once too: the agent is told so, and must not be rung when it comes back.
    """
    moment = next_try(delivery, outcome, tries=tries, now=now, jitter=jitter)
    away = outcome.evidence is Evidence.NOT_SENT and delivery.action.kind == "click_to_dial"
    if delivery.deliver == "now" and (away or moment is None):
        return _end("failed")(delivery, outcome, now=now)
    due_at = moment or delivery.expires_at + timedelta(microseconds=1)
    return Verdict(state="queued", reason=outcome.reason, due_at=due_at, expires_at=delivery.expires_at)


def _unknown(delivery: Delivery, outcome: Outcome, *, tries: int, now: datetime, jitter: float) -> Verdict:
    """It may have happened: a person decides, unless the mapping says that a repeat does no harm."""
    schedule = REPEATS if delivery.action.kind == "callback" else retry.SCHEDULE
    deadline = delivery.expires_at
    repeat = retry.next_attempt(None, tries=tries, now=now, deadline=deadline, jitter=jitter, schedule=schedule)
    if delivery.if_unknown == "again" and delivery.action.kind != "click_to_dial" and repeat:
        return Verdict(state="queued", reason=outcome.reason, due_at=repeat, expires_at=deadline)
    return _end("unknown")(delivery, outcome, now=now)


def _tenant_trouble(pause: timedelta, otherwise: State) -> Callable[..., Verdict]:
    """The tenant cannot send: a callback is held for a while, anything somebody waits for ends here."""

    def move(delivery: Delivery, outcome: Outcome, *, now: datetime, **extra: Any) -> Verdict:
        if delivery.action.kind != "callback":
            return _end(otherwise)(delivery, outcome, now=now)
        due_at = now + pause
        return Verdict(state="held", reason=outcome.reason, due_at=due_at, expires_at=delivery.expires_at)

    return move


AFTER: Mapping[Evidence, Callable[..., Verdict]] = {
    Evidence.ACCEPTED: _end("accepted"),
    Evidence.REFUSED: _end("refused"),
    Evidence.NOT_SENT: _again,
    Evidence.LATER: _again,
    Evidence.UNAUTHORIZED: _tenant_trouble(TOKEN_PAUSE, "refused"),
    Evidence.OVER_CAP: _tenant_trouble(CAP_PAUSE, "failed"),
    Evidence.UNKNOWN: _unknown,
}
