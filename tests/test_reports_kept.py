"""Reports and calls of a running adapter: a slow receiver delays nobody, and a killed process forgets nothing."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import requests
from receiver import WHSEC, Receiver, receiving
from running import CLICK, Adapter, free_port, running, until

from adapter.reporting.posting import TIMEOUTS
from adapter.reporting.reporter import EACH
from adapter.sandbox import Sandbox
from adapter.store import Store

SENT = 'xima_adapter_reports_total{mapping="click",result="sent"} 3.0'
ids = count(1)


@contextlib.contextmanager
def reporting(home: Path, xima: str, to: str, **environ: str) -> Iterator[Adapter]:
    """An adapter, not yet started, whose mapping reports to a URL."""
    given = {"ADAPTER_REPORT_HOSTS": to.partition("/hooks")[0], "REPORT_SECRET": WHSEC, **environ}
    report = f"report:\n  to: {to}\n  secrets: [REPORT_SECRET]\n  include:\n    event: ${{id}}\n"
    with running(home, xima, start=False, **given) as adapter:
        adapter.write("click", CLICK + report)
        with contextlib.closing(adapter.store()) as store:
            store.upgrade()
        yield adapter


def post(adapter: Adapter, **record: str) -> dict[str, Any]:
    """The receipt of one record."""
    body = json.dumps({"id": f"e{next(ids)}", "phone": "801-555-0142", **record}).encode()
    answer = adapter.post("click", body)
    assert answer.status_code == 200, answer.text
    (receipt,) = answer.json()["receipts"]
    assert isinstance(receipt, dict)
    return receipt


def measured(adapter: Adapter) -> set[str]:
    return set(requests.get(f"{adapter.url}/metrics", timeout=30).text.splitlines())


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(one["type"], one["data"]["id"]) for one in receiver.verified()]


def test_clicks_and_callbacks_are_reported_with_a_link_that_works(
    tmp_path: Path, sandbox: Sandbox, any_url: str
) -> None:
    with (
        receiving() as receiver,
        reporting(tmp_path, sandbox.url, f"{receiver.origin}/hooks/x", ADAPTER_DATABASE_URL=any_url) as adapter,
    ):
        adapter.start()
        click = post(adapter, agent="0101")
        assert click["state"] == "accepted"
        until(lambda: len(receiver.heard) == 1)
        lead = post(adapter, skill="Sales", phone="801-555-0143")
        refused = post(adapter, skill="No such skill", phone="801-555-0144")
        until(lambda: len(receiver.heard) == 3)
        found = told(receiver)
        assert found[0] == ("delivery.accepted", click["id"])
        assert set(found[1:]) == {("delivery.accepted", lead["id"]), ("delivery.refused", refused["id"])}
        data = receiver.verified()[0]["data"]
        assert {**data, "status_url": "", "include": ""} == {**click, "status_url": "", "include": ""}
        assert data["include"]["event"].startswith("e")
        assert requests.get(data["status_url"], timeout=30).json()["state"] == "accepted"
        until(lambda: {"xima_adapter_reports_pending 0.0", SENT} <= measured(adapter))
        assert WHSEC not in adapter.log()
        assert "report.sent" in adapter.log()


def test_a_receiver_that_never_answers_delays_no_call(tmp_path: Path, sandbox: Sandbox) -> None:
    """While reports wait for it all the time, a click and a lead are done sooner than it is waited for once."""
    with (
        receiving(hangs=True) as receiver,
        reporting(tmp_path, sandbox.url, f"{receiver.origin}/hooks") as adapter,
        contextlib.closing(adapter.store()) as store,
    ):
        adapter.start()
        for _ in range(8):
            post(adapter, skill="Sales")
        until(lambda: len(receiver.heard) >= EACH)
        until(lambda: _seconds(adapter, store) < TIMEOUTS[1])  # a slow machine may need some tries
        receiver.hangs = False
        receiver.stopping.set()


def _seconds(adapter: Adapter, store: Store) -> float:
    """How long it takes until a click and a lead are accepted."""
    begun = time.monotonic()
    assert post(adapter, agent="0101")["state"] == "accepted"
    lead = post(adapter, skill="Sales")
    until(lambda: (one := store.get(lead["id"])) and one.state == "accepted")
    return time.monotonic() - begun


def test_a_dispatcher_that_is_killed_while_the_receiver_is_down_forgets_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    port = free_port()
    with reporting(tmp_path, sandbox.url, f"http://127.0.0.1:{port}/hooks") as adapter:
        adapter.start("web")
        dispatcher = adapter.start("dispatch")
        lead = post(adapter, skill="Sales")
        with contextlib.closing(adapter.store()) as store:
            until(lambda: (one := store.get(lead["id"])) and one.state == "accepted")
            dispatcher.send_signal(signal.SIGKILL)
            dispatcher.wait()
            assert store.reports.pending()[0] == 1
            with receiving(port) as receiver:
                adapter.start("dispatch")
                until(lambda: receiver.heard)
                assert told(receiver) == [("delivery.accepted", lead["id"])]
                assert receiver.ids == [f"{lead['id']}-1"]
                until(lambda: store.reports.pending()[0] == 0)
