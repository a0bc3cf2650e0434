"""Recorded requests that are sent again, where a signature carries no time that would tell.

A true sender repeats what it could not deliver, byte for byte, and is never refused: as long as the idempotency key
is remembered a repeat is answered with the first receipt. Later the same bytes can only be a recording, if the
sender never makes two events alike (`unique_body`): they are answered and not done.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from adapter.mapping import Result
from adapter.model import Received
from adapter.sources import Source
from adapter.store import Store

OLD = Result(kind="skip", reason="the very same request was received long ago: it is not done again")
GONE = Result(
    kind="skip", reason="this event was received before, and what became of it is not kept: it is not done again"
)


def fingerprint(source: Source, received: Received) -> str:
    """What the body is remembered by; empty for a sender whose events may be alike."""
    return hashlib.sha256(received.body).hexdigest() if source.mapping.receive.unique_body else ""


def is_old(store: Store, source: Source, mark: str, *, now: datetime) -> bool:
    """Whether this body came before and its key may be forgotten by now; raises `StoreError`."""
    first = store.first_seen(source.mapping.name, mark) if mark else None
    return first is not None and first + source.mapping.once.remember <= now
