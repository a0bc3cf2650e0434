"""Whether this process tells spans of its work: only where OpenTelemetry's variables say where they go.

Without them nothing of OpenTelemetry is imported, and every part is the plain one.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapter.dispatcher import Dispatcher
from adapter.logs import event
from adapter.metrics import Carrier
from adapter.store import Store

WHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""https://opentelemetry.io/docs/specs/otel/protocol/exporter/"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinds:
    """What a process is made of: its store, its dispatcher, its clients, and what stands around the application."""

    store: type[Store] = Store
    dispatcher: type[Dispatcher] = Dispatcher
    carriers: Callable[[Mapping[str, Carrier]], Mapping[str, Carrier]] = lambda plain: plain
    around: Callable[[Any], Any] = lambda app: app


PLAIN = Kinds()


@cache
def kinds() -> Kinds:
    """The kinds that tell spans, where that is wished and can be; else the plain ones."""
    if not any(os.environ.get(name) for name in WHERE) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return PLAIN
    try:
        spans = importlib.import_module("adapter.spans")  # not at the top: it takes packages that few have
    except ImportError:
        remedy = "pip install 'xima-crm-adapter[otel]', or unset the variable"
        event("tracing.missing", level=logging.WARNING, reason="OpenTelemetry is not installed", remedy=remedy)
        return PLAIN
    found: Kinds = spans.begin()
    return found
