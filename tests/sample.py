"""Deliveries for tests: everything about them that a test does not care about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from adapter.model import Action, Callback, ClickToDial, Delivery, SelectCallerId

NOW = datetime(2026, 1, 7, 17, 0, tzinfo=UTC)
"""A Wednesday, ten in the morning in Denver."""
SECOND = timedelta(seconds=1)

CLICK = ClickToDial(agent="0101", number_to_dial="8015550142")
CALLBACK = Callback(skill="Sales", callback_number="8015550142")
SELECT = SelectCallerId(agent="0101", label="Main", outbound_caller_id="8015550100")


def delivery(action: Action = CLICK, **changes: Any) -> Delivery:
    """A delivery that is due now and wanted for a minute, with the given differences."""
    values: dict[str, Any] = {
        "id": "d1",
        "request_id": "r1",
        "mapping": "lead",
        "version": "v1",
        "rule": "dial",
        "tenant": "default",
        "action": action,
        "key": "k1",
        "state": "queued",
        "reason": "",
        "deliver": "queued" if action.kind == "callback" else "now",
        "if_unknown": "again" if action.kind == "select_caller_id" else "ask",
        "terms": {"fresh_for": 60.0},
        "created_at": NOW,
        "updated_at": NOW,
        "due_at": NOW,
        "expires_at": NOW + 60 * SECOND,
    }
    return Delivery(**{**values, **changes})
