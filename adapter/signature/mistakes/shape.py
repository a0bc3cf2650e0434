"""The sender writes its signature in another way, or makes it over other parts of the request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from adapter.signature.encoding import FORMS
from adapter.signature.keyed import ALGORITHMS, Keyed
from adapter.signature.layout import Plain
from adapter.signature.material import content
from adapter.signature.mistakes.guess import Guess, Tried

CONTENTS = ("{body}", "{timestamp}.{body}", "{timestamp}{body}", "{timestamp}:{body}", "{method}{url}{body}{timestamp}")


def of_shape(tried: Tried) -> Iterator[Guess]:
    """The scheme with one of its words changed."""
    if isinstance(tried.scheme, Keyed):
        for said, scheme in _changed(tried.scheme):
            yield f"it would match {said}", replace(tried, scheme=scheme)


def _changed(scheme: Keyed) -> Iterator[tuple[str, Keyed]]:
    for encoding in FORMS:
        if encoding != scheme.encoding:
            said = f"in {encoding}, but this scheme wants {scheme.encoding}: write encoding: {encoding}"
            yield said, replace(scheme, encoding=encoding)
    if isinstance(scheme.layout, Plain):
        for prefix in dict.fromkeys(("", "sha256=", "v1=", "v0=")):
            if prefix.encode() != scheme.layout.prefix:
                said = f"with the prefix {prefix}: write prefix: {prefix}" if prefix else "without the prefix"
                yield said, replace(scheme, layout=Plain(prefix=prefix.encode()))
    for algorithm in ALGORITHMS:
        if algorithm != scheme.algorithm and scheme.algorithm in ALGORITHMS:
            yield f"with {algorithm}: write algorithm: {algorithm}", replace(scheme, algorithm=algorithm)
    yield from _contents(scheme)


def _contents(scheme: Keyed) -> Iterator[tuple[str, Keyed]]:
    for text in CONTENTS:
        other = content("content", text)
        timed = "timestamp" in other.names and not scheme.clock
        if (
            other != scheme.content
            and not scheme.plain
            and not timed
            and ("url" not in other.names or scheme.covers_url)
        ):
            yield f'over {text} alone: write content: "{text}"', replace(scheme, content=other)
