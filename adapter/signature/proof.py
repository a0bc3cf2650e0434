"""What every scheme can do, and the one place where something secret is compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from hmac import compare_digest
from typing import ClassVar, Literal

from adapter.errors import SignatureError
from adapter.model import Received
from adapter.signature.encoding import usable_keys

Place = tuple[Literal["header", "query", "body"], str]


class Scheme(ABC):
    """One way in which a sender proves who it is."""

    __slots__ = ()

    @property
    def covers_url(self) -> bool:
        """Whether the proof depends on the public URL, so that it must be known."""
        return False

    @property
    def parses(self) -> bool:
        """Whether the body is parsed to find the proof: then it is asked last, when all that cost less have held."""
        return False

    @property
    def carries(self) -> tuple[Place, ...]:
        """Where the secret itself stands in a request: nothing found there may be stored."""
        return ()

    def covers(self, kind: str, name: str) -> bool:
        """Whether this header or query parameter cannot be changed without breaking the proof."""
        return False

    def timed(self, received: Received) -> bytes:
        """What a proof with a time in it was made over, of a request that was verified; nothing for other schemes."""
        return b""

    @abstractmethod
    def check_secret(self, secret: str) -> None:
        """Raise `SchemeError` unless this secret can be used."""

    @abstractmethod
    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        """Raise `SignatureError` unless one of the secrets is proved."""

    @abstractmethod
    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        """The request with the proof added; raise `SchemeError` when this cannot be done."""


class Proof(Scheme):
    """A scheme whose request presents bytes that must equal what a secret would give."""

    __slots__ = ()
    mismatch: ClassVar[str] = "signature mismatch"

    @abstractmethod
    def key(self, secret: str) -> bytes:
        """The secret as bytes, never empty; raise `SchemeError` when it cannot be used."""

    @abstractmethod
    def presented(self, received: Received) -> list[bytes]:
        """What the request shows, any of which may match; raise `SignatureError` when it shows nothing."""

    @abstractmethod
    def accepted(self, key: bytes, received: Received) -> list[bytes]:
        """Every form of the true proof, the one a sender would write first."""

    def check_secret(self, secret: str) -> None:
        self.key(secret)

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        self.prove(secrets, received)

    def prove(self, secrets: Sequence[str], received: Received) -> None:
        """Raise `SignatureError` unless one of the secrets is proved, at whatever time that was."""
        presented = self.presented(received)
        accepted = [form for key in self._keys(secrets) for form in self.accepted(key, received)]
        if not accepted:
            raise SignatureError("no usable secret")
        # All pairs, always: the time a refusal takes must not tell which secret was near.
        matches = [compare_digest(shown, form) for shown in presented for form in accepted]
        if not any(matches):
            raise SignatureError(self.mismatch)

    def _keys(self, secrets: Sequence[str]) -> list[bytes]:
        return usable_keys(secrets, self.key)
