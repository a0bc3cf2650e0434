"""`deliveries replay`: send one again as it was, or as the mended mapping wants it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from collections.abc import Mapping as ReadOnly
from datetime import datetime
from typing import Any

import click

from adapter import receipt
from adapter.anew import anew
from adapter.cli import clock, desk
from adapter.cli.rules import numbers
from adapter.cli.shown import by_option, columns, opened, plainly, say, setting
from adapter.errors import Conflict
from adapter.model import Delivery, State
from adapter.policy import Verdict

REPLAYABLE: tuple[State, ...] = ("failed", "refused", "expired")
AS_IT_WAS = "It is sent as it was, whatever its mapping says today: --anew asks the mapping again."


@click.command()
@click.argument("delivery_id")
@click.option("--anew", "made_anew", is_flag=True, help="Ask its mapping, as it is in force now, what to send.")
@click.option("--yes", is_flag=True, help="With --anew: do it.")
@desk.reason_option
@by_option
@plainly
def replay(delivery_id: str, made_anew: bool, yes: bool, reason: str, by: str) -> None:
    """Send one again that failed, was refused or expired.

    It is sent as it was, with the skill, the extension and the number of that time. When the mapping was wrong, mend it
    and use --anew: the stored request goes through the mapping in force, and this delivery (a suppressed one too) does
    what comes of it. All rules are asked again. Without --yes it only says what would change.

    \b
    Example:
      xima-adapter deliveries replay 1a2044ed0aa564432e257fd80 --reason "the agent is back"
      xima-adapter deliveries replay 1a2044ed0aa564432e257fd80 --anew --reason "the skill was misspelled" --yes
    """
    if made_anew:
        _anew(delivery_id, reason, by, yes=yes)
    elif yes:
        raise click.UsageError("--yes belongs to --anew: without it the delivery is sent again at once")
    else:
        desk.act(delivery_id, _replayed(reason or "replayed by hand"), by)
        click.echo(AS_IT_WAS)


def _replayed(reason: str) -> Callable[[Delivery, datetime], Verdict]:
    """Back to the queue, for deliveries that certainly did not happen; an unknown one must be settled first."""

    def verdict(delivery: Delivery, now: datetime) -> Verdict:
        _check_known(delivery)
        if delivery.state not in REPLAYABLE:
            raise Conflict(f"the delivery is {delivery.state}: only {', '.join(REPLAYABLE)} ones are sent again")
        return desk.to("queued", reason)(delivery, now)

    return verdict


def _check_known(delivery: Delivery) -> None:
    if delivery.state == "unknown":
        raise Conflict("nobody knows whether it rang: say so with settle --as rang or --as not-rang")


def _anew(delivery_id: str, reason: str, by: str, *, yes: bool) -> None:
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        now = clock.time(store)
        old = desk.found_in(store, delivery_id)
        _check_known(old)
        new = anew(old, store, setting("ADAPTER_MAPPINGS"), numbers(), now=now)
        changed = [*_changes(old, new)]
        click.echo(f"{receipt.what(old.action)}; by version {new.version} of {new.mapping}:")
        columns([("FIELD", "BEFORE", "NOW"), *changed] if changed else [("it would be sent as it was",)])
        if not yes:
            click.echo("Nothing was done yet: --yes does it.")
            return
        names = ", ".join(name for name, _, _ in changed) or "as it was"
        said = f"{reason or 'replayed by hand'} (anew by version {new.version}: {names})"
        again = Verdict(state="queued", reason=said, due_at=now, expires_at=new.expires_at)
        store.anew(old, new, again, who=by, now=now)
        say(receipt.message(desk.found_in(store, delivery_id)))


def _changes(old: Delivery, new: Delivery) -> Iterator[tuple[str, Any, Any]]:
    """What is to be done otherwise: the fields of the action with both values, and that its terms are others."""
    before, after = old.action.as_dict(), new.action.as_dict()
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)
    if old.tenant != new.tenant:
        yield "tenant", old.tenant, new.tenant
    if (_plain(old.terms), old.if_unknown) != (_plain(new.terms), new.if_unknown):
        yield "terms", "of then", "of now"


def _plain(terms: ReadOnly[str, Any]) -> str:
    """Terms as they are written into the store."""
    return json.dumps(dict(terms), sort_keys=True)
