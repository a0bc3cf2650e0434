"""Work out a value: find it, clean it, fall back to its default."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapter import condition, path, payload, template
from adapter.errors import PayloadError
from adapter.mapping.compiled import Case, Value
from adapter.mapping.scope import Scope, describe

MOST_PARTS = 1000
"""Parts of a text that `split` gives."""
LONGEST_REASON = 1000
"""Characters of an explanation: that of a `let` holds those of the values before it, each perhaps twice."""
_NO_DIGITS = re.compile(r"\D+")

Tables = Mapping[str, Mapping[str, str]]


def find(value: Value, scope: Scope, tables: Tables, *, now: datetime) -> Any:
    """What the value gives for this record, cleaned, or its default; None when there is nothing."""
    found = _source(value, scope, tables, now=now)
    for step in value.clean:
        if found is None:
            break
        found = CLEAN[step](found)
        if scope.trace:
            scope.trace.note(value.where, f"clean {step} gives {describe(found)}")
    if scope.is_empty(found):
        found = template.fill(value.default, scope.find) if value.default else None
        if scope.trace and found is not None:
            scope.trace.note(value.where, f"nothing found, so the default {describe(found)} is used")
    return found


def text(value: Value, scope: Scope, tables: Tables, *, now: datetime) -> str | None:
    """The same as text: a list gives its first item, a group of keys nothing."""
    found = path.text_of(find(value, scope, tables, now=now))
    return None if scope.is_empty(found) else found


def why_missing(value: Value, scope: Scope, *, now: datetime) -> str:
    """In words, what was tried and what each held."""
    if value.nearest_to is not None:
        return "it is chosen when the call is placed"
    if value.lookup is not None:
        return f"table {value.lookup} has no line for {_key_text(value, scope)}"
    if value.choose:
        case = chosen(value, scope, now=now)
        return why_missing(case.use, scope, now=now) if case else "no line of choose applies"
    paths = value.first_of or ((value.field,) if value.field else value.text.paths if value.text else ())
    told = "; ".join(_why_nothing(one, scope) for one in dict.fromkeys(paths))
    return told[:LONGEST_REASON] or "the text in the mapping is empty"


def _why_nothing(where: path.Path, scope: Scope) -> str:
    found = scope.find(where)
    if path.text_of(found) is None or scope.is_empty(path.text_of(found)):
        return scope.why_empty(where)
    return f"{where} is {describe(found)}, of which clean leaves nothing"


def _source(value: Value, scope: Scope, tables: Tables, *, now: datetime) -> Any:
    if value.text is not None:
        return _text(value.text, value, scope)
    if value.nearest_to is not None:
        return None
    if value.field is not None:
        return scope.find(value.field)
    if value.first_of:
        return _first(value, scope)
    if value.lookup is not None:
        return _look_up(value, scope, tables)
    case = chosen(value, scope, now=now)
    if case and scope.trace:
        scope.trace.note(case.use.where, "this line of choose applies")
    return find(case.use, scope, tables, now=now) if case else None


def _text(of: template.Template, value: Value, scope: Scope) -> str | None:
    found = template.fill(of, scope.find)
    for one in of.paths if scope.trace and found is not None else ():
        if scope.trace and path.text_of(scope.find(one)) is None:
            scope.trace.note(value.where, scope.why_empty(one))
    return found


def _first(value: Value, scope: Scope) -> Any:
    for one in value.first_of:
        if (found := scope.find(one)) is not None and not isinstance(found, dict):
            if scope.trace:
                scope.trace.note(value.where, f"the first that is not empty is {one}: {describe(found)}")
            return found
    return None


def _look_up(value: Value, scope: Scope, tables: Tables) -> str | None:
    key = template.fill(value.key, scope.find) if value.key else None
    found = tables[value.lookup or ""].get(condition.folded(key)) if key is not None else None
    if scope.trace:
        scope.trace.note(value.where, f"table {value.lookup}, {describe(key)}: {describe(found)}")
    return found


def _key_text(value: Value, scope: Scope) -> str:
    key = template.fill(value.key, scope.find) if value.key else None
    if key is not None:
        return describe(key)
    empty = "; ".join(scope.why_empty(one) for one in value.key.paths) if value.key else ""
    return f"an empty key ({empty})"


def chosen(value: Value, scope: Scope, *, now: datetime) -> Case | None:
    """The first line of a `choose` whose conditions hold."""
    holding = (case for case in value.choose if all(condition.holds(one, scope.find, now=now) for one in case.when))
    return next(holding, None)


def _each(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """A change of text that also serves every item of a list."""

    def apply(found: Any) -> Any:
        if isinstance(found, list):
            return [apply(item) for item in found]
        shown = path.text_of(found)
        return change(shown) if shown is not None else None

    return apply


def _digits(text: str) -> str:
    """The digits of a text, those of other scripts as ordinary ones."""
    kept = _NO_DIGITS.sub("", text)
    if kept.isascii():
        return kept
    return kept.translate({ord(letter): str(unicodedata.decimal(letter)) for letter in set(kept)})


def _parse_json(found: Any) -> Any:
    try:
        return payload.parse("json", (path.text_of(found) or "").encode())
    except PayloadError:
        return None


def _split(found: Any) -> list[Any]:
    """The parts of `A;B;C` or `A, B`, as many as anybody can have ticked; what is a list already stays one."""
    if isinstance(found, list):
        return found
    shown = path.text_of(found) or ""
    parts = shown.split(";" if ";" in shown else ",", MOST_PARTS)[:MOST_PARTS]
    return [part.strip() for part in parts if part.strip()]


CLEAN: Mapping[str, Callable[[Any], Any]] = {
    "trim": _each(str.strip),
    "lower": _each(str.lower),
    "upper": _each(str.upper),
    "digits": _each(_digits),
    "first_word": _each(lambda text: (text.split() or [""])[0]),
    "parse_json": _parse_json,
    "split": _split,
}
