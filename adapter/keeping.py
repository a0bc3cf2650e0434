"""A request as it is kept: what arrived, without secrets, and an entry for every result."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from adapter import policy
from adapter.mapping import Result, examples
from adapter.mapping.terms import terms
from adapter.model import CallEnded, Delivery, Received
from adapter.payload.redact import redact
from adapter.policy import Numbers
from adapter.policy.verdict import TICK
from adapter.sources import Source
from adapter.store import Arrival, Entry


def new_id(now: datetime) -> str:
    """An id that sorts by time: milliseconds, then chance."""
    return f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(7)}"


def entry(source: Source, index: int, result: Result, request_id: str, numbers: Numbers, *, now: datetime) -> Entry:
    """What is kept of one result: a note, and a delivery where something is to be done."""
    note = {"record": index, "kind": result.kind, "rule": result.rule, "reason": result.reason}
    if isinstance(result.action, CallEnded):
        return Entry(note={**note, "call": result.action.as_dict(), "key": result.key})
    if result.action is None:
        return Entry(note={**note, "field": result.field} if result.field else note)
    delivery = _delivery(source, result, request_id, numbers, now=now)
    return Entry(note=note, delivery=delivery, remember_until=now + result.remember)


def _delivery(source: Source, result: Result, request_id: str, numbers: Numbers, *, now: datetime) -> Delivery:
    """A new delivery as our rules want it: queued, held until the hours open, or expired on arrival."""
    assert result.action is not None
    happened = min(result.sent_at or now, now)
    fresh = Delivery(
        id=new_id(now),
        request_id=request_id,
        mapping=source.mapping.name,
        version=source.mapping.version,
        rule=result.rule,
        tenant=source.mapping.tenant,
        action=result.action,
        key=result.key,
        state="queued",
        reason="",
        deliver=result.deliver,
        if_unknown=result.if_unknown,
        terms=terms(source.mapping, result, hashes=numbers.hashes(result.number) if result.number else []),
        created_at=now,
        updated_at=now,
        due_at=now,
        expires_at=happened + result.fresh_for,
    )
    verdict = policy.decide(fresh, now=now)
    return policy.moved(fresh, verdict, now=now) if verdict else fresh


def queued(entry: Entry, *, ahead: int) -> Entry:
    """The entry for the queue, due before the `ahead` ones behind it, so that a request is done in its own order."""
    delivery = entry.delivery
    if delivery is None:
        return entry
    due_at = delivery.due_at - ahead * TICK if delivery.state == "queued" else delivery.due_at
    return replace(entry, delivery=replace(delivery, deliver="queued", due_at=due_at))


def arrival(source: Source, received: Received, request_id: str, *, now: datetime) -> Arrival:
    """The request as it is kept: without the sender's proofs and without fields its preset names as secret."""
    rules = source.mapping.receive
    kept = redact(
        received,
        kind=examples.kind_of(source.mapping, received),
        headers=rules.drop_headers,
        query=rules.drop_query,
        fields=rules.drop_fields,
    )
    return Arrival(
        id=request_id,
        mapping=source.mapping.name,
        version=source.mapping.version,
        received_at=now,
        method=kept.method,
        url=kept.url,
        headers=dict(kept.headers),
        body=kept.body,
    )
