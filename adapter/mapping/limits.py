"""The keys `quiet` and `limits`: how often one number may be called, and how many requests are too many."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from datetime import timedelta
from typing import Any

from marshmallow import ValidationError

from adapter import units
from adapter.errors import TextError
from adapter.mapping.compiled import Limits
from adapter.mapping.problems import Said
from adapter.mapping.vocabulary import Read, Strict, a_count
from adapter.policy.standing import WEEK

QUIET: ReadOnly[str, timedelta] = {"click_to_dial": timedelta(seconds=60), "callback": timedelta(minutes=10)}
"""For how long a number is not called again: by the same agent, or by any callback."""
NUMBER_PER_DAY: ReadOnly[str, int] = {"callback": 10}
"""Nobody wants to be called back more often; how often an agent dials is the agent's own affair."""


def _quiet(text: str) -> timedelta:
    """A length of time, or `no`, which is none at all; raises `TextError`."""
    if text.strip().lower() == "no":
        return timedelta()
    found = units.duration(text)
    if not found:
        raise TextError("this is no time at all: write a length like 60s or 10m, or no")
    if found > WEEK:
        raise ValidationError(Said("longer than a week", hint="a number that must never be called: suppress add"))
    return found


class QuietSchema(Strict):
    """How long a number is left in peace."""

    same_number = Read(_quiet)


class LimitsSchema(Strict):
    """How many are too many."""

    number_per_day = a_count(1000)
    per_minute = a_count(100_000)


def limits(data: ReadOnly[str, Any]) -> Limits:
    """The compiled form of both keys."""
    return Limits(quiet=data["quiet"].get("same_number"), **data["limits"])


def quiet(given: Limits, kind: str) -> timedelta | None:
    """For how long a number is not called again by an action of this kind."""
    return QUIET.get(kind) if given.quiet is None else given.quiet


def number_per_day(given: Limits, kind: str) -> int | None:
    """How often one number may be called in a day by actions of this kind."""
    return given.number_per_day or NUMBER_PER_DAY.get(kind)
