"""HTTP as a telephone needs it: nothing is sent twice, no wait is endless, and what never left is known.

requests does not say whether a request left: a stalled TLS handshake looks like an answer that never came.
So its sessions get a transport of our own. Whatever fails while the connection is being made is `NotSent`,
whatever fails later is not; and it costs half of what the pool of connections takes that they bring along.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_WHY: tuple[tuple[type[OSError], str], ...] = (
    (socket.gaierror, "its name could not be resolved"),
    (ssl.SSLCertVerificationError, "certificate not accepted"),
    (ssl.SSLError, "no TLS connection came about; does it speak https?"),
    (TimeoutError, "no connection in time"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "the connection was broken off at once"),
)


_INTERIM = range(102, 200)
"""Announce the true answer: 102 Processing, 103 Early Hints; 101, which nobody asked for, ends HTTP here."""


class NotSent(Exception):
    """No byte of the request left this machine; the text says why, without any data of the request."""


class _Deadline(io.RawIOBase):
    """The bytes of a socket until its time-out has passed in all, so that no trickle lasts for ever.

    `over` tells whether the other end hung up where more was asked for.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)
        self.over = False

    def hurry(self, seconds: float) -> None:
        """Wait no longer than that for all that is still to come."""
        self._ends = min(self._ends, time.monotonic() + seconds)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not complete in time")
        self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        self.over = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._bytes = _Deadline(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._bytes)

    def beginning(self, most: int, *, seconds: float) -> bytes:
        """So many bytes of the body, if they come within so many seconds."""
        self._bytes.hurry(seconds)
        return self.read(most)

    def begin(self) -> None:
        """Read the head of the final answer, past those that announce it (RFC 9110, section 15.2)."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = cast(HTTPMessage, None)  # as before any head was read: else `begin` reads none
            super().begin()
        if self._bytes.over:
            raise HTTPException("an answer that breaks off within its head proves nothing")
        length = self.headers.get("Content-Length", "0")
        if not length.strip().isdecimal():
            raise HTTPException("an answer whose length is no number proves nothing")


class _Connection(HTTPConnection):
    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, ValueError) as exc:
            raise NotSent(_why(exc)) from exc


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Transport(BaseAdapter):
    """The way of requests to one origin: one connection, used again as long as both ends keep it."""

    def __init__(self, origin: str, trust: ssl.SSLContext) -> None:
        super().__init__()
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no origin")
        tls = parts.scheme == "https"
        self._connection: HTTPConnection = (
            _TLSConnection(parts.hostname, parts.port, context=trust)
            if tls
            else _Connection(parts.hostname, parts.port)
        )
        self._answer: HTTPResponse | None = None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request and read the head of the answer; `timeout` is to connect and to have the whole answer."""
        connection = self._connection
        to_connect, to_read = timeout
        if connection.sock is not None and _is_dropped(connection.sock):
            connection.close()
        connection.timeout = to_connect
        connection.request(request.method or "", request.path_url, request.body, request.headers)
        connection.sock.settimeout(to_read)
        self._answer = connection.getresponse()
        return _response(request, self._answer)

    def rest(self) -> None:
        """Make ready for the next request: without an answer, or with a part of it unread, by hanging up."""
        if self._answer is None or self._answer.status < 200 or not self._answer.isclosed():
            self.close()
        self._answer = None

    def close(self) -> None:
        """Close the connection; the next request makes another one."""
        self._connection.close()


class Line(requests.Session):
    """A session of one connection that ignores the environment (no proxy, no ~/.netrc) and follows no redirect.

    Raises ValueError when the origin cannot be one. It is not even asked where a redirect leads: to say so,
    requests would read the whole body.
    """

    def __init__(self, origin: str, trust: ssl.SSLContext) -> None:
        super().__init__()
        self.trust_env = False
        self.used = 0.0
        self.transport = _Transport(origin, trust)
        self.adapters.clear()
        self.mount(origin, self.transport)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


TROUBLE = (NotSent, OSError, HTTPException)
"""What can go wrong on the way to Xima; the errors of requests are OSErrors."""


def trusted() -> ssl.SSLContext:
    """Trust in the authorities that requests trusts."""
    return ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)


def beginning(response: requests.Response, most: int, *, seconds: float) -> bytes:
    """The first `most` bytes of a body; raises what is `TROUBLE`, also when they do not come within `seconds`."""
    return cast(_Answer, response.raw).beginning(most, seconds=seconds)


def _response(request: requests.PreparedRequest, answer: HTTPResponse) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers.items())
    response.raw = answer
    response.request = request
    return response


def _is_dropped(sock: socket.socket) -> bool:
    """Whether the other end hung up, or said something that nobody asked for."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))


def _why(exc: Exception) -> str:
    """Why no connection was made, in words."""
    words = next((words for kind, words in _WHY if isinstance(exc, kind)), "no connection could be made")
    return f"{words} ({exc.verify_message})" if isinstance(exc, ssl.SSLCertVerificationError) else words
