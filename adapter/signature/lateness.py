"""How far the time of a signature is from our clock: whose clock is wrong shows before anything is refused for it."""

from __future__ import annotations

from datetime import datetime

from adapter.errors import SignatureError
from adapter.model import Received
from adapter.signature.keyed import Keyed
from adapter.signature.moment import UNITS, micros
from adapter.signature.proof import Scheme


def lateness(scheme: Scheme, received: Received, *, now: datetime) -> float | None:
    """Seconds by which a request's own time lies behind `now` (negative: ahead); None when it tells none."""
    if not isinstance(scheme, Keyed) or not scheme.clock:
        return None
    try:
        return (micros(now) - UNITS[scheme.clock.unit].read(scheme.timestamp(received))) / 1_000_000
    except (SignatureError, ValueError):
        return None
