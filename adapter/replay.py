"""Recorded requests that are sent again, where neither the time in a signature nor the key of the event would tell.

A true sender repeats what it could not deliver, byte for byte, and is never refused: as long as the idempotency key
is remembered a repeat is answered with the first receipt. Two kinds of senders need more than that:

- A signature without a time stays good for ever. If the sender never makes two events alike (`unique_body`), its bytes
  can only be a recording once their key is forgotten: they are answered and not done.
- An id that is not signed can be changed by whoever sends a recording, within the time that is signed. The signed
  bytes are remembered without the id and with it: those that come again with another id are answered and not done.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from adapter.mapping import Result
from adapter.model import Received
from adapter.signature.material import query_of, query_values
from adapter.sources import Source
from adapter.store import Store

OLD = Result(kind="skip", reason="the very same request was received long ago: it is not done again")
RENAMED = Result(kind="skip", reason="the very same request was received before under another id: it is not done again")
GONE = Result(
    kind="skip", reason="this event was received before, and what became of it is not kept: it is not done again"
)


def fingerprints(source: Source, received: Received) -> tuple[str, ...]:
    """What a request is remembered by, second with the ids beside its signature; nothing for most senders."""
    proved = received.body if source.mapping.receive.unique_body else _timed(source, received) if source.apart else b""
    if not proved:
        return ()
    ids = repr([_values(received, *place) for place in source.apart]).encode()
    whole = (hashlib.sha256(proved + b"\0" + ids).hexdigest(),) if source.apart else ()
    return (hashlib.sha256(proved).hexdigest(), *whole)


def recorded(store: Store, source: Source, marks: tuple[str, ...], *, now: datetime) -> Result | None:
    """What to answer to a request that must be a recording, by its fingerprints; raises `StoreError`."""
    name = source.mapping.name
    first = store.first_seen(name, marks[0]) if marks else None
    if first is None:
        return None
    if first + source.mapping.once.remember <= now:
        return OLD
    return RENAMED if marks[1:] and store.first_seen(name, marks[1]) is None else None


def _timed(source: Source, received: Received) -> bytes:
    """The bytes that a signature with a time in it was made over."""
    return next(filter(None, (proof.scheme.timed(received) for proof in source.proofs)), b"")


def _values(received: Received, kind: str, name: str) -> list[bytes]:
    if kind == "query":
        return query_values(query_of(received), name)
    return [received.headers.get(name, "").encode("latin-1", "replace")]
