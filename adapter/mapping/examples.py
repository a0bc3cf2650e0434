"""Run the examples of a mapping: raw body in, results out, compared with what the file expects."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from datetime import UTC, datetime
from typing import Any

from adapter import payload
from adapter.errors import PayloadError, UnsupportedBody
from adapter.mapping.compiled import Example, Mapping
from adapter.mapping.problems import Place, Problem
from adapter.mapping.run import Result, request_tree, results
from adapter.mapping.scope import Trace
from adapter.mapping.text import Where
from adapter.model import Received

NOW = datetime(2026, 1, 7, 17, 0, tzinfo=UTC)
"""The clock of an example that names no `at`: a Wednesday, 09:00 to 12:00 in the mainland United States."""
CONTENT_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


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
    payload.check_type(kind, content_type)
    document = payload.parse(kind, request.body, content_type=content_type)
    return document, payload.records(document, mapping.receive.records, most=mapping.receive.max_records)


def kind_of(mapping: Mapping, request: Received) -> str:
    """The kind of a request's body: what the mapping says, else its content type; raises `UnsupportedBody`."""
    kind = mapping.receive.body or payload.kind_of(request.headers.get("content-type", ""))
    if kind is None:
        raise UnsupportedBody("neither the mapping (receive.body) nor the content type says what the body is")
    return kind


def problems(mapping: Mapping) -> Iterator[Problem]:
    """Every expectation of the file's examples that does not come true."""
    for example in mapping.examples:
        yield from _run(mapping, example)


def _run(mapping: Mapping, example: Example) -> Iterator[Problem]:
    request = received(mapping, example)
    now = example.at or NOW
    try:
        document, found = records(mapping, request)
    except PayloadError as exc:
        yield _problem(mapping, (*example.where, "body"), f"example '{example.name}': {exc.reason}")
        return
    tree = request_tree(request, document)
    got: list[tuple[Result, Trace]] = []
    for number, record in enumerate(found):
        trace = Trace()
        made = results(mapping, record, {**tree, "index": str(number)}, now=now, trace=trace)
        got += [(one, trace) for one in made]
    if len(got) != len(example.expect):
        said = f"expected {len(example.expect)} results, but the mapping gives {len(got)}"
        yield _problem(mapping, (*example.where, "expect"), f"example '{example.name}': {said}")
        return
    for number, (wanted, (result, trace)) in enumerate(zip(example.expect, got, strict=True)):
        where = (*example.where, "expect", number)
        for said in _differences(wanted, result):
            yield _problem(mapping, where, f"example '{example.name}': {said}", hint=because(mapping, trace))


def _problem(mapping: Mapping, where: Where, message: str, hint: str = "") -> Problem:
    place = mapping.places.get(where) or Place(1, 1)
    return Problem(place, message, hint=hint)


def _differences(wanted: ReadOnly[str, Any], got: Result) -> Iterator[str]:
    kind = got.action.kind if got.action else got.kind
    shown = f"{kind} ({got.reason})" if got.reason else kind
    if wanted["result"] != kind:
        yield f"expected {wanted['result']}, but the mapping gives {shown}"
        return
    if got.action is not None:
        yield from _fields(wanted[kind], got.action.as_dict(), kind)
    elif kind == "reject" and wanted["reject"] not in (got.field, got.reason):
        yield f"expected reject: {wanted['reject']}, but it is {got.field} that is rejected ({got.reason})"
    elif kind == "skip" and wanted["skip"] != got.reason:
        yield f"expected skip: {wanted['skip']}, but the reason is {got.reason}"
    if "once" in wanted and wanted["once"] != got.key:
        yield f"expected once: {wanted['once']}, but the key is {got.key or 'not there'}"
    if "hold_until" in wanted and wanted["hold_until"] != got.hold_until:
        until = got.hold_until.isoformat() if got.hold_until else "not at all"
        yield f"expected hold_until: {wanted['hold_until'].isoformat()}, but it is held {until}"


def _fields(wanted: ReadOnly[str, str], got: ReadOnly[str, Any], kind: str) -> Iterator[str]:
    plain = {name: "yes" if value is True else str(value) for name, value in got.items()}
    for name in [*wanted, *(name for name in plain if name not in wanted)]:
        if wanted.get(name) != plain.get(name):
            expected = wanted.get(name) or "nothing"
            yield f"expected {kind}.{name}: {expected}, but the mapping gives {plain.get(name) or 'nothing'}"


def because(mapping: Mapping, trace: Trace) -> str:
    """The notes of a trace that explain why no rule fired, or why a field was refused, with their lines."""
    told = []
    for where, text in trace.notes:
        if len(where) >= 2 and where[0] == "rules" and ("does not hold" in text or " missing" in text):
            rule = mapping.rules[int(where[1])].name
            told.append(f"rule '{rule}': {_with_line(mapping, where, text)}")
    return "; ".join(told[:4])


def _with_line(mapping: Mapping, where: Where, text: str) -> str:
    place = mapping.places.get(where)
    return text.replace(" does not hold", f" on line {place.line} does not hold", 1) if place else text
