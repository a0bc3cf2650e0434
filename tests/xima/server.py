"""A server of raw sockets, which does to a client what networks and servers do to it."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

CERTIFICATE = Path(__file__).parent.parent / "data" / "loopback.pem"
"""Key and self-signed certificate for localhost and 127.0.0.1, good until 2120."""


class Peer:
    """One connection, seen from the server."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server = server
        self.socket = sock

    def request(self) -> bytes | None:
        """One whole request, which the server remembers; None when the client hung up."""
        data = b""
        while not (end := _end(data)):
            piece = self.socket.recv(65536)
            if not piece:
                return None
            data += piece
        self.server.requests.append(data[:end])
        return data[:end]

    def say(self, answer: bytes) -> None:
        self.socket.sendall(answer)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def stall(self) -> None:
        """Do nothing until the test is over."""
        self.server.over.wait()


Behaviour = Callable[[Peer], None]


class Server:
    """Listens on loopback while its `with` block lasts, and lets every connection meet `behave`."""

    def __init__(self, behave: Behaviour, *, tls: bool = False, host: str = "127.0.0.1") -> None:
        self.behave = behave
        self.requests: list[bytes] = []
        self.connections = 0
        self.hung_up = threading.Event()
        self.over = threading.Event()
        self.listener = socket.create_server((host, 0))
        self.context = _context() if tls else None
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self.sockets: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._listen)]

    def __enter__(self) -> Self:
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.threads[0].join(60)
        for sock in self.sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads[1:]:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        self.listener.close()

    def _listen(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.sockets.append(sock)
            self.threads.append(threading.Thread(target=self._meet, args=(sock,)))
            self.threads[-1].start()

    def _meet(self, sock: socket.socket) -> None:
        with suppress(OSError):
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
                self.sockets.append(sock)
            self.behave(Peer(self, sock))
        sock.close()
        self.hung_up.set()  # the last thing of a connection, so that it is never one too many


def answers(*said: bytes) -> Behaviour:
    """Each request gets the next of `said`, later ones the last; the connection is kept."""

    def behave(peer: Peer) -> None:
        while peer.request():
            peer.say(said[min(len(peer.server.requests), len(said)) - 1])

    return behave


def status(line: str, *headers: str, body: bytes = b"") -> bytes:
    """A well-formed answer."""
    length = [] if line.startswith(("1", "204")) else [f"Content-Length: {len(body)}"]
    return "\r\n".join([f"HTTP/1.1 {line}", *headers, *length, "", ""]).encode() + body


def stalls(peer: Peer) -> None:
    peer.request()
    peer.stall()


def resets_unread(peer: Peer) -> None:
    peer.socket.recv(1, socket.MSG_PEEK)  # the request has come; nobody reads it
    peer.reset()


def resets_after_reading(peer: Peer) -> None:
    peer.request()
    peer.reset()


def closes_after_reading(peer: Peer) -> None:
    peer.request()


def closes_in_the_status_line(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.1 20")


def talks_garbage(peer: Peer) -> None:
    peer.request()
    peer.say(b"\x00\xff\xfe 204 No Content\r\n\r\n")


def sends_endless_lines(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.1 204 No Content\r\nX: " + b"x" * 100_000)


def trickles(peer: Peer) -> None:
    """The beginning of an answer that never ends, a byte at a time."""
    peer.request()
    peer.say(b"HTTP/1.1 204 No Content\r\nX-Wait: ")
    while not peer.server.over.wait(0.02):
        peer.say(b"x")


def _end(data: bytes) -> int:
    head, blank, _ = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    end = len(head) + 4 + (int(length[1]) if length else 0)
    return end if blank and len(data) >= end else 0


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
