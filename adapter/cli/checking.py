"""Check mappings: every mistake with its place and remedy, then what is allowed and likely to be regretted."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from adapter import sources
from adapter.cli import roster
from adapter.cli.shown import as_json, plainly, print_json, setting, spoken_count
from adapter.errors import MappingError
from adapter.mapping import Mapping, lint, render


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--strict", is_flag=True, help="A warning fails too.")
@click.option("--live", is_flag=True, help="Ask Xima too whether it has the agents, skills and caller ids.")
@as_json
@plainly
def check(paths: tuple[Path, ...], strict: bool, live: bool, as_json: bool) -> None:
    """Load mappings as the server would and run their examples.

    What is allowed and yet likely to be regretted is a warning; docs/mappings.md says how to silence one.

    PATHS are files or folders (default: ADAPTER_MAPPINGS).

    \b
    Example:
      xima-adapter check mappings/callback.yaml
    """
    where = paths or (setting("ADAPTER_MAPPINGS"),)
    files = [file for path in where for file in _files(path)]
    if not files:
        raise click.UsageError(f"there is no mapping file (*.yaml) in {', '.join(map(str, where))}")
    with contextlib.closing(roster.client()) if live else contextlib.nullcontext() as client:
        known = roster.Roster.read(client) if client else None
        report = [_checked(file, known) for file in files]
    problems = sum(len(one["problems"]) for one in report)
    if as_json:
        print_json(report)
    else:
        _say(report, problems)
    if problems or (strict and any(one["warnings"] for one in report)):
        raise SystemExit(1)


def _files(path: Path) -> list[Path]:
    return sources.mapping_files(path) if path.is_dir() else [path]


def _checked(file: Path, known: roster.Roster | None) -> dict[str, Any]:
    try:
        loaded = sources.read(file)
    except MappingError as exc:
        return {"file": str(file), "problems": sources.rendered(file, exc), "warnings": [], "examples": 0}
    content = file.read_text(encoding="utf-8-sig")
    found = roster.problems(loaded, content, known) if known else []
    return {
        "file": str(file),
        "problems": [render(file.name, content.splitlines(), one) for one in found],
        "warnings": _warnings(file, loaded, content),
        "examples": len(loaded.examples),
    }


def _warnings(file: Path, loaded: Mapping, content: str) -> list[str]:
    """What is likely to be regretted, and secrets that this environment lacks."""
    found = [render(file.name, content.splitlines(), one) for one in lint.problems(loaded, content)]
    unset = "is not set here; the server does not answer for"
    missing = sources.missing_secrets(loaded)
    return found + [f"{file.name}: warning: {name} {unset} {loaded.name} without it" for name in missing]


def _say(report: list[dict[str, Any]], problems: int) -> None:
    for one in report:
        for problem in one["problems"]:
            click.echo(problem)
        if not one["problems"]:
            click.echo(f"{one['file']}: good, {spoken_count(one['examples'], 'example')} as expected")
        for warning in one["warnings"]:
            click.echo(warning)
    if problems:
        click.echo(f"{spoken_count(problems, 'problem')}; the mapping in use stays as it was")
