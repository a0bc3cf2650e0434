"""The limits that a delivery carries with it, so that our rules can ask them again without its mapping."""

from __future__ import annotations

from typing import Any

from adapter import policy
from adapter.mapping import limits
from adapter.mapping.compiled import Mapping
from adapter.mapping.run import Result


def terms(mapping: Mapping, result: Result, *, hashes: list[str]) -> dict[str, Any]:
    """The terms of a result's action as plain data; `hashes` are those of its number, none without one."""
    kind = result.action.kind if result.action else ""
    made = {
        **policy.terms(fresh_for=result.fresh_for, open_hours=mapping.hours, zones=result.zones),
        **policy.limits(
            hashes=hashes,
            quiet=limits.quiet(mapping.limits, kind),
            number_per_day=limits.number_per_day(mapping.limits, kind),
            per_minute=mapping.limits.per_minute,
        ),
    }
    made |= {"nearest_to": [result.number, mapping.phones.rules.region]} if result.nearest else {}
    return {**made, "report": result.report} if result.report else made
