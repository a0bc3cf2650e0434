"""The rules that need to know what else there is: who must not be called, who was called, who is being called.

The store gathers the facts and asks in the transaction that keeps or claims the delivery, so that two requests of
the same instant cannot both be right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapter.model import WAITING, Delivery
from adapter.policy.gate import HOLDS, Gate, is_shut
from adapter.policy.verdict import DOUBT, TICK, Verdict, honest, last_called, parked, suppressed
from adapter.units import spoken

DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)
"""No rule looks further back than this, nor is a mapping's `quiet` longer."""
SAME_CLICK = timedelta(seconds=5)
"""A click on the same number by the same agent within this time is the same click.

What lies ahead by more than this is of a clock that was set back, and no double click.
"""
TURN = timedelta(seconds=1)
"""How soon a delivery that waits for its agent's line is looked at again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the store knows about a delivery's surroundings.

    `blocked` is why the number is on the do-not-call list; `called` the delivery that was last accepted for the same
    number, `on_line` the one that last took the agent's line; `ahead` came before this one in the same request for the
    same agent and is not done, and `put_off` is until when the last that waits for this line was just made to wait; the
    counts are of the last day and the last minute, without this one.
    """

    blocked: str = ""
    called: Delivery | None = None
    on_line: Delivery | None = None
    ahead: Delivery | None = None
    put_off: datetime | None = None
    number_calls: int = 0
    source_requests: int = 0
    gate: Gate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """Names under which a delivery is remembered; empty ones are not."""

    quiet: str = ""
    line: str = ""
    day: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are not empty."""
        return tuple(name for name in (self.quiet, self.line, self.day) if name)


def limits(
    *, hashes: list[str], quiet: timedelta | None, number_per_day: int | None, per_minute: int | None
) -> dict[str, Any]:
    """What a delivery carries for these rules beside its `terms`; what is not limited is left out."""
    numbers = {
        "numbers": hashes,
        "quiet": quiet.total_seconds() if quiet else None,
        "number_per_day": number_per_day,
    }
    made = {name: value for name, value in numbers.items() if value} if hashes else {}
    return made | ({"per_minute": per_minute} if per_minute else {})


def marks(delivery: Delivery) -> Marks:
    """The names under which a delivery is remembered."""
    terms, tenant = delivery.terms, delivery.tenant
    agent = getattr(delivery.action, "agent", "")
    number = terms["numbers"][0] if "numbers" in terms else ""
    return Marks(
        quiet=f"quiet {tenant} {delivery.action.kind} {agent} {number}" if "quiet" in terms else "",
        line=f"line {tenant} {agent}" if agent else "",
        day=f"day {tenant} {number}" if "number_per_day" in terms else "",
    )


def repeats(delivery: Delivery, called: Delivery | None, *, now: datetime) -> bool:
    """Whether this is the second click of a double click, which is answered with the first one's receipt."""
    if called is None or delivery.action.kind != "click_to_dial":
        return False
    return _waits(called, now=now) or (
        called.state in ("accepted", "unknown") and abs(now - called.created_at) <= SAME_CLICK
    )


def goes_first(other: Delivery, *, now: datetime) -> bool:
    """Whether one that came before is about to be done: not if it is held for later, or until somebody lets it go."""
    return _waits(other, now=now) and (other.state != "held" or other.due_at <= now)


def judge(delivery: Delivery, facts: Facts, *, now: datetime) -> Verdict | None:
    """The first verdict that stops the delivery from being sent now, or None: send it."""
    for policy in STANDING:
        if verdict := policy(delivery, facts, now):
            return honest(delivery, verdict)
    return None


def _do_not_call(delivery: Delivery, facts: Facts, now: datetime) -> Verdict | None:
    """Nothing overrides this one."""
    if not facts.blocked:
        return None
    return suppressed(delivery, "do_not_call", f"the number is on the do-not-call list: {facts.blocked}", now=now)


def _quiet(delivery: Delivery, facts: Facts, now: datetime) -> Verdict | None:
    first = facts.called
    if first is None or first.id == delivery.id or _is_released(delivery):
        return None
    waits = _waits(first, now=now)
    if not waits and not _was_called(first, delivery, now=now):
        return None
    ago = spoken(max(now - (first.created_at if waits else last_called(first)), timedelta()))
    said = "a call to the same number was asked for" if waits else "the same number was called"
    return suppressed(delivery, "quiet.same_number", f"{said} {ago} ago, see {first.id}", now=now)


