"""A pretend upstream that costs as little as can be: keep-alive, one thread, 204 to everything, late if wished.

`python -m benchmarks.stub PORT DELAY_MS`; GET answers with the moment (monotonic) and the body of every POST so far.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from benchmarks.wire import end_of_message

DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class _Line:
    """One connection of somebody who asks."""

    socket: socket.socket
    buffer: bytearray = field(default_factory=bytearray)


class Stub:
    """Answers in the order of arrival; the delay is the same for all, so a queue keeps the order."""

    def __init__(self, port: int, delay: float) -> None:
        self._delay = delay
        self._lines = selectors.DefaultSelector()
        self._waiting: deque[tuple[float, socket.socket]] = deque()
        self._heard: list[tuple[float, str]] = []
        self._door = socket.create_server(("127.0.0.1", port), backlog=512)
        self._lines.register(self._door, selectors.EVENT_READ)

    def run(self) -> None:
        """Answer until the process is ended."""
        while True:
            left = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            for key, _ in self._lines.select(left):
                if key.data is None:
                    self._accept()
                else:
                    self._read(key.data)
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _send(self._waiting.popleft()[1], DONE)

    def _accept(self) -> None:
        made, _ = self._door.accept()
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines.register(made, selectors.EVENT_READ, _Line(made))

    def _read(self, line: _Line) -> None:
        try:
            got = line.socket.recv(65536)
        except ConnectionError:
            got = b""
        if not got:
            self._lines.unregister(line.socket)
            line.socket.close()
        line.buffer += got
        while end := end_of_message(line.buffer):
            self._answer(line.socket, bytes(line.buffer[:end]))
            del line.buffer[:end]

    def _answer(self, line: socket.socket, message: bytes) -> None:
        if message.startswith(b"GET"):
            told = json.dumps(self._heard).encode()
            _send(line, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))
            return
        self._heard.append((time.monotonic(), message.partition(b"\r\n\r\n")[2].decode()))
        if self._delay:
            self._waiting.append((time.monotonic() + self._delay, line))
        else:
            _send(line, DONE)


def _send(line: socket.socket, message: bytes) -> None:
    try:
        line.sendall(message)
    except OSError:  # whoever asked has gone: there is nobody to tell
        line.close()


if __name__ == "__main__":
    Stub(int(sys.argv[1]), int(sys.argv[2]) / 1000).run()
