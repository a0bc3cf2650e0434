"""The body that arrived is not, byte for byte, the one that was signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from adapter.signature.jwt import Jwt
from adapter.signature.keyed import Keyed
from adapter.signature.mistakes.guess import Guess, Tried
from adapter.signature.proof import Scheme

_REWRITTEN = "the body looks re-serialised on its way; pass its bytes on unchanged"
_BREAKS = "something on the way adds or removes line breaks; pass the bytes on unchanged"

DUMPS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("compact", partial(json.dumps, separators=(",", ":"), ensure_ascii=False)),
    ("compact and escaped", partial(json.dumps, separators=(",", ":"))),
    ("spaced", partial(json.dumps, ensure_ascii=False)),
    ("spaced and escaped", json.dumps),
)
BREAKS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("without the blanks around the body", bytes.strip),
    ("with a line break after the body", lambda body: body + b"\n"),
    ("with LF instead of CRLF", lambda body: body.replace(b"\r\n", b"\n")),
    ("with CRLF instead of LF", lambda body: body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
)


def of_body(tried: Tried) -> Iterator[Guess]:
    """The body as middleware and senders rewrite it."""
    if not _covers_body(tried.scheme):
        return
    body = tried.received.body
    changed = [(f"it would match {said}: {_BREAKS}", change(body)) for said, change in BREAKS]
    empty = "it would match for an empty body: the sender signs before it has its body, or the body was added later"
    for said, other in (*changed, *_rewritten(body), (empty, b"")):
        if other != body:
            yield said, tried.saying(other)


def _covers_body(scheme: Scheme) -> bool:
    if isinstance(scheme, Keyed):
        return "body" in scheme.content.names
    return isinstance(scheme, Jwt) and scheme.body_hash is not None


def _rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        document = json.loads(body)
        for style, dump in DUMPS:
            yield f"it would match for the JSON written {style}: {_REWRITTEN}", dump(document).encode()
    except (ValueError, RecursionError):  # no JSON, or nothing that can be written as UTF-8
        return
