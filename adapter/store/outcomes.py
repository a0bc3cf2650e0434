"""How calls ended: found among the dials of their time, kept once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Text, case, exists, func, insert, or_, select, type_coerce

from adapter.model import Ended
from adapter.policy.ended import Call, Dial, Match, dials, match
from adapter.store.engine import Database
from adapter.store.rows import COLUMNS, NAMES, delivery_in
from adapter.store.tables import acts, attempts, deliveries, outcomes

MOST_DIALS = 1000
"""Dials of one agent that are looked at for one call, the latest first."""

d, o = deliveries.c, outcomes.c
_settled = exists().where(acts.c.delivery_id == d.id, acts.c.old == "unknown", acts.c.new == "accepted")
_tried = select(func.max(attempts.c.at)).where(attempts.c.delivery_id == d.id, attempts.c.phase != "not_sent")
DIALLED_AT = case((_settled, _tried.scalar_subquery()), else_=d.updated_at).label("dialled_at")
"""The last change is the dial's, unless a person settled it; nothing where that is all that is known."""


class Outcomes:
    """The part of a store that knows how calls ended; each method is one transaction and raises `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settle(self, call: Call) -> Match:
        """Find the dial of a call and keep how it ended; two processes that are told of one call do so once.

        The dials are looked for before: a look at some hours of them must keep no click waiting.
        """
        with self._database.reading() as connection:
            fitting = dials(call, _dialled(connection, call))
        with self._database.writing() as connection:
            self._database.own.alone(connection, "outcomes", wait=True)
            known = _known(connection, [one.delivery.id for one in fitting])
            found = match(call, fitting, known=known, last_told=_last_told(connection, call.key))
            if found.kind == "matched":
                connection.execute(insert(outcomes), _row(call, found))
            return found

    def of(self, delivery_id: str) -> Ended | None:
        """How the call of a delivery ended; None while nobody has told."""
        asked = select(*(o[name] for name in Ended.__slots__)).where(o.delivery_id == delivery_id)
        with self._database.reading() as connection:
            row = connection.execute(asked).first()
            return Ended(**row._mapping) if row else None


def _dialled(connection: Connection, call: Call) -> list[Dial]:
    """What this agent's extension dialled in that time, by the index of the last change; a person's may be later."""
    after, until = call.window
    begins = f'["click_to_dial",{{"agent":"{call.agent}",'
    asked = (
        select(*COLUMNS, DIALLED_AT)
        .where(
            d.updated_at.between(after, max(until, call.told_at)),
            or_(d.updated_at <= until, _settled),
            type_coerce(d.action, Text).startswith(begins, autoescape=True),
        )
        .order_by(d.updated_at.desc())
        .limit(MOST_DIALS)
    )
    rows = connection.execute(asked).mappings()
    return [
        Dial(delivery=delivery_in({name: row[name] for name in NAMES}), at=row["dialled_at"])
        for row in rows
        if row["dialled_at"]
    ]


def _known(connection: Connection, ids: list[str]) -> set[str]:
    return set(connection.execute(select(o.delivery_id).where(o.delivery_id.in_(ids))).scalars())


def _last_told(connection: Connection, key: str) -> datetime | None:
    found: datetime | None = connection.execute(select(func.max(o.told_at)).where(o.key == key)).scalar()
    return found


def _row(call: Call, found: Match) -> dict[str, object]:
    return {
        "delivery_id": found.delivery_id,
        "key": call.key,
        "outcome": call.outcome,
        "duration": None if call.duration is None else call.duration // timedelta(seconds=1),
        "ended_at": call.ended_at,
        "told_at": call.told_at,
        "fits": found.fits,
    }
