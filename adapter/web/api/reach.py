"""What the routes of the API work with beside the parts of the application."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import cast

from flask import Flask, current_app

from adapter.dispatcher import Presence
from adapter.errors import Unavailable
from adapter.limits import Limit
from adapter.mapping.dialling import Dialling
from adapter.tenants import Tenants


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The tenants and how their numbers are dialled; what Xima lists; how much is let in.

    Few threads at a time ask Xima for a list, so that a slow answer does not keep webhooks waiting.
    """

    tenants: Collection[str]
    phones: Mapping[str, Dialling]
    presence: Presence
    limit: Limit
    lines: BoundedSemaphore

    @contextmanager
    def line(self) -> Iterator[None]:
        """A turn to ask Xima for a list; raises `Unavailable` when all are taken."""
        if not self.lines.acquire(blocking=False):
            raise Unavailable("too many lists are being asked for at this moment")
        try:
            yield
        finally:
            self.lines.release()


def of(app: Flask, served: Tenants | None) -> Reach:
    """What an application has for the API."""
    settings, dispatcher = app.extensions["adapter"].settings, app.extensions["dispatcher"]
    return Reach(
        tenants=dispatcher.tenants,
        phones=served.phones if served else {},
        presence=dispatcher.presence,
        limit=Limit(settings.mapping_limit),
        lines=BoundedSemaphore(max(1, settings.threads // 4)),
    )


def reach() -> Reach:
    """That of the application that serves this request."""
    return cast(Reach, current_app.extensions["api"])
