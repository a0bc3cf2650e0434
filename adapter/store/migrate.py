"""Alembic, driven from code: the migrations stand beside this file and need no ini file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from adapter.errors import StoreError


def upgrade(connection: Connection) -> None:
    """Bring the tables to this version; raises `StoreError` for those of a later one."""
    _check_known(version(connection))
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        raise StoreError(f"the tables cannot be brought to this version: {exc}") from exc


def check(connection: Connection) -> None:
    """Raise `StoreError` unless the tables are those of this version."""
    found = version(connection)
    _check_known(found)
    if found != head():
        said = f"version {found}" if found else "no tables"
        raise StoreError(f"the store has {said}, this adapter needs {head()}: run xima-adapter db upgrade")


def version(connection: Connection) -> str | None:
    """The version the tables have; None when there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(found: str | None) -> None:
    """Raise `StoreError` for a version that this release has not heard of: no migration of ours leads from there."""
    if found is not None and found not in versions():
        raise StoreError(
            f"the store has version {found}, made by a newer adapter than this one, which knows {head()}:"
            " start that release, or restore the backup from before it"
        )


@cache
def versions() -> frozenset[str]:
    """Every version this adapter knows how to bring to its own."""
    return frozenset(one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


@cache
def head() -> str:
    """The version this adapter needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
