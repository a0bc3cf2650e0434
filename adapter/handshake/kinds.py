"""The ways of asking, each with its answer."""

from __future__ import annotations

import hmac
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from adapter import payload
from adapter.errors import PayloadError, SignatureError
from adapter.model import Received
from adapter.signature.encoding import FORMS, usable_keys
from adapter.signature.material import query_of, query_values

LARGEST = 16 * 1024
"""Bytes of a body that may be a handshake; what is larger is an event."""
_ECHOED = re.compile(r"[A-Za-z0-9 ._~+/=:@-]{1,1024}")
_CODE = re.compile(r"[A-Za-z0-9-]{1,128}")
"""What is signed for anybody who asks: too poor in characters to be the signed text of an event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The answer to a handshake, and in `told` what the operator has to know about it."""

    body: str = ""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


PRESENT = Reply()
"""The answer to HEAD, whoever the sender is: the mapping is here."""


class Handshake(ABC):
    """One way of asking; `proved` when the question must be signed like any other request."""

    __slots__ = ()
    method: ClassVar[Literal["GET", "POST"]] = "POST"
    proved: ClassVar[bool] = False

    def greeting(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        """The answer to what is asked before the sender can sign; raise like `answer`."""
        return None if self.proved or received.method != self.method else self.answer(received, secrets)

    def signed(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        """The answer to what is asked in a request whose proof holds; raise like `answer`."""
        return self.answer(received, secrets) if self.proved else None

    @abstractmethod
    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        """The answer; None when the request is no handshake. Raise `SignatureError` when a secret in it is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GetEcho(Handshake):
    """A GET with the verify token and a word to be sent back (Meta's `hub.challenge`)."""

    method: ClassVar[Literal["GET", "POST"]] = "GET"
    when_query: Mapping[str, str]
    token_query: str
    echo_query: str

    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        word = _asked(received, self.echo_query)
        if word is None or any(_asked(received, name) != text for name, text in self.when_query.items()):
            return None
        token = (_asked(received, self.token_query) or "").encode()
        # All of them, always: the time a refusal takes must not tell which was near.
        matches = [hmac.compare_digest(token, key) for key in usable_keys(secrets)]
        if not any(matches):
            raise SignatureError("wrong verify token")
        return Reply(body=_plain(word))


@dataclass(frozen=True, kw_only=True, slots=True)
class GetHmac(Handshake):
    """A GET with a code, answered with its HMAC (LinkedIn's `challengeCode`)."""

    method: ClassVar[Literal["GET", "POST"]] = "GET"
    code_query: str
    algorithm: str
    encoding: str
    reply_json: Mapping[str, str]

    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        code = _asked(received, self.code_query)
        if code is None:
            return None
        if not _CODE.fullmatch(code):
            raise PayloadError("a challenge code is letters, digits and hyphens, 128 at most")
        keys = usable_keys(secrets)
        if not keys:
            raise SignatureError("no usable secret")
        mac = FORMS[self.encoding](hmac.digest(keys[0], code.encode(), self.algorithm))[0].decode()
        reply = {name: text.replace("{code}", code).replace("{mac}", mac) for name, text in self.reply_json.items()}
        return Reply(body=_json(reply), content_type="application/json")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostJsonEcho(Handshake):
    """A JSON body of one word, sent back (monday's `challenge`); `beside` are keys that may stand beside it."""

    word: str
    beside: frozenset[str]

    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        asked = _document(received)
        if self.word not in asked or set(asked) - {self.word} - self.beside:
            return None
        return Reply(body=_json({self.word: _plain(asked[self.word])}), content_type="application/json")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostHeaderEcho(Handshake):
    """A header, sent back (Keap's `X-Hook-Secret`)."""

    proved: ClassVar[bool] = True
    header: str

    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        word = received.headers.get(self.header.lower())
        return None if word is None else Reply(headers={self.header: _plain(word)})


@dataclass(frozen=True, kw_only=True, slots=True)
class PostPing(Handshake):
    """A signed body that only asks whether anybody is there (Intercom's topic `ping`)."""

    proved: ClassVar[bool] = True
    word: str
    value: str

    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        asked = _document(received).get(self.word)
        return Reply(body="{}", content_type="application/json") if asked == self.value else None


@dataclass(frozen=True, kw_only=True, slots=True)
class PostByHand(Handshake):
    """A word that a person has to bring back to the sender (Marketing Cloud's `verificationKey`): it is told."""

    word: str

    def answer(self, received: Received, secrets: Sequence[str]) -> Reply | None:
        asked = _document(received)
        if self.word not in asked:
            return None
        told = {self.word: _plain(asked[self.word])}
        return Reply(body="{}", content_type="application/json", told=told)


def _asked(received: Received, name: str) -> str | None:
    """The one value of a query parameter, None when it is not there; raise `PayloadError` for several."""
    values = query_values(query_of(received), name)
    if len(values) > 1:
        raise PayloadError(f"query parameter {name} is given twice")
    return values[0].decode("utf-8", "replace") if values else None


def _document(received: Received) -> dict[str, Any]:
    """A small JSON object, or an empty one for everything else."""
    if len(received.body) > LARGEST:
        return {}
    try:
        found = payload.parse("json", received.body)
    except PayloadError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(word: Any) -> str:
    """A word that can be sent back; raise `PayloadError` for what could be read as anything but a word."""
    if isinstance(word, str) and _ECHOED.fullmatch(word):
        return word
    raise PayloadError("a handshake's word is letters, digits and . _ ~ + / = : @ -, 1024 at most")


def _json(reply: Mapping[str, str]) -> str:
    return json.dumps(reply, separators=(",", ":"))
