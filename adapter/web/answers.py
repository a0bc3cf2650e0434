"""Answers that are no receipts: what a handshake wants to hear."""

from __future__ import annotations

from flask import Response

from adapter.handshake import Reply


def replied(reply: Reply) -> Response:
    """The answer to a handshake."""
    return Response(reply.body, reply.status, headers=dict(reply.headers), content_type=reply.content_type)
