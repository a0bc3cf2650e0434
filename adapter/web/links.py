"""Signed links to the status of a delivery: no login, and an end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from adapter.errors import SignatureError

VALID_FOR = timedelta(days=7)


class Links:
    """Makes and checks status links; `keys` are newest first: the first signs, all verify."""

    def __init__(self, keys: Sequence[str], origin: str) -> None:
        self._origin = origin
        self._signer = URLSafeTimedSerializer(
            list(reversed(keys)), salt="delivery-status", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def status(self, delivery_id: str) -> str:
        """The URL of a delivery's status; without a public URL only its path."""
        return f"{self._origin}/deliveries/{delivery_id}?token={self._signer.dumps(delivery_id)}"

    def check(self, delivery_id: str, token: str) -> None:
        """Raise `SignatureError` unless the token was made for this delivery and has not expired."""
        try:
            named = self._signer.loads(token, max_age=int(VALID_FOR.total_seconds()))
        except SignatureExpired as exc:
            raise SignatureError("this status link has expired") from exc
        except BadSignature as exc:
            raise SignatureError("this status link is not valid") from exc
        if named != delivery_id:
            raise SignatureError("this status link is not valid")
