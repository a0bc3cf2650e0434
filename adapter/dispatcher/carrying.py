"""Carry one delivery out: claim, ask Xima, save; keep the lease meanwhile, and settle those whose holder died."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from adapter import policy
from adapter.dispatcher.diary import Outages, log_delivery
from adapter.dispatcher.leases import Clock, Leases
from adapter.dispatcher.lines import Lines
from adapter.dispatcher.presence import Presence
from adapter.errors import StoreError
from adapter.logs import event
from adapter.model import Action, Attempt, Delivery, Evidence, Outcome
from adapter.policy import Rate, Verdict
from adapter.store import Store

LEASE = timedelta(seconds=15)
"""A dispatcher that has not renewed its lease for this long is taken for dead."""
CLICK_PATIENCE = timedelta(seconds=2)
"""How long a click is tried again while it is certain that nothing was sent; somebody waits for the answer."""
MISSING = timedelta(minutes=1)
"""How soon a delivery of a tenant that is not there is looked at again."""
SAVE_TRIES = 14
SAVE_PAUSE_SECONDS = 2.0
"""The longest pause between them; together they outlast a database that restarts, and end before a stop kills."""


class Carrier(Protocol):
    """What a tenant's client does (`xima.Client`)."""

    def carry_out(self, action: Action) -> Outcome:
        """Ask Xima once and say what the exchange proved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long things may take; tests use shorter ones. `ask` callbacks that are late are sent without a question.

    The tenants share the `lines` to Xima, which are as many as there are threads that carry out.
    """

    lease: timedelta = LEASE
    patience: timedelta = CLICK_PATIENCE
    ask: int = 0
    lines: int = 32


