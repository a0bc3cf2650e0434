"""Check mappings: every mistake with its place and remedy, then what is allowed and likely to be regretted."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from adapter import allowed, proofs, sources, tenants, texts
from adapter.cli import roster
from adapter.cli.shown import as_json, is_there, mapping_path, opened, plainly, print_json, setting, spoken_count
from adapter.errors import MappingError, SettingsError
from adapter.mapping import Mapping, dialling, lint, render, unsent
from adapter.model import Received
from adapter.store import Store

LATEST = 200
"""Stored requests of a mapping that are looked through for what nobody sends any more."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="A warning fails too.")
@click.option("--live", is_flag=True, help="Ask Xima too whether it has the agents, skills and caller ids.")
@click.option("--history", is_flag=True, help="Warn of fields that nobody has sent in the last 200 stored requests.")
@as_json
@plainly
def check(paths: tuple[Path, ...], strict: bool, live: bool, history: bool, as_json: bool) -> None:
    """Load mappings as the server would and run their examples.

    What is allowed and yet likely to be regretted is a warning; docs/mappings.md says how to silence one.

    PATHS are files, folders or names of mappings (default: ADAPTER_MAPPINGS).

    \b
    Example:
      xima-adapter check mappings/callback.yaml
    """
    named = (path if is_there(path) else mapping_path(str(path)) for path in paths)
    where = tuple(named) or (setting("ADAPTER_MAPPINGS"),)
    files = [file for path in where for file in _files(path)]
    for odd in (odd for path in where for odd in _misnamed(path)):
        click.echo(f"{odd}: warning: the server does not read this file: its name has to end in .yaml", err=True)
    if not files:
        raise click.UsageError(f"there is no mapping file (*.yaml) in {', '.join(map(str, where))}")
    with _reality(live, history) as reality:
        report = [_checked(file, reality) for file in files]
    if as_json:
        print_json(report)
    else:
        _say(report)
    if any(one["problems"] or one["missing"] or (strict and one["warnings"]) for one in report):
        raise SystemExit(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reality:
    """What mappings are held against, as far as that was asked for: their tenants' lists, and stored requests."""

    known: Callable[[str, Path], roster.Roster] | None = None
    store: Store | None = None

    def requests(self, mapping: str) -> Iterator[Received]:
        """The latest requests to a mapping."""
        for request_id in self.store.requests_of(mapping, most=LATEST) if self.store else ():
            kept = self.store.request(request_id) if self.store else None
            if kept:  # not removed in the meantime
                yield Received(method=kept["method"], url=kept["url"], headers=kept["headers"], body=kept["body"])


@contextlib.contextmanager
def _reality(live: bool, history: bool) -> Iterator[_Reality]:
    with contextlib.ExitStack() as stack:
        known = stack.enter_context(roster.rosters()) if live else None
        store = stack.enter_context(opened(setting("ADAPTER_DATABASE_URL"))) if history else None
        yield _Reality(known=known, store=store)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if not os.access(path, os.R_OK | os.X_OK):  # `glob` finds nothing there, and says nothing
        raise click.UsageError(f"the folder {path} cannot be read: become a user who may list and enter it")
    return sources.mapping_files(path)


def _misnamed(path: Path) -> list[Path]:
    """What was meant for a mapping by its name, as Windows likes to save it: callback.yml, callback.yaml.txt."""
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    return [one for one in found if re.search(r"\.ya?ml(\.txt)?$", one.name.lower()) and not one.name.endswith(".yaml")]


def _checked(file: Path, reality: _Reality) -> dict[str, Any]:
    report = {"file": str(file), "problems": (), "missing": (), "warnings": (), "examples": 0}
    try:
        if file.name == tenants.FILE:
            tenants.dialling(file.parent)
            return report
        loaded = sources.read(file)
    except SettingsError as exc:
        return {**report, "problems": exc.problems}
    except MappingError as exc:
        return {**report, "problems": sources.rendered(file, exc)}
    content = texts.text_of(file)
    lines = content.splitlines()
    missing = roster.problems(loaded, content, reality.known(loaded.tenant, file.parent)) if reality.known else []
    never_sent = unsent.problems(loaded, content, reality.requests(loaded.name))
    warnings = [*lint.problems(loaded, content), *dialling.problems(loaded), *never_sent]
    unset = "here; the server does not answer for"
    return {
        **report,
        "missing": [render(file.name, lines, one) for one in missing],
        "warnings": [
            *(render(file.name, lines, one) for one in warnings),
            *(f"{file.name}: warning: {why} {unset} {loaded.name} without it" for why in _unset(loaded)),
            *(f"{file.name}: warning: {said}" for said in allowed.problems(loaded)),
        ],
        "examples": len(loaded.examples),
    }


def _unset(loaded: Mapping) -> list[str]:
    """What is wrong with variables that the server needs for a mapping and that hold nothing here."""
    covered = any(proof.scheme.covers_url for proof in loaded.receive.proofs)
    url = ["ADAPTER_PUBLIC_URL is not set"] if covered and not setting("ADAPTER_PUBLIC_URL") else []
    return [*proofs.missing_secrets(loaded), *url]


def _say(report: list[dict[str, Any]]) -> None:
    for one in report:
        for problem in one["problems"]:
            click.echo(problem)
        if not one["problems"]:
            tried = f", {spoken_count(one['examples'], 'example')} as expected"
            click.echo(f"{one['file']}: good{'' if one['file'].endswith(tenants.FILE) else tried}")
        for said in (*one["missing"], *one["warnings"]):
            click.echo(said)
    if missing := sum(len(one["missing"]) for one in report):
        click.echo(f"{spoken_count(missing, 'name')} that Xima does not have as written")
    if problems := sum(len(one["problems"]) for one in report):
        click.echo(f"{spoken_count(problems, 'problem')}; the mapping in use stays as it was")
