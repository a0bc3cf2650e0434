"""From a description to a handshake: one word, one reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapter.handshake.kinds import GetEcho, GetHmac, Handshake, PostByHand, PostHeaderEcho, PostJsonEcho, PostPing
from adapter.signature.description import Description, describe
from adapter.signature.encoding import FORMS
from adapter.signature.keyed import ALGORITHMS


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
