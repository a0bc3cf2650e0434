"""Digests and secrets as text: utf8, hex, base64.

A presented digest is never decoded: the true one is written in every form a sender may use and the texts are
compared, so that one changed character is one mismatch.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from adapter.errors import SchemeError


def _hex_forms(digest: bytes) -> list[bytes]:
    text = digest.hex().encode()
    return [text, text.upper()]


def _base64_forms(digest: bytes) -> list[bytes]:
    text = base64.b64encode(digest)
    return [text, text.rstrip(b"=")]


FORMS: Mapping[str, Callable[[bytes], list[bytes]]] = {"hex": _hex_forms, "base64": _base64_forms}
"""Word of a description -> the digest's written forms, the usual one first."""


def _from_base64(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


SECRETS: Mapping[str, Callable[[bytes], bytes]] = {
    "utf8": bytes,
    "hex": binascii.unhexlify,
    "base64": _from_base64,
}
"""Word of a description -> from the secret's text to the key."""


def secret_key(secret: str, *, encoding: str = "utf8", prefix: str = "") -> bytes:
    """The key a secret's text stands for, at least one byte; raise `SchemeError` when there is none."""
    try:
        key = SECRETS[encoding](secret.removeprefix(prefix).encode())
    except ValueError:
        # Nothing is chained: the original error quotes the secret.
        raise SchemeError("secrets", f"the secret is not {encoding} text; copy it anew from the sender") from None
    if not key:
        raise SchemeError("secrets", "the secret is empty; set the variable that is to hold it")
    return key


def usable_keys(secrets: Sequence[str], key: Callable[[str], bytes] = secret_key) -> list[bytes]:
    """The keys of those secrets that can be used, in their order."""
    keys: list[bytes] = []
    for secret in secrets:
        with suppress(SchemeError):
            keys.append(key(secret))
    return keys
