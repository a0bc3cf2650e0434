"""Everything Xima may do to a call, over both paths, and what the adapter makes of it: the table of the design.

Here the adapter runs in this process on a clock that stands still, so that hours pass in a moment; store, HTTP
and the pretend Xima are real.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from running import free_port
from sample import NOW, SECOND

from adapter.model import Delivery, State, check_move
from adapter.sandbox import Sandbox

from .conftest import effects
from .desk import Desk, check_told, let_xima_finish

PATHS = ("click", "queued click", "lead", "prompt lead", "lead again", "select")


@dataclass(frozen=True)
class Case:
    """One thing that happens to the first call: the way of a click, a lead, a lead to be repeated, a caller id.

    A way is the states a delivery goes through once the fault is over, and how often it had its effect.
    """

    fault: str
    phase: str
    status: int | None
    click: str
    lead: str
    again: str
    select: str

    @property
    def stalls(self) -> bool:
        """Whether Xima answers too late; a moment of a machine that has much to do is no stall."""
        return "500ms" in self.fault

    def way(self, path: str) -> tuple[list[str], int]:
        way, _, happened = getattr(self, path.rpartition(" ")[2]).partition(" x")
        return way.split(" > "), int(happened)


def ending(fault: str, status: int, state: str) -> Case:
    """An answer that settles every action."""
    return Case(fault, "answered", status, *(4 * (f"{state} x0",)))


def later(fault: str, status: int) -> Case:
    """An answer that asks for another try: certainly nothing happened."""
    return Case(fault, "answered", status, *(4 * ("queued > accepted x1",)))


def open_question(fault: str, status: int | None, *, happened: int) -> Case:
    """What leaves open whether something happened: nobody but who may repeats it."""
    ends, repeats = f"unknown x{happened}", f"queued > accepted x{happened + 1}"
    return Case(fault, "answered" if status else "sent", status, ends, ends, repeats, repeats)


CASES = {
    "nothing goes wrong": Case("delay: 1ms", "answered", 204, *(4 * ("accepted x1",))),
    "200": ending("status: 200", 200, "accepted"),
    "202": ending("status: 202", 202, "accepted"),
    **{str(status): ending(f"status: {status}", status, "refused") for status in (301, 307, 400, 403, 404, 409, 422)},
    "401": Case(
        "status: 401",
        "answered",
        401,
        click="refused x0",
        lead="held > accepted x1",
        again="held > accepted x1",
        select="refused x0",
    ),
    "509": Case(
        "status: 509",
        "answered",
        509,
        click="failed x0",
        lead="held > accepted x1",
        again="held > accepted x1",
        select="failed x0",
    ),
    "429": later("status: 429", 429),
    "429 with Retry-After": later("status: 429, retry_after: 7", 429),
    "503 with Retry-After": later("status: 503, retry_after: 7", 503),
    "503": open_question("status: 503", 503, happened=0),
    "500": open_question("status: 500", 500, happened=0),
    "500 after the effect": open_question("status: 500, after_effect: yes", 500, happened=1),
    "502": open_question("status: 502", 502, happened=0),
    "closed": open_question("close_before_answer: yes", None, happened=0),
    "closed after the effect": open_question("drop_after_effect: yes", None, happened=1),
    "reset": open_question("reset: yes", None, happened=0),
    "reset after the effect": open_question("reset: after", None, happened=1),
    "garbage": open_question("garbage: yes", None, happened=0),
    "garbage after the effect": open_question("garbage: yes, after_effect: yes", None, happened=1),
    "stall before the effect": open_question("delay: 500ms", None, happened=1),
    "stall after the effect": open_question("delay_answer: 500ms", None, happened=1),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_way_of_a_delivery(desk: Desk, office: Sandbox, case: Case, path: str) -> None:
    office.world.load(f"faults: [{{operation: any, times: 1, {case.fault}}}]")
    way, happened = case.way(path)
    with desk.impatient(case.stalls):
        one = desk.send(path)
    check_move("sending", one.state)
    assert one == desk.store.get(one.id)
    check_told(one)
    first = desk.store.attempts(one.id)[0]
    assert (first.phase, first.status) == (case.phase, case.status)
    assert desk.wait_for_the_end(one) == way
    let_xima_finish(office, len(desk.store.attempts(one.id)))
    assert len(effects(office)) == happened
    check_nothing_more_happens(desk, office, path, one)


def check_nothing_more_happens(desk: Desk, office: Sandbox, path: str, one: Delivery) -> None:
    """Not by time, and not by a repeat of the event."""
    calls, ended = len(office.world.ledger()), desk.store.get(one.id)
    assert ended is not None
    assert ended.state in ("accepted", "refused", "failed", "unknown")
    desk.now += timedelta(hours=1)
    desk.dispatcher.sweep()
    assert desk.dispatcher.step() is None
    assert desk.receive(path) == ended == desk.store.get(one.id)
    assert desk.dispatcher.step() is None
    assert len(office.world.ledger()) == calls


@pytest.mark.parametrize(("path", "state"), [("click", "failed"), ("lead", "expired"), ("select", "expired")])
def test_a_xima_that_stays_away(tmp_path: Path, any_url: str, pool: ThreadPoolExecutor, path: str, state: str) -> None:
    """Nothing is sent, so a lead is tried until nobody wants it any more; a click fails while its agent waits."""
    with closing(Desk(f"http://127.0.0.1:{free_port()}", tmp_path, any_url, pool)) as desk:
        one = desk.send(path)
        at_once: State = "failed" if path == "click" else "queued"  # a click's agent is told, and never rung later
        assert (one.state, one.reason) == (at_once, "Xima could not be reached: connection refused")
        desk.wait_for_the_end(one)
        ended = desk.store.get(one.id)
        assert ended is not None
        assert ended.state == state
        assert ended.reason.endswith("Xima could not be reached: connection refused")
        assert {attempt.phase for attempt in desk.store.attempts(one.id)} == {"not_sent"}
        assert desk.now <= NOW + 11 * timedelta(minutes=1)


@pytest.mark.parametrize(("fault", "pause"), [("status: 401", 30), ("status: 509", 300)], ids=["401", "509"])
def test_a_callback_of_a_tenant_in_trouble_is_kept_until_it_is_too_old(
    desk: Desk, office: Sandbox, fault: str, pause: int
) -> None:
    office.world.load(f"faults: [{{operation: any, {fault}}}]")
    came = desk.now
    one = desk.send("lead")
    assert (one.state, one.due_at) == ("held", came + pause * SECOND)
    assert desk.wait_for_the_end(one)[-1] == "expired"
    assert timedelta(minutes=10) < desk.now - came <= timedelta(minutes=15)
    assert effects(office) == []


def test_a_repeat_that_may_do_harm_is_made_a_few_times_only(desk: Desk, office: Sandbox) -> None:
    """`if_unknown: again`, and Xima queues the callback every time it says that it had a fault."""
    office.world.load("faults: [{operation: any, status: 500, after_effect: yes}]")
    one = desk.send("lead again")
    assert desk.wait_for_the_end(one)[-1] == "unknown"
    assert 3 <= len(effects(office)) <= 9
