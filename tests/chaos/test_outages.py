"""Xima away and back, five repeats at once, answers that come late, and processes told to stop: all for real."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import requests
from processes import in_threads
from running import free_port, until

from adapter.sandbox import Sandbox

from .conftest import A_CLICK, A_LEAD, Machine, effects

SOON = 30.0
"""Seconds; an idle machine needs three, until the next probe of a Xima that was away."""


@pytest.fixture(scope="module")
def office() -> Iterator[Sandbox]:
    """One pretend Xima for all tests here; each gives it its own script."""
    with Sandbox.start() as office:
        yield office


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, office: Sandbox) -> Iterator[Machine]:
    """One running adapter for all tests here: two web workers with a short wait, and a dispatcher."""
    machine = Machine(tmp_path_factory.mktemp("shared"), office.url, ADAPTER_WORKERS="2", ADAPTER_WAIT="1s")
    machine.start("web", "dispatch")
    yield machine
    machine.stop()


def status(receipt: dict[str, Any]) -> dict[str, Any]:
    found = requests.get(receipt["status_url"], timeout=30).json()
    assert isinstance(found, dict)
    return found


def test_a_callback_leaves_soon_after_ximas_return_and_a_click_not_at_all(tmp_path: Path) -> None:
    port = free_port()
    machine = Machine(tmp_path, f"http://127.0.0.1:{port}")
    try:
        machine.start("web", "dispatch")
        lead, click = machine.post(A_LEAD), machine.post(A_CLICK)
        assert lead["state"] == "queued"
        ended = until(lambda: (found := status(click))["state"] in ("failed", "expired") and found)
        assert "Xima could not be reached: connection refused" in ended["reason"]
        assert "will not be" in ended["message"]
        until(lambda: len(status(lead)["attempts"]) >= 3)
        with Sandbox.start(port=port) as xima:
            until(lambda: effects(xima), seconds=SOON)
            until(lambda: status(lead)["state"] == "accepted")
            assert effects(xima) == ["callback"]
            assert [call["operation"] for call in xima.world.ledger()] == ["callback"]
            assert status(click)["state"] == ended["state"]
    finally:
        machine.stop()


@pytest.mark.parametrize("body", [A_CLICK, A_LEAD], ids=["click", "lead"])
def test_one_event_five_times_at_once_is_one_call_and_five_answers(
    shared: Machine, office: Sandbox, body: bytes
) -> None:
    office.world.load("switches: {delay_before_204: 100ms}")
    office.world.clear()
    receipts = in_threads(lambda _: shared.post(body), range(5))
    assert len({one["id"] for one in receipts}) == 1
    assert sorted(one["duplicate_of"] is None for one in receipts) == [False] * 4 + [True]
    assert {one["duplicate_of"] for one in receipts} == {None, receipts[0]["id"]}
    until(lambda: status(receipts[0])["state"] == "accepted")
    assert len(office.world.ledger()) == 1


def test_a_click_answered_too_late_is_sending_in_the_answer_and_accepted_in_its_status(
    shared: Machine, office: Sandbox
) -> None:
    office.world.load("faults: [{operation: click_to_dial, delay_answer: 6s}]")
    office.world.clear()
    receipt = shared.post(A_CLICK.replace(b'"1"', b'"late"'))
    assert (receipt["state"], status(receipt)["state"]) == ("sending", "sending")
    assert receipt["message"].endswith("is on its way to Xima; the answer has not come yet.")
    settled = until(lambda: (found := status(receipt))["state"] != "sending" and found)
    assert (settled["state"], len(settled["attempts"])) == ("accepted", 1)
    assert settled["attempts"][0]["duration_ms"] >= 800
    assert effects(office) == ["click_to_dial"]


def ask_to_stop(process: BaseProcess) -> None:
    assert process.pid
    os.kill(process.pid, signal.SIGTERM)


def threads(process: BaseProcess) -> int:
    return len([*Path(f"/proc/{process.pid}/task").glob("*")])


def test_a_web_process_told_to_stop_finishes_its_click_even_when_it_was_answered_already(
    machine: Machine, sandbox: Sandbox
) -> None:
    sandbox.world.load("faults: [{operation: click_to_dial, delay_answer: 3s}]")
    machine.adapter.environ["ADAPTER_WAIT"] = "1s"
    web = machine.start("web")
    assert machine.post(A_CLICK)["state"] == "sending"
    ask_to_stop(web)
    web.join(60)
    assert (web.exitcode, machine.states(), effects(sandbox)) == (0, ["accepted"], ["click_to_dial"])


def test_a_dispatcher_told_to_stop_finishes_its_call_and_claims_no_other(machine: Machine, sandbox: Sandbox) -> None:
    sandbox.world.load("faults: [{operation: callback, delay_answer: 3s}]")
    dispatcher = machine.start("web", "dispatch")
    machine.post(A_LEAD)
    until(lambda: effects(sandbox))
    busy = threads(dispatcher)
    ask_to_stop(dispatcher)
    until(lambda: threads(dispatcher) < busy)  # it heard of it: those that look after the store have ended
    machine.post(A_LEAD.replace(b'"2"', b'"3"'))
    dispatcher.join(60)
    assert (dispatcher.exitcode, machine.states(), effects(sandbox)) == (0, ["accepted", "queued"], ["callback"])
