"""One line an event: time, level, event name, fields; secrets and telephone numbers never in full."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterable
from typing import Any, TextIO

log = logging.getLogger("adapter")

_NUMBER = re.compile(r"(?<![0-9A-Za-z:.-])\+?[0-9][0-9 ().-]{5,}[0-9]{4}(?![0-9A-Za-z:])")


def event(name: str, *, level: int = logging.INFO, failure: bool = False, **fields: Any) -> None:
    """Write one event; `failure` adds the traceback of the exception being handled."""
    log.log(level, name, extra={"fields": fields}, exc_info=failure)


def masked(text: str) -> str:
    """The text with every telephone number reduced to its last four digits."""
    return _NUMBER.sub(lambda found: "***" + re.sub("[^0-9]", "", found[0])[-4:], text)


class Lines(logging.Formatter):
    """`2026-11-22T16:00:00.123Z info delivery.accepted mapping=... id=...`, with the given secrets struck out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 4)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and the traceback below it if there is one."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = getattr(record, "fields", {})
        words = [f"{name}={_quoted(value)}" for name, value in fields.items() if value is not None]
        line = " ".join([f"{at}.{int(record.msecs):03d}Z", record.levelname.lower(), record.getMessage(), *words])
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self._struck(line)

    def _struck(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def _quoted(value: Any) -> str:
    text = masked(str(value)) if not isinstance(value, int | float) else str(value)
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return f'"{text}"' if " " in text or not text or '"' in text else text


def set_up(secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send the adapter's events to a stream (standard error); called once by the doors."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(secrets))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
