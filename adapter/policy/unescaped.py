"""What a text says to those who read it: as it stands, and with its escapes taken back, one within another too."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

MOST = 30
"""Views of one text; an honest one has three or four."""

_JSON = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_CONTROL = {"b": " ", "f": " ", "n": "\n", "r": " ", "t": "\t"}
_WITHIN_XML = re.compile(r"<!--(?:[^-]|-(?!-))*-->|<\?[^?]*\?>|<!\[CDATA\[|\]\]>")
_BLANK = re.compile(r"(?<=[\d)])\+|(?<==)\+(?=[^&\s+]*\+)")
"""A plus sign that is a blank: no number has one behind a digit, and no value begins with it and has another."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{12,}(?:\r?\n[A-Za-z0-9+/]+)*")


def views(text: str) -> Iterator[str]:
    """The text, and whatever the parsers of bodies, browsers and mail programs may make of it; never one twice."""
    found = [_plain(text)]
    for view in found:  # which grows meanwhile
        yield view
        for reader in READERS if len(found) < MOST else ():
            if (read := _plain(reader(view))) not in found:
                found.append(read)


def _plain(text: str) -> str:
    """Without what nobody sees, and every digit as 0 to 9."""
    if text.isascii():
        return text
    seen = (one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    return "".join(str(unicodedata.decimal(one, one)) for one in seen)


def _json(text: str) -> str:
    return _JSON.sub(lambda one: chr(int(one[1], 16)) if one[1] else _CONTROL.get(one[2], one[2]), text)


def _xml(text: str) -> str:
    return html.unescape(_WITHIN_XML.sub("", text))


def _form(text: str) -> str:
    return unquote(_BLANK.sub(" ", text))


def _mail(text: str) -> str:
    """What stands in base64, if it is text."""
    return "\n".join(filter(None, (_decoded(one[0]) for one in _BASE64.finditer(text)))) or text


def _decoded(word: str) -> str:
    letters = "".join(word.split())
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


READERS: tuple[Callable[[str], str], ...] = (_json, _form, _xml, _mail)
