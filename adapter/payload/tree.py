"""What the kinds of bodies have in common: the bounds, and how a tree is built."""

from __future__ import annotations

import re
from typing import Any

MAX_DEPTH = 40
MAX_NODES = 20_000

# What web forms and old CRMs send. Not every codec of Python: the time of some grows with the square of the
# text (punycode, idna), and some are no charsets at all (zlib, unicode_escape).
CHARSETS = frozenset(
    ["utf-8", "utf8", "utf-16", "us-ascii", "ascii", "latin1", "latin-1", "koi8-r", "koi8-u"]
    + ["shift_jis", "euc-jp", "euc-kr", "gb2312", "gbk", "gb18030", "big5"]
    + [f"iso-8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)]
    + [f"windows-125{page}" for page in range(9)]
)

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` with U+FFFD for what no database keeps: NUL and halves of surrogate pairs."""
    return _UNSTORABLE.sub("\ufffd", text)


def add(group: dict[str, Any], key: str, value: Any) -> None:
    """Put `value` into `group`; a repeated key becomes a list, so `value` itself must not be one."""
    if key not in group:
        group[key] = value
    elif isinstance(group[key], list):
        group[key].append(value)
    else:
        group[key] = [group[key], value]


def shown(name: str) -> str:
    """Return a name of the sender's as an error may show it: short, and on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:40])
