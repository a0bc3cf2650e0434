"""What some senders ask before they send: prove that this URL is yours, by sending a word back.

A handshake is data, as a signature's scheme is. Nothing of it is stored, and what is sent back is short, of plain
characters, and never a page: anybody may ask.
"""

from __future__ import annotations

import hmac
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from adapter import payload
from adapter.errors import PayloadError, SignatureError
from adapter.model import Received
from adapter.signature.description import Description, describe
from adapter.signature.encoding import FORMS, secret_key
from adapter.signature.keyed import ALGORITHMS
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


class Handshake(ABC):
    """One way of asking; `proved` when the question must be signed like any other request."""

    __slots__ = ()
    method: ClassVar[Literal["GET", "POST"]] = "POST"
    proved: ClassVar[bool] = False

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
        matches = [hmac.compare_digest(token, secret.encode()) for secret in secrets if secret]
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
        if not secrets:
            raise SignatureError("no usable secret")
        mac = FORMS[self.encoding](hmac.digest(secret_key(secrets[0]), code.encode(), self.algorithm))[0].decode()
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


def _get_echo(description: Description) -> GetEcho:
    description.only("type", "when_query", "token_query", "echo_query", "content_type")
    description.word("content_type", ("text/plain",), "text/plain")
    return GetEcho(
        when_query=_texts(description, "when_query"),
        token_query=description.text("token_query"),
        echo_query=description.text("echo_query"),
    )


def _get_hmac(description: Description) -> GetHmac:
    # A deadline is the sender's; it is written down for the reader, and nothing here is slow.
    description.only("type", "code_query", "algorithm", "encoding", "reply_json", "deadline_s")
    return GetHmac(
        code_query=description.text("code_query"),
        algorithm=description.word("algorithm", ALGORITHMS, "sha256"),
        encoding=description.word("encoding", FORMS, "hex"),
        reply_json=_texts(description, "reply_json"),
    )


def _texts(description: Description, key: str) -> dict[str, str]:
    group = description.group(key)
    return {name: group.text(name) for name in group.keys} if group else {}


def _post_json_echo(description: Description) -> PostJsonEcho:
    description.only("type", "field", "beside")
    return PostJsonEcho(word=description.text("field"), beside=frozenset(description.texts("beside")))


def _post_header_echo(description: Description) -> PostHeaderEcho:
    return PostHeaderEcho(header=description.only("type", "header").header("header"))


def _post_ping(description: Description) -> PostPing:
    description.only("type", "field", "value")
    return PostPing(word=description.text("field"), value=description.text("value"))


def _post_by_hand(description: Description) -> PostByHand:
    return PostByHand(word=description.only("type", "field").text("field"))


READERS: Mapping[str, Callable[[Description], Handshake]] = {
    "get_echo": _get_echo,
    "get_hmac": _get_hmac,
    "post_json_echo": _post_json_echo,
    "post_header_echo": _post_header_echo,
    "post_ping": _post_ping,
    "post_needs_api_call": _post_by_hand,
}
"""The word `type` of a description -> its reader."""


def read(data: Mapping[str, Any]) -> Handshake:
    """The handshake that `data` describes; raise `errors.SchemeError` with the key at fault and a remedy."""
    description = describe(data)
    return READERS[description.word("type", READERS)](description)
