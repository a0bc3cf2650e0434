"""An adapter in the process of its test, on a clock that stands still; store, HTTP and the pretend Xima are real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from running import until
from sample import NOW, SECOND

from adapter import receipt, sources
from adapter.dispatcher import Dispatcher, Presence, Timing
from adapter.intake import Intake
from adapter.model import Delivery, Received, State
from adapter.sandbox import Sandbox
from adapter.sources import Sources
from adapter.store import Store
from adapter.xima import Client, Tenant

IMPATIENT, PATIENT = 0.05, 60.0
"""Seconds that Xima gets to answer: where it is told to stall, and everywhere else, as this machine may be slow."""
MAPPING = """
format: 1
name: any
receive:
  from: query-token
  query: key
  secrets: [HOOK_SECRET]
  body: json
once:
  key: ${id}
rules:
  - name: click
    when: [{field: do, is: click}]
    click_to_dial: {agent: "${agent}", number_to_dial: "${phone}"}
  - name: queued click
    when: [{field: do, is: queued click}]
    deliver: queued
    click_to_dial: {agent: "${agent}", number_to_dial: "${phone}"}
  - name: click with the selected caller id
    when: [{field: do, is: selected click}]
    click_to_dial: {agent: "${agent}", number_to_dial: "${phone}", use_selected_caller_id: yes}
  - name: click with a caller id and a prefix
    when: [{field: do, is: shown click}]
    deliver: queued
    click_to_dial:
      {agent: "${agent}", number_to_dial: "${phone}", outbound_caller_id: 8015550109, external_prefix: 8}
  - name: click with the nearest caller id
    when: [{field: do, is: near click}]
    click_to_dial:
      {agent: "${agent}", number_to_dial: "${phone}", outbound_caller_id: {nearest_to: number}}
  - name: lead
    when: [{field: do, is: lead}]
    callback: {skill: Sales, callback_number: "${phone}"}
  - name: prompt lead
    when: [{field: do, is: prompt lead}]
    deliver: now
    callback: {skill: Sales, callback_number: "${phone}"}
  - name: lead again
    when: [{field: do, is: lead again}]
    callback: {skill: Sales, callback_number: "${phone}"}
    if_unknown: again
  - name: select
    when: [{field: do, is: select}]
    deliver: queued
    select_caller_id: {agent: "${agent}", label: Main, outbound_caller_id: 8015550100}
  - name: prompt select
    when: [{field: do, is: prompt select}]
    select_caller_id: {agent: "${agent}", label: Main, outbound_caller_id: 8015550100}
phones:
  region: US
limits:
  number_per_day: 1000
"""
QUEUED = ("queued click", "shown click", "lead", "lead again", "select")
"""The rules whose delivery waits for the dispatcher; the others are carried out before their sender is answered."""


class Desk:
    """Intake and dispatcher in one process, on a clock of their own."""

    def __init__(self, xima: str, home: Path, url: str, pool: ThreadPoolExecutor) -> None:
        path = home / "any.yaml"
        path.write_text(MAPPING, encoding="utf-8")
        source = sources.ready(sources.read(path), public_url="", environ={"HOOK_SECRET": "s3cr3t"})
        found = Sources(usable={"any": source}, broken={})
        tenant = Tenant(name="default", base_url=xima, token="sandbox-token")
        self.now, self.event, self.requests = NOW, 0, 0
        self.store = Store(url)
        self.store.upgrade()
        self.client = Client(tenant, read_timeout=PATIENT)
        timing = Timing(patience=timedelta())
        presence = Presence({"default": self.client.caller_ids}, self.clock)
        self.dispatcher = Dispatcher(
            self.store, {"default": self.client}, self.clock, owner="one", timing=timing, presence=presence
        )
        self.intake = Intake(lambda: found, self.store, self.dispatcher, pool=pool, wait=timedelta(seconds=PATIENT))

    def clock(self) -> datetime:
        return self.now

    @contextmanager
    def impatient(self, stalls: bool) -> Iterator[None]:
        """Wait for no answer within the block if Xima stalls there."""
        before = self.client._timeout
        self.client._timeout = (before[0], IMPATIENT if stalls else before[1])
        yield
        self.client._timeout = before

    def receive(self, do: str, *, agent: str = "0101", phone: str = "8015550142") -> Delivery:
        """The event of this test, and what its sender is told."""
        self.requests += 1
        body = json.dumps({"id": f"{self.event} {do}", "do": do, "agent": agent, "phone": phone}).encode()
        received = Received(method="POST", url="/hooks/any?key=s3cr3t", headers={}, body=body)
        (came,) = self.intake.take("any", received, request_id=f"r{self.requests}", now=self.now).came
        assert came.delivery is not None
        return came.delivery

    def close(self) -> None:
        self.dispatcher.close()
        self.client.close()
        self.store.close()

    def send(self, do: str, **fields: str) -> Delivery:
        """An event whose delivery is carried out once: at once, or when the dispatcher looks."""
        one = self.receive(do, **fields)
        return (do in QUEUED and self.dispatcher.step()) or one

    def wait_for_the_end(self, one: Delivery) -> list[State]:
        """Let time pass until the delivery waits no more; gives the states it went through."""
        path: list[State] = [one.state]
        while one.state in ("queued", "held"):
            self.now = max(self.now, one.due_at)
            self.dispatcher.step()
            found = self.store.get(one.id)
            assert found is not None
            if found == one:
                self.now += SECOND  # nothing leaves for a tenant that is away, but for a probe
            path.append(found.state)
            one = found
        return path


def let_xima_finish(xima: Sandbox, calls: int) -> None:
    """Wait until so many calls have come in, and Xima has done all it does."""
    until(lambda: len(xima.world.ledger()) >= calls and xima.world.in_flight == 0)


def check_told(one: Delivery) -> None:
    """The sender is told what the state says, and never that anybody was called or connected."""
    told = receipt.of_delivery(one, lambda _: "")
    assert told["state"] == one.state
    assert "connect" not in told["message"].replace("connection to Xima", "").replace("connection refused", "")
    assert ("accepted" in told["message"]) == (one.state == "accepted")
    assert told["reason"] or one.state == "accepted"
