"""Receipts: what became of a record, as plain data and in one sentence a person can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from adapter.logs import masked
from adapter.mapping import Result
from adapter.model import Action, Attempt, Callback, CallEnded, ClickToDial, Delivery, Ended, SelectCallerId

Link = Callable[[str], str]
"""Gives the signed status URL of a delivery's id."""


def of_delivery(delivery: Delivery, link: Link, *, duplicate: bool = False) -> dict[str, Any]:
    """The receipt of a delivery; for a repeated event it is the first one's, marked with `duplicate_of`."""
    return {
        "id": delivery.id,
        "state": delivery.state,
        "action": delivery.action.kind,
        "reason": masked(delivery.reason),
        "policy": delivery.policy or None,
        "message": message(delivery, duplicate=duplicate),
        "mapping": delivery.mapping,
        "version": delivery.version,
        "rule": delivery.rule,
        "created_at": instant(delivery.created_at),
        "updated_at": instant(delivery.updated_at),
        "status_url": link(delivery.id),
        "duplicate_of": delivery.id if duplicate else None,
    }


def of_result(result: Result, *, mapping: str, version: str, now: datetime) -> dict[str, Any]:
    """The receipt of a record that made no delivery: `skip` or `reject`."""
    told = {"skip": "Nothing was done: {}.", "reject": "This record cannot be used: {}.", "noted": "Noted: {}."}[
        result.kind
    ]
    return {
        "id": None,
        "state": result.kind,
        "action": None,
        "reason": result.reason,
        "policy": None,
        "message": told.format(result.reason),
        "mapping": mapping,
        "version": version,
        "rule": result.rule or None,
        "created_at": instant(now),
        "updated_at": instant(now),
        "status_url": None,
        "duplicate_of": None,
    }


def of_attempt(attempt: Attempt) -> dict[str, Any]:
    """One try at Xima."""
    return {
        "at": instant(attempt.at),
        "phase": attempt.phase,
        "status": attempt.status,
        "reason": masked(attempt.reason),
        "duration_ms": attempt.duration_ms,
    }


def with_end(shown: dict[str, Any], ended: Ended | None) -> dict[str, Any]:
    """A receipt with how the call ended; every value of that is None while nobody has told."""
    return {
        **shown,
        "message": f"{shown['message']} {ending(ended)}" if ended else shown["message"],
        "outcome": ended.outcome if ended else None,
        "duration_seconds": ended.duration if ended else None,
        "ended_at": instant(ended.ended_at) if ended and ended.ended_at else None,
        "outcome_told_at": instant(ended.told_at) if ended else None,
        "outcome_matched_by": matched_by(ended) if ended else None,
    }


def matched_by(ended: Ended) -> str:
    """How it was found that the call was this delivery's, for nothing of ours goes along with a call."""
    return MATCHED + (f", the nearest of {ended.fits} dials" if ended.fits > 1 else "")


def ending(ended: Ended) -> str:
    """One sentence of how the call ended, and how sure that is."""
    lasted = f" after {ended.duration} s" if ended.duration is not None else ""
    return f"The call ended{lasted}: {ended.outcome} (told by Xima afterwards, matched by {matched_by(ended)})."


MATCHED = "number and time"


def of_act(row: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody did to a delivery."""
    told = {name: row[name] for name in ("who", "old", "new")}
    return {"at": instant(row["at"]), **told, "reason": masked(row["reason"])}


def of_report(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the sender was told of it, or is to be."""
    again = row["due_at"] and instant(row["due_at"])
    return {"at": instant(row["at"]), "again_at": again, **{name: row[name] for name in REPORTED}}


REPORTED = ("state", "host", "result", "tries", "status", "said")


def instant(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def last_four(number: str) -> str:
    """A number as it may be shown: its last four digits."""
    return f"…{number[-4:]}" if len(number) > 4 else number


def what(action: Action, number: Callable[[str], str] = last_four) -> str:
    """The action in words, its telephone number shown as `number` says."""
    match action:
        case ClickToDial():
            return f"the call from extension {action.agent} to {number(action.number_to_dial)}"
        case Callback():
            return f"the callback to {number(action.callback_number)} for the skill {action.skill}"
        case CallEnded():
            return f"the end of the call from extension {action.agent} to {number(action.number)}"
        case SelectCallerId():
            return f"the caller id {action.label} for extension {action.agent}"
    return action.kind


def message(delivery: Delivery, *, duplicate: bool = False) -> str:
    """One sentence; it never says more than is known (accepted by Xima is not: connected)."""
    sentence = _sentence(delivery)
    times = {"due": instant(delivery.due_at), "end": instant(max(delivery.due_at, delivery.expires_at))}
    told = sentence.format(what=what(delivery.action), why=masked(delivery.reason), **times)
    again = "This was asked for before and is done once only. " if duplicate else ""
    return again + told[0].upper() + told[1:]


def _sentence(delivery: Delivery) -> str:
    if delivery.state == "held" and delivery.policy in OPEN_END:
        return PARKED
    return ODDLY if delivery.state == "accepted" and delivery.reason else SENTENCES[delivery.state]


OPEN_END = ("pause", "token", "egress_cap", "recover", "restored")
"""Rules that hold until somebody or something lets go; `due_at` is then only when it is looked at again."""
PARKED = "{what} is held: {why}. If nothing changes it is given up at {end}."
ODDLY = "{what} counts as accepted: {why}."
"""Not with the documented 204, or by the word of a person."""
SENTENCES = {
    "held": "{what} is held until {due}: {why}.",
    "queued": "{what} is waiting to be sent to Xima.",
    "sending": "{what} is on its way to Xima; the answer has not come yet.",
    "accepted": "Xima accepted {what}.",
    "refused": "Xima refused {what}: {why}.",
    "unknown": "nobody can tell whether Xima did {what}: {why}. A person has to decide; it is not sent again.",
    "failed": "{what} was not made and will not be: {why}.",
    "expired": "{what} will not be sent: {why}.",
    "suppressed": "{what} will not be sent: {why}.",
    "cancelled": "{what} was cancelled: {why}.",
}
