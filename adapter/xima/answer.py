"""What an exchange with Xima proves, and how to say it to an agent or an admin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from adapter.logs import masked
from adapter.model import Evidence, Outcome

EXCERPT = 120
"""Characters of Xima's own words that a reason may end with."""

_BY_STATUS = {401: Evidence.UNAUTHORIZED, 429: Evidence.LATER, 509: Evidence.OVER_CAP}
_BY_CLASS = {2: Evidence.ACCEPTED, 3: Evidence.REFUSED, 4: Evidence.REFUSED}

_WORDS = {
    400: "Xima could not use the request: check its numbers and names",
    401: "Xima does not accept the token of the Service User: was it refreshed, or removed?",
    403: "the Service User has no access to this {whom}",
    404: "Xima does not know this {whom}",
    409: "Xima cannot do this at present",
    422: "Xima could not use the request: check its numbers and names",
    429: "Xima asks for fewer requests",
    503: "Xima is overloaded or closed for maintenance",
    509: "the tenant is over its traffic limit at Xima (egress cap), which Xima Support can reset",
}
_CLASS_WORDS = {
    2: "Xima answered {status} instead of 204",
    3: "Xima answered with a redirect, which is never followed: check XIMA_HOST",
    4: "Xima refused the request",
    5: "Xima had a fault of its own",
}
_WHOM = {"click_to_dial": "agent", "callback": "skill", "select_caller_id": "agent or caller id"}
_MAYBE = {
    "click_to_dial": ": the call may have been placed",
    "callback": ": the callback may have been queued",
    "select_caller_id": ": the caller id may have been changed",
}
_LOGGED_OUT = "; the agent may be logged out of the Contact Center Agent Client"

_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*(?:>|\Z)", re.IGNORECASE | re.DOTALL)


def read(
    status: int, headers: Mapping[str, str], excerpt: str, *, kind: str, now: datetime, called: str = ""
) -> Outcome:
    """What the answer to an action of `kind` proves, by its status alone (the table in docs/deliveries.md).

    `excerpt`, the beginning of the body, is quoted in the reason and never interpreted: Xima documents no
    error bodies. Of the number that was to be `called`, and of every other, the last four digits are left. A 503
    proves that nothing was done only when it says when to come back.
    """
    wait = retry_after(headers, now) if status in (429, 503) else None
    evidence = _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, Evidence.UNKNOWN)
    if status == 503 and wait:
        evidence = Evidence.LATER
    reason = "" if status == 204 else _reason(status, evidence, kind) + _quoted(excerpt, called)
    return Outcome(evidence=evidence, phase="answered", status=status, reason=reason, retry_after=wait)


def not_sent(why: str) -> Outcome:
    """Certainly nothing was done: no byte of the request left."""
    return Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason=f"Xima could not be reached: {why}")


def unanswered(kind: str, seconds: float) -> Outcome:
    """The request left, and no answer came in time."""
    return _unknown(f"the answer of Xima did not come within {seconds:g} seconds", kind)


def broken(kind: str) -> Outcome:
    """The request left, and what came back was cut off or was no HTTP."""
    return _unknown("the connection to Xima broke after the request was sent", kind)


def _unknown(what: str, kind: str) -> Outcome:
    return Outcome(evidence=Evidence.UNKNOWN, phase="sent", reason=what + _MAYBE.get(kind, ""))


def _reason(status: int, evidence: Evidence, kind: str) -> str:
    words = _WORDS.get(status) or _CLASS_WORDS.get(status // 100, "Xima's answer makes no sense")
    words = words.format(status=status, whom=_WHOM.get(kind, "agent or skill"))
    if evidence is Evidence.ACCEPTED:
        return words
    if evidence is Evidence.UNKNOWN:
        words += _MAYBE.get(kind, "")
    elif evidence is Evidence.REFUSED and status >= 400 and kind == "click_to_dial":
        words += _LOGGED_OUT
    return f"{status}: {words}"


def _quoted(excerpt: str, called: str) -> str:
    """The text of a body in one short line, its numbers by their last four digits; or nothing."""
    text = _MARKUP.sub(" ", excerpt)
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = masked(_uncalled(" ".join(printable.split()), called))[:EXCERPT].rstrip()
    return f" (Xima says: {line})" if line else ""


def _uncalled(line: str, called: str) -> str:
    """The line with the last four digits of the number called, whatever stands around it and between its digits."""
    digits = re.sub("[^0-9]", "", called)
    if len(digits) <= 4:
        return line
    last = "[^0-9A-Za-z]{0,3}".join(digits[-7:])  # what stands before depends on who writes it: 0, 1, +44 (0)20
    return re.sub(rf"(?:\+?\(?[0-9][\s().\-/\u2010-\u2015]{{0,3}}){{0,9}}{last}", f"***{digits[-4:]}", line)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long Xima asks to wait, between a second and an hour; None when it does not say so readably."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    seconds = re.fullmatch("0*([0-9]{1,9})[0-9]*", value)  # of what is longer the beginning is more than an hour
    wait = timedelta(seconds=int(seconds[1])) if seconds else _until(value, now)
    return None if wait is None else min(max(wait, timedelta(seconds=1)), timedelta(hours=1))


def _until(date: str, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
