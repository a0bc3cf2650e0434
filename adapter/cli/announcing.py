"""What `serve` and `web` say before they start: where senders post to, and what cannot be used."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import click

from adapter import wsgi
from adapter.cli import lost
from adapter.errors import SettingsError
from adapter.settings import Settings
from adapter.sources import Sources
from adapter.store import Store


def announce(given: Settings) -> None:
    """Say what is served and what is not; raises `SettingsError` when no mapping can be used at all."""
    with contextlib.closing(Store(given.database_url)) as store:
        lost.tell(given, store)
        found = wsgi.in_force(given, store).found
    waiting = [problem for broken in found.waiting.values() for problem in broken.problems]
    problems = waiting + [problem for broken in found.broken.values() for problem in broken.problems]
    if not found.usable:
        none = f"there is no mapping file (*.yaml) in {given.mappings}: copy one of the shipped ones"
        raise SettingsError(problems or [none])
    try:
        _greet(given, found, problems)
    except OSError:  # nobody can read it, on a full disk say: no reason not to serve
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _greet(given: Settings, found: Sources, problems: list[str]) -> None:
    click.echo(f"Serving on http://{given.bind}; senders post to")
    for name in sorted(found.usable):
        click.echo(f"  {given.origin}/hooks/{name}")
    if problems:
        click.echo("\n".join(("", *problems)), err=True)
    if found.waiting:
        names = ", ".join(sorted(found.waiting))
        click.echo(f"\nNot used, so the version before stays in force: {names}", err=True)
    if found.broken:
        names = ", ".join(sorted(found.broken))
        click.echo(f"\nCannot be used, so their senders get 503 until that is mended: {names}", err=True)
