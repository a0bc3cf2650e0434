"""Bodies become trees of `dict`, `list`, `str`, `int`, `Decimal`, `bool` and `None`.

What comes out can be kept by any database: no NUL, no half of a surrogate pair, no NaN. No body of the size
that is let in costs more than a moment: depth, values, fields and digits are bounded while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from adapter import path
from adapter.errors import PayloadError, UnsupportedBody
from adapter.payload.form_body import parse_form
from adapter.payload.json_body import parse_json
from adapter.payload.tree import MAX_DEPTH, MAX_NODES
from adapter.payload.xml_body import parse_message, parse_soap, parse_xml

__all__ = ["MAX_DEPTH", "MAX_NODES", "check_type", "kind_of", "message", "parameters", "parse", "records"]

_KINDS: Mapping[str, str] = {
    "application/json": "json",
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data": "form",
    "application/xml": "xml",
    "text/xml": "xml",
}
_OTHERS = re.compile(
    "(audio|font|image|model|video)/.*|text/(?:calendar|css|csv|html|markdown|yaml)"
    "|application/(?:cbor|gzip|msgpack|pdf|protobuf|x-protobuf|x-yaml|yaml|zip)"
)
"""Types of which no sender means a record; what says nothing (text/plain, application/octet-stream) is read."""
_PARSERS: Mapping[str, Callable[[bytes], Any]] = {
    "json": parse_json,
    "soap": parse_soap,
    "xml": parse_xml,
}


def kind_of(content_type: str) -> str | None:
    """Return "json", "form" or "xml" as the content type says, or None when it says nothing we know."""
    media_type = _media_type(content_type)
    _, plus, suffix = media_type.rpartition("+")
    return suffix if plus and suffix in ("json", "xml") else _KINDS.get(media_type)


def check_type(kind: str, content_type: str) -> None:
    """Raise `UnsupportedBody` when the content type plainly says another kind of body than `kind`."""
    said = kind_of(content_type)
    if said is None and (other := _OTHERS.fullmatch(_media_type(content_type))):
        said = other[1] or other[0]
    if said is not None and said != ("xml" if kind == "soap" else kind):
        raise UnsupportedBody(f"the content type says {said}, but this mapping reads {kind}")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def parse(kind: str, body: bytes, *, content_type: str = "") -> Any:
    """Return the tree that `body` holds; raise `PayloadError`, or `UnsupportedBody` for an unknown kind.

    json: the object or list, fractions as `Decimal`. form: field -> text, or -> list of texts when it is
    repeated. xml: name of the root element -> its content. soap: the content of a SOAP 1.1 Body.
    """
    if kind == "form":
        return parse_form(body, content_type)
    if kind not in _PARSERS:
        raise UnsupportedBody(f"bodies of the kind {kind} cannot be read")
    return _PARSERS[kind](body)


def message(body: bytes) -> dict[str, Any]:
    """Return what `parse` would for soap, or for any other XML what it would for xml; raise `PayloadError`."""
    return parse_message(body)


def parameters(kind: str, url: str, body: bytes, *, content_type: str = "") -> dict[str, Any]:
    """Return the parameters of the URL and those of a body of this kind, which may be empty; raise `PayloadError`.

    What stands in both is the body's.
    """
    query = parse_form(url.partition("?")[2].encode("latin-1", "replace"), "")
    document = parse(kind, body, content_type=content_type) if body.strip() else {}
    if not isinstance(document, dict):
        raise PayloadError("the body is a list, and holds no parameters by name")
    return {**query, **document}


def records(document: Any, where: path.Path | None, *, most: int = 1000) -> list[Any]:
    """Return the records at `where`, in the whole document when it is None; one object is a list of one.

    Raise `PayloadError` when nothing is there that could hold a record, or more than `most` records are.
    """
    found = document if where is None else path.get(where, document)
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise PayloadError(f"there are no records at {where or '$'}")
    if len(found) > most:
        raise PayloadError(f"the body holds {len(found)} records, more than {most}")
    return found
