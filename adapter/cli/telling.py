"""Reports by hand: `report` tries a receiver, `deliveries tell` sends once more what was given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import click

from adapter import allowed, keeping, wsgi
from adapter.cli import clock
from adapter.cli.shown import as_json, mapping_path, opened, plainly, print_json, read_mapping, setting
from adapter.errors import Conflict, SettingsError
from adapter.mapping import Mapping, Result, examples, request_tree, results
from adapter.model import Delivery
from adapter.policy import Numbers
from adapter.reporting import Answer, Poster, message
from adapter.sources import Source

KIND = "report.test"


@click.command()
@click.argument("mapping")
@as_json
@plainly
def report(mapping: str, as_json: bool) -> None:
    """Post a signed test report, and say what its receiver answers.

    MAPPING is its name or its file. The report is of the type report.test and tells of the first action in the
    examples of the mapping as if Xima had accepted it. Nothing is dialled, nothing is stored. Exit code 1 unless the
    receiver takes it.

    \b
    Example:
      xima-adapter report callback
    """
    loaded, now = read_mapping(mapping_path(mapping)), wsgi.clock()
    if loaded.report is None:
        raise click.UsageError(f"{loaded.name} reports to nobody: write report: into it (docs/reports.md)")
    if wrong := allowed.problems(loaded):
        raise SettingsError(wrong)
    told = _example(loaded, now)
    content = message.written(KIND, message.data(told, lambda _: ""), at=now)
    poster = Poster(setting("ADAPTER_REPORT_HOSTS"), wsgi.clock)
    answer = poster.post(loaded.report.to, loaded.report.secrets, message_id=f"{told.id}-1", content=content)
    if as_json:
        print_json({"to": loaded.report.to, "status": answer.status, "said": answer.said, "sent": content.decode()})
    else:
        click.echo(f"POST {loaded.report.to}\n{content.decode()}\n\n{_spoken(answer)}")
    if not answer.is_good:
        raise SystemExit(1)


@click.command()
@click.argument("delivery_id")
@plainly
def tell(delivery_id: str) -> None:
    """Send the given up reports of a delivery once more.

    The dispatcher does it within a second; deliveries show says what the receiver answered.

    \b
    Example:
      xima-adapter deliveries tell 1a2044ed0aa564432e257fd80
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        if not store.reports.again(delivery_id, now=clock.time(store)):
            raise Conflict(f"no report of {delivery_id} was given up")
    click.echo("It is sent once more.")


def _spoken(answer: Answer) -> str:
    return (
        f"The receiver took it: {answer.status}." if answer.is_good else f"The receiver did not take it: {answer.said}."
    )


def _example(loaded: Mapping, now: datetime) -> Delivery:
    """The delivery that the first action among the examples would make; raises `click.UsageError` without one."""
    for result in _results(loaded):
        if result.action:
            entry = keeping.entry(Source(mapping=loaded, proofs=()), 0, result, "", Numbers(()), now=now)
            if entry.delivery:  # a call that ended makes none
                return replace(entry.delivery, state="accepted", reason="")
    raise click.UsageError(f"no example of {loaded.name} gives an action that is sent, so there is nothing to tell of")


def _results(loaded: Mapping) -> list[Result]:
    found = []
    for one in loaded.examples:
        document, records = examples.records(loaded, received := examples.received(loaded, one))
        tree = {**request_tree(received, document), "index": "0"}
        for record in records:
            found += results(loaded, record, tree, now=one.at or examples.NOW)
    return found
