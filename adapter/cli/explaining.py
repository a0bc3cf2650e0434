"""Explain what a mapping makes of a request, step by step; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from adapter import wsgi, xima
from adapter.cli import bodies, requested
from adapter.cli.shown import as_json, mapping_path, plainly, print_json, read_mapping, say
from adapter.mapping import Mapping, Result, Trace, examples, provenance, request_tree, results
from adapter.mapping.provenance import Origin
from adapter.mapping.run import scope_of
from adapter.model import CallEnded, Received


@click.command()
@click.argument("mapping")
@click.argument("bodyfile", type=click.File("rb"), required=False)
@click.option("--request", "request_id", metavar="ID", help="A stored request instead of BODYFILE, on its own clock.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A header of the request; may be repeated.")
@click.option("--query", default="", help="Query string of the request.")
@click.option(
    "--at", metavar="TIME", help="The clock, like 2026-11-24T10:15:00-07:00 (default: now; UTC without a zone)."
)
@as_json
@plainly
def explain(
    mapping: str,
    bodyfile: Any,
    request_id: str | None,
    headers: tuple[str, ...],
    query: str,
    at: str | None,
    as_json: bool,
) -> None:
    """Dry run: what would be sent, and why.

    MAPPING is its name or its file, BODYFILE the body of a request (- reads it from standard input). Nothing is
    sent, nothing is stored, no signature is asked for. With --request it is one that really came, at the moment it
    came; xima-adapter deliveries requests MAPPING lists them.

    \b
    Example:
      xima-adapter explain callback body.txt --at 2026-11-24T10:15:00-07:00
    """
    if (request_id is None) == (bodyfile is None):
        raise click.UsageError("give either BODYFILE, or --request and the id of a stored request")
    if request_id and (headers or query):
        raise click.UsageError("a stored request has its own headers and query: leave --header and --query out")
    loaded = read_mapping(mapping_path(mapping), try_examples=False)  # it may be an example that wants explaining
    if request_id:
        received, now = requested.stored(loaded, request_id)
    else:
        received, now = bodies.received(loaded, bodyfile.read(), bodies.headers(headers), query), wsgi.clock()
    told = _run(loaded, received, bodies.moment(at) if at else now)
    if as_json:
        print_json({"results": [_plain(loaded, one) for one in told]})
    else:
        for number, one in enumerate(told, 1):
            say(*_story(number, _plain(loaded, one), _fields(one.result)))
        if not told:
            click.echo("There is no record in this body, so nothing would be done.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What came of one record by one rule, why, and where each field came from."""

    result: Result
    trace: Trace
    origins: ReadOnly[str, Origin]


def _run(loaded: Mapping, received: Received, now: datetime) -> list[_Told]:
    document, records = examples.records(loaded, received)
    tree = request_tree(received, document)
    told: list[_Told] = []
    for number, record in enumerate(records):
        trace, request = Trace(), {**tree, "index": str(number)}
        made = results(loaded, record, request, now=now, trace=trace)
        scope = scope_of(loaded, record, request, now=now)
        rules = {rule.name: rule for rule in loaded.rules}
        for one in made:
            action = rules[one.rule] if one.action else None
            origins = provenance.of_action(loaded, action, scope, now=now) if action else {}
            told.append(_Told(result=one, trace=trace, origins=origins))
    return told


def _plain(loaded: Mapping, one: _Told) -> dict[str, Any]:
    result = one.result
    built = xima.build(result.action) if result.action and not isinstance(result.action, CallEnded) else None
    return {
        "result": result.kind,
        "rule": result.rule or None,
        "action": result.action.kind if result.action else None,
        "request": {"method": built.method, "path": built.path, "json": built.json} if built else None,
        "provenance": {name: _origin(loaded, of) for name, of in one.origins.items() if name in _fields(result)},
        "once": result.key or None,
        "hold_until": result.hold_until.isoformat() if result.hold_until else None,
        **({"report": result.report} if result.report else {}),
        "reason": result.reason or None,
        "trace": [bodies.with_line(loaded, where, text) for where, text in one.trace.notes],
    }


def _fields(result: Result) -> dict[str, Any]:
    return result.action.as_dict() if result.action else {}


def _origin(loaded: Mapping, of: Origin) -> dict[str, Any]:
    """The line of the mapping, the path in the request (None for a text of the mapping), and what stood there."""
    return {"line": loaded.places[of.where].line, "path": ", ".join(of.paths) or None, "value": of.text}


def _story(number: int, told: dict[str, Any], fields: dict[str, Any]) -> list[str]:
    head = f"record {number}: {told['action'] or told['result']}"
    lines = [head + (f" by rule '{told['rule']}'" if told["rule"] else "")]
    lines += [f"  {step}" for step in told["trace"]]
    lines += [f"  {name}: {told[name]}" for name in ("reason", "once", "hold_until") if told[name]]
    for name, of in told["provenance"].items():
        whence = f"{of['path']}, where '{of['value']}' stood" if of["path"] else "the mapping itself"
        lines.append(f"  {name} {fields[name]}: line {of['line']}, from {whence}")
    if told["request"]:
        request = told["request"]
        lines.append(f"  would send: {request['method']} {request['path']} {json.dumps(request['json'])}")
    elif told["action"] == CallEnded.kind:
        lines.append("  would send nothing: the dial that this call was is looked for when the request comes")
    if report := told.get("report"):
        lines.append(f"  would tell {report['to']} when {', '.join(report['when'])}: {json.dumps(report['include'])}")
    return lines
