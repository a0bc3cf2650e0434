"""A pretend Xima: the Action API as documented, every gap in the documents as a switch, faults on demand.

Scripted with YAML (`script`), it remembers every call (`GET /_sandbox/calls`) and shows on one page whose
phone rings. Nobody is called.
"""

from __future__ import annotations

from adapter.sandbox.app import create_app
from adapter.sandbox.server import Sandbox, run, serve
from adapter.sandbox.world import World

__all__ = ["Sandbox", "World", "create_app", "run", "serve"]