class Dispatcher:
    """Carries deliveries out for one process; `owner` names the process in the leases it holds."""

    def __init__(
        self,
        store: Store,
        carriers: Mapping[str, Carrier],
        clock: Clock,
        *,
        owner: str,
        timing: Timing = Timing(),
        rates: Mapping[str, Rate] | None = None,
        presence: Presence | None = None,
    ) -> None:
        self.store = store
        self.timing = timing
        self.leases = Leases(store, clock, owner=owner, length=timing.lease)
        self.lines = Lines(timing.lines, tenants=len(carriers))
        self._carriers = carriers
        self._clock = clock
        self._rates = rates or {}
        self.presence = presence or Presence({}, clock)
        self._outages = Outages()
        self._stop = threading.Event()

    @property
    def tenants(self) -> Collection[str]:
        """The names of those it can send for."""
        return self._carriers.keys()

    # one delivery

    def carry_out(self, delivery: Delivery) -> Delivery:
        """Send a claimed delivery and save what came of it; gives the delivery as it is then.

        A click is tried again for a moment while nothing was sent; everything else goes back to the queue.
        """
        self.leases.hold(delivery)
        try:
            outcome, made = self._try(delivery)
            now = self._clock()
            verdict = policy.after(delivery, outcome, tries=delivery.tries + len(made), now=now, jitter=_jitter())
            evidence = outcome.evidence if outcome.asked else None
            return self._settle(delivery, verdict, made, now, evidence)
        finally:
            self.leases.let_go(delivery)

    def give_back(self, delivery: Delivery, reason: str) -> Delivery:
        """Return a claimed delivery, of which nothing was sent, to the queue; gives it as it is then."""
        now = self._clock()
        verdict = Verdict(state="queued", reason=reason, due_at=now, expires_at=delivery.expires_at)
        try:
            return self._settle(delivery, verdict, [], now)
        finally:
            self.leases.let_go(delivery)

    def _try(self, delivery: Delivery) -> tuple[Outcome, list[Attempt]]:
        """Ask Xima, for a click again until patience or freshness end; every try is recorded."""
        patience = self._clock() + (self.timing.patience if delivery.deliver == "now" else timedelta())
        made: list[Attempt] = []
        while True:
            outcome = self._ask(delivery, made)
            again = policy.next_try(
                delivery, outcome, tries=delivery.tries + len(made), now=self._clock(), jitter=_jitter()
            )
            if again is None or again > patience or self._stop.is_set():
                return outcome, made
            self._stop.wait((again - self._clock()).total_seconds())

    def _ask(self, delivery: Delivery, made: list[Attempt]) -> Outcome:
        at, started = self._clock(), time.monotonic()
        action = self.presence.chosen(delivery)
        if reason := self._obstacle(delivery, self._clock()):
            outcome = _not_asked(reason)
        elif delivery.tenant not in self._carriers:
            outcome = self._missing(delivery.tenant)
        else:
            outcome = self._carriers[delivery.tenant].carry_out(action)
        taken = round((time.monotonic() - started) * 1000)
        made.append(
            Attempt(at=at, phase=outcome.phase, status=outcome.status, reason=outcome.reason, duration_ms=taken)
        )
        return outcome

    def _obstacle(self, delivery: Delivery, now: datetime) -> str:
        """Why nothing may be sent at this moment, or nothing: asked before every try, whatever went before."""
        if self.leases.has_lost(delivery, now):
            return "the adapter was held up, and another may have taken over"
        return "it became too old while it waited for its turn" if now > delivery.expires_at else ""

    def _missing(self, tenant: str) -> Outcome:
        """Of a tenant that was removed: a person is told once, for nothing changes before a restart."""
        reason = f"there is no Xima tenant called {tenant}"
        self._outages.missing(tenant, reason)
        return replace(_not_asked(reason), retry_after=MISSING)

    def _settle(
        self,
        delivery: Delivery,
        verdict: Verdict,
        made: list[Attempt],
        now: datetime,
        evidence: Evidence | None = None,
    ) -> Delivery:
        after = policy.moved(delivery, verdict, now=now, tries=delivery.tries + len(made))
        saved = self._save(delivery, verdict, made, now, evidence)
        log_delivery(after, level=logging.INFO if saved else logging.ERROR, saved=None if saved else "no")
        if evidence:
            self._outages.note(delivery.tenant, evidence, verdict.reason, now=now)
        if evidence in (Evidence.UNAUTHORIZED, Evidence.OVER_CAP):
            event("tenant.stopped", level=logging.ERROR, tenant=delivery.tenant, reason=verdict.reason)
        return after if saved else self.store.get(delivery.id) or after

    def _save(
        self, delivery: Delivery, verdict: Verdict, made: list[Attempt], now: datetime, evidence: Evidence | None
    ) -> bool:
        """Save, and again for a while when the store cannot be written: the truth is only here."""
        for turn in range(SAVE_TRIES):
            try:
                return self.store.save(delivery, verdict, made, now=now, evidence=evidence)
            except StoreError as exc:
                event(
                    "delivery.not_saved",
                    level=logging.ERROR,
                    id=delivery.id,
                    state=verdict.state,
                    reason=exc.reason,
                )
                if turn + 1 < SAVE_TRIES:
                    time.sleep(min(0.1 * 2**turn, SAVE_PAUSE_SECONDS))
        return False

    # the queue

    def claim(self, most: int) -> list[Delivery]:
        """Take what is due, of each tenant what it has lines for; what our rules stop is moved and logged."""
        return self.claimed(most)[0]

    def claimed(self, most: int) -> tuple[list[Delivery], bool]:
        """As `claim`; second, whether anything was moved, for then there may be more behind it."""
        now = self._clock()
        ask = self.timing.ask
        if ask and (held := self.store.rules.hold_backlog(now=now, most=ask, rates=self._rates)):
            event("backlog.held", level=logging.ERROR, deliveries=held, remedy="xima-adapter recover")
        taken, moved = self.store.claim(
            lambda delivery: policy.decide(delivery, now=now),
            owner=self.leases.owner,
            now=now,
            lease_until=self.leases.until(),
            most=most,
            rates=self._rates,
            room=self.lines.room,
        )
        for delivery in moved:
            log_delivery(delivery)
        return taken, bool(moved)

    def sweep(self) -> list[Delivery]:
        """Settle deliveries whose holder died: nobody can tell whether they were sent, so they become unknown.

        A selected caller id may be set again; a dial or a callback never is. What this process itself is at
        work on is not abandoned, however long it could not renew its lease.
        """
        now = self._clock()
        settled = []
        for delivery in self.store.abandoned(now=now):
            if self.leases.has(delivery):
                continue
            verdict = policy.abandoned(delivery, now)
            gone = Attempt(at=now, phase="sent", status=None, reason=verdict.reason, duration_ms=0)
            if self.store.abandon(delivery, verdict, gone, now=now):
                settled.append(policy.moved(delivery, verdict, now=now, tries=delivery.tries + 1))
                log_delivery(settled[-1], level=logging.WARNING)
        return settled

    def step(self, now: datetime | None = None) -> Delivery | None:
        """Take and carry out one delivery that is due; None when nothing is."""
        taken = self.claim(1)
        return self.carry_out(taken[0]) if taken else None

    def close(self) -> None:
        """Stop keeping leases; nothing is tried again."""
        self._stop.set()
        self.leases.close()


def _not_asked(reason: str) -> Outcome:
    """Xima was not asked."""
    return Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason=reason, asked=False)


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads retries, protects nothing
