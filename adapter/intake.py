"""Take a request in: verify, parse, map, decide, keep on disk; then act at once or leave it to the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter import closing, replay
from adapter.dispatcher import Dispatcher
from adapter.errors import AdapterError, SignatureError, StoreError, Unavailable, UnknownMapping
from adapter.greeting import told
from adapter.handshake import Reply
from adapter.keeping import arrival, entry, queued
from adapter.limits import NO_LIMIT, Limit
from adapter.logs import event
from adapter.mapping import TEST, Result, examples, reasons, request_tree, results
from adapter.model import Delivery, Received
from adapter.policy import Numbers
from adapter.refusals import Refusals
from adapter.shadow import Shadow
from adapter.sources import Source, Sources
from adapter.store import Entry, Kept, Store

FULL = "every line to Xima was taken"


@dataclass(frozen=True, kw_only=True, slots=True)
class Came:
    """What became of one record: a result that made no delivery, or a delivery (perhaps the first of its key)."""

    result: Result
    delivery: Delivery | None = None
    duplicate: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A request that was kept: its source and what became of its records, in order; or the reply to a handshake."""

    source: Source
    came: tuple[Came, ...]
    reply: Reply | None = None


class Intake:
    """The way of a request through the adapter; one for every web process."""

    def __init__(
        self,
        sources: Callable[[], Sources],
        store: Store,
        dispatcher: Dispatcher,
        *,
        pool: Executor,
        wait: timedelta,
        explain: Callable[[Source, Received, datetime], tuple[str, ...]] = lambda *_: (),
        shadow: Shadow | None = None,
        numbers: Numbers | None = None,
        limit: Limit = NO_LIMIT,
    ) -> None:
        self.refusals, self._limit = Refusals(store), limit
        self._sources = sources
        self._store = store
        self._dispatcher = dispatcher
        self._pool = pool
        self._wait = wait
        self._explain = explain
        self._shadow = shadow
        self._numbers = numbers or Numbers(())

    def take(self, name: str, received: Received, *, request_id: str, now: datetime) -> Taken:
        """Everything from the signature to the answer; raises the `AdapterError` that is to be answered.

        What is raised is counted by reason, with nothing of its content; a store failure keeps nothing at all.
        """
        try:
            source = self.source(name)
            if reply := source.admit(received, now=now):
                return Taken(source=source, came=(), reply=told(source, reply, request_id))
            self._limit.take(name, "more requests than this mapping is let have (ADAPTER_MAPPING_LIMIT)")
            document, found = examples.records(source.mapping, received)
        except AdapterError as exc:
            hints = self._explain(self.source(name), received, now) if isinstance(exc, SignatureError) else ()
            self.refuse(name, exc, request_id=request_id, now=now, hints=hints)
            raise
        made = _mapped(source, received, document, found, now=now)
        marks = replay.fingerprints(source, received)
        if again := replay.recorded(self._store, source, marks, now=now):
            made, marks = [(index, again) for index, _ in made], ()
        return self.keep(source, received, made, request_id=request_id, now=now, marks=marks)

    def keep(
        self,
        source: Source,
        received: Received,
        made: list[tuple[int, Result]],
        *,
        request_id: str,
        now: datetime,
        marks: tuple[str, ...] = (),
    ) -> Taken:
        """Keep what a known sender's request came to, by the places of its records, and act on it at once."""
        ended = closing.settled(self._store, source, made, now=now) if source.mapping.tells else made
        entries = [entry(source, index, result, request_id, self._numbers, now=now) for index, result in ended]
        entries = self._claimed(entries)
        kept = self._store.add(arrival(source, received, request_id, now=now), entries, fingerprints=marks)
        came = tuple(_came(result, one) for (_, result), one in zip(ended, kept, strict=True))
        if any(one.delivery and one.delivery.policy == "limits.per_minute" for one in came):
            event(
                "request.flood",
                level=logging.WARNING,
                mapping=source.mapping.name,
                remedy="limits.per_minute in the mapping",
            )
        records = made[-1][0] + 1 if made else 0
        event("request.kept", mapping=source.mapping.name, request=request_id, records=records, **_summary(came))
        taken = Taken(source=source, came=tuple(self._act(one, self._patience(source)) for one in came))
        if self._shadow:
            self._shadow.look(source, received, made, request_id=request_id, now=now)
        return taken

    def _patience(self, source: Source) -> timedelta:
        """How long a click may wait for Xima: as we were told, but no longer than most of its sender's own patience."""
        within = source.mapping.receive.answer_within
        return min(self._wait, within * 0.8) if within else self._wait

    def source(self, name: str) -> Source:
        """The source of that name; raises `UnknownMapping`, or `Unavailable` when its file cannot be used."""
        sources = self._sources()
        if name in sources.usable:
            return sources.usable[name]
        if name in sources.broken:
            raise Unavailable("this mapping cannot be used at the moment")
        raise UnknownMapping("no mapping has this name")

    def _claimed(self, entries: list[Entry]) -> list[Entry]:
        """A single delivery that is wanted now is kept as being sent; several go through the queue."""
        wanted = [one for one in entries if one.delivery and one.delivery.state == "queued"]
        if len(wanted) != 1 or wanted[0].delivery is None or wanted[0].delivery.deliver != "now":
            last = len(entries) - 1
            return [queued(one, ahead=last - place) for place, one in enumerate(entries)]
        claimed = replace(
            wanted[0].delivery,
            state="sending",
            attempt=1,
            lease_owner=self._dispatcher.leases.owner,
            lease_until=self._dispatcher.leases.until(),
        )
        return [replace(one, delivery=claimed) if one is wanted[0] else one for one in entries]

    def _act(self, came: Came, wait: timedelta) -> Came:
        """Carry a claimed delivery out, as long as its sender is made to wait."""
        delivery = came.delivery
        if delivery is None or came.duplicate or delivery.lease_owner != self._dispatcher.leases.owner:
            return came
        try:
            return replace(came, delivery=self._carry_out(delivery, wait))
        except StoreError:
            return came

    def _carry_out(self, delivery: Delivery, wait: timedelta) -> Delivery:
        """The delivery as it is when the wait is over; one whose turn does not come is left to the dispatcher."""
        self._dispatcher.leases.hold(delivery)
        lines = self._dispatcher.lines
        if not lines.take(delivery.tenant):
            return self._dispatcher.give_back(delivery, FULL)
        try:
            under_way = self._pool.submit(self._dispatcher.carry_out, delivery)
        except RuntimeError:  # the pool takes no more work when its process is about to end
            lines.leave(delivery.tenant)
            return self._dispatcher.give_back(delivery, "the adapter was being stopped")
        under_way.add_done_callback(lambda _: lines.leave(delivery.tenant))
        try:
            return under_way.result(wait.total_seconds())
        except TooSlow:
            if under_way.cancel():
                return self._dispatcher.give_back(delivery, FULL)
            return delivery

    def refuse(
        self, name: str, exc: AdapterError, *, request_id: str, now: datetime, hints: tuple[str, ...] = ()
    ) -> None:
        known = name if not isinstance(exc, UnknownMapping) else ""
        why = "; ".join(hints) or None
        event("request.refused", mapping=known or None, request=request_id, code=exc.code, reason=exc.reason, hints=why)
        self.refusals.count(mapping=known, code=exc.code, reason=exc.reason, now=now)


def _mapped(
    source: Source, received: Received, document: Any, found: list[Any], *, now: datetime
) -> list[tuple[int, Result]]:
    tree = request_tree(received, document)
    return [
        (index, result)
        for index, record in enumerate(found)
        for result in results(source.mapping, record, {**tree, "index": str(index)}, now=now)
    ]


def _came(result: Result, kept: Kept | None) -> Came:
    if kept:
        return Came(result=result, delivery=kept.delivery, duplicate=kept.duplicate)
    return Came(result=replay.GONE if result.kind == "action" else result)


def _summary(came: tuple[Came, ...]) -> dict[str, Any]:
    words = [word(one) for one in came]
    shown = ",".join(words[:10]) + (f",+{len(words) - 10}" if len(words) > 10 else "")
    return {"results": shown, "reason": reasons(one.result for one in came if one.delivery is None)}


def word(came: Came) -> str:
    """What became of one record, in a word: its state, `duplicate`, or the result that made no delivery."""
    if came.delivery:
        return "duplicate" if came.duplicate else came.delivery.state
    return "test" if came.result.reason == TEST else came.result.kind
