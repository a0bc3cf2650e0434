"""Spans by OpenTelemetry: none and no import without its variables; with them a webhook is told from end to end."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from running import Adapter, running, until

from adapter import tracing
from adapter.sandbox import Sandbox

LEAD = b'{"id": "2", "skill": "Sales", "phone": "8015550142"}'
CLICK = b'{"id": "1", "agent": "0101", "phone": "8015550142"}'
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is remembered of the variables is forgotten before and after."""
    for name in (*tracing.WHERE, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    tracing.kinds.cache_clear()
    yield
    tracing.kinds.cache_clear()


def test_without_its_variables_nothing_of_opentelemetry_is_imported() -> None:
    told = "import adapter.server, adapter.tracing as t, sys; assert t.kinds() is t.PLAIN;" + (
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'adapter.spans'))])"
    )
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_the_plain_parts_stay_as_they_are() -> None:
    app, carriers = object(), {"default": object()}
    assert tracing.PLAIN.around(app) is app
    assert tracing.PLAIN.carriers(carriers) is carriers  # type: ignore[arg-type] # any object will do


def test_opentelemetry_can_be_switched_off_by_its_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracing.WHERE[1], "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert tracing.kinds() is tracing.PLAIN


def test_where_it_is_wished_and_not_installed_that_is_said_and_everything_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(tracing.WHERE[0], "http://127.0.0.1:9/v1/traces")
    monkeypatch.setitem(sys.modules, "adapter.spans", None)
    with caplog.at_level(logging.WARNING):
        assert tracing.kinds() is tracing.PLAIN
    (line,) = caplog.records
    assert line.message == "tracing.missing"


class Collector(HTTPServer):
    """Takes spans in, as OTLP over HTTP; gives them as they came and by name."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.bodies: list[bytes] = []

    def spans(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
        return found


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:  # the name is http.server's
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Somebody who takes spans."""
    with Collector() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Adapter]:
    """A running adapter that tells the collector."""
    url = f"http://127.0.0.1:{collector.server_port}"
    home = tmp_path_factory.mktemp("told")
    with (
        Sandbox.start() as sandbox,
        running(home, sandbox.url, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_BSP_SCHEDULE_DELAY="50") as adapter,
    ):
        yield adapter


@pytest.fixture
def told(adapter: Adapter, collector: Collector) -> Adapter:
    """The adapter, of which nothing is told yet."""
    collector.bodies.clear()
    return adapter


def test_a_click_is_one_trace_from_its_sender_to_xima(told: Adapter, collector: Collector) -> None:
    told.post("click", CLICK, headers={"traceparent": TRACEPARENT})
    wanted = {
        "POST /hooks/": "",
        "store.add": "POST /hooks/",
        "delivery": "POST /hooks/",
        "xima click_to_dial": "delivery",
        "store.save": "delivery",
    }
    until(lambda: wanted.keys() <= collector.spans().keys())
    found = collector.spans()
    assert {span.trace_id.hex() for span in found.values()} == {TRACE}
    names = {span.span_id: name for name, span in found.items()}
    assert {name: names.get(span.parent_span_id, "") for name, span in found.items()} == wanted
    about = {one.key: one.value.string_value or one.value.int_value for one in found["xima click_to_dial"].attributes}
    assert about == {"tenant": "default", "outcome": "accepted", "http.response.status_code": 204}
    assert not [body for body in collector.bodies if b"5550142" in body]


def test_a_later_attempt_is_linked_to_its_webhook(told: Adapter, collector: Collector) -> None:
    told.post("click", LEAD, headers={"traceparent": TRACEPARENT})
    until(lambda: {"POST /hooks/", "store.add", "delivery", "xima callback", "store.save"} <= collector.spans().keys())
    found = collector.spans()
    (link,) = found["delivery"].links
    assert (link.trace_id.hex(), link.span_id) == (TRACE, found["store.add"].span_id)
    assert found["delivery"].trace_id == found["xima callback"].trace_id != found["store.add"].trace_id


def test_a_webhook_that_names_no_trace_or_nonsense_begins_its_own(told: Adapter, collector: Collector) -> None:
    told.post("click", CLICK.replace(b'"1"', b'"3"'), headers={"traceparent": "00-nonsense"})
    until(lambda: {"POST /hooks/", "delivery"} <= collector.spans().keys())
    assert collector.spans()["POST /hooks/"].parent_span_id == b""
