"""Read what Xima tells of a call that ended: its pages do not say how it writes agents, numbers, lengths and times."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as ReadOnly
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS = 24 * 60 * 60
MOST_DIGITS = 32
LONGEST_WORD = 40

_AGENT = re.compile(r"([0-9]{1,20})|.*\(([0-9]{1,20})\)", re.DOTALL)
_EXTENSION = re.compile(r"\s*(?:;\s*ext=|ext\.?|x|#)\s*[0-9]*\s*$", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(?:([0-9]{1,2}):)?([0-9]{1,2}):([0-5][0-9])|([0-9]{1,9}))(?:\.[0-9]{1,9})?")


def agent(text: str) -> str | None:
    """The extension in `154` or `John Doe (154)`."""
    found = _AGENT.fullmatch(text.strip())
    return (found[1] or found[2]) if found else None


def called(text: str) -> str | None:
    """The digits of a number however it is written, without an extension behind it."""
    digits = re.sub(r"[^0-9]", "", _EXTENSION.sub("", text.strip()[: 4 * MOST_DIGITS]))
    return digits if 0 < len(digits) <= MOST_DIGITS else None


def word(text: str) -> str | None:
    """A word of our own kind: `No Answer` is `no_answer`."""
    found = re.sub(r"[\W_]+", "_", text.strip().casefold()[:200]).strip("_")
    return found if 0 < len(found) <= LONGEST_WORD else None


def length(text: str) -> str | None:
    """Whole seconds, of `125`, `125.4`, `2:05` or `1:02:05`; a day at most."""
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        return None
    hours, minutes, seconds, plain = (int(part or 0) for part in found.groups())
    whole = plain + seconds + 60 * (minutes + 60 * hours)
    return str(whole) if whole <= DAY_SECONDS else None


def moment(text: str) -> str | None:
    """A moment in UTC, of ISO 8601 that names its zone, or of seconds or milliseconds since 1970; none before that.

    Programs write 0001-01-01 for no moment at all, and from there nobody can count back.
    """
    text = text.strip()
    try:
        if re.fullmatch("[0-9]{9,10}|[0-9]{12,13}", text):
            found = EPOCH + timedelta(milliseconds=int(text) * (1000 if len(text) <= 10 else 1))
        else:
            found = datetime.fromisoformat(text)
        return found.astimezone(UTC).isoformat() if found.tzinfo and found >= EPOCH else None
    except (ValueError, OverflowError):
        return None


READERS: ReadOnly[str, Callable[[str], str | None]] = {
    "agent": agent,
    "called": called,
    "word": word,
    "length": length,
    "moment": moment,
}
"""Kind of a field -> what reads it; None: it cannot be read."""
PROBLEMS: ReadOnly[str, str] = {
    "agent": "this is neither an extension nor a name with one in brackets, like John Doe (154)",
    "called": f"this is not a telephone number: 1 to {MOST_DIGITS} digits",
    "word": f"this is not a word or a few: at most {LONGEST_WORD} letters",
    "length": "this is not the length of a call: seconds, 2:05 or 1:02:05, a day at most",
    "moment": "this is no moment since 1970 with its zone, like 2026-11-24T10:15:00-07:00; leave ended_at out then",
}