def _waits(first: Delivery, *, now: datetime) -> bool:
    """Whether it may still be sent: what has grown too old is not, though it may stay where it is for hours."""
    return first.state == "sending" or (first.state in WAITING and now <= first.expires_at)


def _was_called(first: Delivery, delivery: Delivery, *, now: datetime) -> bool:
    """Whether its number was called just now, or ever since this one was asked for: a person may have let it wait."""
    if first.state not in ("accepted", "unknown") and DOUBT not in first.terms:
        return False
    quiet = timedelta(seconds=delivery.terms["quiet"])
    return first.created_at > delivery.created_at or now - last_called(first) < quiet


def _number_per_day(delivery: Delivery, facts: Facts, now: datetime) -> Verdict | None:
    most = delivery.terms.get("number_per_day")
    if not most or facts.number_calls < most or _is_released(delivery):
        return None
    said = f"calls to this number were asked for {facts.number_calls} times within a day, which is the limit"
    return suppressed(delivery, "limits.number_per_day", said, now=now)


def _gate(delivery: Delivery, facts: Facts, now: datetime) -> Verdict | None:
    """A pause holds until somebody ends it; in trouble whatever waits may be what looks whether it is over."""
    gate = facts.gate
    if gate is None or delivery.state == "held":
        return None
    if gate.paused:
        return parked(delivery, "pause", f"dialling is paused {gate.paused}")
    if gate.trouble in HOLDS and is_shut(gate, now=now):
        since = f" since {gate.since:%H:%M %Z}" if gate.since else ""
        return parked(delivery, gate.trouble, HOLDS[gate.trouble] + since, until=gate.probe_at)
    return None


def _per_minute(delivery: Delivery, facts: Facts, now: datetime) -> Verdict | None:
    """The brake for forms that robots have found: what is too much waits a minute, and is looked at again then."""
    most = delivery.terms.get("per_minute")
    if not most or facts.source_requests < most or _is_released(delivery) or delivery.state == "held":
        return None
    said = f"{facts.source_requests} requests to this mapping within a minute, more than it may make calls of"
    if delivery.action.kind == "callback":
        return parked(delivery, "limits.per_minute", said, until=now + MINUTE)
    return suppressed(delivery, "limits.per_minute", said, now=now)


def _turn(delivery: Delivery, facts: Facts, now: datetime) -> Verdict | None:
    """One dial at a time for each agent: whoever waits for the answer is told so, everything else waits its turn."""
    if delivery.state == "held":
        return None
    agent, other = getattr(delivery.action, "agent", ""), facts.on_line
    if facts.ahead is not None:
        reason = f"waits for what came before it for extension {agent}, see {facts.ahead.id} (agent.in_flight)"
        moment = min(max(_after(facts.put_off, now), facts.ahead.due_at + TICK), delivery.expires_at + TICK)
        return _later(delivery, reason, moment)
    if other is None or other.id == delivery.id or other.state != "sending":
        return None
    if delivery.state == "sending" and delivery.action.kind == "click_to_dial":
        said = f"extension {agent} is being rung for another call at this moment, see {other.id}: click again after it"
        return suppressed(delivery, "agent.in_flight", said, now=now)
    reason = f"waits until what is under way for extension {agent} is done (agent.in_flight)"
    return _later(delivery, reason, _after(facts.put_off, now))


def _after(put_off: datetime | None, now: datetime) -> datetime:
    """When to look again, so that those that wait for one line keep their order."""
    return max(now + TURN, put_off + TICK) if put_off else now + TURN


def _later(delivery: Delivery, reason: str, due_at: datetime) -> Verdict:
    return Verdict(
        state="queued", reason=reason, due_at=due_at, expires_at=delivery.expires_at, policy="agent.in_flight"
    )


def _is_released(delivery: Delivery) -> bool:
    """Whether a person said, by name and with a reason, that the limits do not count for this one."""
    return bool(delivery.terms.get("released"))


STANDING: tuple[Callable[[Delivery, Facts, datetime], Verdict | None], ...] = (
    _do_not_call,
    _quiet,
    _number_per_day,
    _gate,
    _per_minute,
    _turn,
)
"""Asked in this order; the first that does not accept decides."""
