"""The body of a real request with fakes for everything personal in it, fit to stand in a mapping as an example."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape, quoteattr, unescape

from adapter.errors import PayloadError
from adapter.mapping.fakes import Fakes

_ELEMENT = re.compile(r"<([\w:.-]+)([^<>]*)>(?:<!\[CDATA\[(.*?)\]\]>|([^<>]+))<", re.DOTALL)
_ATTRIBUTE = re.compile(r"""(?<=\s)(?!xmlns)([\w:.-]+)=(["'])(.*?)\2""", re.DOTALL)
_TAG = re.compile(r"<\w[^<>]*>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_WRAPPERS = ("value", "label", "answer")
"""Keys that only wrap a value whose name stands around them, as `{"phone": {"value": ...}}`."""
_LABELS = ("label", "column_id", "column_name", "key", "name", "title")
_VALUES = ("value", "values", "string_value")
_BESIDE = ("id", "type", "ref", "uuid", "options", "required")
"""Keys of a question and its answer, as `{"label": "Your name", "value": ...}`; what a person is has others too."""


def body(kind: str, content: bytes, fakes: Fakes) -> str:
    """The text of a body of this kind; raises `PayloadError` for one that cannot be kept as text."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as exc:
        raise PayloadError("the body is not UTF-8 text, so it cannot stand in a mapping") from exc
    if kind == "form" and text.startswith("--"):
        raise PayloadError("a multipart form cannot be kept as an example")
    _BODIES[kind](text, fakes)  # a name may stand in a text before the field that tells it is one
    return _BODIES[kind](text, fakes)


def _json(text: str, fakes: Fakes) -> str:
    return json.dumps(_tree(json.loads(text), "", fakes), ensure_ascii=False, indent=1)


def _tree(tree: Any, key: str, fakes: Fakes) -> Any:
    if isinstance(tree, dict):
        return {
            fakes.text("", name) if "@" in name else name: _tree(below, below_key, fakes)
            for name, below, below_key in _named(tree, key)
        }
    if isinstance(tree, list):
        return [_tree(below, key, fakes) for below in tree]
    if isinstance(tree, str):
        return _text(key, tree, fakes)
    if isinstance(tree, bool) or not (isinstance(tree, int) or (isinstance(tree, float) and tree.is_integer())):
        return tree
    number = fakes.text(key, str(int(tree)))
    return type(tree)(number) if number.isdecimal() else number


def _named(group: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any, str]]:
    """Each key of a group, what stands there, and the name of the field that this is."""
    asked = set(group) <= {*_LABELS, *_VALUES, *_BESIDE} and not set(group).isdisjoint(_VALUES)
    label = next((group[name] for name in _LABELS if isinstance(group.get(name), str)), "") if asked else ""
    for name, below in group.items():
        if label and name in _LABELS:
            yield name, below, ""
        elif label and name in _VALUES:
            yield name, below, label
        else:
            yield name, below, key if name in _WRAPPERS and key else name


def _text(key: str, text: str, fakes: Fakes) -> str:
    """A text, which may be JSON itself, with fakes."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(_tree(json.loads(text), key, fakes), ensure_ascii=False)
        except (ValueError, RecursionError):
            pass  # a text that only begins like JSON
    return fakes.text(key, text)


def _form(text: str, fakes: Fakes) -> str:
    return urlencode([(name, _text(name, given, fakes)) for name, given in parse_qsl(text, keep_blank_values=True)])


def _xml(text: str, fakes: Fakes) -> str:
    def element(found: re.Match[str]) -> str:
        name, given = found[1].rpartition(":")[2], found[3] if found[4] is None else unescape(found[4])
        fake = escape(fakes.text(name, given)) if given.strip() else given
        return f"<{found[1]}{found[2]}>{fake}<"

    def attribute(found: re.Match[str]) -> str:
        given = unescape(found[3], {"&quot;": '"', "&apos;": "'"})
        fake = fakes.text(found[1].rpartition(":")[2], given)
        return found[0] if fake == given else f"{found[1]}={quoteattr(fake)}"

    text = _ELEMENT.sub(element, _COMMENT.sub("", text))
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(attribute, tag[0]), text)


_BODIES: Mapping[str, Callable[[str, Fakes], str]] = {"json": _json, "form": _form, "xml": _xml, "soap": _xml}
