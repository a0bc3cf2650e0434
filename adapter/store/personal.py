"""Everything that is held about one telephone number: found, shown, and removed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, or_, select, update

from adapter.errors import Conflict
from adapter.model import WAITING, Action, Delivery
from adapter.payload.readings import readings
from adapter.policy import Verdict
from adapter.policy.spelled import GONE, Spelled
from adapter.store import desk
from adapter.store.engine import Database
from adapter.store.rows import COLUMNS, delivery_of
from adapter.store.tables import (
    acts,
    api_asked,
    attempts,
    blocked,
    deliveries,
    marks,
    once,
    outcomes,
    reports,
    requests,
    shadow_counts,
)

PAGE = 500
NUMBER_OF = {"click_to_dial": "number_to_dial", "callback": "callback_number"}
"""The field of an action that holds whom it calls."""
TRACES = ("numbers", "quiet", "number_per_day", "zones", "nearest_to")
"""What a delivery's terms tell of its number."""
d, s = deliveries.c, shadow_counts.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What is held about a number; but for the deliveries these are rows as plain values.

    `blocked` are its entries on the do-not-call list, `keys` the remembered keys of events that hold it.
    """

    requests: tuple[Mapping[str, Any], ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    blocked: tuple[Mapping[str, Any], ...] = ()
    keys: tuple[Mapping[str, Any], ...] = ()


class Personal:
    """The part of a store that answers a person's request; raises `StoreError` when it fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def held(self, number: Spelled, hashes: Collection[str]) -> Held:
        """Everything about a number, whose keyed hashes are `hashes`, in whatever spelling it came.

        Every request and delivery is read, a page at a time: that takes a while and keeps nobody waiting.
        """
        with self._database.reading() as connection:
            every = (delivery_of(row) for row in _pages(connection, deliveries, COLUMNS))
            mine = tuple(one for one in every if _is_for(one, number, hashes))
            made = {one.request_id for one in mine}
            came = _pages(connection, requests, tuple(requests.c))
            asked = [row for row in came if row.id in made or any(number.is_in(text) for text in _texts(row))]
            keys = [row for row in connection.execute(select(once)) if number.is_in(row.key)]
            listed = connection.execute(select(blocked).where(blocked.c.number.in_(list(hashes)))).all()
            asked.sort(key=lambda row: (row.received_at, row.id))
            return Held(requests=_plain(asked), deliveries=mine, blocked=_plain(listed), keys=_plain(keys))

    def forget(
        self, held: Held, number: Spelled, hashes: Collection[str], *, who: str, now: datetime
    ) -> dict[str, int]:
        """Remove it, all or nothing; gives how many rows of each table went or lost the number.

        What waits is cancelled first. Deliveries stay, so that an event that is repeated finds its first. Raises
        `Conflict` while one is being sent, and when one changed since it was found. What takes a look at a whole table
        is looked for before anything is locked.
        """
        gone = {row["id"] for row in held.requests}
        with self._database.reading() as connection:
            marked = _marked(connection, hashes)
        with self._database.writing() as connection:
            self._database.own.overwrite(connection)
            return {
                "deliveries": sum(_blank(connection, one, number, who=who, now=now) for one in held.deliveries),
                "attempts": sum(_strike(connection, attempts, one, number) for one in held.deliveries),
                "acts": sum(_strike(connection, acts, one, number) for one in held.deliveries),
                "reports": sum(_strike(connection, reports, one, number) for one in held.deliveries),
                "outcomes": sum(_unkey(connection, one) for one in held.deliveries),
                "api_asked": _unasked(connection, held.deliveries),
                "requests": sum(_remove(connection, one) for one in gone),
                "shadow_counts": _examples(connection, gone),
                "marks": connection.execute(delete(marks).where(marks.c.mark.in_(marked))).rowcount,
            }


def _number_in(action: Action) -> str:
    """Whom an action calls; nothing when it calls nobody."""
    return str(getattr(action, NUMBER_OF.get(action.kind, ""), ""))


