"""Sends signed requests over kept-alive connections and times each whole answer; a process of its own.

`python -m benchmarks.load PLAN` with a `Plan` as JSON prints a `Report` as JSON. With a rate, a request is timed from
the moment at which it was to be sent: a server that stalls is charged for everything that piled up meanwhile.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from benchmarks import bodies
from benchmarks.bodies import Kind
from benchmarks.wire import end_of_message

GRACE_SECONDS = 20.0
"""How long answers that are still missing are waited for when the time is over."""
SPIN_SECONDS = 0.002
"""The selector sleeps in milliseconds; the last of them are waited for awake."""
WANTED = {"click": b'"accepted"', "lead": b'"queued"'}
"""What an answer must say to count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to send: `rate` a second, or as fast as the connections allow when it is 0; ids from `first` on."""

    port: int
    kind: Kind
    first: int
    most: int
    seconds: float
    connections: int
    rate: float = 0.0


@dataclass(kw_only=True, slots=True)
class Report:
    """Seconds from the first request to the last answer; of each answer the id, the sending moment, the latency."""

    seconds: float = 0.0
    failed: int = 0
    missing: int = 0
    answers: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    """One connection and the request that is under way on it."""

    socket: socket.socket
    buffer: bytearray
    number: int = 0
    since: float = 0.0


class Load:
    """One plan being carried out on one thread."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        count = min(plan.most, int(plan.rate * plan.seconds)) if plan.rate else plan.most
        self._requests = [bodies.request(plan.kind, plan.first + index) for index in range(count)]
        self._selector = selectors.DefaultSelector()
        self._idle: list[_Line] = []
        self._busy = 0
        self.report = Report()

    def run(self) -> Report:
        """Send everything that is planned, then wait for what is missing."""
        start = time.monotonic()
        due = self._moments(start)
        following = next(due, None)
        while (following is not None or self._busy) and time.monotonic() < start + self._plan.seconds + GRACE_SECONDS:
            while following is not None and self._is_free() and following[1] <= time.monotonic():
                self._send(*following)
                following = next(due, None)
            self._wait(following[1] if following and self._is_free() else None)
        self.report.seconds = time.monotonic() - start
        self.report.missing = self._busy
        return self.report

    def _moments(self, start: float) -> Iterator[tuple[int, float]]:
        """The number of each request and when it is to be sent; without a rate that is at once."""
        for index in range(len(self._requests)):
            moment = start + index / self._plan.rate if self._plan.rate else time.monotonic()
            if moment > start + self._plan.seconds:
                return
            yield index, moment

    def _is_free(self) -> bool:
        return bool(self._idle) or self._busy < self._plan.connections

    def _connect(self) -> _Line:
        """A connection that is used at once: one that says nothing would hold a thread of the server."""
        made = socket.create_connection(("127.0.0.1", self._plan.port), timeout=GRACE_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(made, bytearray())
        self._selector.register(made, selectors.EVENT_READ, line)
        return line

    def _send(self, index: int, due: float) -> None:
        line = self._idle.pop() if self._idle else self._connect()
        line.number = self._plan.first + index
        line.since = due if self._plan.rate else time.monotonic()
        line.socket.sendall(self._requests[index])
        self._busy += 1

    def _wait(self, until: float | None) -> None:
        """Take answers until one has come or the moment is there."""
        left = 1.0 if until is None else until - time.monotonic()
        for key, _ in self._selector.select(max(0.0, left - SPIN_SECONDS)):
            self._read(key.data)

    def _read(self, line: _Line) -> None:
        got = line.socket.recv(65536)
        if not got:
            raise ConnectionError("the server closed a kept-alive connection")
        line.buffer += got
        if not (end := end_of_message(line.buffer)):
            return
        now = time.monotonic()
        answer = bytes(line.buffer[:end])
        del line.buffer[:end]
        self._busy -= 1
        self._idle.append(line)
        if answer.startswith(b"HTTP/1.1 2") and WANTED[self._plan.kind] in answer:
            self.report.answers.append((line.number, line.since, now - line.since))
        else:
            self.report.failed += 1


if __name__ == "__main__":
    load = Load(Plan(**json.loads(sys.argv[1])))
    gc.disable()
    print(json.dumps(asdict(load.run())))
