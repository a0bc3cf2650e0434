"""Reading a scheme's description key by key, with a remedy in every refusal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from adapter.errors import SchemeError

_SURROGATE = re.compile("[\ud800-\udfff]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LIKE = {
    "scheme": "hmac",
    "header": "X-Signature",
    "content": '"{body}"',
    "name": "X-Hook-Key",
    "path": "auth.token",
}
"""Keys that cannot be missing, and what stands behind them most often."""


def _guess(word: str, choices: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(choices), n=1)
    return f"did you mean {near[0]}?" if near else f"use one of: {', '.join(choices)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """A group of keys as a mapping file or JSON gives it; `at` is where it stands in the whole.

    Every method raises `SchemeError` with the full name of the key. Scalars may be text or whole numbers.
    """

    keys: Mapping[str, Any]
    at: str = ""

    def name(self, key: str) -> str:
        """The key as the author of the description would find it."""
        return f"{self.at}.{key}" if self.at else key

    def only(self, *known: str) -> Self:
        """This group, when it has no other keys than these."""
        for key in self.keys:
            if key not in known:
                raise SchemeError(self.name(str(key)), f"unknown key; {_guess(str(key), known)}")
        return self

    def has(self, key: str) -> bool:
        """Whether the key is there; null is as good as not."""
        return self.keys.get(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self.keys[key] if self.has(key) else default
        if value is None:
            like = f", like {key}: {_LIKE[key]}" if key in _LIKE else ""
            raise SchemeError(self.name(key), f"this key is missing; add it{like}")
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value or _SURROGATE.search(value):
            raise SchemeError(self.name(key), "must be a text; write it out or leave the key away")
        return value

    def optional(self, key: str) -> str:
        """A text, or the empty text when the key is not there."""
        return self.text(key) if self.has(key) else ""

    def word(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """One of the words."""
        return self._known(key, self.text(key, default), choices)

    def words(self, key: str, choices: Collection[str], default: str) -> tuple[str, ...]:
        """A list of the words in order, or a single one."""
        value = self.keys[key] if self.has(key) else default
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, Sequence) or not value:
            raise SchemeError(self.name(key), f"must be a list of: {', '.join(choices)}")
        return tuple(self._known(key, word, choices) for word in value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, which may be empty, or a single one."""
        value = self.keys[key] if self.has(key) else ()
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, Sequence) or not all(isinstance(one, str) and one for one in value):
            raise SchemeError(self.name(key), "must be a list of texts")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Yes or no, which is what is meant without the key."""
        words = {True: True, False: False, "yes": True, "no": False, "true": True, "false": False}
        value = self.keys[key] if self.has(key) else False
        if not isinstance(value, bool | str) or value not in words:
            raise SchemeError(self.name(key), "must be yes or no")
        return words[value]

    def number(self, key: str, default: int, *, most: int) -> int:
        """A whole number from 1 to `most`."""
        text = self.text(key, str(default))
        if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            raise SchemeError(self.name(key), f"must be a whole number from 1 to {most}")
        return int(text)

    def header(self, key: str) -> str:
        """The name of a header."""
        return header_name(self.name(key), self.text(key))

    def group(self, key: str) -> Description | None:
        """The keys below `key`; None when it is not there."""
        return describe(self.keys[key], at=self.name(key)) if self.has(key) else None

    def _known(self, key: str, word: Any, choices: Collection[str]) -> str:
        if not isinstance(word, str) or word not in choices:
            raise SchemeError(self.name(key), f"unknown word; {_guess(str(word), choices)}")
        return word


def describe(data: Any, *, at: str = "") -> Description:
    """`data` as a description; raise `SchemeError` when it is no group of keys."""
    if not isinstance(data, Mapping):
        raise SchemeError(at, "must be a group of keys, each with its value")
    return Description(keys=data, at=at)


def header_name(key: str, text: str) -> str:
    """`text` when it can be the name of a header (RFC 9110 token); raise `SchemeError` for `key` if not."""
    if not _HEADER_NAME.fullmatch(text):
        raise SchemeError(key, "is no name of a header; use letters, digits and hyphens, without a colon")
    return text
