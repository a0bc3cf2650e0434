"""Who must not be called, and when nobody is to be: `suppress`, `pause`, `resume`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from adapter import phone, receipt
from adapter.cli import clock, known
from adapter.cli.shown import as_json, by_option, columns, opened, plainly, print_json, setting, spoken_count
from adapter.errors import TextError
from adapter.mapping import spreadsheet
from adapter.policy import Numbers

LIST_RULES: dict[str, Any] = {"dial_as": "e164", "reject_types": frozenset()}
"""Whoever asks not to be called is believed, whatever kind of number it is."""
LISTED = ("tenant", "who", "reason")

region_option = click.option("--region", metavar="CC", help="Country of numbers without +, like US.")
tenant_option = click.option("--tenant", default="", help="Only this Xima tenant (default: all).")


def numbers() -> Numbers:
    """The hashes of numbers, under the keys of the settings."""
    return Numbers(setting("ADAPTER_SECRET_KEY"))


def read(text: str, region: str | None) -> str:
    """A number in any spelling as E.164; raises `TextError`."""
    if region and (problem := phone.region_problem(region)):
        raise TextError(problem)
    found = phone.read(text, phone.Rules(region=region, **LIST_RULES))
    if isinstance(found, phone.Unusable):
        said = found.reason.replace("phones.region", "--region")  # what a mapping says in its file is an option here
        hint = "" if region or "--region" in said else "; a number without + needs --region"
        raise TextError(f"{said}{hint}")
    return found.e164


def typed(text: str, region: str | None) -> str:
    """A number that somebody typed as E.164; raises `click.UsageError`."""
    try:
        return read(text, region)
    except TextError as exc:
        raise click.UsageError(f"this number cannot be read: {exc.reason}") from exc


def _hash(text: str, region: str | None) -> list[str]:
    return numbers().hashes(typed(text, region))


@click.group()
def suppress() -> None:
    """Numbers that nothing dials, whatever a mapping says.

    It is kept as keyed hashes: it recognises a number in any spelling, and nobody can read it.

    \b
    Example:
      xima-adapter suppress add "+1 801 555 0142" --reason "asked us to stop"
    """


@suppress.command()
@click.argument("number")
@region_option
@tenant_option
@click.option("--reason", required=True, help="Why; it stands on the receipt of every call that is not made.")
@by_option
@plainly
def add(number: str, region: str | None, tenant: str, reason: str, by: str) -> None:
    """Never call this number again.

    \b
    Example:
      xima-adapter suppress add 801-555-0142 --region US --reason "asked us to stop"
    """
    _block([_hash(number, region)], tenant, reason, by)


def _block(given: Sequence[Sequence[str]], tenant: str, reason: str, by: str) -> None:
    """Put numbers on a list, each by its hashes under all keys; those that wait under an older key are found too."""
    known.check_tenant(tenant)
    hashes = list(dict.fromkeys(one[0] for one in given))
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        key_id = numbers().key_ids()[0]
        store.rules.rehash(given)
        new = store.rules.block(hashes, key_id=key_id, reason=reason, who=by, now=clock.time(store), tenant=tenant)
    click.echo(f"{spoken_count(new, 'number')} added, {len(hashes) - new} were on the list already.")


@suppress.command()
@click.argument("number")
@region_option
@tenant_option
@plainly
def remove(number: str, region: str | None, tenant: str) -> None:
    """Take a number off the list.

    \b
    Example:
      xima-adapter suppress remove +18015550142
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        gone, left = store.rules.unblock(_hash(number, region), tenant=tenant)
    again = "It was taken off." if left else "It may be called again."
    click.echo(again if gone else f"It was not on the list{_for(tenant)}.")
    if left:
        click.echo(f"It is still on the list of: {', '.join(one or 'all tenants' for one in left)}")
    if not gone:
        raise SystemExit(1)


