"""Keep a real request as an example of its mapping, with fakes for everything personal."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import click

from adapter import phone, sources, texts
from adapter.cli import requested
from adapter.cli.shown import mapping_path, plainly, read_mapping
from adapter.errors import MappingError, SettingsError
from adapter.mapping import Mapping, Result, added, disguise, examples, render, request_tree, results, uses
from adapter.mapping.compiled import PARAMETERS, Example, Value
from adapter.mapping.fakes import Fakes
from adapter.mapping.fields import region_of
from adapter.mapping.problems import Problem
from adapter.mapping.run import scope_of
from adapter.model import Received


@click.group()
def example() -> None:
    """Keep real requests as examples.

    They stand in the mapping, without the person who sent them.

    \b
    Example:
      xima-adapter example add callback 26324290054b2899
    """


@example.command("add")
@click.argument("mapping")
@click.argument("request_id")
@click.option("--name", help="What the example shows (default: when the request came).")
@plainly
def add(mapping: str, request_id: str, name: str | None) -> None:
    """Add a stored request to its mapping as an example.

    REQUEST_ID is what deliveries requests lists; the id of a delivery will do too. Numbers, names, e-mail addresses and
    free texts are replaced by fakes, the same ones every time; what is expected is what the mapping gives now. Nothing
    else in the file changes, and the file is not touched when it would not load afterwards.

    \b
    Example:
      xima-adapter example add callback 26324290054b2899 --name "a number with an extension"
    """
    path = mapping_path(mapping)
    loaded = read_mapping(path)
    made = _example(loaded, *requested.stored(loaded, request_id), name)
    if twin := next((one for one in loaded.examples if (one.body, one.at) == (made.body, made.at)), None):
        raise SettingsError([f"{path}: the example '{twin.name}' shows this request already"])
    _write(path, loaded, made)
    click.echo(f"{path}: example '{made.name}' added. Look through it: fakes replace what looks personal, no more")


def _example(loaded: Mapping, real: Received, came: datetime, name: str | None) -> added.NewExample:
    """The request in disguise, and what the mapping gives for it."""
    known = frozenset(key for table in loaded.tables.values() for key in table)
    at = came.replace(microsecond=0)
    fakes = Fakes(regions=_regions(loaded, real, at), keep=known)
    headers, query = _beside(loaded, real, fakes)
    body = disguise.body(examples.kind_of(loaded, real), real.body, fakes)
    tried = Example(name="", body=body, headers=headers, query=query, expect=(), where=(), at=at)
    given = _results(loaded, examples.received(loaded, tried), at)
    if [(one.kind, one.rule, one.field) for one in given] != [
        (one.kind, one.rule, one.field) for one in _results(loaded, real, at)
    ]:
        click.echo("With fakes this request comes out otherwise than it did: read what the example expects.", err=True)
    return added.NewExample(
        name=name or f"as it came on {at:%Y-%m-%d %H:%M:%S}",
        body=body,
        at=at,
        results=given,
        headers=headers,
        query=query,
    )


def _results(loaded: Mapping, request: Received, at: datetime) -> list[Result]:
    document, records = examples.records(loaded, request)
    tree = request_tree(request, document)
    given = (results(loaded, one, {**tree, "index": str(number)}, now=at) for number, one in enumerate(records))
    return [result for one in given for result in one]


def _regions(loaded: Mapping, real: Received, at: datetime) -> tuple[str, ...]:
    """The countries whose numbers may stand in the request: those its records name, and home."""
    document, records = examples.records(loaded, real)
    tree = request_tree(real, document)
    own = [given.phones for rule in loaded.rules for given in rule.fields.values() if isinstance(given, Value)]
    named = []
    for record in records:
        scope = scope_of(loaded, record, tree, now=at)
        for phones in (loaded.phones, *filter(None, own)):
            named += [region_of(phones, scope, loaded.tables, now=at), phones.rules.region]
    return tuple(dict.fromkeys(one for one in named if one in phone.REGIONS))


def _beside(loaded: Mapping, real: Received, fakes: Fakes) -> tuple[dict[str, str], str]:
    """The headers and the query, as far as the mapping looks at them; the content type where it must be told."""
    used = {one.path.steps[:2] for one in uses.paths(loaded) if one.path.root == "request"}
    wanted = {str(step[1]) for step in used if step[0] == "headers" and len(step) > 1}
    wanted |= set() if loaded.receive.body else {"content-type"}
    headers = {name: fakes.text(name, given) for name, given in real.headers.items() if name in wanted}
    pairs = parse_qsl(real.url.partition("?")[2], keep_blank_values=True)
    secret = loaded.receive.drop_query if loaded.receive.body == PARAMETERS else {name for name, _ in pairs}
    asked = [(name, fakes.text(name, given)) for name, given in pairs if ("query", name) in used or name not in secret]
    return headers, urlencode(asked)


def _write(path: Path, loaded: Mapping, made: added.NewExample) -> None:
    """Put the example into the file at once and in whole, if it loads with it; raises `SettingsError`."""
    content = path.read_bytes().decode()
    new = ""
    try:
        new = added.example(content, made)
        known = sources.known_tenants(path.parent)
        sources.compiled(new, name=loaded.name, read_file=partial(texts.beside, path.parent), known=known)
    except MappingError as exc:
        shown = (
            render(path.name, (new or content).splitlines(), one) for one in exc.problems if isinstance(one, Problem)
        )
        raise SettingsError([*shown, "the file would not load with this example, so it stays as it was"]) from exc
    _replace(path, new.encode())


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside the old one and put it in its place, so that nobody ever reads a half."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".new", delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(path.stat().st_mode & 0o777)
        Path(file.name).replace(path)
    except OSError as exc:
        raise SettingsError([f"{path} cannot be written: {exc.strerror}"]) from exc
