"""Names that somebody typed, held against what there is: a misspelled one must not look like nothing to tell."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from adapter import sources, tenants
from adapter.api import builtin
from adapter.cli.shown import setting
from adapter.errors import SettingsError
from adapter.mapping.problems import did_you_mean
from adapter.store import Store


def check_tenant(name: str) -> None:
    """Raise `click.UsageError` unless it is the name of a tenant, or empty: all."""
    if name and name not in (there := tenants.dialling(Path(setting("ADAPTER_MAPPINGS")))):
        raise click.UsageError(f"there is no tenant '{name}': known are {', '.join(sorted(there))}")


def check_mapping(name: str, store: Store) -> None:
    """Raise `click.UsageError` unless a mapping has or had that name."""
    there = {builtin.NAME, *store.in_force()}
    with contextlib.suppress(SettingsError):  # without its folder the history of versions has to do
        there |= {path.stem for path in sources.mapping_files(setting("ADAPTER_MAPPINGS"))}
    if name not in there:
        hint = did_you_mean(name, there) or f"known are {', '.join(sorted(there - {builtin.NAME}))}"
        raise click.UsageError(f"there is no mapping called {name}; {hint}")
