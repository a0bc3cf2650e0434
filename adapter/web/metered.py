"""What the web half counts, and `GET /metrics`: for whoever ADAPTER_METRICS_ALLOW lets in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from adapter import __version__, metrics, signature
from adapter.errors import StoreError
from adapter.intake import Taken, word
from adapter.model import TRANSITIONS, Received
from adapter.policy import Gate
from adapter.policy.gate import TROUBLES
from adapter.sources import Sources
from adapter.store import Store
from adapter.web import problems
from adapter.web.parts import parts

blueprint = Blueprint("metrics", __name__)
FORWARDED = ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip")


class Pool(ThreadPoolExecutor):
    """Threads that know for which request they work, so that its time at Xima is not taken for ours."""

    def submit(self, work: Any, /, *given: Any, **more: Any) -> Future[Any]:
        """Run the work in the context of whoever asks for it."""
        return super().submit(copy_context().run, work, *given, **more)


def init_app(app: Flask) -> None:
    """Measure every webhook."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_blueprint(blueprint)


def known(name: str) -> str:
    """The name when a mapping has it, else nothing: strangers choose no labels."""
    return listed(name, parts().sources())


def listed(name: str, sources: Sources) -> str:
    """The name when it is that of one of these mappings, else nothing."""
    return name if name in sources.usable or name in sources.broken else ""


def count(taken: Taken, received: Received) -> None:
    """Count what became of a request that was taken."""
    mapping = taken.source.mapping.name
    for one in taken.came:
        metrics.RECORDS.labels(mapping, word(one)).inc()
    if taken.source.proofs:
        late = signature.lateness(taken.source.proofs[0].scheme, received, now=g.now)
        if late is not None:
            metrics.SKEW.labels(mapping).observe(late)


@blueprint.get("/metrics")
def show() -> Response:
    """Every number in Prometheus' text; 404 for those who are not let in, as if it were not here."""
    if not _is_let_in():
        abort(404)
    found = metrics.registry(Standing(parts().store, parts().sources(), g.now))
    return Response(generate_latest(found), content_type=CONTENT_TYPE_LATEST)


def _is_let_in() -> bool:
    """Whether the address may look, and the proxy that tells it: who reaches us past the proxy may tell anything.

    Behind a proxy that nobody told us of, everybody has the proxy's address.
    """
    if not parts().settings.trusted_proxies and any(name in request.headers for name in FORWARDED):
        return False
    behind = request.environ.get("werkzeug.proxy_fix.orig", {}).get("REMOTE_ADDR")  # the proxy itself
    return all(_is_allowed(address or "") for address in {request.remote_addr, behind or request.remote_addr})


def _is_allowed(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in parts().settings.metrics_allow)


class Standing(Collector):
    """How things stand at this moment, from the store and the mappings in force, so that no process need be asked."""

    def __init__(self, store: Store, sources: Sources, now: datetime) -> None:
        self._store = store
        self._sources = sources
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus-client."""
        yield _gauge("info", "The version that runs.", {(__version__,): 1}, "version")
        yield from self._mappings()
        try:
            yield from self._deliveries()
            yield from self._tenants()
            is_up = 1
        except StoreError:
            is_up = 0
        yield _gauge("store_up", "Whether the store can be read.", {(): is_up})

    def _mappings(self) -> Iterator[Metric]:
        usable = self._sources.usable
        versions = {(name, source.mapping.version): 1.0 for name, source in usable.items()}
        yield _gauge("mapping_version", "The version in force of each mapping.", versions, "mapping", "version")
        since = {(name,): source.since.timestamp() for name, source in usable.items() if source.since}
        yield _gauge("mapping_since_seconds", "When that version came into force.", since, "mapping")
        broken = {(name, "removed" if one.removed else "no"): 1.0 for name, one in self._sources.broken.items()}
        broken |= {(name, "yes"): 1.0 for name in self._sources.waiting}
        about = "Files that cannot be used; served: whether an older version is in force, or the file was removed."
        yield _gauge("mapping_broken", about, broken, "mapping", "served")

    def _deliveries(self) -> Iterator[Metric]:
        kept = self._store.counts()
        states: dict[Any, float] = {(state,): kept.get(state, 0) for state in TRANSITIONS}
        due, since = self._store.due(now=self._now)
        age = (self._now - since).total_seconds() if since else 0
        yield _gauge("deliveries", "Deliveries that are kept, by state.", states, "state")
        yield _gauge("queue_depth", "Deliveries that could be sent now.", {(): due})
        yield _gauge("queue_age_seconds", "How long the first of them has been waiting.", {(): age})
        waiting, since = self._store.reports.pending()
        age = (self._now - since).total_seconds() if since else 0
        yield _gauge("reports_pending", "Reports that their receivers have not taken yet.", {(): waiting})
        yield _gauge("reports_age_seconds", "How old the first of them is.", {(): age})

    def _tenants(self) -> Iterator[Metric]:
        """A row for each tenant and each thing that can stop it, so that its end is seen; a pause of all is each's."""
        gates = {gate.tenant: gate for gate in self._store.rules.gates()}
        everybodys = gates.pop("", Gate(tenant=""))
        names = {*gates, *(source.mapping.tenant for source in self._sources.usable.values())}
        stopped: dict[Any, float] = {}
        for name in sorted(names):
            gate = gates.get(name, Gate(tenant=name))
            stopped[name, "pause"] = float(bool(gate.paused or everybodys.paused))
            stopped |= {(name, why): float(gate.trouble == why) for why in TROUBLES}
        about = "Whether a tenant sends nothing: paused, Xima away, or refusing it."
        yield _gauge("tenant_stopped", about, stopped, "tenant", "why")


def _gauge(name: str, about: str, found: dict[Any, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"xima_adapter_{name}", about, labels=labels)
    for key, value in found.items():
        family.add_metric(key, value)
    return family


def _begin() -> None:
    g.started = time.perf_counter()
    g.at_xima = metrics.stopwatch()


def _finish(response: Response) -> Response:
    if request.blueprint not in ("hooks", "handshakes"):
        if problems.is_wanted():
            metrics.REQUESTS.labels("api", str(response.status_code)).inc()
        return response
    mapping = known((request.view_args or {}).get("name", ""))
    metrics.REQUESTS.labels(mapping, str(response.status_code)).inc()
    if request.method == "POST" and response.status_code < 400:
        metrics.OVERHEAD.labels(mapping).observe(time.perf_counter() - g.started - g.at_xima.seconds())
    return response
