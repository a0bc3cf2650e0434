"""Several schemes as one, each asked with the same secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.proof import Place, Scheme


@dataclass(frozen=True, kw_only=True, slots=True)
class Combined(Scheme):
    """Schemes in the order they were described."""

    parts: tuple[Scheme, ...]

    @property
    def covers_url(self) -> bool:
        return any(part.covers_url for part in self.parts)

    @property
    def parses(self) -> bool:
        return any(part.parses for part in self.parts)

    @property
    def carries(self) -> tuple[Place, ...]:
        return tuple(place for part in self.parts for place in part.carries)


class AllOf(Combined):
    """Every part must hold."""

    __slots__ = ()

    def check_secret(self, secret: str) -> None:
        for part in self.parts:
            part.check_secret(secret)

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        for part in self.parts:
            part.verify(secrets, received, now=now)

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        # A token changes the request, a signature may cover that change: so tokens come first.
        for part in sorted(self.parts, key=lambda part: not part.carries):
            received = part.sign(secret, received, now=now, message_id=message_id)
        return received


class AnyOf(Combined):
    """One part is enough; for a sender that changes from one scheme to another."""

    __slots__ = ()

    def check_secret(self, secret: str) -> None:
        refused: list[SchemeError] = []
        for part in self.parts:
            try:
                part.check_secret(secret)
            except SchemeError as exc:
                refused.append(exc)
        if len(refused) == len(self.parts):
            raise refused[0]

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        reasons: list[str] = []
        for part in self.parts:
            try:
                part.verify(secrets, received, now=now)
            except SignatureError as exc:
                reasons.append(exc.reason)
            else:
                return
        raise SignatureError("; ".join(reasons))

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        return self.parts[0].sign(secret, received, now=now, message_id=message_id)
