"""Run the examples of a mapping: raw body in, results out, compared with what the file expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from datetime import UTC, datetime
from typing import Any

from adapter import payload
from adapter.condition import folded
from adapter.errors import PayloadError, UnsupportedBody
from adapter.mapping.compiled import PARAMETERS, Example, Mapping
from adapter.mapping.problems import Place, Problem
from adapter.mapping.run import Result, request_tree, results, scope_of
from adapter.mapping.scope import Obstacle, Scope, Trace
from adapter.mapping.text import Where
from adapter.model import Received

NOW = datetime(2026, 1, 7, 17, 0, tzinfo=UTC)
"""The clock of an example that names no `at`: a Wednesday, 09:00 to 12:00 in the mainland United States."""
FORM = "application/x-www-form-urlencoded"
CONTENT_TYPES = {"form": FORM, "json": "application/json", PARAMETERS: FORM}


def received(mapping: Mapping, example: Example) -> Received:
    """The example as a request to the mapping's URL."""
    headers = {name.lower(): text for name, text in example.headers.items()}
    if "content-type" not in headers:
        headers["content-type"] = CONTENT_TYPES.get(mapping.receive.body or "json", "text/xml")
    url = f"https://example.com/hooks/{mapping.name}" + (f"?{example.query}" if example.query else "")
    return Received(method="POST", url=url, headers=headers, body=example.body.encode())


def records(mapping: Mapping, request: Received) -> tuple[Any, list[Any]]:
    """The document in a request's body, and its records; raises `PayloadError`."""
    content_type = request.headers.get("content-type", "")
    kind = kind_of(mapping, request)
    if mapping.receive.body == PARAMETERS:
        document = payload.parameters(kind, request.url, request.body, content_type=content_type)
    else:
        payload.check_type(kind, content_type)
        document = payload.parse(kind, request.body, content_type=content_type)
    return document, payload.records(document, mapping.receive.records, most=mapping.receive.max_records)


def kind_of(mapping: Mapping, request: Received) -> str:
    """The kind of a request's body: what the mapping says, else its content type; raises `UnsupportedBody`."""
    said = payload.kind_of(request.headers.get("content-type", ""))
    kind = said or "form" if mapping.receive.body == PARAMETERS else mapping.receive.body or said
    if kind is None:
        raise UnsupportedBody("neither the mapping (receive.body) nor the content type says what the body is")
    return kind


def problems(mapping: Mapping) -> Iterator[Problem]:
    """Every expectation of the file's examples that does not come true."""
    for example in mapping.examples:
        yield from _run(mapping, example)


def _run(mapping: Mapping, example: Example) -> Iterator[Problem]:
    request = received(mapping, example)
    try:
        document, found = records(mapping, request)
    except PayloadError as exc:
        yield _unreadable(mapping, example, exc.reason)
        return
    tree = request_tree(request, document)
    got: list[tuple[Result, Trace]] = []
    for number, record in enumerate(found):
        trace = Trace()
        made = results(mapping, record, {**tree, "index": str(number)}, now=example.at or NOW, trace=trace)
        got += [(one, trace) for one in made]
    if len(got) != len(example.expect):
        given = ", ".join(_shown(one) for one, _ in got[:10]) or "none"
        said = f"expected {len(example.expect)} result(s), but the mapping gives {len(got)}: {given}"
        yield _problem(mapping, example, ("expect",), said, hint="write one item for each, in order")
        return
    for number, (wanted, (result, trace)) in enumerate(zip(example.expect, got, strict=True)):
        for where, said, instead in _differences(wanted, result):
            hint = "; ".join(filter(None, (because(mapping, trace), _remedy(instead))))
            yield _problem(mapping, example, ("expect", number, *where), said, hint=hint)


def scopes(mapping: Mapping) -> Iterator[Scope]:
    """What the rules reach for every record of the examples that can be read."""
    for example in mapping.examples:
        request = received(mapping, example)
        try:
            document, found = records(mapping, request)
        except PayloadError:
            continue
        tree = request_tree(request, document)
        for number, record in enumerate(found):
            yield scope_of(mapping, record, {**tree, "index": str(number)}, now=example.at or NOW)


_AT_LINE = re.compile(r" at line (\d+) column (\d+)$")


