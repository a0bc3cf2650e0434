"""Bytes to a port and what comes back, for requests that no client library would send."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response as it came; without a status line the connection was just closed."""

    status: int | None
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(port: int, request: bytes, *, hang_up: bool = False, seconds: float = 60.0) -> Answer:
    """Send bytes as they are and read one answer; `hang_up` says that no more will come."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            connection.sendall(request)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # refused before it was all read; the answer may be there all the same
            pass
        return _read(connection)


def ask_encrypted(port: int, request: bytes, *, host: str, seconds: float = 60.0) -> Answer:
    """The same through TLS, to the server of this name, whatever its certificate says."""
    with connected(port, host=host, seconds=seconds) as connection:
        with suppress(OSError):  # refused before it was all read; the answer may be there all the same
            connection.sendall(request)
        return _read(connection)


def connected(port: int, *, host: str, seconds: float = 60.0) -> ssl.SSLSocket:
    """A connection to the server of this name through TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=seconds), server_hostname=host)


def _read(connection: socket.socket) -> Answer:
    received = b""
    try:
        while not _complete(received) and (more := connection.recv(65536)):
            received += more
    except ConnectionError:
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Answer(None, {}, b"")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): text.strip() for name, _, text in pairs}
    return Answer(int(first.split()[1]), headers, body)


def _complete(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and bool(lengths) and len(body) >= int(lengths[0].split(b":")[1])


def request(
    target: str, body: bytes = b"", *, method: str = "POST", headers: Mapping[str, str | bytes] | None = None
) -> bytes:
    """An HTTP/1.1 request; headers are sent as they are given."""
    given: dict[str, str | bytes] = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1")]
    for name, value in given.items():
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode("latin-1")))
    return b"\r\n".join([*lines, b"", body])
