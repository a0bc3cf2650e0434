"""A mapping file after it was read: frozen parts that can be run on any record without looking at text again."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from adapter import hours, path, phone
from adapter.condition import Condition
from adapter.handshake import Handshake
from adapter.mapping.problems import Place
from adapter.mapping.text import Where
from adapter.signature import Scheme
from adapter.template import Template

PARAMETERS = "parameters"
"""A body that may as well be none: what counts are the parameters of the URL and of a form or an object in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """Where one piece of data comes from: exactly one of the first six, then what is done with it.

    `own_phones` are the dialling keys written inside a phone value; `phones` is what they give over the file's.
    """

    text: Template | None = None
    field: path.Path | None = None
    first_of: tuple[path.Path, ...] = ()
    nearest_to: str | None = None
    lookup: str | None = None
    key: Template | None = None
    choose: tuple[Case, ...] = ()
    clean: tuple[str, ...] = ()
    default: Template | None = None
    if_missing: Literal["reject", "skip", "omit"] | None = None
    own_phones: ReadOnly[str, Any] | None = None
    phones: Phones | None = None
    where: Where = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One line of a `choose`: the value to use when all conditions hold (always, without any)."""

    when: tuple[Condition, ...]
    use: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Phones:
    """How telephone numbers are read: the dialling rules, and where a number's own country stands.

    `written` are the rules as the mapping has them where its tenant's are stricter; `internal` is whether that lets
    an internal number be dialled, `limited` whether it says who may be called without listing the prefixes.
    """

    rules: phone.Rules
    region: Value | None = None
    region_field: path.Path | None = None
    written: phone.Rules | None = None
    internal: bool = True
    limited: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Csv:
    """A table that stands in a file beside the mapping: its name and the two columns."""

    file: str
    key: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SentAt:
    """Where the sender says when its event happened."""

    path: path.Path
    unit: Literal["iso8601", "s", "ms"] = "iso8601"


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """One proof a sender must give: a scheme and the names of its secrets, or identifiers written in the file."""

    scheme: Scheme
    secrets: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Thin:
    """Records that hold no telephone number (all, without conditions), and what to set up with the sender instead."""

    instead: str
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Receive:
    """What a sender sends, how it proves who it is, and what it wants to hear."""

    preset: str | None
    proofs: tuple[Proof, ...]
    body: str | None
    records: path.Path | None
    max_records: int
    answer: str
    failures: bool = False
    answer_body: str | None = None
    answer_type: str = "application/json"
    test_when: tuple[Condition, ...] = ()
    known_test: tuple[Condition, ...] = ()
    thin: Thin | None = None
    handshake: Handshake | None = None
    handshake_secrets: tuple[str, ...] = ()
    answer_within: timedelta | None = None
    unique_body: bool = False
    drop_headers: frozenset[str] = frozenset()
    drop_query: frozenset[str] = frozenset()
    drop_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """The text that makes a record unique, and how long it is remembered."""

    key: Template | None
    remember: timedelta
    own: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How often is too often; `quiet` of None is the action's own, of no length none at all."""

    quiet: timedelta | None = None
    number_per_day: int | None = None
    per_minute: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Who is told what became of deliveries: where, signed with which secrets, when, with which values."""

    to: str
    secrets: tuple[str, ...]
    when: tuple[str, ...]
    include: ReadOnly[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When it holds, its action is done."""

    name: str
    when: tuple[Condition, ...]
    action: str
    fields: ReadOnly[str, Value | bool]
    deliver: Literal["now", "queued"]
    if_unknown: Literal["ask", "again"]
    where: Where


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A request as it was sent and what must come of it."""

    name: str
    body: str
    headers: ReadOnly[str, str]
    query: str
    expect: tuple[ReadOnly[str, Any], ...]
    where: Where
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """One file, one URL: everything needed to turn a verified body into actions."""

    name: str
    about: str
    tenant: str
    version: str
    receive: Receive
    once: Once
    sent_at: SentAt | None
    fresh_for: timedelta | None
    empty_values: frozenset[str]
    phones: Phones
    tables: ReadOnly[str, ReadOnly[str, str]]
    let: ReadOnly[str, Value]
    hours: hours.Hours | None
    rules: tuple[Rule, ...]
    match_all: bool
    examples: tuple[Example, ...]
    ignore: frozenset[str] = frozenset()
    limits: Limits = Limits()
    report: Report | None = None
    places: ReadOnly[Where, Place] = field(repr=False, default_factory=dict)

    @property
    def tells(self) -> bool:
        """Whether a rule is about calls that ended."""
        return any(rule.action == "call_ended" for rule in self.rules)
