"""Commands for the author of a mapping: send it something, find a sender."""

from __future__ import annotations

from typing import Any

import click

from adapter import sources, wsgi
from adapter.cli import bodies, printed
from adapter.cli.bodies import Origin
from adapter.cli.shown import as_json, columns, mapping_path, plainly, print_json, read_mapping, setting
from adapter.mapping.preset import Preset


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
    source = sources.ready(read_mapping(path), public_url=origin)
    request = bodies.signed(source, example, changes, origin=origin, now=wsgi.clock())
    target = (to or origin) + request.url.removeprefix(origin)
    answer = bodies.post(target, request)
    click.echo(f"{answer.status_code} from {target.partition('?')[0]}")
    for line in bodies.spoken(answer):
        click.echo(line)
    if not answer.ok:
        raise SystemExit(1)


@click.command()
@plainly
def schema() -> None:
    """Print the JSON Schema of mappings.

    Editors complete and explain the keys with it.

    \b
    Example:
      xima-adapter schema > mappings/mapping.schema.json
    """
    click.echo(printed.mapping_schema(), nl=False)


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
