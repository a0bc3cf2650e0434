"""The one place that talks to Xima."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from adapter import __version__
from adapter.errors import TextError, Unavailable
from adapter.model import Action, Outcome
from adapter.xima import answer, lists, request
from adapter.xima.wire import TROUBLE, Line, NotSent, beginning, trusted

EXCERPT = 1024
"""Bytes of an error's body that are read."""
WORDS_SECONDS = 2.0
"""How long an error's body is waited for; what it means, its status has told."""
LIST = 4_000_000
"""Bytes of a list that are read; thousands of agents need a tenth of it."""

_SAYS = {"User-Agent": f"xima-crm-adapter/{__version__}"}
_TOKEN = re.compile("[\x21-\x7e]+")
_HOST = re.compile(r"(?ai)(https?://)?([a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?")


def base_url(host: str) -> str:
    """The origin a host means: `acme.xima.cloud`, or `http(s)://host:port` in full; raises `TextError`."""
    found = _HOST.fullmatch(host.strip())
    if not found or int((found[3] or ":1")[1:]) not in range(1, 65536):
        raise TextError("write acme.xima.cloud or https://host:port, with no user, path or query")
    return ((found[1] or "https://") + found[2] + (found[3] or "")).lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    """One Xima account and the Service User token that acts for it; the token is in no repr."""

    name: str
    base_url: str
    token: str = field(repr=False)


class Client:
    """A tenant's Xima, for any number of threads.

    An exchange lasts no longer than the resolver takes, the connect time-out for each address of the host
    and the read time-out for the whole answer, however slowly that trickles in.
    """

    def __init__(
        self,
        tenant: Tenant,
        *,
        connect_timeout: float = 3.05,
        read_timeout: float = 45.0,
        idle: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tenant = tenant
        self._timeout = (connect_timeout, read_timeout)
        self._idle = idle
        self._monotonic = monotonic
        self._trust = trusted()
        self._lines: deque[Line] = deque()

    def carry_out(self, action: Action) -> Outcome:
        """What asking Xima once for `action` proved; trouble on the way is an outcome and raises nothing."""
        try:
            with self._exchange(request.build(action)) as response:
                return self._read(response, action.kind, action.called)
        except TROUBLE as exc:
            return self._trouble(exc, action.kind)

    def caller_ids(self, extension: str) -> lists.CallerIds:
        """The caller ids an agent may use, and the one in force; raises `Unavailable`."""
        return lists.caller_ids(self._listed(request.caller_ids(extension)))

    def agents(self) -> tuple[lists.Agent, ...]:
        """Everybody who can be rung; raises `Unavailable`."""
        return lists.agents(self._listed(request.AGENTS))

    def skills(self) -> tuple[str, ...]:
        """The name of every skill; raises `Unavailable`."""
        return lists.skills(self._listed(request.SKILLS))

    def clock(self) -> datetime | None:
        """The moment it is at Xima, by the header of an answer; None when it does not say; raises `Unavailable`."""
        try:
            with self._exchange(request.SKILLS) as response:
                return parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return None
        except TROUBLE as exc:
            raise Unavailable(self._trouble(exc, "").reason) from exc

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._lines:
            self._lines.pop().close()

    @contextmanager
    def _exchange(self, asked: request.Request) -> Iterator[requests.Response]:
        prepared, line = self._prepared(asked), self._line()
        try:
            yield line.send(prepared, timeout=self._timeout, stream=True, allow_redirects=False)
        finally:
            line.transport.rest()
            line.used = self._monotonic()
            self._lines.append(line)

    def _line(self) -> Line:
        """The line that was used last, as its connection is the one most likely to stand; a new one if all are busy."""
        try:
            line = self._lines.pop()
        except IndexError:
            return self._new_line()
        if self._monotonic() - line.used > self._idle:
            # Xima may be about to drop it, and a reset on a connection in use leaves open what was done.
            line.close()
        return line

    def _new_line(self) -> Line:
        try:
            return Line(self.tenant.base_url, self._trust)
        except ValueError as exc:
            raise NotSent("the host is written wrongly: check XIMA_HOST") from exc

    def _prepared(self, asked: request.Request) -> requests.PreparedRequest:
        """Put together by hand: everything that requests would check or look for is known."""
        if not _TOKEN.fullmatch(self.tenant.token):
            raise NotSent("the token is written wrongly: check XIMA_TOKEN")
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = asked.method, self.tenant.base_url + asked.path
        prepared.headers = CaseInsensitiveDict(_SAYS)
        prepared.headers["Authorization"] = f"Bearer {self.tenant.token}"
        prepared.hooks = {}
        if asked.json is not None:
            prepared.headers["Content-Type"] = "application/json"
            prepared.body = json.dumps(asked.json, separators=(",", ":")).encode()
        return prepared

    def _read(self, response: requests.Response, kind: str, called: str = "") -> Outcome:
        excerpt, now = self._excerpt(response), datetime.now(UTC)
        return answer.read(response.status_code, response.headers, excerpt, kind=kind, now=now, called=called)

    def _excerpt(self, response: requests.Response) -> str:
        """The beginning of the body without the token, also where a cut would leave a part of it."""
        if response.status_code < 200:
            # No HTTP any more; unread, this connection is closed and never used again.
            return ""
        token = self.tenant.token.encode()
        try:
            body = beginning(response, EXCERPT + len(token), seconds=WORDS_SECONDS)
        except (OSError, HTTPException):
            return ""
        if "Content-Encoding" in response.headers:
            return ""  # packed, though nobody asked for that: no words
        return body.replace(token, b"*" * len(token))[:EXCERPT].decode(errors="replace")

    def _listed(self, asked: request.Request) -> Mapping[str, Any]:
        try:
            with self._exchange(asked) as response:
                if response.status_code // 100 != 2:
                    raise Unavailable(self._read(response, "").reason, xima_status=response.status_code)
                return lists.parsed(response.raw.read(LIST))
        except TROUBLE as exc:
            raise Unavailable(self._trouble(exc, "").reason) from exc

    def _trouble(self, exc: Exception, kind: str) -> Outcome:
        if isinstance(exc, NotSent):
            return answer.not_sent(str(exc))
        if isinstance(exc, TimeoutError):
            return answer.unanswered(kind, self._timeout[1])
        return answer.broken(kind)
