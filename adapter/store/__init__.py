"""The store: deliveries are the queue and the truth at once; what was promised is on disk before it is said."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter.model import WAITING, Attempt, Delivery, Evidence
from adapter.policy import Rate, Verdict
from adapter.store import (
    anew,
    arrivals,
    desk,
    gates,
    leases,
    listing,
    memory,
    migrate,
    outcomes,
    queue,
    retention,
    swift,
)
from adapter.store.arrivals import Arrival, Entry, Kept
from adapter.store.dialect import Bell, Clock
from adapter.store.engine import Database
from adapter.store.keys import Key, Keys
from adapter.store.leases import Claim
from adapter.store.personal import Held, Personal
from adapter.store.published import Published
from adapter.store.readiness import Readiness
from adapter.store.reports import Due, Reports, Told
from adapter.store.rules import Rules
from adapter.store.trials import Trial
from adapter.store.versions import Version

__all__ = ["Arrival", "Claim", "Due", "Entry", "Held", "Kept", "Key", "Reports", "Store", "Told", "Trial", "Version"]


class Store(Published):
    """Everything that is read or written; each method is one transaction and raises `StoreError` when it fails."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._readiness = Readiness(self._database)
        self.rules = Rules(self._database)
        self.keys = Keys(self._database)
        self.reports = Reports(self._database)
        self.personal = Personal(self._database)
        self.outcomes = outcomes.Outcomes(self._database)
        self._purge = retention.Purge(self._database)

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    # the schema

    def upgrade(self) -> None:
        """Create the tables or bring them to this version; several machines may do so at once."""
        with self._database.writing() as connection:
            self._database.own.alone(connection, "upgrade", wait=True)
            migrate.upgrade(connection)

    def check(self, *, really: bool = False) -> None:
        """Raise `StoreError` unless the store can be written and has the tables of this version.

        They are looked at once: who is at work goes on when a later version has added to them. See `Readiness.check`.
        """
        self._readiness.check(really=really)

    # requests

    def add(self, arrival: Arrival, entries: Sequence[Entry], *, fingerprints: Sequence[str] = ()) -> list[Kept | None]:
        """Keep a request and its new deliveries; the first delivery with the same key stands for a repeated one.

        The `fingerprints` of what its sender proved are remembered too, see `first_seen`.
        """
        kept = [] if fingerprints or not self._database.own.far else self._add_swiftly(arrival, entries)
        if not kept:
            with self._database.writing() as connection:
                kept = arrivals.add(connection, arrival, entries)
                if fingerprints:
                    memory.remember(connection, arrival.mapping, fingerprints, now=arrival.received_at)
        if any(one and one.delivery.state == "queued" and not one.duplicate for one in kept):
            self._database.own.ring()
        return kept

    def _add_swiftly(self, arrival: Arrival, entries: Sequence[Entry]) -> list[Kept | None]:
        """Add by one statement; nothing when that is not enough, or another request with the same was first."""
        with self._database.reading() as connection, contextlib.suppress(*self._database.own.outrun):
            return swift.add(connection, arrival, entries)
        return []

    def first_seen(self, mapping: str, fingerprint: str) -> datetime | None:
        """When a request with this fingerprint first came to the mapping; None when it never did."""
        with self._database.reading() as connection:
            return memory.first_seen(connection, mapping, fingerprint)

    def count_refusal(self, *, mapping: str, code: str, reason: str, now: datetime, count: int = 1) -> None:
        """Count refused requests; nothing of their content is kept."""
        with self._database.writing() as connection:
            arrivals.count_refusal(connection, mapping=mapping, code=code, reason=reason, now=now, count=count)

    # dispatching

    def claim(
        self,
        decide: queue.Decide,
        *,
        owner: str,
        now: datetime,
        lease_until: datetime,
        most: int,
        rates: Mapping[str, Rate] | None = None,
        room: gates.Room | None = None,
    ) -> tuple[list[Delivery], list[Delivery]]:
        """Take due deliveries for sending; second, those that `decide` or our rules moved elsewhere."""
        with self._database.reading() as connection:
            if not queue.is_due(connection, now):
                return [], []
        with self._database.writing() as connection:
            return queue.claim(
                connection, decide, owner=owner, now=now, lease_until=lease_until, most=most, rates=rates, room=room
            )

    def save(
        self,
        delivery: Delivery,
        verdict: Verdict,
        made: Sequence[Attempt],
        *,
        now: datetime,
        evidence: Evidence | None = None,
    ) -> bool:
        """Keep what came of a claimed delivery, and what it says about its tenant; False when the claim was lost.

        An end need not be on disk at once: if a power cut takes it back, it is as if its holder died while sending.
        """
        saved = self._save_swiftly(delivery, verdict, made, now, evidence)
        if not saved:
            with self._database.writing(at_once=verdict.state in WAITING) as connection:
                over = evidence is not None and gates.settle(connection, delivery.tenant, evidence, now=now)
                saved = queue.save(connection, delivery, verdict, made, now=now)
            if over:
                self.rules.go_on(delivery.tenant, now=now)
        if verdict.state == "queued" and verdict.due_at <= now:
            self._database.own.ring()
        return saved

    def _save_swiftly(
        self, delivery: Delivery, verdict: Verdict, made: Sequence[Attempt], now: datetime, evidence: Evidence | None
    ) -> bool:
        """Save by one statement where that is wanted; False when it is not enough, or the claim was lost."""
        more = "report" in delivery.terms or verdict.terms is not None or evidence in gates.TELLING
        if len(made) != 1 or not self._database.own.far or more:
            return False
        with self._database.reading() as connection:
            return swift.save(connection, delivery, verdict, made[0], now=now)

    def renew(self, ids: Collection[str], *, owner: str, until: datetime) -> set[Claim]:
        """Keep the leases of deliveries that are still under way; gives the claims that are still held."""
        with self._database.writing() as connection:
            return leases.renew(connection, ids, owner=owner, until=until)

    def abandoned(self, *, now: datetime) -> list[Delivery]:
        """Deliveries whose lease ran out."""
        with self._database.reading() as connection:
            return leases.abandoned(connection, now)

    def abandon(self, delivery: Delivery, verdict: Verdict, gone: Attempt, *, now: datetime) -> bool:
        """Settle a delivery whose lease ran out; False when its holder lives after all, or another was first."""
        with self._database.writing() as connection:
            return leases.abandon(connection, delivery, verdict, gone, now=now)

    def clock(self, clock: Clock) -> Clock:
        """The clock that all machines go by which share this store; `clock` is this machine's."""
        return self._database.own.clock(clock)

    def bell(self) -> Bell:
        """What to wait at for work."""
        return self._database.own.bell()

    # people

    def get(self, delivery_id: str) -> Delivery | None:
        """One delivery, or None."""
        with self._database.reading() as connection:
            return desk.get(connection, delivery_id)

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """Every try at Xima, oldest first."""
        with self._database.reading() as connection:
            return arrivals.attempts_of(connection, delivery_id)

    def acts(self, delivery_id: str) -> list[Mapping[str, Any]]:
        """What people did to a delivery, oldest first."""
        with self._database.reading() as connection:
            return desk.acts_of(connection, delivery_id)

    def newest(self, *, most: int = 50, below: str = "", **wanted: Any) -> list[Delivery]:
        """The newest deliveries of those that are wanted (see `listing.Wanted`), the latest first, before an id."""
        with self._database.reading() as connection:
            return listing.newest(connection, listing.Wanted(**wanted), most=most, below=below)

    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        with self._database.reading() as connection:
            return desk.counts(connection)

    def due(self, *, now: datetime) -> tuple[int, datetime | None]:
        """How many deliveries could be sent now, and since when the first of them could."""
        with self._database.reading() as connection:
            return desk.due(connection, now=now)

    def refusals(self, *, most: int = 50) -> list[Mapping[str, Any]]:
        """Counted refusals, the latest first."""
        with self._database.reading() as connection:
            return desk.refused(connection, most=most)

    def request(self, request_id: str) -> Mapping[str, Any] | None:
        """A request as it was kept, or None."""
        with self._database.reading() as connection:
            return desk.request(connection, request_id)

    def act(self, delivery: Delivery, verdict: Verdict, *, who: str, now: datetime, released: bool = False) -> None:
        """Move a delivery because a person said so, past our limits if `released`; raises `Conflict`."""
        with self._database.writing() as connection:
            desk.act(connection, delivery, verdict, who=who, now=now)
            if released:
                desk.release(connection, delivery)
        self._database.own.ring()

    def anew(self, old: Delivery, new: Delivery, verdict: Verdict, *, who: str, now: datetime) -> None:
        """Queue a delivery that ended with what it is to do now; raises `Conflict`."""
        with self._database.writing() as connection:
            anew.put(connection, old, new, verdict, who=who, now=now)
        self._database.own.ring()

    def purge(self, *, before: datetime, now: datetime, most: int = 500, rest: retention.Rest = lambda _: False) -> int:
        """Remove what ended before `before`, at most so many rows a table, with a `rest` after each short transaction.

        Gives how many went. What changes meanwhile, or is put to work again, stays.
        """
        return self._purge.run(before=before, now=now, most=most, rest=rest)
