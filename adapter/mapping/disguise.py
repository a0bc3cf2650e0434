"""The body of a real request with fakes for everything personal in it, fit to stand in a mapping as an example."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape, unescape

from adapter.errors import PayloadError
from adapter.mapping.fakes import Fakes

_ELEMENT = re.compile(r"<([\w:.-]+)([^<>]*)>([^<>]+)<")
_WRAPPERS = ("value", "label", "answer")
"""Keys that only wrap a value whose name stands around them, as `{"phone": {"value": ...}}`."""


def body(kind: str, content: bytes, fakes: Fakes) -> str:
    """The text of a body of this kind; raises `PayloadError` for one that cannot be kept as text."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as exc:
        raise PayloadError("the body is not UTF-8 text, so it cannot stand in a mapping") from exc
    if kind == "form" and text.startswith("--"):
        raise PayloadError("a multipart form cannot be kept as an example")
    return _BODIES[kind](text, fakes)


def _json(text: str, fakes: Fakes) -> str:
    return json.dumps(_tree(json.loads(text), "", fakes), ensure_ascii=False, indent=1)


def _tree(tree: Any, key: str, fakes: Fakes) -> Any:
    if isinstance(tree, dict):
        return {name: _tree(below, key if name in _WRAPPERS and key else name, fakes) for name, below in tree.items()}
    if isinstance(tree, list):
        return [_tree(below, key, fakes) for below in tree]
    if isinstance(tree, str):
        return fakes.text(key, tree)
    if isinstance(tree, bool) or not isinstance(tree, int):
        return tree
    number = fakes.text(key, str(tree))
    return int(number) if number.isdecimal() else number


def _form(text: str, fakes: Fakes) -> str:
    return urlencode([(name, fakes.text(name, given)) for name, given in parse_qsl(text, keep_blank_values=True)])


def _xml(text: str, fakes: Fakes) -> str:
    def element(found: re.Match[str]) -> str:
        name, given = found[1].rpartition(":")[2], found[3]
        return f"<{found[1]}{found[2]}>{escape(fakes.text(name, unescape(given))) if given.strip() else given}<"

    return _ELEMENT.sub(element, text)


_BODIES: Mapping[str, Callable[[str, Fakes], str]] = {"json": _json, "form": _form, "xml": _xml, "soap": _xml}
