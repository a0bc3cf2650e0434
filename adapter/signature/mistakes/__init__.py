"""The usual mistakes around a signature, as data: each is tried, and the one that makes the proof hold is told.

Every sentence is ours: nothing of the request, of a secret or of the true signature is in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.signature.mistakes.body import of_body
from adapter.signature.mistakes.clock import of_clock
from adapter.signature.mistakes.guess import Guess, Tried
from adapter.signature.mistakes.header import of_digest, of_header
from adapter.signature.mistakes.reason import of_reason
from adapter.signature.mistakes.secret import of_secret
from adapter.signature.mistakes.sender import of_sender
from adapter.signature.mistakes.shape import of_shape
from adapter.signature.mistakes.token import of_token
from adapter.signature.mistakes.url import of_url

__all__ = ["Guess", "Tried", "guesses", "of_clock", "of_digest", "of_header", "of_reason", "of_sender", "of_token"]


def guesses(tried: Tried) -> Iterator[Guess]:
    """Everything worth trying for a signature, the likeliest first."""
    for kind in (of_sender, of_url, of_secret, of_shape, of_body):
        yield from kind(tried)
