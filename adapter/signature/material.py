"""The bytes a signature is made over, put together from the request as it was received.

Nothing is parsed and written again: a timestamp, an id or a header goes in as its own bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.description import header_name

_BRACES = re.compile(r"\{([^{}]*)\}")
_HUBSPOT_ESCAPES = re.compile(rb"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)")


def wire(text: str) -> bytes:
    """The bytes behind a header or a URL; raise `SignatureError` when no server can have received it."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as exc:
        raise SignatureError("characters that no request can hold") from exc


def header(received: Received, name: str) -> bytes:
    """The value of a header; raise `SignatureError` when it is not there."""
    value = received.headers.get(name.lower())
    if value is None:
        raise SignatureError(f"missing header {name}")
    return wire(value)


def query_of(received: Received) -> str:
    """The raw query of the URL."""
    return received.url.partition("?")[2]


def query_values(query: str, name: str) -> list[bytes]:
    """Every value that a raw query or form gives to `name`, percent-decoded."""
    raw = name.encode().decode("latin-1")
    pairs = parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    return [wire(value) for key, value in pairs if key == raw]


def with_value(query: str, name: str, value: bytes) -> str:
    """A raw query or form that gives `name` this value, and everything else as before."""
    others = [pair for pair in query.split("&") if pair and not query_values(pair, name)]
    return "&".join([*others, f"{quote(name, safe='')}={quote(value, safe='')}"])


def _hubspot(url: bytes) -> bytes:
    # The page's own table of twelve, nothing else: %20, %26, %3D and %2B stay as they are.
    # https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
    return _HUBSPOT_ESCAPES.sub(lambda escape: unquote_to_bytes(escape[0]), url)


URL_FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "hubspot": _hubspot,
    "percent": unquote_to_bytes,
}
"""Word of `url.decode` -> the URL as the sender may have signed it."""


ALONE = ("method", "url", "body", "timestamp", "id", "secret")
NAMED = ("header", "query")


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What the pieces of a template are taken from."""

    received: Received
    url: bytes
    timestamp: bytes
    id: bytes
    secret: bytes


def _query(material: Material, name: str) -> bytes:
    values = query_values(query_of(material.received), name)
    if len(values) != 1:
        raise SignatureError(f"query parameter {name} must be given once")
    return values[0]


_TAKE: Mapping[str, Callable[[Material, str], bytes]] = {
    "text": lambda _, text: text.encode(),
    "method": lambda material, _: wire(material.received.method),
    "url": lambda material, _: material.url,
    "body": lambda material, _: material.received.body,
    "timestamp": lambda material, _: material.timestamp,
    "id": lambda material, _: material.id,
    "secret": lambda material, _: material.secret,
    "header": lambda material, name: header(material.received, name),
    "query": _query,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A template such as `v0:{timestamp}:{body}`, read."""

    pieces: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        texts = (
            text if kind == "text" else f"{{{kind}:{text}}}" if text else f"{{{kind}}}" for kind, text in self.pieces
        )
        return "".join(texts)

    @property
    def names(self) -> frozenset[str]:
        """The kinds of pieces in it."""
        return frozenset(kind for kind, _ in self.pieces)

    def render(self, material: Material) -> bytes:
        """The bytes to sign; raise `SignatureError` when the request lacks a part."""
        return b"".join(_TAKE[kind](material, argument) for kind, argument in self.pieces)


def content(key: str, text: str) -> Content:
    """The template written in `text`; raise `SchemeError` for `key` when it is written wrongly."""
    parts = enumerate(_BRACES.split(text))  # text between the pieces at even places, pieces at odd ones
    pieces = [_piece(key, part) if index % 2 else _literal(key, part) for index, part in parts]
    return Content(pieces=tuple(piece for piece in pieces if piece != ("text", "")))


def _literal(key: str, text: str) -> tuple[str, str]:
    if "{" in text or "}" in text:
        raise SchemeError(key, "a brace stands alone; write a piece of the request as {body}")
    return "text", text


def _piece(key: str, text: str) -> tuple[str, str]:
    kind, _, name = text.partition(":")
    if text in ALONE:
        return text, ""
    if kind in NAMED and name:
        return kind, header_name(key, name) if kind == "header" else name
    choices = ", ".join([f"{{{word}}}" for word in ALONE] + [f"{{{word}:Name}}" for word in NAMED])
    raise SchemeError(key, f"unknown piece {{{text}}}; use one of: {choices}")
