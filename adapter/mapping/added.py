"""A further example in the text of a mapping, everything else in it as it was, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapter.errors import MappingError
from adapter.mapping import text
from adapter.mapping.problems import Problem
from adapter.mapping.run import Result

_PLAIN = re.compile(r"[\w+/$][\w +/.@$%-]*(?<! )")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewExample:
    """A request and what came of it, to be written down."""

    name: str
    body: str
    at: datetime
    results: Sequence[Result]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


def example(content: str, new: NewExample) -> str:
    """The mapping's text with the example behind its others; raises `MappingError` where there is no place for it."""
    tree = text.read(content)
    ending = "\r\n" if "\r\n" in content else "\n"
    examples = tree.data.get("examples")
    if examples is None:
        lines, at, indent = ["examples:"], len(content.splitlines()), "  "
    else:
        place = tree.place(("examples",))
        if not isinstance(examples, text.Items) or tree.lines[place.line - 1][place.column - 1] != "-":
            said = "the examples do not stand one below the other, so none can be added"
            raise MappingError([Problem(place, said, hint="write them as a list, each beginning with a dash")])
        lines, at, indent = [], _end(tree), " " * (place.column - 1)
    lines += [f"{indent}{line}" if line else "" for line in _lines(new)]
    before, after = content.splitlines(keepends=True)[:at], content.splitlines(keepends=True)[at:]
    if before and not before[-1].endswith(("\n", "\r")):
        before.append(ending)
    return "".join([*before, *(line + ending for line in lines), *after])


def _end(tree: text.Tree) -> int:
    """The number of lines up to the last one of the examples; comments below belong to what comes next."""
    begins = tree.keys["examples",].start_mark.line
    later = [event.start_mark.line for where, event in tree.keys.items() if len(where) == 1]
    end = min((line for line in later if line > begins), default=len(tree.lines))
    while not tree.lines[end - 1].strip() or tree.lines[end - 1].startswith("#"):
        end -= 1
    return end


def _lines(new: NewExample) -> Iterator[str]:
    yield f"- name: {_scalar(new.name)}"
    yield f"  at: {new.at.isoformat(timespec='seconds')}"
    if new.headers:
        yield "  headers:"
        yield from (f"    {_scalar(name)}: {_scalar(given)}" for name, given in new.headers.items())
    if new.query:
        yield f"  query: {_scalar(new.query)}"
    yield "  body: |"
    yield from (f"    {line}".rstrip() for line in new.body.splitlines())
    yield "  expect:"
    for result in new.results:
        yield from (f"    {line}" for line in _expected(result))


def _expected(result: Result) -> Iterator[str]:
    if result.action is None:
        yield f"- {result.kind}: {_scalar(result.field or result.reason)}"
        return
    yield f"- {result.action.kind}:"
    for name, given in result.action.as_dict().items():
        yield f"    {name}: {'yes' if given is True else _scalar(given)}"
    yield f"  once: {_scalar(result.key)}"
    if result.hold_until:
        yield f"  hold_until: {result.hold_until.isoformat(timespec='seconds')}"


def _scalar(given: str) -> str:
    """A text as YAML wants it: plain where it can be, in double quotes elsewhere."""
    return given if _PLAIN.fullmatch(given) else json.dumps(given, ensure_ascii=False)
