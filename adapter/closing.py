"""Calls that ended: the end of each is told of the delivery that dialled it, once, if that one can be found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapter.mapping import Result
from adapter.metrics import CALLS_ENDED
from adapter.model import CallEnded
from adapter.policy.ended import Call, Match
from adapter.sources import Source
from adapter.store import Store

Made = Sequence[tuple[int, Result]]
ENDED = "ended"
"""The outcome of a call of which nothing more is said."""
WORDS = frozenset(
    {ENDED, "connected", "no_answer", "busy", "voicemail", "failed", "cancelled", "rejected", "unreachable"}
)
"""Outcomes that a metric tells apart; a mapping may use others."""
NOTHING: Mapping[str, str] = {
    "unmatched": "no dial to this number by this agent in that time",
    "undecided": "several dials to this number by this agent are as near in time, so nobody can tell which it was",
    "known": "how the dial to this number by this agent ended in that time is known already",
    "repeated": "this call was told before",
}


def settled(store: Store, source: Source, made: Made, *, now: datetime) -> list[tuple[int, Result]]:
    """The results, those of ended calls with what they were found to be; raises `StoreError`."""
    return [(index, _settled(store, source, result, now=now)) for index, result in made]


def _settled(store: Store, source: Source, result: Result, *, now: datetime) -> Result:
    if not isinstance(result.action, CallEnded):
        return result
    call = _call(source, result, result.action, now=now)
    found = store.outcomes.settle(call)
    CALLS_ENDED.labels(source.mapping.name, label(call, found)).inc()
    if found.kind != "matched":
        return replace(result, kind="skip", reason=NOTHING[found.kind])
    among = f", the nearest of {found.fits} dials" if found.fits > 1 else ""
    reason = f"the call of delivery {found.delivery_id} is {call.outcome}, matched by number and time{among}"
    return replace(result, kind="noted", reason=reason)


def label(call: Call, found: Match) -> str:
    """What a metric calls it: an outcome that we know, `other`, or why it was told of no delivery."""
    if found.kind != "matched":
        return found.kind
    return call.outcome if call.outcome in WORDS else "other"


def _call(source: Source, result: Result, told: CallEnded, *, now: datetime) -> Call:
    """The call with what makes it known again: the mapping's own key, else its end, else the whole request."""
    own_key = source.mapping.once.own or told.ended_at is not None
    key = result.key if source.mapping.once.own or not told.ended_at else f"{told.agent} {told.number} {told.ended_at}"
    return Call(
        tenant=source.mapping.tenant,
        agent=told.agent,
        number=told.number,
        outcome=told.outcome or ENDED,
        key=hashlib.sha256(f"{source.mapping.name} {key}".encode()).hexdigest(),
        own_key=own_key,
        told_at=now,
        duration=None if told.duration is None else timedelta(seconds=int(told.duration)),
        ended_at=datetime.fromisoformat(told.ended_at) if told.ended_at else None,
    )
