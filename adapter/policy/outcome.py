"""Where a delivery goes after a try, by what the exchange with Xima proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from adapter import retry
from adapter.model import Delivery, Evidence, Outcome, State
from adapter.policy.gate import PROBES, Trouble
from adapter.policy.verdict import Verdict, honest, in_doubt

REPEATS = tuple(timedelta(seconds=wait) for wait in (2, 10, 30, 60, 120))
"""Waits before a callback is repeated that may be queued: each repeat may be one more call to the customer."""


def after(delivery: Delivery, outcome: Outcome, *, tries: int, now: datetime, jitter: float) -> Verdict:
    """Where a delivery goes after a try, by what this and earlier ones proved; `tries` counts this one too."""
    return honest(delivery, AFTER[outcome.evidence](delivery, outcome, tries=tries, now=now, jitter=jitter))


def abandoned(delivery: Delivery, now: datetime) -> Verdict:
    """Where a delivery goes whose holder died while sending it."""
    reason = "the adapter was stopped while the request was on its way, so it may have happened"
    state: State = "queued" if delivery.action.kind == "select_caller_id" else "unknown"
    terms = in_doubt(delivery, reason, now=now) if state == "queued" else None
    expires_at = delivery.expires_at
    return honest(delivery, Verdict(state=state, reason=reason, due_at=now, expires_at=expires_at, terms=terms))


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
    """It may have happened: a person decides, unless the mapping says that a repeat does no harm.

    That it may have is not forgotten: a later try that comes to nothing does not say that nobody was called.
    """
    schedule = REPEATS if delivery.action.kind == "callback" else retry.SCHEDULE
    deadline = delivery.expires_at
    repeat = retry.next_attempt(None, tries=tries, now=now, deadline=deadline, jitter=jitter, schedule=schedule)
    if delivery.if_unknown == "again" and delivery.action.kind != "click_to_dial" and repeat:
        terms = in_doubt(delivery, outcome.reason, now=now)
        return Verdict(state="queued", reason=outcome.reason, due_at=repeat, expires_at=deadline, terms=terms)
    return _end("unknown")(delivery, outcome, now=now)


def _tenant_trouble(trouble: Trouble, otherwise: State) -> Callable[..., Verdict]:
    """The tenant cannot send: a callback is held for a while, anything somebody waits for ends here."""

    def move(delivery: Delivery, outcome: Outcome, *, now: datetime, **extra: Any) -> Verdict:
        if delivery.action.kind != "callback":
            return _end(otherwise)(delivery, outcome, now=now)
        due_at, expires_at = now + PROBES[trouble], delivery.expires_at
        return Verdict(state="held", reason=outcome.reason, due_at=due_at, expires_at=expires_at, policy=trouble)

    return move


AFTER: Mapping[Evidence, Callable[..., Verdict]] = {
    Evidence.ACCEPTED: _end("accepted"),
    Evidence.REFUSED: _end("refused"),
    Evidence.NOT_SENT: _again,
    Evidence.LATER: _again,
    Evidence.UNAUTHORIZED: _tenant_trouble("token", "refused"),
    Evidence.OVER_CAP: _tenant_trouble("egress_cap", "failed"),
    Evidence.UNKNOWN: _unknown,
}
