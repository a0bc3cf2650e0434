"""What is held about a telephone number: shown to whom it belongs, and removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from adapter import receipt
from adapter.cli import clock
from adapter.cli.rules import numbers, region_option, typed
from adapter.cli.shown import as_json, by_option, columns, opened, plainly, print_json, say, setting, spoken_count
from adapter.model import WAITING, Delivery
from adapter.policy.spelled import Spelled
from adapter.store import Held, Store

MOMENTS = ("created_at", "updated_at", "due_at", "expires_at")
WORDS = {
    "deliveries": "blanked",
    "attempts": "blanked",
    "acts": "blanked",
    "reports": "blanked",
    "outcomes": "blanked",
    "api_asked": "removed",
    "requests": "removed",
    "shadow_counts": "lost their examples",
    "marks": "removed",
}
"""What becomes of the rows of each table."""
ELSEWHERE = "Backups made before still hold it, and logs its last four digits: docs/personal-data.md."


def _held(store: Store, number: str) -> Held:
    return store.personal.held(Spelled(number), numbers().hashes(number))


@click.command()
@click.argument("number")
@region_option
@click.option("--yes", is_flag=True, help="Do it.")
@by_option
@plainly
def forget(number: str, region: str | None, yes: bool, by: str) -> None:
    """Remove a telephone number from the store.

    Requests that hold it go, with everything in them; deliveries stay without it; what waits for it is cancelled.
    Its entry on the do-not-call list stays. Without --yes it only says what would be done.

    \b
    Example:
      xima-adapter forget "+1 801 555 0142" --yes
    """
    e164 = typed(number, region)
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        held = _held(store, e164)
        if yes:
            hashes = numbers().hashes(e164)
            gone = store.personal.forget(held, Spelled(e164), hashes, who=by, now=clock.time(store))
            columns([("TABLE", "ROWS", ""), *((name, count, WORDS[name]) for name, count in gone.items())])
        else:
            click.echo(_summary(held))
    _tell_what_stays(held)
    click.echo(ELSEWHERE if yes else "Nothing was done yet: --yes does it.")


def _summary(held: Held) -> str:
    waiting = sum(one.state in WAITING for one in held.deliveries)
    made = spoken_count(len(held.deliveries), "delivery", "deliveries")
    return f"{spoken_count(len(held.requests), 'request')} and {made} hold it; {waiting} of these would be cancelled."


def _tell_what_stays(held: Held) -> None:
    if held.blocked:
        click.echo("On the do-not-call list it stays, as a keyed hash that nobody can read (see suppress remove).")
    else:
        click.echo("It is not on the do-not-call list: xima-adapter suppress add keeps new requests from calling it.")
    for key in held.keys:
        said = "is made of it and is kept, so that a repeat is not dialled, until"
        click.echo(f"The key of an event of {key['mapping']} {said} {receipt.instant(key['until'])}.")


@click.command()
@click.argument("number")
@region_option
@as_json
@plainly
def export(number: str, region: str | None, as_json: bool) -> None:
    """Print everything that is held about a telephone number.

    For a person who asks. A request is printed as it came: it may hold other people too.

    \b
    Example:
      xima-adapter export "+1 801 555 0142" --json
    """
    e164 = typed(number, region)
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        told = _told(store, _held(store, e164))
    if as_json:
        print_json({"number": e164, **told})
        return
    for title, rows in told.items():
        click.echo(f"{title.replace('_', ' ')}: {len(rows)}")
        for row in rows:
            say("", *(f"  {name}: {value}" for name, value in row.items()), "")


def _told(store: Store, held: Held) -> dict[str, list[dict[str, Any]]]:
    """Everything as plain data."""
    return {
        "requests": [_request(one) for one in held.requests],
        "deliveries": [_delivery(store, one) for one in held.deliveries],
        "do_not_call": [
            {"at": receipt.instant(one["at"]), "who": one["who"], "reason": one["reason"]} for one in held.blocked
        ],
        "keys": [
            {"mapping": one["mapping"], "key": one["key"], "until": receipt.instant(one["until"])} for one in held.keys
        ],
    }


def _delivery(store: Store, one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id,
        "request": one.request_id,
        "mapping": one.mapping,
        "state": one.state,
        "reason": one.reason,
        "action": one.action.kind,
        **one.action.as_dict(),
        **{name: receipt.instant(getattr(one, name)) for name in MOMENTS},
        "attempts": [receipt.of_attempt(tried) for tried in store.attempts(one.id)],
        "acts": [receipt.of_act(act) for act in store.acts(one.id)],
        "reports": [receipt.of_report(row) for row in store.reports.of(one.id)],
        "reported_with": one.terms.get("report", {}).get("include", {}),
        "ended": receipt.ending(ended) if (ended := store.outcomes.of(one.id)) else None,
    }


def _request(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: row[name] for name in ("id", "mapping", "method", "url", "headers", "results")}
    body = row["body"].decode(errors="replace")
    return {**plain, "received_at": receipt.instant(row["received_at"]), "body": body}
