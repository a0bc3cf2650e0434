"""Caller ids chosen when a call is about to be placed, from what Xima lists for the agent at that time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from adapter.dispatcher.leases import Clock
from adapter.errors import Unavailable, UnknownAgent
from adapter.logs import event
from adapter.model import Action, ClickToDial, Delivery
from adapter.policy.nearest import nearest
from adapter.xima import CallerIds

List = Callable[[str], CallerIds]
"""Gives the caller ids of an agent's extension; raises `Unavailable`."""

KEPT_FOR = timedelta(minutes=1)
MOST_KEPT = 1000


class Presence:
    """The caller ids of each tenant's agents, asked for when they are needed and kept for a minute."""

    def __init__(self, lists: Mapping[str, List], clock: Clock) -> None:
        self._lists = lists
        self._clock = clock
        self._turn = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[datetime, tuple[str, ...]]] = {}

    def chosen(self, delivery: Delivery) -> Action:
        """The action with the caller id nearest to its number; without one of that country it stays as it is."""
        action, asked = delivery.action, delivery.terms.get("nearest_to")
        if not asked or not isinstance(action, ClickToDial):
            return action
        number, home = asked
        try:
            found = nearest(number, self._listed(delivery.tenant, action.agent), home=home)
        except Unavailable as exc:
            event("caller_id.not_listed", level=logging.WARNING, id=delivery.id, reason=exc.reason)
            return action
        return replace(action, outbound_caller_id=found) if found else action

    def ask(self, tenant: str, agent: str) -> CallerIds:
        """What Xima lists for an agent at this moment; raises `Unavailable`, and `UnknownAgent` when it has none."""
        try:
            return self._list(tenant, agent)
        except Unavailable as exc:
            if exc.more.get("xima_status") == 404:
                raise UnknownAgent(exc.reason) from exc
            raise

    def _list(self, tenant: str, agent: str) -> CallerIds:
        if tenant not in self._lists:
            raise Unavailable(f"there is no Xima tenant called {tenant}")
        return self._lists[tenant](agent)

    def _listed(self, tenant: str, agent: str) -> tuple[str, ...]:
        now = self._clock()
        with self._turn:
            at, ids = self._kept.get((tenant, agent), (None, ()))
        if at is not None and timedelta() <= now - at < KEPT_FOR:
            return ids
        ids = tuple(one.outbound_caller_id for one in self._list(tenant, agent).available)
        with self._turn:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[tenant, agent] = now, ids
        return ids
