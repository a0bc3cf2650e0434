"""Web forms, url-encoded (WHATWG URL, section 5) and multipart (RFC 7578), as one flat group of texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

from adapter.errors import PayloadError
from adapter.payload.tree import CHARSETS, add, clean

MAX_FIELDS = 1000
_MAX_ESCAPES = 100_000
_MAX_HEAD = 4096  # bytes; the head of a part is one or two short lines with every sender
_TOO_MANY = f"the form has more than {MAX_FIELDS} fields"

_BLANK_LINE = re.compile(rb"\n\r?\n")
_DISPOSITION = re.compile(r"^content-disposition:(.*)", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r';[ \t]*([\w*]+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^;\s"]+))')


def parse_form(body: bytes, content_type: str) -> dict[str, Any]:
    """Return field -> text, or -> list of texts when it is repeated; raise `PayloadError`."""
    parameters = _parameters(content_type)
    charset = parameters.get("charset", "").lower()
    charset = charset if charset in CHARSETS else "utf-8"
    is_multipart = content_type.lstrip().lower().startswith("multipart/")
    form: dict[str, Any] = {}
    for name, text in _parts(body, parameters, charset) if is_multipart else _pairs(body, charset):
        add(form, clean(name), clean(text))
    return form


def _pairs(body: bytes, charset: str) -> Iterator[tuple[str, str]]:
    if body.count(b"&") >= MAX_FIELDS:
        raise PayloadError(_TOO_MANY)
    if body.count(b"%") > _MAX_ESCAPES:
        raise PayloadError("the form is too long")
    for pair in body.strip().replace(b"+", b" ").split(b"&"):
        if pair:
            name, _, text = pair.partition(b"=")
            yield _decoded(unquote_to_bytes(name), charset), _decoded(unquote_to_bytes(text), charset)


def _parts(body: bytes, parameters: dict[str, str], charset: str) -> Iterator[tuple[str, str]]:
    if not body.strip():
        return
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise PayloadError("the content type names no boundary")
    # Split here because werkzeug's decoder spends 0.3 s on a hostile head. LF alone comes from mapping files.
    delimiter = b"\n--" + boundary.encode("latin-1", "replace")
    parts = (b"\n" + body).split(delimiter, MAX_FIELDS + 2)[1:]
    if len(parts) > MAX_FIELDS + 1:
        raise PayloadError(_TOO_MANY)
    if not parts or not parts[-1].startswith(b"--"):
        raise PayloadError("the form ends before its closing boundary")
    for part in parts[:-1]:
        yield _field(part, charset)


def _field(part: bytes, charset: str) -> tuple[str, str]:
    """Return name and text of one part; a file is represented by its name."""
    head, *content = _BLANK_LINE.split(part, maxsplit=1)
    if not content or len(head) > _MAX_HEAD:
        raise PayloadError("a part of the form has no readable head")
    disposition = _DISPOSITION.search(_decoded(head, charset))
    parameters = _parameters(disposition[1]) if disposition else {}
    if "name" not in parameters:
        raise PayloadError("a part of the form has no name")
    filename = parameters.get("filename", parameters.get("filename*"))
    text = _decoded(content[0].removesuffix(b"\r"), charset) if filename is None else filename
    return parameters["name"], text


def _decoded(raw: bytes, charset: str) -> str:
    return raw.decode(charset, "replace")


def _parameters(header: str) -> dict[str, str]:
    """Return the first few `;name=value` of a header; browsers write a quote as %22, curl as \\"."""
    return {
        name.lower(): plain or re.sub(r'\\(["\\])', r"\1", quoted).replace("%22", '"')
        for name, quoted, plain in (found.groups("") for found in islice(_PARAMETER.finditer(header), 8))
    }
