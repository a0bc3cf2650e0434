"""Processes killed with SIGKILL at every boundary: nothing happens twice, and nothing that was answered is lost."""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress

import pytest
import requests
from processes import in_threads
from running import until

from adapter.sandbox import Sandbox

from . import launcher
from .conftest import A_CLICK, A_LEAD, Machine, effects

SLOW = "faults: [{operation: any, delay_answer: 60s, times: 1}]"
"""Xima rings the phone at once and answers far too late."""


def check_repeat(machine: Machine, sandbox: Sandbox, body: bytes, state: str, happened: list[str]) -> None:
    """The sender's repeat is recognised, changes nothing, and leads to no second call."""
    (kept,) = machine.deliveries()
    receipt = machine.post(body)
    assert (receipt["id"], receipt["duplicate_of"], receipt["state"]) == (kept["id"], kept["id"], state)
    time.sleep(0.3)  # three looks of the dispatcher at the queue
    assert (machine.states(), effects(sandbox)) == ([state], happened)


@pytest.mark.parametrize("body", [A_CLICK, A_LEAD], ids=["click", "lead"])
def test_before_the_commit_nothing_was_kept_and_the_repeat_is_the_first(
    machine: Machine, sandbox: Sandbox, body: bytes
) -> None:
    dead = machine.start("web", die="before the commit")
    machine.post_into_the_void(body)
    dead.join(60)
    assert (machine.deliveries(), sandbox.world.ledger()) == ([], [])
    machine.start("web", "dispatch")
    assert machine.post(body)["duplicate_of"] is None
    until(lambda: machine.states() == ["accepted"])
    assert len(effects(sandbox)) == 1


@pytest.mark.parametrize(
    ("point", "state", "happened"),
    [
        ("after the commit", "unknown", []),
        ("after Xima's answer", "unknown", ["click_to_dial"]),
        ("after the outcome is saved", "accepted", ["click_to_dial"]),
    ],
)
def test_a_click_whose_process_died(
    machine: Machine, sandbox: Sandbox, point: str, state: str, happened: list[str]
) -> None:
    dead = machine.start("web", die=point)
    machine.post_into_the_void(A_CLICK)
    dead.join(60)
    assert machine.states() == ["accepted" if state == "accepted" else "sending"]
    machine.let_leases_run_out()
    machine.start("web", "dispatch")
    until(lambda: machine.states() == [state])
    check_repeat(machine, sandbox, A_CLICK, state, happened)


def test_a_click_killed_while_xima_holds_the_answer_is_unknown_and_never_dialled_again(
    machine: Machine, sandbox: Sandbox
) -> None:
    sandbox.world.load(SLOW)
    machine.adapter.environ["ADAPTER_WAIT"] = "1s"
    web = machine.start("web")
    receipt = machine.post(A_CLICK)
    assert receipt["state"] == "sending"
    assert until(lambda: effects(sandbox)) == ["click_to_dial"]
    launcher.kill(web)
    machine.let_leases_run_out()
    machine.start("web", "dispatch")
    until(lambda: machine.states() == ["unknown"])
    check_repeat(machine, sandbox, A_CLICK, "unknown", ["click_to_dial"])


def test_a_lead_killed_between_commit_and_answer_is_delivered_once(machine: Machine, sandbox: Sandbox) -> None:
    dead = machine.start("web", die="after the commit")
    machine.post_into_the_void(A_LEAD)
    dead.join(60)
    assert machine.states() == ["queued"]
    machine.start("web", "dispatch")
    assert machine.post(A_LEAD)["duplicate_of"]
    until(lambda: machine.states() == ["accepted"])
    check_repeat(machine, sandbox, A_LEAD, "accepted", ["callback"])


def test_a_lead_that_was_answered_and_not_yet_claimed_is_delivered(machine: Machine, sandbox: Sandbox) -> None:
    web = machine.start("web")
    receipt = machine.post(A_LEAD)
    assert receipt["state"] == "queued"
    launcher.kill(web)
    assert sandbox.world.ledger() == []
    machine.start("web", "dispatch")
    until(lambda: machine.states() == ["accepted"])
    check_repeat(machine, sandbox, A_LEAD, "accepted", ["callback"])


@pytest.mark.parametrize(
    ("point", "state", "happened"),
    [
        ("after the claim", "unknown", []),
        ("after Xima's answer", "unknown", ["callback"]),
        ("after the outcome is saved", "accepted", ["callback"]),
    ],
)
def test_a_lead_whose_dispatcher_died(
    machine: Machine, sandbox: Sandbox, point: str, state: str, happened: list[str]
) -> None:
    dead = machine.start("web", "dispatch", die=point)
    machine.post(A_LEAD)
    dead.join(60)
    assert not dead.is_alive()
    machine.let_leases_run_out()
    machine.start("dispatch")
    until(lambda: machine.states() == [state])
    check_repeat(machine, sandbox, A_LEAD, state, happened)


def test_a_lead_killed_while_xima_holds_the_answer_is_unknown_and_never_queued_again(
    machine: Machine, sandbox: Sandbox
) -> None:
    sandbox.world.load(SLOW)
    dispatcher = machine.start("web", "dispatch")
    machine.post(A_LEAD)
    until(lambda: effects(sandbox))
    launcher.kill(dispatcher)
    machine.let_leases_run_out()
    machine.start("dispatch")
    until(lambda: machine.states() == ["unknown"])
    check_repeat(machine, sandbox, A_LEAD, "unknown", ["callback"])


_AGENTS = ", ".join(f"{{extension: '{number:04}', name: Pat}}" for number in range(120))
STAFF = f"agents: [{_AGENTS}]\nswitches: {{delay_before_204: 20ms}}"
"""An office with an agent for each event, for an agent has one dial at a time."""


def event(number: int) -> bytes:
    """One of many events: every other one a click, each with a telephone number and an agent of its own."""
    body = A_LEAD if number % 2 else A_CLICK
    own = b"%04d" % number
    return re.sub(rb'"id": "."', b'"id": "%d"' % number, body).replace(b"0142", own).replace(b"0101", own)


def test_everything_killed_in_the_midst_of_work(machine: Machine, sandbox: Sandbox) -> None:
    """Four senders at once, who repeat what was not answered, as CRMs do; three power cuts."""
    sandbox.world.load(STAFF)
    events = [event(number) for number in range(60)]
    answered: dict[bytes, str] = {}

    def send_some(bodies: list[bytes]) -> None:
        with suppress(requests.RequestException):
            for body in bodies:
                answered[body] = machine.post(body)["id"]

    def send_what_is_left() -> None:
        left = [body for body in events if body not in answered]
        in_threads(send_some, [left[sender::4] for sender in range(4)])

    for _ in range(3):
        machine.start("web", "dispatch")
        cut = threading.Timer(0.3, machine.stop)
        cut.start()
        send_what_is_left()
        cut.join()
        machine.let_leases_run_out()
    machine.start("web", "dispatch")
    send_what_is_left()
    assert len(answered) == len(events)
    until(lambda: not {"queued", "sending"} & set(machine.states()))
    kept = {str(one["id"]): str(one["state"]) for one in machine.deliveries()}
    assert sorted(kept) == sorted(answered.values())
    assert set(kept.values()) <= {"accepted", "unknown"}
    reached = [str(call["json"]) for call in sandbox.world.ledger() if call["effect"]]
    assert len(reached) == len(set(reached))  # no number twice
    assert len(reached) >= list(kept.values()).count("accepted")
