"""Strike secrets out of a request before it is stored: tokens in headers and query, named fields of the body.

The body was parsed before; here it is looked at with the same eyes, so that no way of writing a field hides it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_plus
from xml.parsers import expat

from adapter.model import Received
from adapter.payload.namespaces import local

ALWAYS = frozenset({"authorization", "cookie", "proxy-authorization"})
STRUCK = "(removed)"
_DISPOSITION = re.compile("^content-disposition:.*", re.IGNORECASE | re.MULTILINE)


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
    body = BODIES[kind](received, fields) if fields else received.body
    return replace(received, headers=kept, url=path + mark + _without(pairs, query), body=body)


def _without(pairs: str, names: Collection[str]) -> str:
    """A query or url-encoded form in which the values of these names are struck out."""
    return "&".join(
        f"{name}={STRUCK}" if unquote_plus(name) in names else pair
        for pair in pairs.split("&")
        for name in (pair.partition("=")[0],)
    )


def _json(received: Received, names: Collection[str]) -> bytes:
    tree = _struck(json.loads(received.body.decode("utf-8-sig")), names)
    return json.dumps(tree, separators=(",", ":")).encode()


def _struck(tree: Any, names: Collection[str]) -> Any:
    if isinstance(tree, dict):
        return {name: STRUCK if name in names else _struck(below, names) for name, below in tree.items()}
    return [_struck(below, names) for below in tree] if isinstance(tree, list) else tree


def _xml(received: Received, names: Collection[str]) -> bytes:
    insides = _insides(received.body, names)
    ends, starts = [0, *(end for _, end in insides)], [*(start for start, _ in insides), None]
    return b"".join(received.body[end:start] for end, start in zip(ends, starts, strict=True))


def _insides(body: bytes, names: Collection[str]) -> list[tuple[int, int]]:
    """Where in the bytes the content of the named elements begins and ends, as expat itself sees it."""
    parser = expat.ParserCreate()
    reader = _Insides(names=names, place=lambda: parser.CurrentByteIndex)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.DefaultHandler = parser.CharacterDataHandler = reader.other
    parser.Parse(body, True)
    del reader.place  # it knows the parser, and that the reader: both would stay until a collection
    return reader.found


@dataclass(kw_only=True, slots=True)
class _Insides:
    """Hears expat's events; the first one after a start tag tells where that tag ends."""

    names: Collection[str]
    place: Callable[[], int]
    depth: int = 0
    begins: int | None = None
    found: list[tuple[int, int]] = field(default_factory=list)

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self.other()
        if self.depth or local(name) in self.names:
            self.depth += 1

    def end(self, _name: str) -> None:
        self.other()
        self.depth -= bool(self.depth)
        if not self.depth and self.begins is not None:
            self.found.append((self.begins, self.place()))
            self.begins = None

    def other(self, *_: str) -> None:
        if self.depth and self.begins is None:
            self.begins = self.place()


def _form(received: Received, names: Collection[str]) -> bytes:
    boundary = _parameter(received.headers.get("content-type", ""), "boundary")
    if not boundary:
        return _without(received.body.decode("latin-1").strip(), names).encode("latin-1")
    delimiter = b"\n--" + boundary.encode("latin-1", "replace")
    parts = (b"\n" + received.body).split(delimiter)
    return delimiter.join(_part(part, names) for part in parts).removeprefix(b"\n")


def _part(part: bytes, names: Collection[str]) -> bytes:
    """One part of a multipart form, without its content when its name is among `names`."""
    head, blank, _ = part.partition(b"\n\r\n" if b"\n\r\n" in part else b"\n\n")
    disposition = _DISPOSITION.search(head.decode(errors="replace"))
    secret = disposition and _parameter(disposition[0], "name") in names
    return head + blank + STRUCK.encode() + b"\r" if secret else part


def _parameter(header: str, name: str) -> str:
    """The value of `;name=value` in a header; empty when there is none."""
    found = re.findall(rf';[ \t]*{name}=(?:"([^"]*)"|([^;\s"]+))', header, re.IGNORECASE)
    return "".join(found[-1]) if found else ""


BODIES: Mapping[str, Callable[[Received, Collection[str]], bytes]] = {
    "json": _json,
    "form": _form,
    "xml": _xml,
    "soap": _xml,
}
