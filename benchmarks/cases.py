"""What is measured; each case gives its figures. Product and baseline take turns, each time with an empty store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from adapter.settings import TABLE
from adapter.store.engine import Database
from benchmarks import mapping, old, ports, records, senders, stage
from benchmarks.bodies import Kind, phone
from benchmarks.figures import Figure, Target, percentile
from benchmarks.filling import opened, put
from benchmarks.flood import flooding
from benchmarks.load import Plan, Report
from benchmarks.machine import cpu_seconds, memory
from benchmarks.stage import Running, Shape, Start, bare, product

CONNECTIONS = 64
"""At saturation, which is more than either server has threads."""
QUIET_RATE = 20.0
"""Requests a second: a busy contact centre's clicks."""
LEAD_RATE = 5.0
SHIPPED_WORKERS = int(TABLE["ADAPTER_WORKERS"].default or 1)
DISPATCHED = 1_500
HELD = 100_000
PROBES = 9
SETTLE_SECONDS = 2.0
FLOOD_RATE = 2_000.0

AT_LEAST_70 = Target(least=0.7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float
    shape: Shape
    rows: int = 1_000_000


@dataclass(kw_only=True, slots=True)
class Round:
    """What one server did in one round."""

    rate: float = 0.0
    latencies: tuple[float, ...] = ()
    memory: float = 0.0


def click(effort: Effort) -> list[Figure]:
    """The whole way of a click, as fast as it goes and at a quiet rate."""
    ours, theirs = _rounds("click", product("serve"), bare("click()"), effort, quiet=2 * effort.seconds)
    p50, p99 = (
        Figure(
            name=f"click at {QUIET_RATE:g}/s, p{percent}",
            unit="ms",
            product=[percentile(one.latencies, percent) * 1000 for one in ours],
            baseline=[percentile(one.latencies, percent) * 1000 for one in theirs],
            target=Target(most=most),
        )
        for percent, most in ((50, 1.5), (99, 2.0))
    )
    used = Figure(
        name="memory of serve after that", unit="MB", product=[one.memory for one in ours], target=Target(most=150)
    )
    return [_throughput("click", ours, theirs, AT_LEAST_70), p50, p99, used]


def slow(effort: Effort) -> list[Figure]:
    """Clicks as fast as they go while Xima takes 50 ms, as over the Internet."""
    ours, theirs = _rounds("click", product("serve"), bare("click()"), effort, delay_ms=50)
    return [_throughput("click, Xima takes 50 ms", ours, theirs, None)]


def lead(effort: Effort) -> list[Figure]:
    """Leads as fast as they are taken in: alone, and while they are sent on in the background."""
    kept = _rounds("lead", product("web"), bare("lead()"), effort)
    sent = _rounds("lead", product("serve"), bare("lead(sent=True)"), effort)
    return [
        _throughput("lead, kept", *kept, AT_LEAST_70),
        _throughput("lead, kept and sent in the background", *sent, AT_LEAST_70),
    ]


def receipt(effort: Effort) -> list[Figure]:
    """From a lead's sending to Xima's hearing of it, when there is nothing else to do."""
    with stage.folder() as home, stage.upstream(home) as xima, product("serve")(home, xima, effort.shape) as server:
        report = _load(server, "lead", 4 * effort.seconds, rate=LEAD_RATE)
        stage.until(lambda: len(stage.heard(xima)) >= len(report.answers))
        heard = {json.loads(body)["callbackNumber"]: moment for moment, body in stage.heard(xima)}
    waits = [heard[phone(number)] - since for number, since, _ in report.answers]
    return [
        Figure(
            name=f"lead to Xima, p{percent}", unit="s", product=[percentile(waits, percent)], target=Target(most=most)
        )
        for percent, most in ((50, 0.1), (99, 1.0))
    ]


def dispatch(effort: Effort) -> list[Figure]:
    """How fast one dispatcher empties a queue while Xima takes 50 ms."""
    rates = []
    for _ in range(effort.rounds):
        with stage.folder() as home, stage.upstream(home, delay_ms=50) as xima:
            environ = stage.prepared(home, xima, effort.shape)
            with opened(environ["ADAPTER_DATABASE_URL"]) as store:
                put(store, DISPATCHED)
            with product("dispatch")(home, xima, effort.shape):
                stage.until(lambda: len(stage.heard(xima)) >= DISPATCHED, pause=0.5)
            moments = [moment for moment, _ in stage.heard(xima)]
            rates.append((len(moments) - 1) / (moments[-1] - moments[0]))
    least = 150 if effort.shape.server is None else 300
    return [Figure(name="dispatch, Xima takes 50 ms", unit="1/s", product=rates, target=Target(least=least))]


def held(effort: Effort) -> list[Figure]:
    """What 100,000 callbacks that are held cost: one that is due, and a dispatcher that has nothing to do."""
    with stage.folder() as home, stage.upstream(home) as xima:
        environ = stage.prepared(home, xima, effort.shape)
        with opened(environ["ADAPTER_DATABASE_URL"]) as store:
            put(store, HELD, held=True)
            with product("dispatch")(home, xima, effort.shape) as server:
                time.sleep(SETTLE_SECONDS)
                used = cpu_seconds(server.process.pid)
                time.sleep(effort.seconds)
                idle = (cpu_seconds(server.process.pid) - used) / effort.seconds * 100
                waits = [_probe(store, HELD + number, xima) for number in range(PROBES)]
    return [
        Figure(name=f"one due among {HELD:,} held", unit="s", product=[median(waits)], target=Target(most=0.2)),
        Figure(name="idle dispatcher among them", unit="% CPU", product=[idle], target=Target(most=2)),
    ]


def start(effort: Effort) -> list[Figure]:
    """From nothing to the first 200, the making of the store included."""
    seconds = []
    for _ in range(effort.rounds):
        with stage.folder() as home:
            begun = time.monotonic()
            with product("serve")(home, ports.free_port(), effort.shape):
                seconds.append(time.monotonic() - begun)
    return [Figure(name="cold start to the first 200", unit="s", product=seconds, target=Target(most=2))]


def record(effort: Effort) -> list[Figure]:
    """Processor time of the pure part: the signature, the body, the mapping."""
    costs = [records.cpu_microseconds() for _ in range(effort.rounds)]
    return [Figure(name="verify, parse and map one record", unit="us CPU", product=costs)]


def largest(effort: Effort) -> list[Figure]:
    """Processor time of the largest requests of HubSpot and Salesforce: the proof, the body."""
    measured = (
        ("verify and parse 5 KB of HubSpot", senders.hubspot_cpu_milliseconds, Target(most=0.3)),
        ("parse 1 MB of SOAP, 100 records", senders.soap_cpu_milliseconds, Target(most=60)),
        ("find the organisation in it", senders.organization_cpu_milliseconds, None),
        ("explain a wrong signature, 16 KB", senders.refusal_cpu_milliseconds, Target(most=5)),
    )
    return [
        Figure(name=name, unit="ms CPU", product=[measure() for _ in range(effort.rounds)], target=target)
        for name, measure, target in measured
    ]


def mappings(effort: Effort) -> list[Figure]:
    """A thousand mappings loaded, and one parsed record mapped, its number included, beside jmespath."""
    loads = [mapping.thousand() for _ in range(effort.rounds)]
    costs = [mapping.record() for _ in range(effort.rounds)]
    seconds, memories = zip(*loads, strict=True)
    ours, theirs = zip(*costs, strict=True)
    return [
        Figure(name="1,000 mappings loaded", unit="s CPU", product=seconds, target=Target(most=5)),
        Figure(name="memory of the process that did", unit="MB", product=memories, target=Target(most=150)),
        Figure(name="one record mapped", unit="ms CPU", product=ours, target=Target(most=0.25)),
        Figure(name="the same beside jmespath", unit="ms CPU", product=ours, baseline=theirs),
    ]


def hostile(effort: Effort) -> list[Figure]:
    """The hostile file and the hostile body that take longest."""
    found = [mapping.hostile() for _ in range(effort.rounds)]
    return [
        Figure(
            name=f"worst hostile {what}: {rounds[0][0]}",
            unit="ms CPU",
            product=[took for _, took in rounds],
            target=Target(most=100),
        )
        for what, rounds in zip(("file", "body"), zip(*found, strict=True), strict=True)
    ]


def flood(effort: Effort) -> list[Figure]:
    """Good clicks beside 2,000 bad requests a second from one address, and without them; as many workers as shipped."""
    shape = replace(effort.shape, workers=max(SHIPPED_WORKERS, effort.shape.workers))
    calm, beside, rates = [], [], []
    for _ in range(effort.rounds):
        with (
            stage.folder() as home,
            stage.upstream(home) as xima,
            stage.product("serve", ADAPTER_TRUSTED_PROXIES="1")(home, xima, shape) as server,
        ):
            _load(server, "click", 1.0)
            alone = _load(server, "click", effort.seconds, first=1_000_000, rate=QUIET_RATE)
            with flooding(server.port, rate=FLOOD_RATE, seconds=effort.seconds + 1) as refused:
                time.sleep(0.5)
                among = _load(server, "click", effort.seconds, first=2_000_000, rate=QUIET_RATE)
            calm.append(_milliseconds(alone, 99))
            beside.append(_milliseconds(among, 99))
            rates.append((refused["401"] + refused["429"]) / (effort.seconds + 1))
    name, most = f"click at {QUIET_RATE:g}/s beside {FLOOD_RATE:,.0f} bad requests/s, p99", Target(most=3)
    return [
        Figure(name=name, unit="ms", product=beside, baseline=calm, target=most),
        Figure(name="bad requests that were refused", unit="1/s", product=rates),
    ]


def purge(effort: Effort) -> list[Figure]:
    """Leads at a steady rate while old deliveries are removed by the dispatcher, and while nothing is old enough."""
    calm, beside, rates = [], [], []
    with (
        stage.folder() as home,
        stage.upstream(home) as xima,
        opened(stage.prepared(home, xima, effort.shape)["ADAPTER_DATABASE_URL"]) as store,
    ):
        old.fill(store, effort.rows)
        for number in range(0, 2 * effort.rounds, 2):
            calm.append(_longest(home, xima, effort, number, retention="3650d"))
            before, begun = old.left(store), time.monotonic()
            beside.append(_longest(home, xima, effort, number + 1, retention="30d"))
            rates.append((before - old.left(store)) / (time.monotonic() - begun))
    more = [most - usual for most, usual in zip(beside, calm, strict=True)]
    name = f"of {effort.rows:,} old deliveries"
    return [
        Figure(name=f"longest wait of a lead, purge {name}", unit="ms", product=beside, baseline=calm),
        Figure(name="how much longer that is than without", unit="ms", product=more, target=Target(most=100)),
        Figure(name=f"purge {name}", unit="1/s", product=rates, target=Target(least=effort.rows / 1800)),
    ]


CASES: Mapping[str, Callable[[Effort], list[Figure]]] = {
    case.__name__: case
    for case in (click, slow, lead, receipt, dispatch, held, start, record, largest, mappings, hostile, flood, purge)
}


def _rounds(
    kind: Kind, ours: Start, theirs: Start, effort: Effort, *, delay_ms: int = 0, quiet: float = 0.0
) -> tuple[list[Round], list[Round]]:
    """Rounds of the product and of its baseline, in turn."""
    done: tuple[list[Round], list[Round]] = ([], [])
    for _ in range(effort.rounds):
        for begin, rounds in zip((ours, theirs), done, strict=True):
            with (
                stage.folder() as home,
                stage.upstream(home, delay_ms=delay_ms) as xima,
                begin(home, xima, effort.shape) as server,
            ):
                rounds.append(_round(server, kind, effort.seconds, quiet))
    return done


def _round(server: Running, kind: Kind, seconds: float, quiet: float) -> Round:
    _load(server, kind, 1.0)  # warms up: sessions, caches, the file's first pages
    busy = _load(server, kind, seconds, first=1_000_000)
    done = Round(rate=len(busy.answers) / busy.seconds)
    if quiet:
        calm = _load(server, kind, quiet, first=2_000_000, rate=QUIET_RATE)
        done.latencies = tuple(latency for _, _, latency in calm.answers)
    done.memory = memory(server.process.pid)
    return done


def _load(server: Running, kind: Kind, seconds: float, *, first: int = 1, rate: float = 0.0) -> Report:
    plan = Plan(port=server.port, kind=kind, first=first, most=0, seconds=seconds, connections=CONNECTIONS, rate=rate)
    return stage.load(replace(plan, most=int((rate or 4_000) * seconds)))


def _longest(home: Path, xima: int, effort: Effort, number: int, *, retention: str) -> float:
    """The longest that a lead waits for its answer, in milliseconds."""
    with product("serve", ADAPTER_RETENTION=retention)(home, xima, effort.shape) as server:
        first = 3_000_000 + number * 10_000
        _load(server, "lead", 1.0, first=first, rate=QUIET_RATE)
        return _milliseconds(_load(server, "lead", 4 * effort.seconds, first=first + 1_000, rate=QUIET_RATE), 100)


def _milliseconds(report: Report, percent: int) -> float:
    return percentile([latency for _, _, latency in report.answers], percent) * 1000


def _throughput(name: str, ours: list[Round], theirs: list[Round], target: Target | None) -> Figure:
    return Figure(
        name=f"{name}, {CONNECTIONS} connections",
        unit="1/s",
        product=[one.rate for one in ours],
        baseline=[one.rate for one in theirs],
        target=target,
    )


def _probe(store: Database, number: int, xima: int) -> float:
    """Seconds from the adding of a due callback to Xima's hearing of it."""
    before, begun = len(stage.heard(xima)), time.monotonic()
    put(store, 1, first=number)
    stage.until(lambda: len(stage.heard(xima)) > before)
    return stage.heard(xima)[-1][0] - begun
