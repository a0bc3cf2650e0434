"""Entries of the do-not-call list that stop nobody, because the key they were made with is not there."""

from __future__ import annotations

import click

from adapter.cli.shown import spoken_count
from adapter.policy import Numbers
from adapter.settings import Settings
from adapter.store import Store


def tell(given: Settings, store: Store) -> None:
    """Say that entries of the do-not-call list were made with a key that is not there, so that they stop nothing."""
    if count := store.rules.unreadable(Numbers(given.secret_keys).key_ids()):
        who = f"{spoken_count(count, 'number')} of the do-not-call list WILL BE CALLED"
        why = "put on it with a key that is not in ADAPTER_SECRET_KEY"
        click.echo(f"error: {who}, {why}: put that key back at its end, and start again", err=True)
