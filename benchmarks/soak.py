"""`python -m benchmarks.soak --minutes 10 --rate 50`: a steady load with faults at Xima, and what it leaves behind.

Every process keeps its memory and its descriptors, the queue stays young, and what `/metrics` counts is what the
pretend Xima's ledger and the senders know. Prints a table; exit code 1 when a bound is broken.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from prometheus_client.parser import text_string_to_metric_families

from benchmarks import ports, postgres, stage
from benchmarks.chaos import Senders
from benchmarks.machine import tree
from benchmarks.stage import Shape

PREFIX = "xima_adapter_"
LOOK_SECONDS = 1.0
WARM_UP = 0.3
"""Share of the time after which every thread has its buffers and every cache is full."""
MOST_GROWTH = 0.05
MOST_DESCRIPTORS = 8
"""More than after the warm-up: a connection or two may be under way at the moment of the look."""
MOST_QUEUE_AGE = 10.0
"""Seconds; a faulty Xima makes a lead wait for its next try."""
REST_SECONDS = 30.0
FAULTS = """
switches: {{delay_before_204: 20ms}}
agents: [{agents}]
faults:
  - {{rate_limit: yes, retry_after: 1, share: 0.02}}
  - {{drop_after_effect: yes, share: 0.01}}
  - {{status: 500, share: 0.01}}
  - {{delay: 500ms, share: 0.01}}
"""
"""Too many requests, lost answers, errors and slow answers; an agent for each click, who has one dial at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """The processes at one moment: megabytes and descriptors by name, and how long the first in the queue waits."""

    memory: Mapping[str, float]
    descriptors: Mapping[str, int]
    queue_age: float


@dataclass(kw_only=True, slots=True)
class Watch:
    """Looks again and again until it is told to stop."""

    pid: int
    port: int
    looks: list[Look] = field(default_factory=list)
    done: bool = False

    def run(self) -> None:
        """Look once a second."""
        while not self.done:
            self.looks.append(look(self.pid, self.port))
            time.sleep(LOOK_SECONDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One thing that was found: two figures, and whether they are as they should be."""

    name: str
    first: float
    last: float
    is_good: bool


def look(pid: int, port: int) -> Look:
    """What the kernel and the adapter itself say now."""
    processes = {f"{_name(one)} {one}": one for one in tree(pid)}
    return Look(
        memory={name: _megabytes(one) for name, one in processes.items()},
        descriptors={name: len([*Path(f"/proc/{one}/fd").iterdir()]) for name, one in processes.items()},
        queue_age=counted(port).get("queue_age_seconds", 0.0),
    )


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def counted(port: int) -> dict[str, float]:
    """The adapter's metrics, added up: by name, and `attempts_total` by outcome too."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(_get(port, "/metrics").decode()):
        for sample in family.samples:
            name = sample.name.removeprefix(PREFIX)
            for key in (name, f"{name} {sample.labels.get('outcome', sample.labels.get('status', ''))}"):
                found[key] = found.get(key, 0.0) + sample.value
    return found


def _get(port: int, path: str) -> bytes:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("GET", path)
        return line.getresponse().read()
    finally:
        line.close()


def steady(looks: list[Look]) -> Iterator[Fact]:
    """Every process beside itself after the warm-up; the medians of a tenth of the time each."""
    warm = looks[int(len(looks) * WARM_UP) :]
    part = max(1, len(looks) // 10)
    for name in warm[-1].memory:
        first, last = (median(one.memory.get(name, 0.0) for one in some) for some in (warm[:part], warm[-part:]))
        yield Fact(name=f"MB of {name}", first=first, last=last, is_good=last <= first * (1 + MOST_GROWTH))
        begin, end = (median(one.descriptors.get(name, 0) for one in some) for some in (warm[:part], warm[-part:]))
        yield Fact(name=f"descriptors of {name}", first=begin, last=end, is_good=end <= begin + MOST_DESCRIPTORS)
    ages = [one.queue_age for one in warm]
    yield Fact(
        name="queue age, s (median, most)", first=median(ages), last=max(ages), is_good=max(ages) < MOST_QUEUE_AGE
    )


def books(port: int, xima: int, senders: Senders) -> Iterator[Fact]:
    """What was counted here beside what others know."""
    ours = counted(port)
    calls = json.loads(_get(xima, "/_sandbox/calls"))["calls"]
    kept = ours.get("requests_total 200", 0.0)
    for name, first, last in (
        ("events answered 200: /metrics, senders", kept, float(len(senders.answered))),
        ("deliveries in the store, senders", ours.get("deliveries", 0.0), float(len(senders.answered))),
        (
            "requests to Xima: /metrics, its ledger",
            ours.get("attempts_total", 0.0) - ours.get("attempts_total not_sent", 0.0),
            float(len(calls)),
        ),
        (
            "accepted: /metrics, its ledger",
            ours.get("attempts_total accepted", 0.0),
            float(sum(call["status"] == 204 and call["fault"] in (None, "delay") for call in calls)),
        ),
    ):
        yield Fact(name=name, first=first, last=last, is_good=first == last)


def soak(home: Path, shape: Shape, *, seconds: float, rate: float) -> list[Fact]:
    """Load `serve` for so long, let it come to rest, and judge."""
    xima, script = ports.free_port(), home / "script.yaml"
    agents = ", ".join(
        f"{{extension: '{number}', name: Pat}}" for number in range(1, int(rate * seconds * 1.1) + 10, 2)
    )
    script.write_text(FAULTS.format(agents=agents))
    office = ("-m", "adapter", "sandbox", "--bind", f"127.0.0.1:{xima}", "--script", str(script))
    with stage.process(*office, log=home / "sandbox.log") as started:
        stage.until(lambda: stage.answers(xima, "/_sandbox/calls") == 200, started)
        with stage.product("serve")(home, xima, shape) as server:
            watch, senders = Watch(pid=server.process.pid, port=server.port), Senders(ports=(server.port,), rate=rate)
            with ThreadPoolExecutor(2) as pool:
                both = [pool.submit(watch.run), pool.submit(senders.run)]
                time.sleep(seconds)
                watch.done = senders.done = True
                for one in both:
                    one.result()
            _rest(server.port)
            return [*steady(watch.looks), *books(server.port, xima, senders)]


def _rest(port: int) -> None:
    deadline = time.monotonic() + REST_SECONDS
    while time.monotonic() < deadline:
        found = _states(port)
        if not found.get("queued") and not found.get("sending"):
            return
        time.sleep(0.5)


def _states(port: int) -> dict[str, float]:
    families = text_string_to_metric_families(_get(port, "/metrics").decode())
    return {
        sample.labels["state"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"{PREFIX}deliveries"
    }


def main() -> int:
    """Print the table; 1 when anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    parser.add_argument("--rate", type=float, default=50.0, help="events a second, half of them clicks (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="web processes (%(default)s)")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite", help="(%(default)s)")
    asked = parser.parse_args()
    started = postgres.running(options=()) if asked.store == "postgres" else nullcontext()
    with started as server, stage.folder() as home:
        shape = Shape(workers=asked.workers, threads=16, server=server)
        facts = soak(home, shape, seconds=asked.minutes * 60, rate=asked.rate)
    for one in facts:
        print(f"{one.name:45} {one.first:12,.1f} {one.last:12,.1f}  {'good' if one.is_good else 'NOT GOOD'}")
    return 0 if all(one.is_good for one in facts) else 1


if __name__ == "__main__":
    sys.exit(main())
