"""Xima's Action API: build a request, carry it, read the answer; only the carrying does I/O.

The vendor's pages: https://guide.xima.cloud/docs/api-enablement-action-apis (operations),
https://guide.xima.cloud/docs/api-enablement-api-api-limits-statuses (statuses),
https://guide.xima.cloud/docs/requesting-agent-and-skill-lists (the two lists).
"""

from __future__ import annotations

from adapter.xima.answer import read
from adapter.xima.client import Client, Tenant, base_url
from adapter.xima.lists import Agent, CallerId, CallerIds
from adapter.xima.request import Request, build

__all__ = ["Agent", "CallerId", "CallerIds", "Client", "Request", "Tenant", "base_url", "build", "read"]
