"""Processes killed at every boundary of a report: each end is told, at least once, and a repeat has the same id."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from receiver import WHSEC, Receiver, receiving
from running import CLICK, until

from .conftest import A_CLICK, A_LEAD, Machine
from .launcher import BRIEF


@pytest.fixture
def receiver(machine: Machine) -> Iterator[Receiver]:
    """Who is told what becomes of the machine's deliveries."""
    with receiving() as receiver:
        report = f"report:\n  to: {receiver.origin}/\n  secrets: [REPORT_SECRET]\n"
        machine.adapter.write("click", CLICK + report)
        machine.adapter.environ |= {"ADAPTER_REPORT_HOSTS": receiver.origin, "REPORT_SECRET": WHSEC}
        yield receiver


def told(receiver: Receiver) -> list[str]:
    return [one["type"] for one in receiver.verified()]


@pytest.mark.parametrize(
    ("point", "kind"),
    [("after the outcome is saved", "delivery.accepted"), ("after Xima's answer", "delivery.unknown")],
)
def test_the_end_of_a_click_whose_process_died_is_told(
    machine: Machine, receiver: Receiver, point: str, kind: str
) -> None:
    dead = machine.start("web", die=point)
    machine.post_into_the_void(A_CLICK)
    dead.join(60)
    assert receiver.heard == []
    machine.let_leases_run_out()
    machine.start("dispatch")
    until(lambda: receiver.heard)
    assert told(receiver) == [kind]


@pytest.mark.parametrize(
    ("point", "times"), [("after a report is taken", 1), ("after a report is posted", 2)], ids=["taken", "posted"]
)
def test_a_report_whose_process_died_is_told_by_the_next(
    machine: Machine, receiver: Receiver, point: str, times: int
) -> None:
    dead = machine.start("web", "dispatch", die=point, lease=BRIEF)
    kept = machine.post(A_LEAD)["id"]
    dead.join(60)
    assert not dead.is_alive()
    assert len(receiver.heard) == times - 1
    machine.start("dispatch")
    until(lambda: len(receiver.heard) == times)
    assert told(receiver) == ["delivery.accepted"] * times
    assert receiver.ids == [f"{kept}-1"] * times
