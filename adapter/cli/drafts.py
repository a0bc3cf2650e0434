"""Commands for the author of a mapping: send it something, help the editor."""

from __future__ import annotations

import click

from adapter import sources, wsgi
from adapter.cli import bodies, printed, reference
from adapter.cli.bodies import Origin
from adapter.cli.shown import as_json, mapping_path, plainly, print_json, read_mapping, setting


@click.command()
@click.argument("mapping")
@click.option("--example", help="The example to send (default: the first).")
@click.option("--set", "changes", multiple=True, metavar="path=value", help="Change a field of the body first.")
@click.option("--add", "added", multiple=True, metavar="path=value", help="Add a field that the example has not.")
@click.option(
    "--to",
    type=Origin(),
    help="The adapter, like http://127.0.0.1:8000 (default: ADAPTER_PUBLIC_URL or ADAPTER_BIND).",
)
@as_json
@plainly
def send(
    mapping: str, example: str | None, changes: tuple[str, ...], added: tuple[str, ...], to: str | None, as_json: bool
) -> None:
    """Send a running adapter one of the mapping's examples.

    It is signed as its sender would sign it, with the secret from the environment. This dials or queues for real. An
    event is done once: for another one --set its id, or the number (ids in headers are new each time).

    \b
    Example:
      xima-adapter send callback --set phone=801-555-0143 --to http://127.0.0.1:8000
    """
    path = mapping_path(mapping)
    origin = setting("ADAPTER_PUBLIC_URL") or to or f"http://{setting('ADAPTER_BIND')}"
    source = sources.ready(read_mapping(path), public_url=origin)
    request = bodies.signed(source, example, changes, added=added, origin=origin, now=wsgi.clock())
    target = (to or origin) + request.url.removeprefix(origin)
    answer = bodies.post(target, request)
    url = target.partition("?")[0]
    if as_json:
        print_json({"url": url, "status": answer.status_code, **bodies.plain(answer)})
    else:
        click.echo("\n".join((f"{answer.status_code} from {url}", *bodies.spoken(answer))))
    if not answer.ok:
        raise SystemExit(1)


@click.command()
@click.option("--page", is_flag=True, help="Print the reference for people instead: docs/reference.md.")
@plainly
def schema(page: bool) -> None:
    """Print the JSON Schema of mappings.

    Editors complete and explain the keys with it.

    \b
    Example:
      xima-adapter schema > mappings/mapping.schema.json
    """
    click.echo(reference.page() if page else printed.mapping_schema(), nl=False)
