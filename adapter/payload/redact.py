"""Strike secrets out of a request before it is stored: tokens in headers and query, named fields of the body."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from adapter.model import Received

ALWAYS = frozenset({"authorization", "cookie", "proxy-authorization"})
STRUCK = "(removed)"


def redact(
    received: Received,
    *,
    kind: str,
    headers: Collection[str] = (),
    query: Collection[str] = (),
    fields: Collection[str] = (),
) -> Received:
    """The request without what must never be stored; `fields` are names at any depth of a body of this `kind`."""
    kept = {name: text for name, text in received.headers.items() if name not in ALWAYS and name not in headers}
    path, mark, pairs = received.url.partition("?")
    url = path + mark + _without(pairs, query) if mark else received.url
    body = BODIES[kind](received.body, fields) if fields else received.body
    return replace(received, headers=kept, url=url, body=body)


def _without(pairs: str, names: Collection[str]) -> str:
    """A query or url-encoded form in which the values of these names are struck out."""
    return "&".join(
        f"{name}={STRUCK}" if unquote_plus(name) in names else pair
        for pair in pairs.split("&")
        for name in (pair.partition("=")[0],)
    )


def _json(body: bytes, names: Collection[str]) -> bytes:
    return json.dumps(_struck(json.loads(body.decode("utf-8-sig")), names), separators=(",", ":")).encode()


def _struck(tree: Any, names: Collection[str]) -> Any:
    if isinstance(tree, dict):
        return {name: STRUCK if name in names else _struck(below, names) for name, below in tree.items()}
    return [_struck(below, names) for below in tree] if isinstance(tree, list) else tree


def _xml(body: bytes, names: Collection[str]) -> bytes:
    any_name = "|".join(map(re.escape, names)).encode()
    element = rb"<((?:[\w.-]+:)?(?:" + any_name + rb"))(\s[^<>]*)?(?<!/)>.*?</\1\s*>"
    return re.sub(element, rb"<\1>" + STRUCK.encode() + rb"</\1>", body, flags=re.DOTALL)


def _form(body: bytes, names: Collection[str]) -> bytes:
    if b'form-data; name="' not in body:
        return _without(body.decode("latin-1"), names).encode("latin-1")
    any_name = "|".join(map(re.escape, names)).encode()
    part = rb'(form-data; name="(?:' + any_name + rb')"[^\n]*\n(?:[^\n]+\n)*?\r?\n).*?(?=\r?\n--)'
    return re.sub(part, rb"\1" + STRUCK.encode(), body, flags=re.DOTALL)


BODIES: Mapping[str, Callable[[bytes, Collection[str]], bytes]] = {
    "json": _json,
    "form": _form,
    "xml": _xml,
    "soap": _xml,
}
