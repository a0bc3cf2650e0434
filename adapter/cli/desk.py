"""Look at deliveries and act on them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import click

from adapter import receipt
from adapter.cli import clock, known
from adapter.cli.shown import as_json, by_option, columns, opened, plainly, print_json, say, setting, spoken_count
from adapter.errors import Conflict, UnknownDelivery
from adapter.model import TRANSITIONS, Delivery, State
from adapter.policy import Verdict
from adapter.store import Store

OUTCOMES: dict[str, tuple[State, str]] = {
    "rang": ("accepted", "it rang"),
    "not-rang": ("queued", "it did not ring: again"),
    "gave-up": ("failed", "it did not ring, and is not wanted any more"),
}
FACTS = ("id", "state", "policy", "mapping", "version", "rule", "key", "request_id")
MOMENTS = ("created_at", "updated_at", "due_at", "expires_at")


def _store() -> AbstractContextManager[Store]:
    return opened(setting("ADAPTER_DATABASE_URL"))


class _Listing(click.Group):
    """A group that lists unless a word says what else to do, with the options of its list."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Called by click."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Listing)
def deliveries() -> None:
    """Look at deliveries; cancel, replay, release or settle one.

    Without a further word it lists them.

    \b
    Example:
      xima-adapter deliveries list --state unknown
    """


@deliveries.command("list")
@click.option("--state", type=click.Choice(list(TRANSITIONS)), metavar="STATE", help="Only those in this state.")
@click.option("--mapping", help="Only those of this mapping.")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@as_json
@plainly
def list_(state: str | None, mapping: str | None, last: int, as_json: bool) -> None:
    """The newest deliveries, the latest first.

    Above them the requests that were refused, below them how many there are in each state.

    \b
    Example:
      xima-adapter deliveries list --state unknown
    """
    filters = {name: value for name, value in (("state", state), ("mapping", mapping)) if value}
    with _store() as store:
        found = store.newest(most=last, **filters)
        if mapping and not found:
            known.check_mapping(mapping, store)
        counts, refused = store.counts(), store.refusals(most=5)
    if as_json:
        print_json([_plain(one) for one in found])
        return
    for one in refused:
        where = one["mapping"] or "no known mapping"
        count = spoken_count(one["count"], "request")
        say(f"{one['day']}: {count} to {where} refused: {one['reason']}")
    if found:
        head = ("ID", "STATE", "CREATED", "MAPPING", "WHAT", "REASON")
        columns([head, *(_row(one) for one in found)])
    click.echo(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "No deliveries yet.")


def _row(one: Delivery) -> tuple[str, ...]:
    what = receipt.what(one.action)
    return one.id, one.state, receipt.instant(one.created_at), one.mapping, what, one.reason


def _plain(one: Delivery) -> dict[str, Any]:
    return {**receipt.of_delivery(one, lambda _: ""), "status_url": None}  # links are signed by the server


@deliveries.command()
@click.argument("delivery_id")
@as_json
@plainly
def show(delivery_id: str, as_json: bool) -> None:
    """Everything about one delivery.

    What became of it, every try at Xima, and what people did to it.

    \b
    Example:
      xima-adapter deliveries show 1a2044ed0aa564432e257fd80
    """
    with _store() as store:
        found = found_in(store, delivery_id)
        made = [receipt.of_attempt(one) for one in store.attempts(found.id)]
        acts = [receipt.of_act(one) for one in store.acts(found.id)]
        sent = [receipt.of_report(one) for one in store.reports.of(found.id)]
        told = receipt.with_end(_plain(found), store.outcomes.of(found.id))
    if as_json:
        print_json({**told, "attempts": made, "acts": acts, "reports": sent})
        return
    say(told["message"])
    moments = [(name, receipt.instant(getattr(found, name))) for name in MOMENTS]
    columns([*((name, getattr(found, name)) for name in FACTS), *moments])
    for title, rows in (("Tries at Xima", made), ("What people did", acts), ("Reports to the sender", sent)):
        if rows:
            click.echo(f"\n{title}:")
            columns([[name.upper() for name in rows[0]], *([*row.values()] for row in rows)])


