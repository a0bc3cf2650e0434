"""Requests as they were kept: the latest of a mapping with what became of them, and one by its id."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from adapter import receipt, sources
from adapter.cli import known
from adapter.cli.shown import as_json, columns, opened, plainly, print_json, setting
from adapter.logs import masked
from adapter.mapping import Mapping
from adapter.model import Delivery, Received
from adapter.store import Store

TOLD = {
    "skip": "nothing was done: {}",
    "reject": "not usable: {}",
    "noted": "{}",
    "action": "what came of it was removed since",
}


def stored(loaded: Mapping, request_id: str) -> tuple[Received, datetime]:
    """A request that came to the mapping, and when; raises `click.UsageError`, and `StoreError` without a store."""
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        made = store.get(request_id)  # whoever has the id of a delivery means the request it came by
        found = store.request(made.request_id if made else request_id)
    if found is None:
        raise click.UsageError(f"there is no request {request_id}: it may be older than ADAPTER_RETENTION")
    if found["mapping"] != loaded.name:
        raise click.UsageError(f"the request {request_id} came to {found['mapping']}, not to {loaded.name}")
    real = Received(method=found["method"], url=found["url"], headers=found["headers"], body=found["body"])
    return real, found["received_at"]


@click.command("requests")
@click.argument("mapping")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
@as_json
@plainly
def requests_(mapping: str, last: int, full: bool, as_json: bool) -> None:
    """The latest requests to MAPPING, and what became of each record.

    Those that made no delivery too: skipped, rejected, repeated. xima-adapter explain MAPPING --request ID says why.
    Requests that were refused before they were read are only counted: xima-adapter deliveries list.

    \b
    Example:
      xima-adapter deliveries requests callback --last 5
    """
    name = sources.name_of(Path(mapping)) if mapping.endswith(".yaml") else mapping
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        rows = [store.request(one) for one in store.requests_of(name, most=last)]
        if not rows:
            known.check_mapping(name, store)
        told = [_plain(store, row, full=full) for row in rows if row]  # one may have been purged this very moment
    if as_json:
        print_json(told)
    elif told:
        columns([("REQUEST", "RECEIVED", "RECORD", "STATE", "WHAT"), *(row for one in told for row in _rows(one))])
    else:
        click.echo(f"No request to {name} is kept.")


def _plain(store: Store, row: ReadOnly[str, Any], *, full: bool) -> dict[str, Any]:
    return {
        "request": row["id"],
        "received_at": receipt.instant(row["received_at"]),
        "version": row["version"],
        "records": [_record(store, note, full=full) for note in row["results"]],
    }


def _record(store: Store, note: ReadOnly[str, Any], *, full: bool) -> dict[str, Any]:
    """What was noted of a record, and where its delivery stands today."""
    made = store.get(note["delivery"]) if "delivery" in note else None
    state = "duplicate" if note.get("duplicate") else made.state if made else note["kind"]
    return {
        "record": note["record"] + 1,
        "state": state,
        "rule": note["rule"] or None,
        "said": _said(note, made, full=full),
        "delivery": note.get("delivery"),
    }


def _said(note: ReadOnly[str, Any], made: Delivery | None, *, full: bool) -> str:
    show = str if full else masked
    if made is None:
        return TOLD[note["kind"]].format(show(note["reason"]))
    what = receipt.what(made.action, str if full else receipt.last_four)
    first = f" (as {made.id}, which came first)" if note.get("duplicate") else ""
    return what + first + (f": {show(made.reason)}" if made.reason else "")


def _rows(told: ReadOnly[str, Any]) -> list[tuple[Any, ...]]:
    head = (told["request"], told["received_at"])
    rows = [(*head, one["record"], one["state"], one["said"]) for one in told["records"]]
    return rows or [(*head, None, None, "there was no record in it")]