def _unreadable(mapping: Mapping, example: Example, reason: str) -> Problem:
    """A body that cannot be read, at the very place in the file where that can be told."""
    place = _place(mapping, (*example.where, "body"))
    if found := _AT_LINE.search(reason):
        within = place.within(int(found[1]), int(found[2]))
        if within != place:
            place, reason = within, reason[: found.start()]
    return Problem(place, f"example '{example.name}': {reason}", hint="the body stands here exactly as it is sent")


def _problem(mapping: Mapping, example: Example, where: Where, said: str, hint: str = "") -> Problem:
    return Problem(_place(mapping, (*example.where, *where)), f"example '{example.name}': {said}", hint=hint)


def _place(mapping: Mapping, where: Where) -> Place:
    """The place of a part of the file, or of the nearest thing around it."""
    return next(mapping.places[where[:end]] for end in range(len(where), 0, -1) if where[:end] in mapping.places)


def _shown(got: Result) -> str:
    kind = got.action.kind if got.action else got.kind
    return f"{kind} ({got.reason})" if got.reason else kind


def _differences(wanted: ReadOnly[str, Any], got: Result) -> Iterator[tuple[Where, str, str]]:
    """What an example expects otherwise: where below the expectation, what, and the line that would be true."""
    kind = got.action.kind if got.action else got.kind
    if wanted["result"] != kind:
        yield (), f"expected {wanted['result']}, but the mapping gives {_shown(got)}", _line_of(got)
        return
    if got.action is not None:
        yield from _fields(wanted[kind], got.action.as_dict(), kind)
    elif not _is_meant(wanted[kind], got):
        why = (
            f"it is {got.field} that is rejected ({got.reason})" if kind == "reject" else f"the reason is {got.reason}"
        )
        yield (), f"expected {kind}: {wanted[kind]}, but {why}", _line_of(got)
    if "once" in wanted and wanted["once"] != got.key:
        said = f"expected once: {wanted['once']}, but the key is {got.key or 'not there'}"
        yield ("once",), said, _line("once", got.key)
    if "hold_until" in wanted and wanted["hold_until"] != got.hold_until:
        until = got.hold_until.isoformat() if got.hold_until else ""
        said = f"expected hold_until: {wanted['hold_until'].isoformat()}, but it is held {until or 'not at all'}"
        yield ("hold_until",), said, _line("hold_until", until)


def _is_meant(wanted: str | None, got: Result) -> bool:
    """Whether a skip or reject is the one that is expected: any, or one for this reason or because of this field."""
    return wanted is None or folded(wanted) in {folded(one) for one in (got.field, got.reason) if one}


def _fields(wanted: ReadOnly[str, Any], got: ReadOnly[str, Any], kind: str) -> Iterator[tuple[Where, str, str]]:
    for name in [*wanted, *(name for name in got if name not in wanted)]:
        expected, given = _as_text(wanted.get(name)), _as_text(got.get(name))
        if expected != given:
            said = f"expected {kind}.{name}: {expected}, but the mapping gives {given}"
            yield (kind, name), said, _line(name, got.get(name))


def _as_text(value: Any) -> str:
    return "yes" if value is True else str(value or "nothing")


def _remedy(instead: str) -> str:
    said = "if the mapping is right, "
    return said + (f"write this into the example: {instead}" if instead else "remove this line from the example")


def _line_of(got: Result) -> str:
    """A result as the line of an example that expects it."""
    if got.action is None:
        return _line(got.kind, got.field or got.reason)
    held = {name: value for name, value in got.action.as_dict().items() if value}
    return f"{got.action.kind}: {{{', '.join(_line(name, value) for name, value in held.items())}}}"


def _line(name: str, value: Any) -> str:
    """A key and its value as an author writes them; nothing where there is no value."""
    text = _as_text(value)
    plain = _PLAIN.fullmatch(text)
    return f"{name}: {text if plain else json.dumps(text, ensure_ascii=False)}" if value else ""


_PLAIN = re.compile(r"[\w+](?:[\w .+()/-]*[\w.+()/-])?")
"""Texts that need no quotes, wherever in the line they stand."""


def because(mapping: Mapping, trace: Trace) -> str:
    """Why no rule fired, or why a field was refused, with the lines of the file."""
    return "; ".join(f"rule '{one.rule}': {_with_line(mapping, one)}" for one in trace.obstacles[:4])


def _with_line(mapping: Mapping, obstacle: Obstacle) -> str:
    """`condition 2 on line 38 does not hold: ...`; other obstacles name the field, and so need no line."""
    said = " does not hold"
    return obstacle.text.replace(said, f" on line {_place(mapping, obstacle.where).line}{said}", 1)
