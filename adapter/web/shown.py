"""Sentences of a receipt as its page shows them to people; programs get them exact."""

from __future__ import annotations

import json
import re

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z")
_QUOTED = re.compile(r"\(Xima says: (\{.*\})\)")
_WORDS = ("message", "error", "detail", "error_description")
"""Keys under which programs tell people what went wrong."""


def for_people(text: str) -> str:
    """The text with moments in minutes, and with the words out of a JSON body of Xima's instead of all of it."""
    return _INSTANT.sub(r"\1 \2 UTC", _QUOTED.sub(lambda found: f"(Xima says: {_words(found[1])})", text))


def _words(quoted: str) -> str:
    """What the quoted JSON says in words; all of it when it is cut off or says it elsewhere."""
    try:
        body = json.loads(quoted)
    except (ValueError, RecursionError):
        return quoted
    body = body["error"] if isinstance(body.get("error"), dict) else body
    said = (body[name].strip() for name in _WORDS if isinstance(body.get(name), str))
    return next(filter(None, said), quoted)
