"""The parts that tell spans: a webhook, what is written to the store, each request to Xima, and a later attempt.

A span holds names, ids and states; never a telephone number, a body or a secret. Only `tracing` imports this module.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from adapter import __version__
from adapter.dispatcher import Dispatcher
from adapter.errors import AdapterError
from adapter.metrics import Carrier
from adapter.model import Action, Delivery, Outcome
from adapter.store import Arrival, Entry, Kept, Store
from adapter.tracing import Kinds

NAME = "xima-crm-adapter"
TERM = "traceparent"
"""Where a delivery keeps the trace it came in, as W3C writes it: https://www.w3.org/TR/trace-context/"""
HOOKS = "/hooks/"

_tracer = trace.get_tracer(NAME, __version__)
_w3c = TraceContextTextMapPropagator()


def begin() -> Kinds:
    """Send this process's spans where the variables say, from now on; what cannot be sent is dropped."""
    about = {"service.name": os.environ.get("OTEL_SERVICE_NAME", NAME), "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return KINDS


@contextmanager
def _span(name: str, about: Mapping[str, str], **more: Any) -> Iterator[trace.Span]:
    """A span that is current within the block; of an error it holds our reason, which has nothing of the request."""
    with _tracer.start_as_current_span(
        name, attributes=about, record_exception=False, set_status_on_exception=False, **more
    ) as span:
        try:
            yield span
        except AdapterError as exc:
            span.set_status(StatusCode.ERROR, exc.reason)
            raise


def _named(traceparent: str) -> Any:
    """The context that a header or a delivery names."""
    return _w3c.extract({TERM: traceparent})


class TracedApp:
    """The application with a span around every webhook, below the sender's own if it names one."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Called by the server."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(HOOKS):
            return self._app(environ, start_response)
        method = environ["REQUEST_METHOD"]
        above = _named(environ.get("HTTP_TRACEPARENT", ""))
        about = {"http.request.method": method, "url.path": path}
        with _span(f"{method} {HOOKS}", about, context=above, kind=SpanKind.SERVER) as span:

            def started(status: str, *more: Any) -> Any:
                code = int(status.split(maxsplit=1)[0])
                span.set_attribute("http.response.status_code", code)
                if code >= 500:
                    span.set_status(StatusCode.ERROR)
                return start_response(status, *more)

            return self._app(environ, started)


class TracedStore(Store):
    """A store whose writes are spans, and which keeps with each delivery the trace it came in."""

    def add(self, arrival: Arrival, entries: Sequence[Entry], *, fingerprints: Sequence[str] = ()) -> list[Kept | None]:
        """As in `Store`."""
        with _span("store.add", {"mapping": arrival.mapping, "request": arrival.id}):
            return super().add(arrival, [_marked(entry) for entry in entries], fingerprints=fingerprints)

    def save(self, delivery: Delivery, *given: Any, **more: Any) -> bool:
        """As in `Store`."""
        with _span("store.save", {"delivery": delivery.id}):
            return super().save(delivery, *given, **more)


def _marked(entry: Entry) -> Entry:
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    if entry.delivery is None or TERM not in carrier:
        return entry
    terms = {**entry.delivery.terms, TERM: carrier[TERM]}
    return replace(entry, delivery=replace(entry.delivery, terms=terms))


class TracedDispatcher(Dispatcher):
    """A dispatcher whose attempts are spans: within the webhook's, or later and linked to it."""

    def carry_out(self, delivery: Delivery) -> Delivery:
        """As in `Dispatcher`."""
        first = trace.get_current_span(_named(str(delivery.terms.get(TERM, "")))).get_span_context()
        is_within = trace.get_current_span().get_span_context().is_valid
        links = [Link(first)] if first.is_valid and not is_within else []
        about = {"delivery": delivery.id, "mapping": delivery.mapping, "tenant": delivery.tenant}
        with _span("delivery", about, links=links) as span:
            after = super().carry_out(delivery)
            span.set_attribute("state", after.state)
            return after


class TracedCarrier:
    """A tenant's client whose requests to Xima are spans; Xima itself is told nothing of them."""

    def __init__(self, tenant: str, carrier: Carrier) -> None:
        self._tenant = tenant
        self._carrier = carrier

    def carry_out(self, action: Action) -> Outcome:
        """Ask Xima once and say what the exchange proved."""
        with _span(f"xima {action.kind}", {"tenant": self._tenant}, kind=SpanKind.CLIENT) as span:
            outcome = self._carrier.carry_out(action)
            span.set_attribute("outcome", outcome.evidence.value)
            if outcome.status:
                span.set_attribute("http.response.status_code", outcome.status)
            return outcome


def traced(carriers: Mapping[str, Carrier]) -> dict[str, Carrier]:
    """The tenants' clients, with spans."""
    return {name: TracedCarrier(name, carrier) for name, carrier in carriers.items()}


KINDS = Kinds(store=TracedStore, dispatcher=TracedDispatcher, carriers=traced, around=TracedApp)
