"""Post one report: to an allowed host only, no redirect followed, no long wait, nothing of the answer kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException

import requests
from requests.structures import CaseInsensitiveDict

from adapter import __version__, allowed
from adapter.errors import SettingsError
from adapter.hosts import split
from adapter.reporting import message
from adapter.xima.answer import retry_after
from adapter.xima.wire import TROUBLE, Line, NotSent, trusted

TIMEOUTS = (2.0, 3.0)
"""Seconds to connect, and to have the whole answer."""
MOST_BYTES = 4096
"""Of an answer that are read, so that its receiver need not see a broken connection; they are thrown away."""
SAYS: Mapping[str, str] = {
    "User-Agent": f"xima-crm-adapter/{__version__}",
    "Content-Type": "application/json",
    "Connection": "close",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a receiver answered; without a `status` nothing that could be understood, and `said` tells why."""

    status: int | None = None
    said: str = ""
    retry_after: timedelta | None = None

    @property
    def is_good(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and self.status // 100 == 2


class Poster:
    """Signs and posts; it looks before every post, so that a host that is allowed no longer hears no more."""

    def __init__(
        self,
        hosts: Collection[str],
        clock: Callable[[], datetime],
        *,
        environ: Mapping[str, str] | None = None,
        timeouts: tuple[float, float] = TIMEOUTS,
    ) -> None:
        self._hosts = hosts
        self._clock = clock
        self._environ = environ
        self._timeouts = timeouts
        self._trust = trusted()

    def post(self, to: str, names: Sequence[str], *, message_id: str, content: bytes) -> Answer:
        """Post to a URL, signed with the secrets of these names; whatever is wrong is an answer and raises nothing."""
        if said := allowed.host_problem(to, self._hosts):
            return Answer(said=said)
        try:
            secrets = allowed.keys(names, self._environ)
            headers = message.headers(message_id, content, secrets, now=self._clock())
            return self._sent(to, content, headers)
        except SettingsError as exc:
            return Answer(said=exc.reason)
        except TROUBLE as exc:
            return Answer(said=_why(exc))

    def _sent(self, to: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Exchange one request on a connection of its own; its URL is put together again from what was compared."""
        where, path = split(to)
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = "POST", where + path, content
        prepared.headers = CaseInsensitiveDict({**SAYS, **headers})
        prepared.hooks = {}
        with contextlib.closing(Line(where, self._trust)) as line:
            response = line.send(prepared, timeout=self._timeouts, stream=True, allow_redirects=False)
            with contextlib.suppress(OSError, HTTPException):
                response.raw.read(MOST_BYTES)
            status, wait = response.status_code, retry_after(response.headers, self._clock())
            return Answer(status=status, said="" if status // 100 == 2 else f"answered {status}", retry_after=wait)


def _why(exc: Exception) -> str:
    """Why there was no answer, in words that hold nothing of the request."""
    if isinstance(exc, NotSent):
        return str(exc)
    return "no answer in time" if isinstance(exc, TimeoutError) else "the connection broke off"
