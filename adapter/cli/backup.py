"""Back a store up while it is used, and start again from a backup without calling anybody twice."""

from __future__ import annotations

from pathlib import Path

import click

from adapter import wsgi
from adapter.cli import clock
from adapter.cli.shown import opened, plainly, setting, spoken_count
from adapter.errors import SettingsError
from adapter.store import backup as copies
from adapter.store import location

file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


def _sqlite(instead: str) -> Path:
    """The file of the store; raises `SettingsError` for PostgreSQL, with what to use `instead`."""
    url: str = setting("ADAPTER_DATABASE_URL")
    if url.startswith(location.POSTGRES):
        raise SettingsError([f"the store is in PostgreSQL, which has its own way: {instead}; see docs/backup.md"])
    return Path(url.removeprefix("sqlite:///"))


@click.command()
@file_argument
@plainly
def backup(file: Path) -> None:
    """Copy the store (SQLite) to FILE while it is used.

    The copy is of one moment, and nobody waits for it. What waits in it is held: wherever it is restored, nothing is
    dialled again before a person says so. A FILE that is there is never written over.

    \b
    Example:
      xima-adapter db backup adapter-backup.db
    """
    store = _sqlite("pg_dump --format=custom")
    with opened(setting("ADAPTER_DATABASE_URL")):
        pass
    held = copies.take(store, file, now=wsgi.clock())
    size = file.stat().st_size / 1024**2
    click.echo(f"{file}: {size:.1f} MB; {spoken_count(held, 'delivery', 'deliveries')} that wait are held in it.")


@click.command()
@file_argument
@plainly
def restore(file: Path) -> None:
    """Make a new store (SQLite) out of the backup FILE.

    Stop the adapter first, and move the store that is there away. What waited in the backup may have been done since:
    it is held, and recover decides.

    \b
    Example:
      xima-adapter db restore adapter-backup.db
    """
    store = _sqlite("pg_restore, then xima-adapter db restored")
    _tell(copies.restore(file, store, now=wsgi.clock()))


@click.command()
@plainly
def restored() -> None:
    """Say that the store comes from a backup.

    For one that was brought back by other means (pg_restore, a snapshot), before anything is started on it. What waits
    is held, and what was being sent is unknown; recover decides.

    \b
    Example:
      xima-adapter db restored
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        _tell(store.rules.hold_past(now=clock.time(store)))


def _tell(held: int) -> None:
    click.echo(f"Restored; {spoken_count(held, 'delivery', 'deliveries')} held, for nobody knows what was done since.")
    click.echo("See xima-adapter recover, and xima-adapter deliveries list --state unknown; then start the adapter.")
    click.echo("Numbers that were put on the do-not-call list since the backup are to be put there again.")