@suppress.command("list")
@as_json
@plainly
def list_(as_json: bool) -> None:
    """How many numbers there are, and who added them.

    \b
    Example:
      xima-adapter suppress list
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        found = store.rules.blocked()
        lost = store.rules.unreadable(numbers().key_ids())
    rows = [{"at": receipt.instant(one["at"]), **{name: one[name] or None for name in LISTED}} for one in found]
    if as_json:
        print_json(rows)
        return
    if rows:
        columns([("ADDED", "TENANT", "BY", "REASON"), *([*row.values()] for row in rows)])
    click.echo(spoken_count(len(rows), "number") + (" (the latest)" if len(rows) == 1000 else ""))
    if lost:
        said = (
            "were made with a key that is not in ADAPTER_SECRET_KEY any more, and are not found: put it back at its end"
        )
        click.echo(f"{lost} of them {said}", err=True)
        raise SystemExit(1)


@suppress.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--column", help="The column that holds the numbers (default: the first).")
@region_option
@tenant_option
@click.option("--reason", default="imported", show_default=True, help="Why.")
@by_option
@plainly
def import_(file: Path, column: str | None, region: str | None, tenant: str, reason: str, by: str) -> None:
    """Add every number of a CSV file.

    Lines that cannot be read are named, and the others are added; exit code 1 then.

    \b
    Example:
      xima-adapter suppress import do-not-call.csv --region US --column phone
    """
    good, bad = [], []
    for line, text in _cells(file, column):
        try:
            good.append(numbers().hashes(read(text, region)))
        except TextError as exc:
            bad.append(f"{file.name}:{line}: {exc.reason}")
    _block(good, tenant, reason, by)
    for said in bad:
        click.echo(said, err=True)
    if bad:
        raise SystemExit(1)


def _cells(file: Path, column: str | None) -> Iterator[tuple[int, str]]:
    """The texts of one column with their line numbers; a first line without any digit is the heading."""
    try:
        lines = io.StringIO(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as exc:
        said = f"{file} is not UTF-8 text: save it once more, Excel calls it CSV UTF-8 (comma delimited)"
        raise click.UsageError(said) from exc
    reader = csv.reader(lines, delimiter=spreadsheet.delimiter(lines))
    rows = [(reader.line_num, row) for row in reader]
    heading = rows[0][1] if rows and not any(letter.isdigit() for letter in "".join(rows[0][1])) else []
    if column and column not in heading:
        raise click.UsageError(f"{file} has no column '{column}' (it has: {', '.join(heading) or 'no heading'})")
    at = heading.index(column) if column else 0
    for line, row in rows[len(heading[:1]) :]:
        if at < len(row) and row[at].strip():
            yield line, row[at]


@click.command()
@tenant_option
@click.option("--reason", default="", help="Why; it stands on the receipts of what is held.")
@by_option
@plainly
def pause(tenant: str, reason: str, by: str) -> None:
    """Stop dialling; webhooks are still taken and kept.

    What is queued and what comes is held. It is sent at `resume` if it is still wanted then: clicks expire soon.

    \b
    Example:
      xima-adapter pause --reason "maintenance of the phones"
    """
    known.check_tenant(tenant)
    said = f"by {by}" + (f": {reason}" if reason else "")
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        held = store.rules.pause(tenant, said=said, now=clock.time(store))
    click.echo(f"Dialling is paused{_for(tenant)}; {spoken_count(held, 'delivery', 'deliveries')} held.")


@click.command()
@tenant_option
@plainly
def resume(tenant: str) -> None:
    """Dial again after a pause.

    What was held and is still wanted is sent.

    \b
    Example:
      xima-adapter resume
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        if tenant not in {gate.tenant for gate in store.rules.gates() if gate.paused}:  # one may be gone meanwhile
            known.check_tenant(tenant)
        gone_on = store.rules.resume(tenant, now=clock.time(store))
        others = [gate.tenant for gate in store.rules.gates() if gate.paused]
    click.echo(f"Dialling goes on{_for(tenant)}; {spoken_count(gone_on, 'delivery', 'deliveries')} looked at again.")
    for other in others:
        click.echo(f"Still paused: {other or 'all tenants (xima-adapter resume)'}")


def _for(tenant: str) -> str:
    return f" for {tenant}" if tenant else ""
