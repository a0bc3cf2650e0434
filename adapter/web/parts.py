"""What the routes work with, and how they get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from adapter.dispatcher import Clock
from adapter.intake import Intake
from adapter.settings import Settings
from adapter.sources import Sources
from adapter.store import Store
from adapter.web.links import Links


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """The parts of one application; kept in `app.extensions["adapter"]`."""

    settings: Settings
    sources: Callable[[], Sources]
    store: Store
    intake: Intake
    links: Links
    clock: Clock


def parts() -> Parts:
    """The parts of the application that serves this request."""
    return cast(Parts, current_app.extensions["adapter"])
