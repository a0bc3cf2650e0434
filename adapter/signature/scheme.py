"""From a description to a scheme: one word, one reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapter.errors import SchemeError
from adapter.signature.body import read_body_token, read_xml_field
from adapter.signature.combined import AllOf, AnyOf, Combined
from adapter.signature.description import Description, describe
from adapter.signature.ed25519 import read_ed25519
from adapter.signature.guards import GUARDS, Guard
from adapter.signature.jwt import read_jwt
from adapter.signature.keyed import read_digest, read_hmac
from adapter.signature.proof import Scheme
from adapter.signature.token import read_basic, read_header_token, read_query_token


def scheme(data: Mapping[str, Any]) -> Scheme:
    """The scheme that `data` describes; raise `SchemeError` with the key at fault and a remedy.

    Scalars may be JSON's or all text; each reader names the keys it knows.
    """
    return _read(describe(data))


def guard(data: Mapping[str, Any]) -> Guard:
    """The guard that `data` describes; raise `SchemeError`."""
    description = describe(data)
    return GUARDS[description.word("scheme", GUARDS)](description)


def _read(description: Description) -> Scheme:
    return READERS[description.word("scheme", READERS)](description)


def _parts(description: Description) -> tuple[Scheme, ...]:
    described = description.only("scheme", "of").keys.get("of")
    if isinstance(described, str) or not isinstance(described, Sequence) or not described:
        raise SchemeError(description.name("of"), "must be a list of schemes")
    place = description.name("of")
    return tuple(_read(describe(part, at=f"{place}.{index}")) for index, part in enumerate(described))


def _all_of(description: Description) -> Combined:
    return AllOf(parts=tuple(sorted(_parts(description), key=lambda part: part.parses)))


def _any_of(description: Description) -> Combined:
    return AnyOf(parts=_parts(description))


READERS: Mapping[str, Callable[[Description], Scheme]] = {
    "hmac": read_hmac,
    "digest": read_digest,
    "header_token": read_header_token,
    "query_token": read_query_token,
    "body_token": read_body_token,
    "basic": read_basic,
    "xml_field": read_xml_field,
    "all_of": _all_of,
    "any_of": _any_of,
    "ed25519": read_ed25519,
    "jwt": read_jwt,
}
"""The first word of a description -> its reader."""
