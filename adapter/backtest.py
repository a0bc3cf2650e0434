"""Run a draft of a mapping over its real requests and say what would have come out otherwise; nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from adapter import mapping, written
from adapter.errors import MappingError, PayloadError
from adapter.mapping import Result
from adapter.mapping.difference import SAME, Made, Pair, made, pairs
from adapter.model import CallEnded, Received
from adapter.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A record that would have come out otherwise, and the request it came in."""

    request: str
    received_at: datetime
    pair: Pair


@dataclass(kw_only=True, slots=True)
class Report:
    """What a draft made of requests: how many records of each kind, and those that changed.

    A record may change in several ways, and counts for each. `noted` requests came under a version that the history
    does not hold: they are compared with what was noted then. With `other_proofs` the draft asks senders for other
    proofs than the version in force, which no stored request can be tried on.
    """

    requests: int = 0
    noted: int = 0
    records: int = 0
    other_proofs: bool = False
    first: datetime | None = None
    last: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)


class Backtest:
    """A draft beside the versions that were in force, over the requests of a store.

    Both may dial what the tenants described in the folder let them dial now.
    """

    def __init__(self, draft: mapping.Mapping, store: Store, folder: Path | None = None) -> None:
        self._draft = draft
        self._folder = folder
        self._store = store
        self._kept = {one.version: one for one in store.history(draft.name) if one.version}
        self._read: dict[str, mapping.Mapping | None] = {}

    def run(self, *, most: int) -> Report:
        """The report over the latest requests, at most so many."""
        report = Report(other_proofs=self._other_proofs())
        for request_id in self._store.requests_of(self._draft.name, most=most):
            row = self._store.request(request_id)
            if row is not None:  # it may have been purged this very moment
                self._add(report, row)
        return report

    def _other_proofs(self) -> bool:
        now = next((one.version for one in self._kept.values()), None)
        in_force = self._then(now) if now else None
        return in_force is not None and in_force.receive.proofs != self._draft.receive.proofs

    def _add(self, report: Report, row: Mapping[str, Any]) -> None:
        at = row["received_at"]
        received = Received(method=row["method"], url=row["url"], headers=row["headers"], body=row["body"])
        before = self._before(row["version"], received, at)
        noted = before is None
        after = _made(self._draft, received, at)
        report.requests += 1
        report.noted += noted
        report.first, report.last = at, report.last or at
        for pair in pairs(self._noted(row) if before is None else before, after, noted=noted):
            report.records += 1
            report.counts.update(pair.kinds)
            if pair.kinds != (SAME,):
                report.found.append(Found(request=row["id"], received_at=at, pair=pair))

    def _before(self, version: str, received: Received, at: datetime) -> Made | None:
        """What the version in force then made of a request; None when the history cannot tell."""
        then = self._then(version)
        return _made(then, received, at) if then else None

    def _then(self, version: str) -> mapping.Mapping | None:
        """The mapping of a version; None when the history does not hold it, or this adapter cannot read it any more."""
        if version not in self._read:
            try:
                kept = self._kept.get(version)
                self._read[version] = written.again(kept, self._folder) if kept else None
            except MappingError:
                self._read[version] = None
        return self._read[version]

    def _noted(self, row: Mapping[str, Any]) -> Made:
        """The results as they were noted on the request, with the deliveries that stand for them."""
        found: dict[int, list[Result]] = {}
        for note in row["results"]:
            found.setdefault(note["record"], []).append(self._result(note))
        return found

    def _result(self, note: Mapping[str, Any]) -> Result:
        said = Result(kind=note["kind"], rule=note["rule"], reason=note["reason"], field=note.get("field", ""))
        if "call" in note:
            return replace(said, kind="action", reason="", action=CallEnded(**note["call"]), key=note["key"])
        delivery = self._store.get(note["delivery"]) if "delivery" in note else None
        return replace(said, action=delivery.action, key=delivery.key) if delivery else said


def _made(of: mapping.Mapping, received: Received, at: datetime) -> Made | None:
    try:
        return made(of, received, now=at)
    except PayloadError:
        return None


def examples(report: Report, *, most: int) -> Iterator[tuple[str, int, list[Found]]]:
    """Every kind of change with its count and its first examples, the most frequent kind first.

    A record is an example of one kind only, for it is told with all its changes.
    """
    told: list[Found] = []
    for kind, count in report.counts.most_common():
        if kind != SAME:
            fresh = [one for one in report.found if kind in one.pair.kinds and one not in told][:most]
            told += fresh
            yield kind, count, fresh
