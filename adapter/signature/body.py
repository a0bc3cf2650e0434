"""Proofs that stand in the body: a token, or the identifier of a Salesforce organisation.

These are the only schemes for which a body is parsed before its sender is known; `payload` bounds the cost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from adapter import path, payload
from adapter.errors import PayloadError, SchemeError, SignatureError, TextError
from adapter.model import Received
from adapter.signature.description import Description
from adapter.signature.encoding import secret_key
from adapter.signature.material import with_value
from adapter.signature.proof import Place, Proof

_ORGANIZATION = re.compile(rb"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyField(Proof):
    """A field of the body that must equal the secret."""

    field: path.Path

    @property
    def parses(self) -> bool:
        return True

    def key(self, secret: str) -> bytes:
        return secret_key(secret)

    def accepted(self, key: bytes, received: Received) -> list[bytes]:
        return [key]

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        for candidate in (received, self._written(self.key(secret), received)):
            with suppress(SignatureError):
                self.verify([secret], candidate, now=now)
                return candidate
        raise SchemeError("path", f"{self.field} cannot be put into this body; write it there yourself")

    def _written(self, key: bytes, received: Received) -> Received:
        return received


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyToken(BodyField):
    """A field of a JSON body or of a form that holds the secret."""

    mismatch: ClassVar[str] = "invalid token"

    @property
    def carries(self) -> tuple[Place, ...]:
        return (("body", self.field.text),)

    def presented(self, received: Received) -> list[bytes]:
        kind = _kind(received)
        value = path.get(self.field, _parse(received, [kind] if kind else ["json", "form"]))
        if not isinstance(value, str):
            raise SignatureError(f"invalid token: {self.field} must be one text")
        return [value.encode()]

    def _written(self, key: bytes, received: Received) -> Received:
        write = _form_with if _kind(received) == "form" else _json_with
        return replace(received, body=write(received.body, self.field, key))


@dataclass(frozen=True, kw_only=True, slots=True)
class XmlField(BodyField):
    """An element of an XML or SOAP body that must occur once and hold the secret."""

    mismatch: ClassVar[str] = "wrong field value"

    def presented(self, received: Received) -> list[bytes]:
        try:
            tree = payload.message(received.body)
        except PayloadError as exc:
            raise SignatureError("unreadable body") from exc
        value = path.get(self.field, tree)
        if value is None and len(tree) == 1:
            value = path.get(self.field, next(iter(tree.values())))
        if not isinstance(value, str) or not value:
            raise SignatureError(f"field count: {self.field} must be there once")
        return [value.encode()]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganizationField(XmlField):
    """A Salesforce organisation id: 15 characters, or these and 3 more that tell their capitals."""

    mismatch: ClassVar[str] = "other organisation"

    def key(self, secret: str) -> bytes:
        key = secret_key(secret)
        if not _ORGANIZATION.fullmatch(key):
            raise SchemeError("secrets", "an organisation id has 15 or 18 letters and digits, such as 00Dxx0000000001")
        return key[:15]

    def presented(self, received: Received) -> list[bytes]:
        (value,) = XmlField.presented(self, received)
        if not _ORGANIZATION.fullmatch(value):
            raise SignatureError("malformed organisation id")
        return [value[:15]]


_COMPARE: Mapping[str, type[XmlField]] = {"exact": XmlField, "salesforce_id": OrganizationField}


def read_body_token(description: Description) -> BodyToken:
    """A body token; raise `SchemeError`."""
    return BodyToken(field=_field(description.only("scheme", "path")))


def read_xml_field(description: Description) -> XmlField:
    """An XML field; raise `SchemeError`."""
    kind = description.only("scheme", "path", "compare").word("compare", _COMPARE, "exact")
    return _COMPARE[kind](field=_field(description))


def _field(description: Description) -> path.Path:
    try:
        field = path.compile(description.text("path"))
    except TextError as exc:
        raise SchemeError(description.name("path"), exc.reason) from exc
    if field.root != "record" or not field.steps:
        raise SchemeError(description.name("path"), "must lead to a field of the body, for example data.token")
    return field


def _kind(received: Received) -> str | None:
    return payload.kind_of(received.headers.get("content-type", ""))


def _parse(received: Received, kinds: Sequence[str]) -> Any:
    for kind in kinds:
        with suppress(PayloadError):
            content_type = received.headers.get("content-type", "")
            return payload.parse(kind, received.body, content_type=content_type)
    raise SignatureError("unreadable body")


def _form_with(body: bytes, field: path.Path, token: bytes) -> bytes:
    return with_value(body.decode("latin-1"), str(field.steps[-1]), token).encode("latin-1")


def _json_with(body: bytes, field: path.Path, token: bytes) -> bytes:
    """The body with the token in it, or as it was when there is no place for a token."""
    with suppress(ValueError, LookupError, TypeError, RecursionError):
        group = document = json.loads(body)
        *parents, name = field.steps
        for step in parents:
            group = group[step]
        group[name] = token.decode()
        return json.dumps(document, ensure_ascii=False).encode()
    return body
