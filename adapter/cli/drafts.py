"""Commands for the author of a mapping: explain what it does, send it something, find a sender."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adapter import sources, wsgi, xima
from adapter.cli import bodies
from adapter.cli.bodies import Origin
from adapter.cli.shown import as_json, columns, mapping_path, plainly, print_json, setting
from adapter.errors import MappingError, SettingsError
from adapter.mapping import Mapping, Result, Trace, examples, request_tree, results
from adapter.mapping.preset import Preset
from adapter.model import Received


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


@click.command()
@click.argument("name", required=False)
@as_json
@plainly
def presets(name: str | None, as_json: bool) -> None:
    """List the senders that are known, or describe one.

    They need no configuration beyond a secret.

    \b
    Example:
      xima-adapter presets hubspot-v3
    """
    known = sources.presets()
    if name is not None and name not in known:
        raise click.UsageError(f"there is no preset called {name}; known: {', '.join(known)}")
    chosen = [known[name]] if name else list(known.values())
    if as_json:
        print_json([_plain(one) for one in chosen])
    elif name:
        click.echo(_described(known[name]))
    else:
        columns([("NAME", "SENDER"), *((one.name, one.title) for one in chosen)])
        click.echo("\nxima-adapter presets NAME says where to click and what to write.")


def _plain(preset: Preset) -> dict[str, Any]:
    given = {name: {"help": one.help, "required": one.required} for name, one in preset.parameters.items()}
    return {
        "name": preset.name,
        "title": preset.title,
        "about": preset.about,
        "setup": preset.setup,
        "parameters": given,
    }


def _described(preset: Preset) -> str:
    url = f"{setting('ADAPTER_PUBLIC_URL') or 'https://YOUR-HOST'}/hooks/NAME-OF-THE-MAPPING"
    lines = [f"{preset.name}: {preset.title}", "", preset.about, "", f"At the sender (the URL is {url}):"]
    lines += [f"  {number}. {step}" for number, step in enumerate(preset.setup, 1)]
    lines += ["", "In the mapping:", "  receive:", f"    from: {preset.name}"]
    for name, one in preset.parameters.items():
        lines.append(f"    {name}: ...    # {one.help}" if one.required else f"    # {name}: ...    {one.help}")
    if not any(one.sets == "secret" for one in preset.parameters.values()):
        lines.append("    secrets: [NAME_OF_A_VARIABLE]    # the variable, never the secret itself")
    if preset.also_required:
        lines += ["    also:", "      - query_token: key", "        secrets: [NAME_OF_A_VARIABLE]"]
    return "\n".join(lines)
