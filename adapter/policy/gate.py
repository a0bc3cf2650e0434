"""A tenant's gate: is it paused, is Xima away or refusing it, how much may leave at this moment.

One gate a tenant is kept in the store, so that all processes agree; what follows from it is worked out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from adapter.model import Evidence

Trouble = Literal["", "away", "token", "egress_cap"]

AFTER_FAILURES = 3
"""So many tries in a row that did not reach Xima shut the gate."""
PROBES: Mapping[Trouble, timedelta] = {
    "": timedelta(),
    "away": timedelta(seconds=3),
    "token": timedelta(seconds=30),
    "egress_cap": timedelta(minutes=5),
}
"""How long a shut gate lets nothing through; then one delivery goes to see whether all is well again."""
SET_BACK = timedelta(minutes=1)
"""A moment that long before a gate was shut, or its tokens were counted, is one of a clock that was set back; what came
just before is not."""
HOLDS: Mapping[Trouble, str] = {
    "token": "Xima does not accept the token of the tenant's Service User",
    "egress_cap": "the tenant is over its traffic limit at Xima",
}
"""Troubles in which new work is held; while Xima is only away it stays in the queue."""
TROUBLES: Mapping[Trouble, str] = {"away": "Xima cannot be reached", **HOLDS}
_BY_EVIDENCE: Mapping[Evidence, Trouble] = {Evidence.UNAUTHORIZED: "token", Evidence.OVER_CAP: "egress_cap"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """The gate of one tenant; `paused` says who paused it and why, empty when nobody did."""

    tenant: str
    paused: str = ""
    trouble: Trouble = ""
    failures: int = 0
    since: datetime | None = None
    probe_at: datetime | None = None
    tokens: float = 0.0
    tokens_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How much may leave for a tenant: `per_second` on average, at most `burst` at once."""

    per_second: float
    burst: int


def is_shut(gate: Gate, *, now: datetime) -> bool:
    """Whether nothing at all may pass at this moment."""
    if gate.paused or not gate.trouble or gate.probe_at is None:
        return bool(gate.paused)
    return gate.probe_at - PROBES[gate.trouble] - SET_BACK <= now < gate.probe_at


def passing(gate: Gate, rate: Rate | None, *, now: datetime, most: int) -> int:
    """How many deliveries may pass now: none, one that probes, or what the rate has left."""
    if is_shut(gate, now=now):
        return 0
    if gate.trouble:
        return min(1, most)
    return most if rate is None else min(most, int(_filled(gate, rate, now=now)))


def passed(gate: Gate, rate: Rate | None, count: int, *, now: datetime) -> Gate:
    """The gate after `count` deliveries passed: a probe is under way, tokens are used up."""
    if gate.trouble and count:
        gate = replace(gate, probe_at=now + PROBES[gate.trouble])
    if rate is None:
        return gate
    return replace(gate, tokens=_filled(gate, rate, now=now) - count, tokens_at=now)


def delays(gate: Gate, rate: Rate | None, *, now: datetime, within: timedelta) -> bool:
    """Whether the rate may be what kept something waiting lately: its bucket was not full all the time."""
    if rate is None or gate.tokens_at is None:
        return False
    full_at = gate.tokens_at + timedelta(seconds=(rate.burst - gate.tokens) / rate.per_second)
    return now - within < full_at


def after(gate: Gate, evidence: Evidence, *, now: datetime) -> Gate:
    """The gate after an exchange with Xima: any answer opens it, but those that say that all would get the same."""
    if trouble := _BY_EVIDENCE.get(evidence):
        return _shut(gate, trouble, now=now)
    if evidence is not Evidence.NOT_SENT:
        return opened(gate)
    gate = replace(gate, failures=gate.failures + 1)
    return _shut(gate, gate.trouble or "away", now=now) if gate.failures >= AFTER_FAILURES else gate


def opened(gate: Gate) -> Gate:
    """The gate without trouble; a pause stays."""
    return replace(gate, trouble="", failures=0, since=None, probe_at=None)


def _shut(gate: Gate, trouble: Trouble, *, now: datetime) -> Gate:
    since = gate.since if gate.trouble == trouble else now
    return replace(gate, trouble=trouble, since=since, probe_at=now + PROBES[trouble])


def _filled(gate: Gate, rate: Rate, *, now: datetime) -> float:
    if gate.tokens_at is None or now < gate.tokens_at - SET_BACK:
        return float(rate.burst)
    waited = max((now - gate.tokens_at).total_seconds(), 0.0)
    return min(float(rate.burst), gate.tokens + waited * rate.per_second)
