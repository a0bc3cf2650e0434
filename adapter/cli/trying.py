"""`backtest`: a draft of a mapping over the requests that really came, before it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adapter import compared, receipt, sources, written
from adapter.backtest import Backtest, Found, Report, examples
from adapter.cli.shown import as_json, columns, opened, plainly, print_json, say, setting, spoken_count
from adapter.errors import MappingError, SettingsError
from adapter.mapping.difference import KINDS, SAME
from adapter.written import Written

SHOWN = 3
"""Examples of each kind of change."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--last", default=500, show_default=True, type=click.IntRange(1, 100_000), help="How many requests.")
@click.option("--strict", is_flag=True, help="Exit code 1 when anything would have come out otherwise.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
@as_json
@plainly
def backtest(file: Path, last: int, strict: bool, full: bool, as_json: bool) -> None:
    """See what a draft would have done to real requests.

    FILE is the draft; its name: says which mapping's requests are taken. Each is looked at as it came, on the clock
    of that moment, beside what the version in force made of it then. Nothing is sent, dialled or stored.

    \b
    Example:
      xima-adapter backtest mappings/callback.draft.yaml --last 200
    """
    draft = read(file)
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        report = Backtest(draft.mapping, store, file.parent).run(most=last)
    if as_json:
        print_json(_plain(file, draft, report, full=full))
    else:
        _say(file, draft, report, full=full)
    if strict and (report.found or report.other_proofs):
        raise SystemExit(1)


def read(file: Path) -> Written:
    """The draft in a file, under whatever name it is kept; raises `SettingsError` with all that is wrong with it."""
    try:
        return written.in_file(file, any_name=True)
    except MappingError as exc:
        raise SettingsError(list(sources.rendered(file, exc))) from exc


def _plain(file: Path, draft: Written, report: Report, *, full: bool) -> dict[str, Any]:
    return {
        "file": str(file),
        "mapping": draft.mapping.name,
        "version": draft.mapping.version,
        "requests": report.requests,
        "records": report.records,
        "noted": report.noted,
        "other_proofs": report.other_proofs,
        "first": receipt.instant(report.first) if report.first else None,
        "last": receipt.instant(report.last) if report.last else None,
        "counts": {kind: report.counts[kind] for kind in KINDS},
        "changed": [
            {
                "request": one.request,
                "received_at": receipt.instant(one.received_at),
                **compared.plain(one.pair, full=full),
            }
            for one in report.found
        ],
    }


def _say(file: Path, draft: Written, report: Report, *, full: bool) -> None:
    if report.other_proofs:
        click.echo("Senders would have to prove themselves otherwise (receive): as they sign today they may get 401.\n")
    if not report.first or not report.last:
        click.echo(f"No request of {draft.mapping.name} is kept yet, so there is nothing to compare.")
        return
    requests = spoken_count(report.requests, "request")
    click.echo(f"{file.name} beside what was in force, over {requests} of {draft.mapping.name}")
    click.echo(f"from {receipt.instant(report.first)} to {receipt.instant(report.last)}:\n")
    rows = [(report.counts[kind], kind) for kind in KINDS if kind == SAME or report.counts[kind]]
    columns([("RECORDS", "WITH THE DRAFT"), *rows])
    for kind, number, found in examples(report, most=SHOWN):
        click.echo(f"\n{kind}:" if found else f"\n{kind}: the records above")
        for one in found:
            say(_line(one, full=full))
        if number > len(found) > 0:
            click.echo(f"  and {number - len(found)} more (--json has them all)")
    if report.noted:
        count = spoken_count(report.noted, "request")
        click.echo(
            f"\nOf {count} the history does not hold the version: compared with what was noted then, without hours."
        )
    click.echo("\nNothing was sent, dialled or stored.")


def _line(one: Found, *, full: bool) -> str:
    record = f" record {one.pair.record + 1}" if one.pair.record else ""
    return f"  {receipt.instant(one.received_at)} {one.request}{record}: {compared.sentence(one.pair, full=full)}"
