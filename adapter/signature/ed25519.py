"""Signatures made with a key pair: the secret of the mapping is the sender's public key.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (v1a, whpk_, whsk_)
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.description import Description
from adapter.signature.encoding import FORMS, SECRETS, secret_key
from adapter.signature.keyed import Keyed, read_parts

PRIVATE = "whsk_"
"""In front of a private key, which is what signs; it may be configured where a public one could be."""
MOST_SIGNATURES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Ed25519(Keyed):
    """A signature over `content`, checked with a public key of 32 bytes."""

    def key(self, secret: str) -> bytes:
        """The public key, that of a private one too."""
        if secret.startswith(PRIVATE):
            return self._private(secret).public_key().public_bytes_raw()
        key = secret_key(secret, encoding=self.secret_encoding, prefix=self.secret_prefix)
        if len(key) != 32:
            raise SchemeError("secrets", "a public key of ed25519 has 32 bytes; copy it anew from the sender")
        if len(set(key)) < 4:  # all zeros, for one, is a key for which anybody can sign
            raise SchemeError("secrets", "this is a placeholder and no public key; copy the key from the sender")
        return key

    def prove(self, secrets: Sequence[str], received: Received) -> None:
        shown = list(self._shown(received))
        keys = [Ed25519PublicKey.from_public_bytes(key) for key in self._keys(secrets)]
        if not keys:
            raise SignatureError("no usable secret")
        timestamp = self.timestamp(received)
        signed = [self.signed(b"", received, url, timestamp) for url in self._urls(received)]
        if not any(_holds(key, one, text) for key in keys for one in shown for text in signed):
            raise SignatureError(self.mismatch)

    def _shown(self, received: Received) -> Iterator[bytes]:
        presented = self.presented(received)
        if len(presented) > MOST_SIGNATURES:
            raise SignatureError("too many signatures")
        for text in presented:
            with suppress(binascii.Error):  # what cannot be read matches nothing
                shown = SECRETS[self.encoding](text)
                if text in FORMS[self.encoding](shown):  # the last digit of base64 has bits that decoding passes over
                    yield shown

    def _forms(self, key: bytes, received: Received, url: bytes, timestamp: bytes) -> list[bytes]:
        signer = Ed25519PrivateKey.from_private_bytes(key)
        return FORMS[self.encoding](signer.sign(self.signed(b"", received, url, timestamp)))

    def _signing_key(self, secret: str) -> bytes:
        if not secret.startswith(PRIVATE):
            raise SchemeError("secrets", f"a public key cannot sign; to send tests set a private one ({PRIVATE}...)")
        return self._private(secret).private_bytes_raw()

    def _private(self, secret: str) -> Ed25519PrivateKey:
        # Some write the public key behind the private one: 64 bytes.
        key = secret_key(secret, encoding=self.secret_encoding, prefix=PRIVATE)
        if len(key) not in (32, 64):
            raise SchemeError("secrets", "a private key of ed25519 has 32 or 64 bytes; copy it anew")
        return Ed25519PrivateKey.from_private_bytes(key[:32])


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def read_ed25519(description: Description) -> Ed25519:
    """A signature with a key pair; raise `SchemeError`."""
    return Ed25519(algorithm="ed25519", **read_parts(description, plain=False))
