"""HTTP as a telephone needs it: nothing is sent twice, no wait is endless, and what never left is known.

requests does not say whether a request left: a stalled TLS handshake looks like an answer that never came.
Here the connection says so: whatever fails while it is being made is `NotSent`, whatever fails later is not.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

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


class NotSent(Exception):
    """No byte of the request left this machine; the text says why, without any data of the request."""


class _Deadline(io.RawIOBase):
    """The bytes of a socket until its time-out has passed in all, so that no trickle lasts for ever."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not complete in time")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_Deadline(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError, ValueError) as exc:
            raise NotSent(_why(exc)) from exc


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Session(requests.Session):
    """A session that ignores the environment (no proxy, no ~/.netrc) and follows no redirect.

    It is not even asked where a redirect leads: to say so, requests would read the whole body.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def _why(exc: Exception) -> str:
    """Why no connection was made, in words; urllib3 keeps the system's error as the cause of its own."""
    cause = exc if isinstance(exc, OSError) else exc.__cause__
    words = next((words for kind, words in _WHY if isinstance(cause, kind)), "no connection could be made")
    return f"{words} ({cause.verify_message})" if isinstance(cause, ssl.SSLCertVerificationError) else words
