"""Handshakes that were answered: nothing of them is kept, so the log is where a person learns of them."""

from __future__ import annotations

from adapter.handshake import Reply
from adapter.logs import event
from adapter.sources import Source


def told(source: Source, reply: Reply, request_id: str) -> Reply:
    """The reply to a handshake, after it was logged with what a person has to take back to the sender."""
    words = ", ".join(f"{name} {word}" for name, word in reply.told.items()) or None
    event("handshake.answered", mapping=source.mapping.name, request=request_id, handshake=words)
    return reply
