"""Secrets that the request carries as they are: in a header, the query, Basic credentials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.description import Description
from adapter.signature.encoding import FORMS, secret_key
from adapter.signature.material import header, query_of, query_values, with_value
from adapter.signature.proof import Place, Proof


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderToken(Proof):
    """A header that holds the secret, perhaps behind a word such as `Bearer `, whose case does not matter."""

    mismatch: ClassVar[str] = "invalid token"
    name: str
    prefix: bytes

    @property
    def carries(self) -> tuple[Place, ...]:
        return (("header", self.name.lower()),)

    def key(self, secret: str) -> bytes:
        if not secret.isprintable() or secret != secret.strip():
            raise SchemeError("secrets", "the secret has a line break or outer blanks, which no header can carry")
        return secret_key(secret)

    def presented(self, received: Received) -> list[bytes]:
        value = header(received, self.name)
        if value[: len(self.prefix)].lower() != self.prefix.lower():
            raise SignatureError("prefix missing")
        return [value[len(self.prefix) :]]

    def accepted(self, key: bytes, received: Received) -> list[bytes]:
        return [key]

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        token = self.prefix + self.accepted(self.key(secret), received)[0]
        return replace(received, headers={**received.headers, self.name.lower(): token.decode("latin-1")})


@dataclass(frozen=True, kw_only=True, slots=True)
class Basic(HeaderToken):
    """HTTP Basic: the secret is `user:password` (RFC 7617, UTF-8)."""

    mismatch: ClassVar[str] = "wrong credentials"

    def key(self, secret: str) -> bytes:
        if not secret.partition(":")[2]:
            raise SchemeError("secrets", "Basic needs user:password in one text, and the password not empty")
        return secret_key(secret)

    def accepted(self, key: bytes, received: Received) -> list[bytes]:
        return FORMS["base64"](key)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryToken(Proof):
    """A parameter of the URL that holds the secret."""

    mismatch: ClassVar[str] = "invalid token"
    name: str

    @property
    def carries(self) -> tuple[Place, ...]:
        return (("query", self.name),)

    def key(self, secret: str) -> bytes:
        return secret_key(secret)

    def presented(self, received: Received) -> list[bytes]:
        values = query_values(query_of(received), self.name)
        if len(values) != 1:
            raise SignatureError(f"invalid token: query parameter {self.name} must be given once")
        return values

    def accepted(self, key: bytes, received: Received) -> list[bytes]:
        return [key]

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        query = with_value(query_of(received), self.name, self.key(secret))
        return replace(received, url=f"{received.url.partition('?')[0]}?{query}")


def read_header_token(description: Description) -> HeaderToken:
    """A header token; raise `SchemeError`."""
    description.only("scheme", "name", "value_prefix")
    return HeaderToken(name=description.header("name"), prefix=description.optional("value_prefix").encode())


def read_basic(description: Description) -> Basic:
    """Basic credentials; raise `SchemeError`."""
    description.only("scheme")
    return Basic(name="Authorization", prefix=b"Basic ")


def read_query_token(description: Description) -> QueryToken:
    """A query token; raise `SchemeError`."""
    return QueryToken(name=description.only("scheme", "name").text("name"))
