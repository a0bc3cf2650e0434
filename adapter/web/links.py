"""Signed links to the status of a delivery: no login, and an end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from adapter.errors import SignatureError

VALID_FOR = timedelta(days=7)


class Links:
    """Makes and checks status links; `keys` are newest first: the first signs, all verify."""

    def __init__(self, keys: Sequence[str], origin: str) -> None:
        self._origin = origin
        self._signer = TimestampSigner(list(reversed(keys)), salt="delivery-status", digest_method=hashlib.sha256)

    def status(self, delivery_id: str) -> str:
        """A new URL of a delivery's status."""
        return self.with_token(delivery_id, self._signer.sign(delivery_id).decode())

    def with_token(self, delivery_id: str, token: str) -> str:
        """The URL with a token that is there already, so that looking does not put off its end."""
        return f"{self._origin}/deliveries/{delivery_id}?token={token}"

    def check(self, delivery_id: str, token: str) -> None:
        """Raise `SignatureError` unless the token was made for this delivery and has not expired."""
        try:
            named = self._signer.unsign(token, max_age=int(VALID_FOR.total_seconds()))
        except SignatureExpired as exc:
            raise SignatureError("this status link has expired") from exc
        except BadSignature as exc:
            raise SignatureError("this status link is not valid") from exc
        if named != delivery_id.encode():
            raise SignatureError("this status link is not valid")
