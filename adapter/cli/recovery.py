"""After an outage: what is held until somebody decides."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from adapter import policy, receipt
from adapter.cli import clock
from adapter.cli.shown import by_option, opened, plainly, setting, spoken_count
from adapter.model import WAITING, Delivery
from adapter.policy import Verdict
from adapter.units import spoken


@click.command()
@click.option("--yes", is_flag=True, help="Do it.")
@click.option("--late", is_flag=True, help="Send those too that are past their deadline.")
@by_option
@plainly
def recover(yes: bool, late: bool, by: str) -> None:
    """Decide on what is held after an outage or a restore.

    Without --yes it only says what would be done. After an outage it is asked for with ADAPTER_RECOVER_ASK; in a store
    that comes from a backup it is all that waited then, and may have been done since.

    \b
    Example:
      xima-adapter recover --yes
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        now = clock.time(store)
        waiting = store.rules.backlog()
        if not waiting:
            click.echo("Nothing is held after an outage.")
            return
        told = [(one, decided(one, late=late, now=now)) for one in waiting]
        click.echo(summary(told, now=now))
        if not yes:
            click.echo("Nothing was done yet: --yes does it; --late sends those past their deadline too.")
            return
        store.rules.recover(told, who=by, now=now)
    click.echo("Done.")


def decided(one: Delivery, *, late: bool, now: datetime) -> Verdict:
    """Back to the queue if it is still wanted, else to its end; calling hours are asked again when it is sent."""
    stopped = policy.decide(one, now=now)
    if stopped and stopped.state not in WAITING and not late:
        return stopped
    expires_at = max(one.expires_at, now + timedelta(seconds=one.terms["fresh_for"])) if late else one.expires_at
    return Verdict(state="queued", reason="sent on after an outage", due_at=now, expires_at=expires_at)


def _words(told: list[tuple[Delivery, Verdict]]) -> tuple[str, str]:
    only = all(one.action.kind == "callback" for one, _ in told)
    return ("callback", "callbacks") if only else ("delivery", "deliveries")


def summary(told: list[tuple[Delivery, Verdict]], *, now: datetime) -> str:
    """`37 callbacks are held, the oldest from 42 minutes ago: ...`"""
    oldest = told[0][0].created_at
    sent = [one for one, verdict in told if verdict.state == "queued"]
    shut = sum((found := policy.decide(one, now=now)) is not None and found.state == "held" for one in sent)
    past = sum(now > one.expires_at for one, _ in told)
    return (
        f"{spoken_count(len(told), *_words(told))} held, "
        f"the oldest from {receipt.instant(oldest)} ({spoken(now - oldest)} ago), "
        f"{past} past their deadline, {shut} out of hours: "
        f"send {len(sent) - shut}, hold {shut} until their hours open, expire {len(told) - len(sent)}."
    )
