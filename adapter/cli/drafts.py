"""Commands for the author of a mapping: check it, explain what it does, send it something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adapter import sources, wsgi, xima
from adapter.cli import bodies
from adapter.cli.bodies import Origin
from adapter.cli.shown import as_json, mapping_path, plainly, print_json, setting, spoken_count
from adapter.errors import MappingError, SettingsError
from adapter.mapping import Mapping, Result, Trace, examples, request_tree, results
from adapter.model import Received


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--strict", is_flag=True, help="A warning fails too.")
@as_json
@plainly
def check(paths: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Load mappings as the server would and run their examples.

    PATHS are files or folders (default: ADAPTER_MAPPINGS).

    \b
    Example:
      xima-adapter check mappings/callback.yaml
    """
    where = paths or (setting("ADAPTER_MAPPINGS"),)
    files = [file for path in where for file in _files(path)]
    if not files:
        raise click.UsageError(f"there is no mapping file (*.yaml) in {', '.join(map(str, where))}")
    report = [_checked(file) for file in files]
    problems = sum(len(one["problems"]) for one in report)
    if as_json:
        print_json(report)
    else:
        _say(report, problems)
    if problems or (strict and any(one["warnings"] for one in report)):
        raise SystemExit(1)


def _files(path: Path) -> list[Path]:
    return sources.mapping_files(path) if path.is_dir() else [path]


def _checked(file: Path) -> dict[str, Any]:
    try:
        loaded = sources.read(file)
    except MappingError as exc:
        return {"file": str(file), "problems": sources.rendered(file, exc), "warnings": [], "examples": 0}
    missing = sources.missing_secrets(loaded)
    warnings = [f"{name} is not set here; the server does not answer for {loaded.name} without it" for name in missing]
    return {"file": str(file), "problems": (), "warnings": warnings, "examples": len(loaded.examples)}


def _say(report: list[dict[str, Any]], problems: int) -> None:
    for one in report:
        for problem in one["problems"]:
            click.echo(problem)
        if not one["problems"]:
            click.echo(f"{one['file']}: good, {spoken_count(one['examples'], 'example')} as expected")
        for warning in one["warnings"]:
            click.echo(f"{one['file']}: warning: {warning}")
    if problems:
        click.echo(f"{spoken_count(problems, 'problem')}; the mapping in use stays as it was")


@click.command()
@click.argument("mapping")
@click.argument("bodyfile", type=click.File("rb"))
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A header of the request; may be repeated.")
@click.option("--query", default="", help="Query string of the request.")
@click.option(
    "--at", metavar="TIME", help="The clock, like 2026-11-24T10:15:00-07:00 (default: now; UTC without a zone)."
)
@as_json
@plainly
def explain(mapping: str, bodyfile: Any, headers: tuple[str, ...], query: str, at: str | None, as_json: bool) -> None:
    """Dry run: what would be sent, and why.

    MAPPING is its name or its file, BODYFILE the body of a request (- reads it from standard input). Nothing is
    sent, nothing is stored, no signature is asked for.

    \b
    Example:
      xima-adapter explain callback body.txt --at 2026-11-24T10:15:00-07:00
    """
    now = bodies.moment(at) if at else wsgi.clock()
    loaded = _read(mapping_path(mapping), try_examples=False)  # it may be an example that wants explaining
    received = bodies.received(loaded, bodyfile.read(), bodies.headers(headers), query)
    told = [_told(loaded, result, trace) for result, trace in _run(loaded, received, now)]
    if as_json:
        print_json({"results": told})
    else:
        for number, one in enumerate(told, 1):
            click.echo(_story(number, one))
        if not told:
            click.echo("There is no record in this body, so nothing would be done.")


def _read(path: Path, *, try_examples: bool = True) -> Mapping:
    """A mapping file; what is wrong with it is shown as `check` shows it."""
    try:
        return sources.read(path, try_examples=try_examples)
    except MappingError as exc:
        raise SettingsError(list(sources.rendered(path, exc))) from exc


def _run(loaded: Mapping, received: Received, now: Any) -> list[tuple[Result, Trace]]:
    document, records = examples.records(loaded, received)
    tree = request_tree(received, document)
    told: list[tuple[Result, Trace]] = []
    for number, record in enumerate(records):
        trace = Trace()
        made = results(loaded, record, {**tree, "index": str(number)}, now=now, trace=trace)
        told += [(result, trace) for result in made]
    return told


def _told(loaded: Mapping, result: Result, trace: Trace) -> dict[str, Any]:
    built = xima.build(result.action) if result.action else None
    return {
        "result": result.kind,
        "rule": result.rule or None,
        "action": result.action.kind if result.action else None,
        "request": {"method": built.method, "path": built.path, "json": built.json} if built else None,
        "once": result.key or None,
        "hold_until": result.hold_until.isoformat() if result.hold_until else None,
        "reason": result.reason or None,
        "trace": [bodies.with_line(loaded, where, text) for where, text in trace.notes],
    }


def _story(number: int, told: dict[str, Any]) -> str:
    head = f"record {number}: {told['action'] or told['result']}"
    lines = [head + (f" by rule '{told['rule']}'" if told["rule"] else "")]
    lines += [f"  {step}" for step in told["trace"]]
    lines += [f"  {name}: {told[name]}" for name in ("reason", "once", "hold_until") if told[name]]
    if told["request"]:
        request = told["request"]
        lines.append(f"  would send: {request['method']} {request['path']} {json.dumps(request['json'])}")
    return "\n".join(lines)


@click.command()
@click.argument("mapping")
@click.option("--example", help="The example to send (default: the first).")
@click.option("--set", "changes", multiple=True, metavar="path=value", help="Change a field of the body first.")
@click.option(
    "--to",
    type=Origin(),
    help="The adapter, like http://127.0.0.1:8000 (default: ADAPTER_PUBLIC_URL or ADAPTER_BIND).",
)
@plainly
def send(mapping: str, example: str | None, changes: tuple[str, ...], to: str | None) -> None:
    """Send a running adapter one of the mapping's examples.

    It is signed as its sender would sign it, with the secret from the environment. This dials or queues for real.

    \b
    Example:
      xima-adapter send callback --set phone=801-555-0143 --to http://127.0.0.1:8000
    """
    path = mapping_path(mapping)
    origin = setting("ADAPTER_PUBLIC_URL") or to or f"http://{setting('ADAPTER_BIND')}"
    source = sources.ready(_read(path), public_url=origin)
    request = bodies.signed(source, example, changes, origin=origin, now=wsgi.clock())
    target = (to or origin) + request.url.removeprefix(origin)
    answer = bodies.post(target, request)
    click.echo(f"{answer.status_code} from {target.partition('?')[0]}")
    for line in bodies.spoken(answer):
        click.echo(line)
    if not answer.ok:
        raise SystemExit(1)
