"""Send deliveries: the same `carry_out` serves the click in a web request and the queue of the dispatcher process."""

from adapter.dispatcher.carrying import Dispatcher, Timing
from adapter.dispatcher.leases import Clock
from adapter.dispatcher.loop import Loop
from adapter.dispatcher.presence import Presence

__all__ = ["Clock", "Dispatcher", "Loop", "Presence", "Timing"]
