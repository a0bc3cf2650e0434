"""The pure part of a request, without any server: verify, parse, map."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from adapter import sources
from adapter.mapping import examples, request_tree, results
from adapter.model import Received
from benchmarks import bodies

TIMES = 2_000
URL = "https://hooks.example.com"


def cpu_microseconds() -> float:
    """Processor time of one record with one action."""
    mapping = sources.read(Path(__file__).with_name("bench.yaml"))
    source = sources.ready(mapping, public_url=URL, environ={"BENCH_SECRET": bodies.SECRET})
    requests = [_received(number) for number in range(TIMES)]
    now = datetime.now(UTC)
    begun = time.process_time()
    for request in requests:
        source.verify(request, now=now)
        document, (record,) = examples.records(mapping, request)
        (made,) = results(mapping, record, request_tree(request, document), now=now)
        assert made.action is not None
    return (time.process_time() - begun) / TIMES * 1e6


def _received(number: int) -> Received:
    body = bodies.body("click", number)
    headers = {"content-type": "application/json", "x-hub-signature-256": bodies.signature(body)}
    return Received(method="POST", url=f"{URL}/hooks/bench", headers=headers, body=body)
