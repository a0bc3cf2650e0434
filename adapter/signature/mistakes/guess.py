"""A check that can be made again with one thing changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapter.errors import SignatureError
from adapter.model import Received
from adapter.signature.proof import Proof, Scheme


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """A proof that was looked for in a request, with the secrets that might have made it."""

    scheme: Scheme
    secrets: Sequence[str] = field(repr=False)
    received: Received

    def holds(self, *, now: datetime) -> bool:
        """Whether one of the secrets is proved; when that was does not matter where it can be told apart."""
        try:
            if isinstance(self.scheme, Proof):
                self.scheme.prove(self.secrets, self.received)
            else:
                self.scheme.verify(self.secrets, self.received, now=now)
        except SignatureError:
            return False
        return True

    def at(self, url: str) -> Tried:
        """The same request to another URL."""
        return replace(self, received=replace(self.received, url=url))

    def saying(self, body: bytes) -> Tried:
        """The same request with another body."""
        return replace(self, received=replace(self.received, body=body))


Guess = tuple[str, Tried]
"""What to say when the changed check holds."""
