"""The command line: `xima-adapter`."""

from __future__ import annotations

import click

from adapter import __version__
from adapter.cli import (
    backup,
    checking,
    demo,
    desk,
    doctor,
    drafts,
    explaining,
    judging,
    keeping,
    keys,
    personal,
    recovery,
    replaying,
    requested,
    rules,
    running,
    senders,
    starting,
    telling,
    trying,
    versions,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="xima-adapter")
def main() -> None:
    """Signed CRM webhooks and web forms in, Xima click-to-dial and callbacks out: once, and told truthfully.

    \b
    Example, everything on this machine with a pretend Xima:
      xima-adapter demo
    """


for command in (
    *(running.serve, running.web, running.dispatch, running.sandbox, running.db, running.settings),
    *(checking.check, explaining.explain, drafts.send, senders.presets, starting.new, drafts.schema, keeping.example),
    *(versions.mappings, trying.backtest, telling.report),
    *(judging.verify, desk.deliveries, doctor.doctor, demo.demo),
    *(rules.pause, rules.resume, rules.suppress, recovery.recover, personal.forget, personal.export),
    *(keys.keys, keys.openapi),
):
    main.add_command(command)
desk.deliveries.add_command(requested.requests_)
desk.deliveries.add_command(telling.tell)
desk.deliveries.add_command(replaying.replay)
for command in (backup.backup, backup.restore, backup.restored):
    running.db.add_command(command)
