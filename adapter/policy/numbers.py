"""Telephone numbers as keyed hashes: they can be recognised again, and not be read."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

_SALT = "telephone number "


class Numbers:
    """Hashes under each of the keys, newest first: the first writes, all recognise."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys) or ("",)

    def __repr__(self) -> str:
        return f"Numbers({len(self._keys)} keys)"

    def hashes(self, e164: str) -> list[str]:
        """The hashes of a number in E.164, one for each key; the first is the one to write down."""
        return [_hash(key, _SALT + e164) for key in self._keys]

    def key_ids(self) -> list[str]:
        """What tells the keys apart without telling them; the first is the one that writes."""
        return [_hash(key, "which key is this")[:8] for key in self._keys]


def _hash(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()[:40]
