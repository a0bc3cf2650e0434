"""Everything Xima may do to a call, over both paths, and what the adapter makes of it: the table of the design.

Here the adapter runs in this process on a clock that stands still, so that hours pass in a moment; store, HTTP
and the pretend Xima are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from running import free_port, until
from sample import NOW, SECOND

from adapter import receipt, sources
from adapter.dispatcher import Dispatcher, Timing
from adapter.intake import Intake
from adapter.model import Delivery, Received, State, check_move
from adapter.sandbox import Sandbox
from adapter.sources import Sources
from adapter.store import Store
from adapter.xima import Client, Tenant

from .conftest import effects

READ_TIMEOUT = 0.15
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
    click_to_dial: {agent: 0101, number_to_dial: 8015550142}
  - name: lead
    when: [{field: do, is: lead}]
    callback: {skill: Sales, callback_number: 8015550142}
  - name: lead again
    when: [{field: do, is: lead again}]
    callback: {skill: Sales, callback_number: 8015550142}
    if_unknown: again
  - name: select
    when: [{field: do, is: select}]
    deliver: queued
    select_caller_id: {agent: 0101, label: Main, outbound_caller_id: 8015550100}
phones:
  region: US
"""
PATHS = ("click", "lead", "lead again", "select")


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
        self.client = Client(tenant, read_timeout=READ_TIMEOUT)
        timing = Timing(patience=timedelta())
        self.dispatcher = Dispatcher(self.store, {"default": self.client}, self.clock, owner="one", timing=timing)
        self.intake = Intake(lambda: found, self.store, self.dispatcher, pool=pool, wait=timedelta(seconds=5))

    def clock(self) -> datetime:
        return self.now

    def receive(self, do: str) -> Delivery:
        """The event of this test, and what its sender is told."""
        self.requests += 1
        body = b'{"id": "%d", "do": "%s"}' % (self.event, do.encode())
        received = Received(method="POST", url="/hooks/any?key=s3cr3t", headers={}, body=body)
        (came,) = self.intake.take("any", received, request_id=f"r{self.requests}", now=self.now).came
        assert came.delivery is not None
        return came.delivery

    def close(self) -> None:
        self.dispatcher.close()
        self.client.close()
        self.store.close()

    def send(self, do: str) -> Delivery:
        """An event whose delivery is carried out once: at once, or when the dispatcher looks."""
        one = self.receive(do)
        return one if do == "click" else self.dispatcher.step() or one

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


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store, with everything else new."""
    return str(request.param)


@pytest.fixture(scope="module")
def office(kind: str) -> Iterator[Sandbox]:
    """One pretend Xima for all tests here; each gives it its own script."""
    with Sandbox.start() as office:
        yield office


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """One line to Xima for clicks."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def front_desk(
    request: pytest.FixtureRequest,
    kind: str,
    office: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
    pool: ThreadPoolExecutor,
) -> Iterator[Desk]:
    """One adapter for all tests here."""
    home = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{home / 'store.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_server").new_database()
    with closing(Desk(office.url, home, url, pool)) as desk:
        yield desk


@pytest.fixture
def desk(front_desk: Desk, office: Sandbox) -> Desk:
    """The adapter with a new event to receive, at a new moment."""
    office.world.clear()
    front_desk.event += 1
    front_desk.now += timedelta(hours=1)
    return front_desk


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
    "stall before the effect": open_question("delay: 250ms", None, happened=1),
    "stall after the effect": open_question("delay_answer: 250ms", None, happened=1),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_way_of_a_delivery(desk: Desk, office: Sandbox, case: Case, path: str) -> None:
    office.world.load(f"faults: [{{operation: any, times: 1, {case.fault}}}]")
    way, happened = case.way(path)
    one = desk.send(path)
    check_move("sending", one.state)
    assert one == desk.store.get(one.id)
    check_told(one)
    first = desk.store.attempts(one.id)[0]
    assert (first.phase, first.status) == (case.phase, case.status)
    assert desk.wait_for_the_end(one) == way
    until(lambda: office.world.in_flight == 0)  # Xima has done what it does
    assert len(effects(office)) == happened
    check_nothing_more_happens(desk, office, path, one)


def check_told(one: Delivery) -> None:
    """The sender is told what the state says, and never that anybody was called or connected."""
    told = receipt.of_delivery(one, lambda _: "")
    assert told["state"] == one.state
    assert "connect" not in told["message"].replace("connection to Xima", "").replace("connection refused", "")
    assert ("Xima accepted" in told["message"]) == (one.state == "accepted")
    assert told["reason"] or one.state == "accepted"


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
def test_a_xima_that_stays_away(tmp_path: Path, pool: ThreadPoolExecutor, path: str, state: str) -> None:
    """Nothing is sent, so a lead is tried until nobody wants it any more; a click fails while its agent waits."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(Desk(f"http://127.0.0.1:{free_port()}", tmp_path, url, pool)) as desk:
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


SWITCHES = {
    "agent_offline: 204-silent": ("click", "accepted", 0),
    "agent_offline: 409": ("click", "refused", 0),
    "agent_busy: 400": ("click", "refused", 0),
    "delay_before_204: 100ms": ("click", "accepted", 1),
    "uc_wait: 100ms": ("click", "accepted", 1),
    "duplicate_callback: 409": ("lead", "accepted", 1),
    "unknown_skill: 204-silent": ("lead", "accepted", 0),
    "skill_callback_disabled: 409": ("lead", "refused", 0),
    "skill_callback_disabled: 204-dropped": ("lead", "accepted", 0),
    "number_policy: nanp10": ("lead", "accepted", 1),
    "forbidden_agents: ['0101']": ("click", "refused", 0),
    "empty_optional: 400": ("click", "accepted", 1),
    "extra_fields: 400": ("click", "accepted", 1),
    "error_body: html": ("click", "accepted", 1),
    "odd_2xx: 202": ("click", "accepted", 1),
    "redirect: 308": ("click", "refused", 0),
    "token_revoked: yes": ("click", "refused", 0),
    "egress_cap: yes": ("click", "failed", 0),
}


@pytest.mark.parametrize(("switch", "expected"), SWITCHES.items(), ids=SWITCHES)
def test_what_xima_does_not_document_never_has_two_effects(
    desk: Desk, office: Sandbox, switch: str, expected: tuple[str, str, int]
) -> None:
    path, state, happened = expected
    people: dict[str, Any] = {
        "agent_offline": "agents: [{name: Pat, extension: '0101', logged_in: no}]",
        "agent_busy": "agents: [{name: Pat, extension: '0101', busy: yes}]",
        "unknown_skill": "skills: [{name: Other}]",
        "skill_callback_disabled": "skills: [{name: Sales, strategy: disabled}]",
    }
    staff = "agents: [{name: Pat, extension: '0101'}]\nskills: [{name: Sales}]\n"
    own = people.get(switch.partition(":")[0], "")
    kept = "\n".join(line for line in staff.splitlines() if line.partition(":")[0] != own.partition(":")[0])
    office.world.load(f"{kept}\n{own}\nswitches: {{{switch}}}")
    one = desk.send(path)
    assert one.state == state
    check_told(one)
    check_nothing_more_happens(desk, office, path, one)
    assert len(effects(office)) == happened
