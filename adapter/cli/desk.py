"""Look at deliveries and act on them."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import click

from adapter import receipt, wsgi
from adapter.cli.shown import as_json, columns, plainly, print_json, setting
from adapter.errors import Conflict, UnknownDelivery
from adapter.model import Delivery, State
from adapter.policy import Verdict
from adapter.store import Store

OUTCOMES: dict[str, tuple[State, str]] = {
    "rang": ("accepted", "it rang"),
    "not-rang": ("queued", "it did not ring: again"),
    "gave-up": ("failed", "it did not ring, and is not wanted any more"),
}


@contextmanager
def _store() -> Iterator[Store]:
    store = Store(setting("ADAPTER_DATABASE_URL"))
    try:
        store.check()
        yield store
    finally:
        store.close()


@click.group(invoke_without_command=True)
@click.pass_context
def deliveries(context: click.Context) -> None:
    """Look at deliveries, cancel, replay or settle them (without a word: list).

    Example: xima-adapter deliveries list --state unknown
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@deliveries.command("list")
@click.option("--state", help="Only those in this state.")
@click.option("--mapping", help="Only those of this mapping.")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@as_json
@plainly
def list_(state: str | None, mapping: str | None, last: int, as_json: bool) -> None:
    """The newest deliveries, the latest first.

    Example: xima-adapter deliveries list --state unknown
    """
    filters = {name: value for name, value in (("state", state), ("mapping", mapping)) if value}
    with _store() as store:
        found = store.newest(most=last, **filters)
        counts, refused = store.counts(), store.refusals(most=5)
    if as_json:
        print_json([_plain(one) for one in found])
        return
    for one in refused:
        where = one["mapping"] or "an unknown mapping"
        click.echo(f"{one['count']} request(s) to {where} refused on {one['day']}: {one['reason']}")
    if found:
        head = ("ID", "STATE", "CREATED", "MAPPING", "WHAT", "REASON")
        columns([head, *(_row(one) for one in found)])
    click.echo(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "No deliveries yet.")


def _row(one: Delivery) -> tuple[str, ...]:
    what = receipt.what(one.action)
    return one.id, one.state, receipt.instant(one.created_at), one.mapping, what, one.reason


def _plain(one: Delivery) -> dict[str, Any]:
    return receipt.of_delivery(one, lambda _: "")


@deliveries.command()
@click.argument("delivery_id")
@as_json
@plainly
def show(delivery_id: str, as_json: bool) -> None:
    """Everything about one delivery: its receipt, every try, what people did to it.

    Example: xima-adapter deliveries show 019ab...
    """
    with _store() as store:
        found = _found(store, delivery_id)
        made = [receipt.of_attempt(one) for one in store.attempts(found.id)]
        acts = store.acts(found.id)
    if as_json:
        print_json({**_plain(found), "attempts": made, "acts": acts})
        return
    click.echo(receipt.message(found))
    names = ("id", "state", "mapping", "version", "rule", "key", "request_id")
    columns([(name, getattr(found, name)) for name in names])
    for one in made:
        click.echo(f"{one['at']}  {one['phase']}  {one['status'] or '-'}  {one['duration_ms']} ms  {one['reason']}")
    for act in acts:
        click.echo(f"{receipt.instant(act['at'])}  {act['who']}: {act['old']} -> {act['new']}  {act['reason']}")


def _found(store: Store, delivery_id: str) -> Delivery:
    found = store.get(delivery_id)
    if found is None:
        raise UnknownDelivery(f"there is no delivery {delivery_id}")
    return found


def _act(delivery_id: str, verdict: Callable[[Delivery, datetime], Verdict]) -> None:
    now = wsgi.clock()
    with _store() as store:
        delivery = _found(store, delivery_id)
        store.act(delivery, verdict(delivery, now), who=getpass.getuser(), now=now)
        click.echo(receipt.message(_found(store, delivery_id)))


def _to(state: State, reason: str) -> Callable[[Delivery, datetime], Verdict]:
    """A move to `state`; what goes back to the queue is wanted for as long as it was at first."""

    def verdict(delivery: Delivery, now: datetime) -> Verdict:
        again = timedelta(seconds=delivery.terms["fresh_for"])
        expires_at = now + again if state == "queued" else delivery.expires_at
        return Verdict(state=state, reason=reason, due_at=now, expires_at=expires_at)

    return verdict


def _again(reason: str) -> Callable[[Delivery, datetime], Verdict]:
    """Back to the queue, for deliveries that certainly did not happen; an unknown one must be settled first."""

    def verdict(delivery: Delivery, now: datetime) -> Verdict:
        if delivery.state == "unknown":
            raise Conflict("nobody knows whether it rang: say so with settle --as rang or --as not-rang")
        return _to("queued", reason)(delivery, now)

    return verdict


reason_option = click.option("--reason", default="", help="Why; kept with your name.")


@deliveries.command()
@click.argument("delivery_id")
@reason_option
@plainly
def cancel(delivery_id: str, reason: str) -> None:
    """Cancel a delivery while nothing was sent (held or queued).

    Example: xima-adapter deliveries cancel 019ab... --reason "called by hand"
    """
    _act(delivery_id, _to("cancelled", reason or "cancelled by hand"))


@deliveries.command()
@click.argument("delivery_id")
@reason_option
@plainly
def replay(delivery_id: str, reason: str) -> None:
    """Send a delivery again that failed, was refused or expired.

    Example: xima-adapter deliveries replay 019ab... --reason "the agent is back"
    """
    _act(delivery_id, _again(reason or "replayed by hand"))


@deliveries.command()
@click.argument("delivery_id")
@click.option("--as", "outcome", required=True, type=click.Choice(list(OUTCOMES)), help="What happened in truth.")
@reason_option
@plainly
def settle(delivery_id: str, outcome: str, reason: str) -> None:
    """Say what became of an unknown delivery: it rang, or it did not and is sent again, or is given up.

    Example: xima-adapter deliveries settle 019ab... --as rang
    """
    state, words = OUTCOMES[outcome]
    _act(delivery_id, _to(state, reason or words))
