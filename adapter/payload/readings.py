"""A body as text, in every way in which our parsers might read its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapter.payload.tree import CHARSETS

_SAID = re.compile(r"(?:charset|encoding)\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_HEAD = 200
"""Bytes within which XML says its encoding."""


def readings(body: bytes, content_type: str) -> Iterator[str]:
    """UTF-8, which most are; UTF-16 where it looks so; and what the content type or the XML itself says."""
    yield body.decode(errors="replace")
    said = _SAID.findall(f"{content_type} {body[:_HEAD].decode('latin-1')}")
    named = {charset.lower() for charset in said} & CHARSETS - {"utf-8", "utf8", "utf-16"}
    if b"\0" in body or body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        named |= {"utf-16", "utf-16-le", "utf-16-be"}
    for charset in sorted(named):
        yield body.decode(charset, "replace")
