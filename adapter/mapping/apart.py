"""Which parts of an event's key its sender writes beside what it signs, so that anybody could change them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapter.mapping import uses
from adapter.mapping.compiled import Mapping
from adapter.path import Path


def apart(mapping: Mapping) -> tuple[tuple[str, str], ...]:
    """The headers and query parameters of the key that no signature covers, as ("header" or "query", name)."""
    schemes = [proof.scheme for proof in mapping.receive.proofs]
    found = dict.fromkeys(_places(_reached(mapping, mapping.once.key.paths if mapping.once.key else ())))
    return tuple(place for place in found if not any(scheme.covers(*place) for scheme in schemes))


def _reached(mapping: Mapping, paths: Iterable[Path]) -> Iterator[Path]:
    """The paths, and those behind every value of `let` among them, which may only look at values before it."""
    for one in paths:
        yield one
        name = one.steps[0] if one.root == "let" and one.steps else None
        if isinstance(name, str) and name in mapping.let:
            behind = (use.path for value in uses.within(mapping.let[name]) for use in uses.of_value(value))
            yield from _reached(mapping, behind)


def _places(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    words = {"headers": "header", "query": "query"}
    for one in paths:
        if one.root == "request" and len(one.steps) > 1 and one.steps[0] in words:
            yield words[str(one.steps[0])], str(one.steps[1])
