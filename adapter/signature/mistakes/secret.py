"""The right secret, read in the wrong way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from adapter.signature.keyed import Keyed
from adapter.signature.mistakes.guess import Guess, Tried

PREFIX = "whsec_"


def _bare(secret: str) -> str:
    return secret.strip().removeprefix(PREFIX)


CHANGES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("without the blanks or line breaks around the secret: set the variable anew without them", str.strip),
    ("without the quotes around the secret: set the variable anew without them", lambda one: one.strip("\"' ")),
    ("with a line break behind the secret: it was pasted into the sender with one", lambda one: one + "\n"),
)
"""What to say -> the secret, to be read as its scheme says."""

READINGS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    (
        "with the secret decoded from base64: the scheme takes it as text; write secret_encoding: base64",
        "base64",
        _bare,
    ),
    ("with the secret decoded from hex: write secret_encoding: hex", "hex", str.strip),
    ("with the secret as plain text: write secret_encoding: utf8", "utf8", str),
    (f"with the secret as plain text without {PREFIX}: leave {PREFIX} away", "utf8", _bare),
)
"""What to say, how to read the secret, and the part of it that counts."""


def of_secret(tried: Tried) -> Iterator[Guess]:
    """The secrets as they are pasted, wrapped and encoded."""
    for said, change in CHANGES:
        secrets = [change(secret) for secret in tried.secrets]
        if secrets != list(tried.secrets):
            yield f"it would match {said}", replace(tried, secrets=secrets)
    scheme = tried.scheme
    if not isinstance(scheme, Keyed):
        return
    for said, encoding, change in READINGS:
        secrets = [change(secret) for secret in tried.secrets]
        if encoding != scheme.secret_encoding or secrets != list(tried.secrets):
            read = replace(scheme, secret_encoding=encoding, secret_prefix="")
            yield f"it would match {said}", replace(tried, scheme=read, secrets=secrets)