def found_in(store: Store, delivery_id: str) -> Delivery:
    """The delivery of that id; raises `UnknownDelivery`."""
    if found := store.get(delivery_id):
        return found
    if request := store.request(delivery_id):
        made = dict.fromkeys(note["delivery"] for note in request["results"] if "delivery" in note)
        told = f"of the deliveries {', '.join(made)}" if made else "that made no delivery"
        why = f"xima-adapter explain {request['mapping']} --request {delivery_id} says why"
        raise UnknownDelivery(f"{delivery_id} is the id of a request, {told}: {why}")
    raise UnknownDelivery(f"there is no delivery {delivery_id}")


def act(delivery_id: str, verdict: Callable[[Delivery, datetime], Verdict], by: str, *, released: bool = False) -> None:
    """Do to a delivery what a person decided, and say what it is now; raises `Conflict`."""
    with _store() as store:
        now, delivery = clock.time(store), found_in(store, delivery_id)
        store.act(delivery, verdict(delivery, now), who=by, now=now, released=released)
        say(receipt.message(found_in(store, delivery_id)))


def to(state: State, reason: str) -> Callable[[Delivery, datetime], Verdict]:
    """A move to `state`; what goes back to the queue is wanted for as long as it was at first."""

    def verdict(delivery: Delivery, now: datetime) -> Verdict:
        again = timedelta(seconds=delivery.terms["fresh_for"])
        expires_at = now + again if state == "queued" else delivery.expires_at
        return Verdict(state=state, reason=reason, due_at=now, expires_at=expires_at)

    return verdict


def _settled(outcome: str, reason: str) -> Callable[[Delivery, datetime], Verdict]:
    """To where what a person knows leads, for unknown deliveries."""
    state, words = OUTCOMES[outcome]

    def verdict(delivery: Delivery, now: datetime) -> Verdict:
        if delivery.state != "unknown":
            raise Conflict(f"the delivery is {delivery.state}: only unknown ones are settled")
        return to(state, reason or words)(delivery, now)

    return verdict


def _released(reason: str) -> Callable[[Delivery, datetime], Verdict]:
    """Back to the queue past every rule of ours but the do-not-call list."""

    def verdict(delivery: Delivery, now: datetime) -> Verdict:
        if delivery.policy == "do_not_call":
            raise Conflict("the number is on the do-not-call list: take it off first with suppress remove")
        if delivery.state not in ("held", "suppressed"):
            raise Conflict(f"the delivery is {delivery.state}: only held and suppressed ones are released")
        return to("queued", reason)(delivery, now)

    return verdict


reason_option = click.option("--reason", default="", help="Why; kept with your name.")


@deliveries.command()
@click.argument("delivery_id")
@reason_option
@by_option
@plainly
def cancel(delivery_id: str, reason: str, by: str) -> None:
    """Cancel a delivery that is held or queued.

    \b
    Example:
      xima-adapter deliveries cancel 1a2044ed0aa564432e257fd80 --reason "called by hand"
    """
    act(delivery_id, to("cancelled", reason or "cancelled by hand"), by)


@deliveries.command()
@click.argument("delivery_id")
@click.option("--reason", required=True, help="Why it is to be sent all the same; kept with your name.")
@by_option
@plainly
def release(delivery_id: str, reason: str, by: str) -> None:
    """Send one now that a rule of ours holds or has stopped.

    Calling hours, quiet times and limits do not count for it any more; a pause and the do-not-call list do.

    \b
    Example:
      xima-adapter deliveries release 1a2044ed0aa564432e257fd80 --reason "she asked to be called at once"
    """
    act(delivery_id, _released(reason), by, released=True)


@deliveries.command()
@click.argument("delivery_id")
@click.option("--as", "outcome", required=True, type=click.Choice(list(OUTCOMES)), help="What happened.")
@reason_option
@by_option
@plainly
def settle(delivery_id: str, outcome: str, reason: str, by: str) -> None:
    """Say what became of an unknown delivery.

    rang: it is counted as accepted. not-rang: it is sent again. gave-up: it did not ring and is not wanted any more.

    \b
    Example:
      xima-adapter deliveries settle 1a2044ed0aa564432e257fd80 --as rang
    """
    act(delivery_id, _settled(outcome, reason), by)
