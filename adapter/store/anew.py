"""A delivery that ended and is to be done otherwise than it was kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from adapter.model import Delivery
from adapter.policy import Verdict, moved
from adapter.store import desk, queue
from adapter.store.marks import Memory
from adapter.store.tables import deliveries, reports

WHAT = ("version", "rule", "tenant", "action", "if_unknown", "terms")
"""What a mapping says of a delivery; everything else is its own life."""
NOBODY = "its mapping reports to nobody any more"


def put(connection: Connection, old: Delivery, new: Delivery, verdict: Verdict, *, who: str, now: datetime) -> None:
    """Queue a delivery with what it is to do now; raises `Conflict` when it may not go there or moved meanwhile.

    One that a rule of ours had stopped was never counted, so it is judged as if it came just now.
    """
    desk.act(connection, old, verdict, who=who, now=now)
    values = {name: getattr(new, name) for name in WHAT}
    connection.execute(update(deliveries).where(deliveries.c.id == old.id).values(values))
    if "report" not in new.terms:
        untold = (reports.c.delivery_id == old.id, reports.c.due_at.is_not(None))
        connection.execute(update(reports).where(*untold).values(result="given up", said=NOBODY, due_at=None))
    if old.state == "suppressed":
        queued = moved(new, verdict, now=now)
        memory = Memory(connection, [queued], now=now)
        judged = memory.judged(queued, new=True)
        memory.keep()
        if judged != queued:
            queue.put(connection, queued, judged, now=now)
