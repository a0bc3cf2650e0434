"""Run a mapping on one record: `let`, then the rules, then the key and the calling hours. Pure; the trace says why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl

from adapter import condition, hours, path, template
from adapter.mapping import fields, report, value
from adapter.mapping.compiled import Mapping, Rule, SentAt
from adapter.mapping.scope import Scope, Trace, describe
from adapter.model import Action, CallEnded, Received
from adapter.payload.tree import add, clean

FRESH_FOR: ReadOnly[str, timedelta] = {
    "click_to_dial": timedelta(seconds=30),
    "callback": timedelta(minutes=10),
    "select_caller_id": timedelta(seconds=30),
    "call_ended": timedelta(),
}
TEST = "a test delivery of the sender: verified, nothing dialled"
LONGEST_KEY = 400
UNITS = {"s": 1, "ms": 1000}
"""A second in the units of `sent_at`."""
MOST_UNITS = 10**15
"""No calendar reaches so far; what is below can be worked with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a rule made of a record: an action, `skip` (a filter said no) or `reject` (`field` is not usable).

    The action of a call that ended is `noted` once its delivery was found, and a `skip` if there was none.
    """

    kind: Literal["action", "skip", "reject", "noted"]
    rule: str = ""
    reason: str = ""
    field: str = ""
    action: Action | None = None
    key: str = ""
    remember: timedelta = timedelta()
    deliver: Literal["now", "queued"] = "queued"
    if_unknown: Literal["ask", "again"] = "ask"
    sent_at: datetime | None = None
    fresh_for: timedelta = timedelta()
    hold_until: datetime | None = None
    number: str = ""
    nearest: bool = False
    zones: tuple[str, ...] = ()
    report: ReadOnly[str, Any] | None = None


def reasons(made: Iterable[Result]) -> str | None:
    """Why records made no delivery, each reason once and a few at most, for a log: what they hold is not in it."""
    said = (one.reason if one.field in ("", "receive") else f"{one.field} cannot be used" for one in made)
    return "; ".join(list(dict.fromkeys(said))[:3]) or None


def request_tree(received: Received, document: Any) -> dict[str, Any]:
    """What `request.` reaches: method, headers, query and the whole body."""
    query: dict[str, Any] = {}
    for name, text in parse_qsl(received.url.partition("?")[2], keep_blank_values=True):
        add(query, clean(name), clean(text))
    return {"method": received.method, "headers": received.headers, "query": query, "body": document}


def results(
    mapping: Mapping, record: Any, request: ReadOnly[str, Any], *, now: datetime, trace: Trace | None = None
) -> list[Result]:
    """One result for every rule that fires (the first only, unless `match: all`), or a single skip."""
    scope = scope_of(mapping, record, request, now=now, trace=trace)
    tests = (mapping.receive.test_when, mapping.receive.known_test)
    if any(_all_hold(marks, scope, now=now) for marks in tests if marks):
        return [Result(kind="skip", reason=TEST)]
    if (thin := mapping.receive.thin) and _all_hold(thin.when, scope, now=now):
        return [Result(kind="reject", reason=thin.instead, field="receive")]
    fired = firing(mapping, scope, now=now)
    if not fired:
        return [Result(kind="skip", reason="no rule matched")]
    return [_result(mapping, rule, scope, now=now) for rule in fired]


def _all_hold(conditions: tuple[condition.Condition, ...], scope: Scope, *, now: datetime) -> bool:
    return all(condition.holds(one, scope.find, now=now) for one in conditions)


def scope_of(
    mapping: Mapping, record: Any, request: ReadOnly[str, Any], *, now: datetime, trace: Trace | None = None
) -> Scope:
    """What the rules of a mapping can reach for one record, its `let` values worked out."""
    scope = Scope(record, request, mapping.empty_values, trace=trace)
    _fill_let(mapping, scope, now=now)
    return scope


def _fill_let(mapping: Mapping, scope: Scope, *, now: datetime) -> None:
    for name, one in mapping.let.items():
        found = value.find(one, scope, mapping.tables, now=now)
        if found is not None:
            scope.let[name] = found
        if scope.trace:
            if found is None:
                scope.trace.empty_lets[name] = value.why_missing(one, scope, now=now)
            scope.trace.note(one.where, f"let.{name} is {describe(found)}")


def firing(mapping: Mapping, scope: Scope, *, now: datetime) -> list[Rule]:
    """The rules whose conditions hold: the first only, unless `match: all`."""
    fired = []
    for rule in mapping.rules:
        if _matches(rule, scope, now=now):
            fired.append(rule)
            if not mapping.match_all:
                break
    return fired


def _matches(rule: Rule, scope: Scope, *, now: datetime) -> bool:
    for number, one in enumerate(rule.when):
        if not condition.holds(one, scope.find, now=now):
            if scope.trace:
                said = f"condition {number + 1} does not hold: {_seen(one, scope)}"
                scope.trace.stop(rule.name, (*rule.where, "when", number), said)
            return False
        if scope.trace:
            scope.trace.note((*rule.where, "when", number), f"condition {number + 1} holds: {_seen(one, scope)}")
    if scope.trace:
        scope.trace.note(rule.where, f"rule '{rule.name}' matches")
    return True


def _seen(one: condition.Condition, scope: Scope) -> str:
    """In words, what the fields of a condition hold."""
    if isinstance(one, condition.Group):
        return f"{one.word} ({', '.join(_seen(member, scope) for member in one.members)})"
    if scope.find(one.field) is None:
        return scope.why_empty(one.field)
    return f"{one.field} is {describe(scope.raw(one.field))}"


def _result(mapping: Mapping, rule: Rule, scope: Scope, *, now: datetime) -> Result:
    got = fields.action(mapping, rule, scope, now=now)
    if isinstance(got, fields.Missing):
        return Result(kind=got.kind, rule=rule.name, field=got.field, reason=got.reason)
    key = _key(mapping, rule, scope)
    if key is None:
        reason = "every part of the idempotency key is empty, so a repeat could not be recognised"
        return Result(kind="reject", rule=rule.name, field="once.key", reason=reason)
    made = Result(
        kind="action",
        rule=rule.name,
        action=got.action,
        key=key,
        remember=mapping.once.remember,
        deliver=rule.deliver,
        if_unknown=rule.if_unknown,
        sent_at=_moment(mapping.sent_at, scope) if mapping.sent_at else None,
        fresh_for=mapping.fresh_for or FRESH_FOR[rule.action],
        number=got.number,
        nearest=got.nearest,
        zones=got.zones,
        report=report.asked(mapping, scope, now=now),
    )
    return _within_hours(mapping, made, scope.trace, now=now)


def _within_hours(mapping: Mapping, made: Result, trace: Trace | None, *, now: datetime) -> Result:
    if mapping.hours is None or mapping.hours.outside == "send" or isinstance(made.action, CallEnded):
        return made
    if trace:
        trace.note(("hours",), hours.told(mapping.hours, made.zones, now=now))
    opens = hours.next_open(mapping.hours, made.zones, now=now)
    if opens is not None and opens <= now:
        return made
    if mapping.hours.outside == "skip":
        return Result(kind="skip", rule=made.rule, reason="outside the calling hours")
    if opens is None:
        reason = "the calling hours do not open within a year"
        return Result(kind="reject", rule=made.rule, field="hours", reason=reason)
    return replace(made, hold_until=opens)


def _key(mapping: Mapping, rule: Rule, scope: Scope) -> str | None:
    """The idempotency key; None when the mapping's own key is empty. A sender's preset may fall back to a hash."""
    text = template.fill(mapping.once.key, scope.find) if mapping.once.key else None
    if text is None:
        if mapping.once.own:
            return None
        text = record_hash(scope.record)
    key = f"{text}#{rule.name}" if mapping.match_all else text
    return key if len(key) <= LONGEST_KEY else "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def record_hash(record: Any) -> str:
    """A hash of a record that does not depend on the order of its keys."""
    plain = json.dumps(record, sort_keys=True, default=str, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(plain.encode()).hexdigest()


def _moment(sent_at: SentAt, scope: Scope) -> datetime | None:
    """The sender's own time of the event in UTC; None (the time of receipt counts) when it cannot be read."""
    text = path.text_of(scope.find(sent_at.path)) or ""
    try:
        if sent_at.unit == "iso8601":
            found = condition.moment(text)
            return found.astimezone(UTC) if found else None
        number = condition.number(text)
        if number is None or not -MOST_UNITS < number < MOST_UNITS:
            return None
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(number / UNITS[sent_at.unit]))
    except OverflowError:  # before the year 1 or after 9999
        return None
