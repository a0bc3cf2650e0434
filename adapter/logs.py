"""One line an event, as text or as JSON: time, level, name, fields; secrets and telephone numbers never in full."""

from __future__ import annotations

import json
import logging
import math
import re
import sys
import time
from collections.abc import Iterable
from typing import Any, TextIO

log = logging.getLogger("adapter")
OTHERS = ("gunicorn.error", "urllib3", "sqlalchemy", "psycopg", "opentelemetry")
"""What else may speak in our processes; its lines go to the same place in the same shape."""

NAMES = {"id": "delivery"}
"""What JSON calls a field otherwise: there it stands beside lines of other programs."""
SELDOM_SECONDS = 60.0
IDS = ("id", "request", "handshake")
"""Fields with an id: one that happens to be all digits is no telephone number."""

_text = json.JSONEncoder().encode
_DIGIT = re.compile("[0-9]")
_NUMBER = re.compile(
    r"""(?<![0-9A-Za-z.-]) (?<![0-9]:)                      # not inside an id, a time or another number
        (?! [0-9]{4}-[0-9]{2}-[0-9]{2} (?![0-9])           # not a date
          | [0-9]{1,3} (?:\.[0-9]{1,3}){3} (?![.0-9]) )    # not an IP address
        \+?\(?[0-9] (?:[ ().\-\u00a0\u202f\u2010-\u2015\u2212]{0,3}[0-9]){6,}
        (?: (?=x|X|ext) | (?![0-9A-Za-z_]|:[0-9]{1,2}(?![0-9])) )
    """,
    re.VERBOSE,
)


def event(name: str, *, level: int = logging.INFO, failure: bool = False, **fields: Any) -> None:
    """Write one event; `failure` adds the traceback of the exception being handled."""
    if log.isEnabledFor(level):  # made by hand: logging would look for the line of the program that asks
        record = logging.LogRecord(log.name, level, "", 0, name, None, sys.exc_info() if failure else None)
        vars(record)["fields"] = fields
        log.handle(record)


class Seldom:
    """An error that comes again and again while something is away: a line a minute for each reason."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._silent_until: dict[str, float] = {}

    def __call__(self, reason: str) -> None:
        """Log it, unless the same was just said."""
        now = time.monotonic()
        if now >= self._silent_until.get(reason, -math.inf):
            self._silent_until = {text: at for text, at in self._silent_until.items() if at > now}
            self._silent_until[reason] = now + SELDOM_SECONDS
            event(self._name, level=logging.ERROR, reason=reason)


def masked(text: str) -> str:
    """The text with every telephone number reduced to its last four digits."""
    if not _DIGIT.search(text):  # most have none, and this is sooner said
        return text
    return _NUMBER.sub(lambda found: "***" + re.sub("[^0-9]", "", found[0])[-4:], text)


class Lines(logging.Formatter):
    """`2026-11-22T16:00:00.123Z info delivery.accepted mapping=... id=...`, with the given secrets struck out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        # The longest first, so that a secret that holds another one leaves no rest.
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and the traceback below it if there is one."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = getattr(record, "fields", None)
        name = record.getMessage() if fields is not None else record.name
        words = [f"{at}.{int(record.msecs):03d}Z", record.levelname.lower(), name]
        for field, value in (fields if fields is not None else {"message": record.getMessage()}).items():
            if value is not None:
                words.append(f"{field}={self._shown(field, value)}")
        line = " ".join(words)
        return f"{line}\n{self._traceback(record)}" if record.exc_info else line

    def _shown(self, field: str, value: Any) -> str:
        if isinstance(value, int | float):
            return str(value)
        text = self._struck(str(value))
        return _quoted(text if field in IDS else masked(text))

    def _traceback(self, record: logging.LogRecord) -> str:
        """Indented, so that nothing in it can pass for an event."""
        assert record.exc_info
        lines = self._struck(self.formatException(record.exc_info)).splitlines()
        return "\n".join(f"  {_printable(masked(line))}" for line in lines)

    def _struck(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class JsonLines(Lines):
    """`{"at": ..., "level": ..., "event": ..., ...}`, one object a line, a traceback with the rest."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = getattr(record, "fields", None)
        line = {
            "at": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage() if fields is not None else record.name,
        }
        given = {"message": record.getMessage()} if fields is None else fields
        line |= {NAMES.get(name, name): self._plain(name, value) for name, value in given.items() if value is not None}
        if record.exc_info:
            line["traceback"] = self._traceback(record)
        return _text(line)

    def _plain(self, field: str, value: Any) -> Any:
        if isinstance(value, int | float):
            return value
        text = self._struck(str(value))
        return text if field in IDS else masked(text)


def _quoted(text: str) -> str:
    plain = text and text.isprintable() and not any(mark in text for mark in ' "=\\')
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def set_up(secrets: Iterable[str] = (), stream: TextIO | None = None, form: str = "text") -> None:
    """Send the events of this process to a stream (standard error); called by the doors, again when more is known.

    The form is `text` or `json`, or `auto`: text for the person at a terminal.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    is_json = form == "json" or (form == "auto" and not handler.stream.isatty())
    handler.setFormatter((JsonLines if is_json else Lines)(secrets))
    log.setLevel(logging.INFO)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # nothing shows them
    for one in (log, *map(logging.getLogger, OTHERS)):
        one.handlers[:] = [handler]
        one.propagate = False
