"""A secret that is sent as it is: written differently, or put into the wrong place."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hmac import compare_digest
from itertools import islice
from urllib.parse import parse_qsl, unquote_to_bytes

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.body import OrganizationField
from adapter.signature.material import query_of
from adapter.signature.proof import Place, Proof
from adapter.signature.token import Basic, HeaderToken

MOST_PLACES = 40


def of_token(scheme: Proof, secrets: Sequence[str], received: Received) -> Iterator[str]:
    """What is wrong with a secret that the request carries, in sentences."""
    if isinstance(scheme, HeaderToken):
        yield from _of_header(scheme, received)
    if isinstance(scheme, Basic):
        yield from _of_credentials(secrets, _presented(scheme, received))
    elif isinstance(scheme, OrganizationField):
        yield from _of_organization(_keys(scheme, secrets), _presented(scheme, received))
    else:
        yield from _elsewhere(_keys(scheme, secrets), received)


def _of_header(scheme: HeaderToken, received: Received) -> Iterator[str]:
    value = received.headers.get(scheme.name.lower())
    if value is None:
        yield f"the header {scheme.name} is missing: the sender does not send it, or a proxy drops it"
    elif not value.lower().startswith(scheme.prefix.decode().lower()):
        yield f"the header {scheme.name} does not begin with {scheme.prefix.decode().strip()} and a blank"


def _of_credentials(secrets: Sequence[str], shown: bytes) -> Iterator[str]:
    """Whether the user at least is the right one."""
    user = colon = b""
    with suppress(ValueError):
        user, colon, _ = base64.b64decode(shown + b"==").partition(b":")
    if shown and not colon:
        yield "what stands behind Basic is not user:password in base64"
    elif shown:
        same = [compare_digest(user, secret.partition(":")[0].encode("utf-8", "replace")) for secret in secrets]
        yield "the user is right, the password is not" if any(same) else "it is another user than the secret names"


def _of_organization(keys: Sequence[bytes], shown: bytes) -> Iterator[str]:
    if any(shown.lower() == key.lower() for key in keys):
        yield "only the capitals of the organisation id differ, and they count: copy it anew"
    elif shown:
        yield "it comes from another organisation, perhaps a sandbox: the id stands in Setup, Company Information"


def _elsewhere(keys: Sequence[bytes], received: Received) -> Iterator[str]:
    """Where else in the request one of the secrets stands, or how else it is written where it belongs."""
    for place, value in islice(_places(received), MOST_PLACES):
        plain = value.strip(b" \"'")
        for said, form in (
            ("", plain),
            (" percent-encoded", unquote_to_bytes(plain)),
            (" behind a word", _last(plain)),
        ):
            if True in [compare_digest(form, key) for key in keys]:
                blanks = " with blanks or quotes around it" if plain != value else ""
                yield f"the right secret stands in the {' '.join(place)}{said}{blanks}: not as this mapping wants it"
                return


def _places(received: Received) -> Iterator[tuple[Place, bytes]]:
    for name, value in parse_qsl(query_of(received), keep_blank_values=True, encoding="latin-1"):
        yield ("query", name), _raw(value)
    for name, value in received.headers.items():
        yield ("header", name), _raw(value)


def _raw(text: str) -> bytes:
    return text.encode("latin-1", "ignore")


def _last(value: bytes) -> bytes:
    return value.rpartition(b" ")[2]


def _presented(scheme: Proof, received: Received) -> bytes:
    try:
        return scheme.presented(received)[0]
    except SignatureError:
        return b""


def _keys(scheme: Proof, secrets: Sequence[str]) -> list[bytes]:
    keys = []
    for secret in secrets:
        with suppress(SchemeError):
            keys.append(scheme.key(secret))
    return keys
