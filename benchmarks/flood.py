"""Bad requests from one address, as fast as they are wanted: `python -m benchmarks.flood PORT RATE SECONDS`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from socket import create_connection, socket

from benchmarks.stage import ROOT
from benchmarks.wire import end_of_message

LINES = 8
"""Connections, each kept alive for as long as the server likes."""
BODY = b'{"vid": 1}'
REQUEST = (
    b"POST /hooks/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"X-Forwarded-For: 203.0.113.9\r\nX-Hub-Signature-256: sha256=00\r\nContent-Length: %d\r\n\r\n%s"
    % (len(BODY), BODY)
)
"""Not signed by anybody who knows the secret; the address is the one a trusted proxy tells."""


@contextmanager
def flooding(port: int, *, rate: float, seconds: float) -> Iterator[Counter[str]]:
    """A process that floods while the block runs, for so long at most; the answers are counted when it is over."""
    answered: Counter[str] = Counter()
    given = [sys.executable, "-m", "benchmarks.flood", str(port), str(rate), str(seconds)]
    with subprocess.Popen(given, cwd=ROOT, stdout=subprocess.PIPE) as process:
        yield answered
        told, _ = process.communicate(timeout=seconds + 30)
        answered.update(json.loads(told))


def _flood(port: int, rate: float, seconds: float) -> Counter[str]:
    """The statuses that one connection hears."""
    heard: Counter[str] = Counter()
    begun, line = time.monotonic(), _connected(port)
    while time.monotonic() < begun + seconds:
        time.sleep(max(0.0, begun + heard.total() / rate - time.monotonic()))
        status = _ask(line)
        heard[status or "closed"] += 1
        if not status:
            line.close()
            line = _connected(port)
    line.close()
    return heard


def _connected(port: int) -> socket:
    return create_connection(("127.0.0.1", port), timeout=20)


def _ask(line: socket) -> str:
    """The status of a bad request; empty when the connection is over."""
    buffer = bytearray()
    with suppress(OSError):
        line.sendall(REQUEST)
        while not end_of_message(buffer):
            if not (got := line.recv(65536)):
                return ""
            buffer += got
    return buffer[9:12].decode()


if __name__ == "__main__":
    where, each, lasting = int(sys.argv[1]), float(sys.argv[2]) / LINES, float(sys.argv[3])
    with ThreadPoolExecutor(LINES) as pool:
        counts = [one.result() for one in [pool.submit(_flood, where, each, lasting) for _ in range(LINES)]]
    print(json.dumps(sum(counts, Counter())))