def _plain(rows: Iterable[Row[Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(dict(row._mapping) for row in rows)


def _pages(connection: Connection, table: Table, columns: Sequence[Any]) -> Iterator[Row[Any]]:
    """All rows, in the order of their ids."""
    key, after = table.c.id, ""
    while rows := connection.execute(select(*columns).where(key > after).order_by(key).limit(PAGE)).all():
        yield from rows
        after = rows[-1].id


def _texts(row: Row[Any]) -> tuple[str, ...]:
    """All that a request says."""
    bodies = readings(row.body, row.headers.get("content-type", ""))
    return row.url, *bodies, json.dumps([row.headers, row.results])


def _is_for(one: Delivery, number: Spelled, hashes: Collection[str]) -> bool:
    return not set(one.terms.get("numbers", ())).isdisjoint(hashes) or number.is_in(_number_in(one.action))


def _blank(connection: Connection, one: Delivery, number: Spelled, *, who: str, now: datetime) -> int:
    """Take the number out of a delivery, whose end it is if it waits."""
    if one.state in WAITING:
        cancelled = Verdict(state="cancelled", reason="its number was forgotten", due_at=now, expires_at=one.expires_at)
        desk.act(connection, one, cancelled, who=who, now=now)
        one = replace(one, state="cancelled", reason=cancelled.reason)
    if one.state == "sending":
        raise Conflict(f"{one.id} is being sent at this moment: nothing was removed; try again in half a minute")
    values = {
        "action": replace(one.action, **{NUMBER_OF[one.action.kind]: GONE}),
        "key": "",
        "reason": number.struck(one.reason),
        "terms": _untraced(one.terms),
    }
    same = (d.id == one.id, d.state == one.state, d.attempt == one.attempt)
    if connection.execute(update(deliveries).where(*same).values(values)).rowcount != 1:
        raise Conflict(f"{one.id} changed at the same moment: nothing was removed; try again")
    return 1


def _untraced(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms without the number, and a report without what its mapping includes of the person."""
    left = {name: value for name, value in terms.items() if name not in TRACES}
    return left | ({"report": {**left["report"], "include": {}}} if "report" in left else {})


def _strike(connection: Connection, table: Table, one: Delivery, number: Spelled) -> int:
    """Take the number out of the reasons that stand beside a delivery."""
    keys, told = tuple(table.primary_key.columns), 0
    for row in connection.execute(select(*keys, table.c.reason).where(table.c.delivery_id == one.id)).all():
        struck = number.struck(row.reason)
        if struck != row.reason:
            this = [key == value for key, value in zip(keys, row, strict=False)]
            told += connection.execute(update(table).where(*this).values(reason=struck)).rowcount
    return told


def _unkey(connection: Connection, one: Delivery) -> int:
    """Take the key of the call that ended from its outcome: it is a hash of the number, and anybody can make those."""
    mine = (outcomes.c.delivery_id == one.id, outcomes.c.key != "")
    return connection.execute(update(outcomes).where(*mine).values(key="")).rowcount


def _unasked(connection: Connection, made: Iterable[Delivery]) -> int:
    """Remove the fingerprints of what the API was asked for, which are hashes of the number too.

    The keys of the events stay, so that what is asked for again under one is still done once.
    """
    keys = [one.key for one in made if one.key]
    some = [keys[start : start + PAGE] for start in range(0, len(keys), PAGE)]
    return sum(connection.execute(delete(api_asked).where(api_asked.c.key.in_(page))).rowcount for page in some)


def _remove(connection: Connection, request_id: str) -> int:
    return connection.execute(delete(requests).where(requests.c.id == request_id)).rowcount


def _examples(connection: Connection, gone: Collection[str]) -> int:
    """Take the examples of these requests from what was counted for versions under trial."""
    told = 0
    keys = tuple(shadow_counts.primary_key.columns)
    for row in connection.execute(select(*keys, s.examples)).all():
        left = [one for one in row.examples if one["request"] not in gone]
        if left != row.examples:
            this = [key == value for key, value in zip(keys, row, strict=False)]
            told += connection.execute(update(shadow_counts).where(*this).values(examples=left)).rowcount
    return told


def _marked(connection: Connection, hashes: Collection[str]) -> list[str]:
    """The marks that tell when the number was called last: without them a new request may call it at once."""
    of_it = or_(*(marks.c.mark.endswith(f" {one}") for one in hashes))
    return list(connection.execute(select(marks.c.mark).where(of_it)).scalars())
