"""Signatures over the request: HMAC, and the plain digests of HubSpot v1 and v2."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter.errors import SchemeError
from adapter.model import Received
from adapter.signature import material
from adapter.signature.description import Description
from adapter.signature.encoding import FORMS, SECRETS, secret_key
from adapter.signature.layout import Items, Layout, layout
from adapter.signature.moment import UNITS, Clock
from adapter.signature.proof import Proof

ALGORITHMS = ("sha256", "sha1", "sha512")


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyed(Proof):
    """A hash over `content`, keyed by the secret; `plain` when the content holds the secret instead."""

    plain: bool
    header: str
    algorithm: str
    encoding: str
    secret_encoding: str
    secret_prefix: str
    layout: Layout
    content: material.Content
    url_forms: tuple[str, ...]
    id_header: str
    clock: Clock | None

    @property
    def covers_url(self) -> bool:
        return "url" in self.content.names

    def covers(self, kind: str, name: str) -> bool:
        signed = {("header", self.id_header), ("header", self.clock.header if self.clock else "")}
        signed |= set(self.content.pieces)
        named = {(piece, argument.lower() if piece == "header" else argument) for piece, argument in signed}
        return (kind, name.lower() if kind == "header" else name) in named or (kind == "query" and self.covers_url)

    def timed(self, received: Received) -> bytes:
        # The last form of the URL has the most escapes taken back, so that no other spelling makes another event.
        return self.signed(b"", received, self._urls(received)[-1], self.timestamp(received)) if self.clock else b""

    def key(self, secret: str) -> bytes:
        return secret_key(secret, encoding=self.secret_encoding, prefix=self.secret_prefix)

    def presented(self, received: Received) -> list[bytes]:
        return self.layout.signatures(material.header(received, self.header))

    def accepted(self, key: bytes, received: Received) -> list[bytes]:
        timestamp = self.timestamp(received)
        return [form for url in self._urls(received) for form in self._forms(key, received, url, timestamp)]

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        self.prove(secrets, received)
        if self.clock:  # only now is the timestamp the sender's word
            self.clock.check(self.timestamp(received), now=now)

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        timestamp = self.clock.write(now) if self.clock else b""
        headers = dict(received.headers)
        if self.id_header:
            headers[self.id_header.lower()] = message_id
        if self.clock and self.clock.header:
            headers[self.clock.header.lower()] = timestamp.decode()
        unsigned = replace(received, headers=headers)
        signature = self._forms(self._signing_key(secret), unsigned, self._urls(received)[0], timestamp)[0]
        signed = self.layout.write(signature, timestamp).decode("latin-1")
        return replace(received, headers=headers | {self.header.lower(): signed})

    def timestamp(self, received: Received) -> bytes:
        """The moment as the sender wrote it, empty when it writes none; raise `SignatureError` when it is missing."""
        if isinstance(self.layout, Items) and self.layout.ts_key:
            return self.layout.timestamp(material.header(received, self.header))
        return material.header(received, self.clock.header) if self.clock else b""

    def _urls(self, received: Received) -> list[bytes]:
        if not self.covers_url:
            return [b""]
        url = material.wire(received.url)
        return list(dict.fromkeys(material.URL_FORMS[form](url) for form in self.url_forms))

    def signed(self, key: bytes, received: Received, url: bytes, timestamp: bytes) -> bytes:
        """The bytes the signature is made over; raise `SignatureError` when the request lacks a part."""
        message_id = material.header(received, self.id_header) if self.id_header else b""
        parts = material.Material(received=received, url=url, timestamp=timestamp, id=message_id, secret=key)
        return self.content.render(parts)

    def _signing_key(self, secret: str) -> bytes:
        return self.key(secret)

    def _forms(self, key: bytes, received: Received, url: bytes, timestamp: bytes) -> list[bytes]:
        signed = self.signed(key, received, url, timestamp)
        if self.plain:
            return FORMS[self.encoding](hashlib.new(self.algorithm, signed).digest())
        return FORMS[self.encoding](hmac.digest(key, signed, self.algorithm))


def read_hmac(description: Description) -> Keyed:
    """An HMAC; raise `SchemeError`."""
    return _read(description, plain=False)


def read_digest(description: Description) -> Keyed:
    """A plain hash over content that holds the secret; raise `SchemeError`."""
    return _read(description, plain=True)


def _read(description: Description, *, plain: bool) -> Keyed:
    parts = read_parts(description, "algorithm", plain=plain)
    return Keyed(algorithm=description.word("algorithm", ALGORITHMS), **parts)


def read_parts(description: Description, *further: str, plain: bool) -> dict[str, Any]:
    """The fields of every scheme that covers a template but its algorithm; raise `SchemeError`."""
    description.only(
        *("scheme", "header", *further, "encoding", "secret_encoding", "secret_prefix", "prefix"),
        *("header_format", "content", "id", "timestamp", "url"),
    )
    content = material.content(description.name("content"), description.text("content"))
    _check_content(description, content, plain=plain)
    shape = layout(description)
    return {
        "plain": plain,
        "header": description.header("header"),
        "encoding": description.word("encoding", FORMS),
        "secret_encoding": description.word("secret_encoding", SECRETS, "utf8"),
        "secret_prefix": description.optional("secret_prefix"),
        "layout": shape,
        "content": content,
        "url_forms": _url_forms(description),
        "id_header": _id_header(description),
        "clock": _clock(description, in_signature=isinstance(shape, Items) and bool(shape.ts_key)),
    }


def _check_content(description: Description, content: material.Content, *, plain: bool) -> None:
    at = description.name("content")
    if plain and "secret" not in content.names:
        raise SchemeError(at, "without {secret} anybody could make this digest; put {secret} into it")
    if not plain and "secret" in content.names:
        raise SchemeError(at, "hmac is keyed by the secret already; take {secret} out, or use scheme: digest")
    if not content.names - {"text", "secret"}:
        raise SchemeError(at, "every request would have the same signature; put {body} into it")
    for key in ("id", "timestamp"):
        if key in content.names and not description.has(key):
            raise SchemeError(description.name(key), f"content has {{{key}}}; say here which header it is in")
    for key in ("id", "timestamp", "url"):
        if description.has(key) and key not in content.names:
            raise SchemeError(description.name(key), f"is not signed, so it proves nothing; put {{{key}}} into content")


def _url_forms(description: Description) -> tuple[str, ...]:
    url = description.group("url")
    return url.only("decode").words("decode", material.URL_FORMS, "none") if url else ("none",)


def _id_header(description: Description) -> str:
    group = description.group("id")
    return group.only("header").header("header") if group else ""


def _clock(description: Description, *, in_signature: bool) -> Clock | None:
    group = description.group("timestamp")
    if group is None and in_signature:
        raise SchemeError(description.name("timestamp"), "ts_key names a time; say its unit here")
    if group is None:
        return None
    group.only("header", "unit", "tolerance")
    if in_signature and group.has("header"):
        raise SchemeError(group.name("header"), "the time stands beside the signature (ts_key); take one of them out")
    return Clock(
        header="" if in_signature else group.header("header"),
        unit=group.word("unit", UNITS),
        tolerance=group.number("tolerance", 300, most=86_400),
    )
