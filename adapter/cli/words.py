"""What a sender preset says, in words for a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from adapter import handshake as shakes
from adapter.condition import Condition, Test
from adapter.handshake import Handshake

PIECES = {
    "timestamp": "the time",
    "body": "the body",
    "id": "the id",
    "method": "the method",
    "url": "the URL",
    "secret": "the secret",
}
"""The names in the content of a signature, in words."""

KINDS = {"hmac": "an HMAC-{algorithm}", "digest": "a plain {algorithm} hash", "ed25519": "an ed25519 signature"}
TESTS: Mapping[str, Callable[[Any], str]] = {
    "present": lambda wanted: "is there" if wanted else "is missing",
    "is": lambda wanted: f"is {wanted}",
    "is_not": lambda wanted: f"is not {wanted}",
    "in": lambda wanted: f"is one of {', '.join(wanted)}",
    "not_in": lambda wanted: f"is none of {', '.join(wanted)}",
    "contains": lambda wanted: f"contains {wanted}",
}
"""The operators that presets use; others are shown as they are written."""

HANDSHAKES: Mapping[type[Handshake], str] = {
    shakes.GetEcho: "it asks with GET and the secret; the word it sends is sent back",
    shakes.GetHmac: "it asks with GET and a code; the code's signature is sent back",
    shakes.PostJsonEcho: "it posts one word; the word is sent back",
    shakes.PostHeaderEcho: "it sends a header; the same header is sent back",
    shakes.PostPing: "it posts a ping; it hears 200 and nothing is kept",
    shakes.PostByHand: "it posts a word that you have to take back to it by hand; the adapter's log has it",
}


def proof(verify: Mapping[str, Any]) -> str:
    """How the sender proves who it is; `verify` is the description of its scheme."""
    return PROOFS[verify["scheme"]](verify)


def _token(verify: Mapping[str, Any]) -> str:
    before = f', behind "{verify["value_prefix"]}"' if "value_prefix" in verify else ""
    return f"the secret itself, in the header {verify.get('name', 'that you name')}{before}"


def _keyed(verify: Mapping[str, Any]) -> str:
    return ". ".join(_sentences(verify))


def _sentences(verify: Mapping[str, Any]) -> Iterator[str]:
    kind = KINDS[verify["scheme"]].format(algorithm=verify.get("algorithm", "").upper())
    behind = f', behind "{verify["prefix"]}"' if "prefix" in verify else ""
    where = f"in {verify['encoding']}, in the header {verify['header']}"
    yield f"{kind} over {_content(verify['content'])}, {where}{behind}"
    if verify.get("secret_encoding", "utf8") != "utf8":
        prefix = f" behind {verify['secret_prefix']}" if "secret_prefix" in verify else ""
        yield f"The secret is {verify['secret_encoding']}{prefix}"
    if "timestamp" in verify:
        yield f"A request whose time is more than {verify['timestamp'].get('tolerance', 300)} seconds off is refused"
    if "{url}" in verify["content"]:
        yield "It covers the URL: ADAPTER_PUBLIC_URL has to be what the sender calls"


def _content(content: str) -> str:
    """`{timestamp}.{body}` as `the time, ".", the body`."""
    pieces = [piece for piece in re.split(r"(\{[^}]+\})", content) if piece]
    return ", ".join(PIECES.get(piece[1:-1], piece[1:-1]) if piece[0] == "{" else f'"{piece}"' for piece in pieces)


def _jwt(verify: Mapping[str, Any]) -> str:
    covers = "covers" if "body_hash_claim" in verify else "does not cover"
    token = f"a JSON web token ({', '.join(verify['algorithms'])})"
    return f"{token} in the header {verify['header']}, which {covers} the body"


PROOFS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "hmac": _keyed,
    "digest": _keyed,
    "ed25519": _keyed,
    "jwt": _jwt,
    "header_token": _token,
    "query_token": lambda verify: f"the secret itself, in the URL as ?{verify.get('name', 'NAME')}=",
    "body_token": lambda verify: f"the secret itself, in the field {verify.get('path', 'that you name')} of the body",
    "basic": lambda verify: "a user name and a password (HTTP Basic); the secret is user:password",
    "xml_field": lambda verify: f"an identifier in the field {verify['path']}, which is no secret: add a second proof",
    "all_of": lambda verify: "; and ".join(proof(one) for one in verify["of"]),
    "any_of": lambda verify: "; or ".join(proof(one) for one in verify["of"]),
}
"""The schemes -> their words."""


def conditions(given: Iterable[Condition]) -> str:
    """Conditions that all must hold."""
    return " and ".join(_condition(one) for one in given)


def _condition(one: Condition) -> str:
    if isinstance(one, Test):
        plain = TESTS.get(one.operator)
        return f"{one.field} {plain(one.wanted) if plain else f'{one.operator} {one.wanted}'}"
    inside = (" and " if one.word == "all" else " or ").join(_condition(member) for member in one.members)
    return f"not ({inside})" if one.word == "not" else f"({inside})"


def handshake(one: Handshake) -> str:
    """What the sender asks before it sends."""
    return HANDSHAKES[type(one)]
