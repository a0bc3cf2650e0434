"""Which dial a call was that ended: Xima carries nothing of ours through, so number and time must tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from adapter.model import ClickToDial, Delivery, State

DIALLED: tuple[State, ...] = ("sending", "accepted", "unknown")
"""States of a delivery whose call may have been made."""
RINGING = timedelta(minutes=10)
"""Between our dial and the talk both phones ring, and a length may count the talk alone."""
LATE = timedelta(minutes=20)
"""How much later than the end of the call its request may come, where it does not say when that was."""
LONGEST = timedelta(hours=4)
"""A call that does not say how long it lasted."""
APART = timedelta(minutes=2)
"""How far Xima's clock and ours may be apart."""
TELLABLE = timedelta(seconds=1)
"""Two dials that are as near as that to the call cannot be told apart."""
NATIONAL = 10
FEWEST = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call that ended, as it was told at `told_at`.

    `key` is the same whenever it is told again; with `own_key` never for another call.
    """

    tenant: str
    agent: str
    number: str
    outcome: str
    key: str
    own_key: bool
    told_at: datetime
    duration: timedelta | None = None
    ended_at: datetime | None = None

    @property
    def begun(self) -> datetime:
        """When the talk began, as near as can be told; never later than now."""
        ended = min(self.ended_at or self.told_at, self.told_at)
        return ended - (self.duration or timedelta())

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Between which moments its dial must have been made."""
        before = (RINGING if self.ended_at else RINGING + LATE) + (LONGEST if self.duration is None else timedelta())
        return self.begun - before, self.begun + APART


@dataclass(frozen=True, kw_only=True, slots=True)
class Dial:
    """A delivery that may have dialled, and when it did; a person may have settled it much later."""

    delivery: Delivery
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What a call was found to be: `matched` names the delivery, and how many dials it was the nearest of."""

    kind: Literal["matched", "unmatched", "undecided", "known", "repeated"]
    delivery_id: str = ""
    fits: int = 0


def dials(call: Call, found: Iterable[Dial]) -> list[Dial]:
    """Those that dialled this number from this extension in that time."""
    after, until = call.window
    return [
        one
        for one in found
        if isinstance(action := one.delivery.action, ClickToDial)
        and one.delivery.state in DIALLED
        and one.delivery.tenant == call.tenant
        and action.agent == call.agent
        and after <= one.at <= until
        and same_number(action.number_to_dial, call.number)
    ]


def match(call: Call, fitting: Sequence[Dial], *, known: Collection[str], last_told: datetime | None) -> Match:
    """The dial that a call was, if that can be told: the nearest in time of those whose outcome is not `known`.

    `last_told` is when a call of the same key was told before. A key that is not its own may be another call's, but
    only that of a dial made since.
    """
    if last_told and call.own_key:
        return Match(kind="repeated")
    if not fitting:
        return Match(kind="repeated" if last_told else "unmatched")
    free = [one for one in fitting if one.delivery.id not in known and (last_told is None or one.at > last_told)]
    if not free:
        return Match(kind="repeated" if last_told else "known")
    free.sort(key=lambda one: _apart(call, one))
    if len(free) > 1 and _apart(call, free[1]) - _apart(call, free[0]) < TELLABLE:
        return Match(kind="undecided", fits=len(free))
    return Match(kind="matched", delivery_id=free[0].delivery.id, fits=len(fitting))


def _apart(call: Call, dial: Dial) -> timedelta:
    return abs(dial.at - call.begun)


def same_number(dialled: str, told: str) -> bool:
    """Whether two ways to write a number may be the same: by their last ten digits; short ones must be equal."""
    one, other = (_digits(text)[-NATIONAL:] for text in (dialled, told))
    shorter = min(len(one), len(other))
    return one == other if shorter < FEWEST else one[-shorter:] == other[-shorter:]


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isdecimal())
