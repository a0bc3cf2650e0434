"""The words of the product as frozen values, and the life of a delivery as one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Literal, Self

from adapter.errors import Conflict

State = Literal[
    "held",
    "queued",
    "sending",
    "accepted",
    "refused",
    "unknown",
    "failed",
    "expired",
    "suppressed",
    "cancelled",
]
Phase = Literal["not_sent", "sent", "answered"]

TRANSITIONS: Mapping[State, tuple[State, ...]] = {
    "held": ("queued", "unknown", "cancelled", "expired", "suppressed"),
    "queued": ("sending", "held", "unknown", "cancelled", "expired", "suppressed"),
    "sending": ("accepted", "refused", "queued", "held", "failed", "unknown"),
    "unknown": ("accepted", "queued", "failed"),
    "failed": ("queued",),
    "refused": ("queued",),
    "expired": ("queued",),
    "accepted": (),
    "cancelled": (),
    "suppressed": ("queued",),
}
WAITING: tuple[State, ...] = ("held", "queued")
"""States in which nothing is on its way, so that a delivery can still be cancelled; an earlier try may be behind it."""


def check_move(old: State, new: State) -> None:
    """Raise `Conflict` unless a delivery may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise Conflict(f"a delivery that is {old} cannot become {new}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One HTTP request as the sender meant it.

    `url` is the public origin from the settings plus the raw target the server received; header names are
    lower case, their values text of bytes (latin-1), repeated headers joined by a comma. `address` is the
    client's, as the outermost trusted proxy tells it; empty when nobody knows.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What Xima is asked to do; the children carry Xima's own words in snake case."""

    kind: ClassVar[str] = ""

    @property
    def called(self) -> str:
        """The number that is called, as Xima is told it; empty when nobody is."""
        return ""

    def as_dict(self) -> dict[str, Any]:
        """The fields that are set, in the order of the class."""
        found = {name: getattr(self, name) for name in self.field_names()}
        return {name: value for name, value in found.items() if value not in (None, False)}

    @classmethod
    @cache
    def field_names(cls) -> tuple[str, ...]:
        """Every field this action knows."""
        return tuple(field.name for field in fields(cls))


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickToDial(Action):
    """Ring an agent's phone and connect it with a number (Xima Action API, click-to-dial)."""

    kind: ClassVar[str] = "click_to_dial"
    agent: str
    number_to_dial: str
    outbound_caller_id: str | None = None
    external_prefix: str | None = None
    use_selected_caller_id: bool = False

    @property
    def called(self) -> str:
        return self.number_to_dial


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback(Action):
    """Put a number into a skill's callback queue (Xima Action API, callback)."""

    kind: ClassVar[str] = "callback"
    skill: str
    callback_number: str

    @property
    def called(self) -> str:
        return self.callback_number


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectCallerId(Action):
    """Change the caller id an agent has selected (Xima Action API, selected-outbound-caller-id)."""

    kind: ClassVar[str] = "select_caller_id"
    agent: str
    label: str
    outbound_caller_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEnded(Action):
    """What is told of a call that ended; nothing is asked of Xima, and no delivery is made.

    `outcome` is a word like connected, `duration` whole seconds, `ended_at` ISO 8601 in UTC: all as text.
    """

    kind: ClassVar[str] = "call_ended"
    agent: str
    number: str
    outcome: str | None = None
    duration: str | None = None
    ended_at: str | None = None


ACTIONS: Mapping[str, type[Action]] = {kind.kind: kind for kind in (ClickToDial, Callback, SelectCallerId)}


class Evidence(StrEnum):
    """What an HTTP exchange with Xima proves (the table in docs/deliveries.md)."""

    ACCEPTED = "accepted"  # 2xx
    NOT_SENT = "not_sent"  # no byte of the request left
    LATER = "later"  # 429, or 503 with Retry-After: refused before any effect
    REFUSED = "refused"  # 3xx, 4xx
    UNAUTHORIZED = "unauthorized"  # 401: the tenant's token
    OVER_CAP = "over_cap"  # 509: the tenant's egress cap
    UNKNOWN = "unknown"  # it may have happened


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one exchange with Xima proved; `reason` is a plain sentence part, `asked` whether there was one at all."""

    evidence: Evidence
    phase: Phase
    status: int | None = None
    reason: str = ""
    retry_after: timedelta | None = None
    asked: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at Xima; rows of attempts are only ever added."""

    at: datetime
    phase: Phase
    status: int | None
    reason: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What was told of the call that a delivery made, and of how many dials it was the nearest that fits."""

    outcome: str
    duration: int | None
    ended_at: datetime | None
    told_at: datetime
    fits: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One action on its way to Xima, as its row in the store says.

    `terms` are the limits that are asked again just before sending; `policy` names the one that stopped it, if one
    did. `attempt` counts claims:
    whoever saves must name the claim it holds, so a process thought dead cannot overwrite its successor.
    """

    id: str
    request_id: str
    mapping: str
    version: str
    rule: str
    tenant: str
    action: Action
    key: str
    state: State
    reason: str
    deliver: Literal["now", "queued"]
    if_unknown: Literal["ask", "again"]
    terms: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    expires_at: datetime
    attempt: int = 0
    tries: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    policy: str = ""

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(field.name for field in fields(cls))

    def __str__(self: Self) -> str:
        return f"{self.mapping}/{self.id} {self.state}"
