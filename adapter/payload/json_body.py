"""JSON bodies (RFC 8259), stricter than `json.loads`: what could be read in two ways is refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from adapter.errors import PayloadError
from adapter.payload.tree import MAX_DEPTH, MAX_NODES, clean, shown

_MAX_DIGITS = 40
_MAX_EXPONENT = 40
_UNSTORABLE_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_TOO_DEEP = f"the body is nested deeper than {MAX_DEPTH} levels"
_TOO_MANY = f"the body holds more than {MAX_NODES} values"


def parse_json(body: bytes) -> Any:
    """Return the object or list that `body` holds, fractions as `Decimal`; raise `PayloadError`."""
    text = _text(body)
    document = _decoded(text)
    if not isinstance(document, dict | list):
        raise PayloadError("the body is neither a JSON object nor a list")
    _check_size(document)
    # Only an escape can bring them in: UTF-8 has no surrogates, and JSON allows no bare control characters.
    return _cleaned(document) if _UNSTORABLE_ESCAPE.search(text) else document


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise PayloadError(f"the body is not UTF-8: see byte {exc.start + 1}") from exc


def _decoded(text: str) -> Any:
    if not text.strip():
        raise PayloadError("the body is empty")
    # Spares reading half a million zeros; texts have commas too, but no honest body has so many of them.
    if text.count(",") > 5 * MAX_NODES:
        raise PayloadError(_TOO_MANY)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno} column {exc.colno}"
        raise PayloadError(f"the body is not JSON: {exc.msg.removesuffix(' at')} at {where}") from exc
    except RecursionError as exc:
        raise PayloadError(_TOO_DEEP) from exc


def _check_size(document: dict[str, Any] | list[Any]) -> None:
    """Look at one level after the other, so that neither depth nor size can cost much."""
    boxes: Sequence[Any] = [document]
    nodes = 1
    for _ in range(MAX_DEPTH):
        if not boxes:
            return
        inner = [value for box in boxes for value in (box.values() if isinstance(box, dict) else box)]
        nodes += len(inner)
        if nodes > MAX_NODES:
            raise PayloadError(_TOO_MANY)
        boxes = [value for value in inner if isinstance(value, dict | list)]
    if boxes:
        raise PayloadError(_TOO_DEEP)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return _object([(clean(key), _cleaned(item)) for key, item in value.items()])
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """`json` would keep the last of two equal keys, other readers the first: nobody knows what was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise PayloadError(f"the same key appears twice: {shown(twice)}")
    return found


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise PayloadError(f"a number has more than {_MAX_DIGITS} digits")
    return int(digits)


def _fraction(digits: str) -> Decimal:
    if len(digits) > _MAX_DIGITS:
        raise PayloadError(f"a number has more than {_MAX_DIGITS} digits")
    try:
        number = Decimal(digits)
    except InvalidOperation as exc:
        raise PayloadError("a number is out of range") from exc
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise PayloadError("a number is out of range")
    return number


def _constant(name: str) -> NoReturn:
    raise PayloadError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
