"""Several machines with one PostgreSQL database: nothing is taken twice, whoever is cut off and whatever restarts."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from processes import in_threads
from running import CLICK, Adapter, until
from sample import CALLBACK, SECOND, delivery
from store.contract import arrival

from adapter.model import Callback, Delivery
from adapter.sandbox import Sandbox
from adapter.store import Entry, Store
from benchmarks import postgres

from .conftest import A_CLICK, A_LEAD, Machine, effects
from .launcher import BRIEF, STEADY
from .test_crashes import STAFF, event

MANY = 400
LONG_ENOUGH = 5.0
"""Seconds of a lease that outlasts a busy moment, and runs out when its claim was lost with its database."""
LEADS = tuple(replace(CALLBACK, callback_number=f"801555{number:04d}") for number in range(MANY))


@pytest.fixture
def machines(tmp_path: Path, sandbox: Sandbox, postgres_url: str) -> Iterator[list[Machine]]:
    """Two machines, with nothing running on them yet."""
    found = []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        found.append(Machine(tmp_path / name, sandbox.url, ADAPTER_DATABASE_URL=postgres_url))
    yield found
    for machine in found:
        machine.signal(signal.SIGCONT)
        machine.stop()
        print(Counter(machine.states()), machine.adapter.log()[-10_000:])  # noqa: T201 - shown when a test failed


def waiting(number: int, action: Callback) -> Delivery:
    now = datetime.now(UTC)
    moments = {"created_at": now, "updated_at": now, "due_at": now, "expires_at": now + 600 * SECOND}
    return delivery(action, id=f"d{number:04d}", key=f"k{number}", **moments)


def put(url: str, actions: tuple[Callback, ...], *, first: int = 0) -> None:
    """Put leads into the queue, numbered from `first` on."""
    store = Store(url)
    now = datetime.now(UTC)
    entries = [
        Entry(note={}, delivery=waiting(number, action), remember_until=now + 600 * SECOND)
        for number, action in enumerate(actions, first)
    ]
    store.add(replace(arrival(), id=f"r{first}", received_at=now), entries)
    store.close()


def reached(sandbox: Sandbox) -> list[str]:
    """What was really asked of Xima, one entry an effect."""
    return [str(call["json"]) for call in sandbox.world.ledger() if call["effect"]]


def test_two_machines_that_start_at_once_make_one_store_and_stop_cleanly(
    tmp_path: Path, sandbox: Sandbox, postgres_url: str
) -> None:
    found = []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        found.append(Adapter(home=tmp_path / name, xima=sandbox.url, environ={"ADAPTER_DATABASE_URL": postgres_url}))
        found[-1].write("click", CLICK)
    east, west = found
    try:
        for one in found:
            one.start(ready=False)
        until(lambda: all(one.is_ready() for one in found))
        receipts = [one.post("click", body).json()["receipts"][0] for one in found for body in (A_CLICK, A_LEAD)]
        assert [one["state"] for one in receipts[:2]] == ["accepted", "queued"]
        assert [one["duplicate_of"] for one in receipts[2:]] == [one["id"] for one in receipts[:2]]
        until(lambda: sorted(effects(sandbox)) == ["callback", "click_to_dial"])
    finally:
        for one in found:
            one.stop()
    assert [process.returncode for one in found for process in one.processes] == [0, 0]
    assert "secret" not in east.log() + west.log()


def dispatch(*found: Machine, lease: float = STEADY) -> None:
    """Start two dispatchers on each machine, and wait until all are at work."""
    for machine in found:
        machine.start("dispatch", "dispatch", lease=lease)
    until(lambda: all(machine.adapter.log().count("dispatcher.started") == 2 for machine in found))


def accepted(machine: Machine) -> int:
    """How many deliveries came to their end on a machine; it says so a moment after the store knows."""
    return machine.adapter.log().count("delivery.accepted")


def test_four_dispatchers_on_two_machines_take_nothing_twice(machines: list[Machine], sandbox: Sandbox) -> None:
    sandbox.world.load("switches: {delay_before_204: 200ms}")  # so that none is done before all have begun
    dispatch(*machines)
    put(machines[0].adapter.database_url, LEADS)
    until(lambda: set(machines[0].states()) == {"accepted"})
    assert len(effects(sandbox)) == len(set(reached(sandbox))) == MANY
    assert [one for one in machines[0].deliveries() if one["attempt"] != one["tries"]] == [], "a claim was lost"
    until(lambda: sum(map(accepted, machines)) == MANY)
    assert min(map(accepted, machines)) > 0


def test_a_machine_that_was_cut_off_for_longer_than_its_lease_doubles_nothing(
    machines: list[Machine], sandbox: Sandbox
) -> None:
    sandbox.world.load("switches: {delay_before_204: 300ms}")
    east, west = machines
    dispatch(east, lease=BRIEF)
    put(east.adapter.database_url, LEADS[:240])
    until(lambda: "sending" in east.states())
    east.signal(signal.SIGSTOP)
    west.start("dispatch")
    held = all_done_beside(east, by=west)
    lost = {str(one["id"]) for one in west.deliveries() if one["state"] == "unknown"}
    assert lost
    assert lost <= held
    east.signal(signal.SIGCONT)  # the truth comes late: what Xima had accepted meanwhile is settled
    until(lambda: not reached_but_unknown(east, sandbox))
    assert set(east.states()) <= {"accepted", "unknown"}
    assert len(reached(sandbox)) == len(set(reached(sandbox)))


def all_done_beside(gone: Machine, *, by: Machine) -> set[str]:
    """Wait until a machine has done all there is; gives what one that is gone held, while it was taken for alive."""
    owners = tuple(f"dispatch-{process.pid}-" for process in gone.processes)
    held: set[str] = set()

    def is_done() -> bool:
        found = by.deliveries()
        held.update(str(one["id"]) for one in found if str(one["lease_owner"]).startswith(owners))
        return not {"queued", "sending"} & {one["state"] for one in found}

    until(is_done)
    return held


def reached_but_unknown(machine: Machine, sandbox: Sandbox) -> bool:
    """Whether something happened of which the store does not know yet."""
    return machine.states().count("accepted") < len(set(reached(sandbox)))


@pytest.fixture(scope="module")
def durable() -> Iterator[postgres.Server]:
    """A server of its own, which is as safe as PostgreSQL is by default."""
    if reason := postgres.obstacle():
        pytest.skip(reason)
    with postgres.running(options=()) as server:
        yield server


def test_the_database_restarted_in_the_midst_of_work(
    tmp_path: Path, sandbox: Sandbox, durable: postgres.Server
) -> None:
    """Four senders at once, who repeat what was not answered, as CRMs do; the server crashes three times."""
    sandbox.world.load(STAFF)
    machine = Machine(tmp_path, sandbox.url, ADAPTER_DATABASE_URL=durable.new_database())
    events = [event(number) for number in range(120)]
    answered: dict[bytes, str] = {}

    def send_some(bodies: list[bytes]) -> None:
        for body in bodies:
            while body not in answered:
                answer = machine.send(body)
                assert answer.status_code in (200, 503), answer.text
                if answer.ok:
                    answered[body] = answer.json()["receipts"][0]["id"]
                else:
                    time.sleep(0.05)

    def crash() -> None:
        for _ in range(3):
            time.sleep(0.4)
            durable.stop()
            with suppress(requests.RequestException):
                assert requests.get(f"{machine.adapter.url}/readyz", timeout=30).status_code == 503
            durable.start()

    try:
        machine.start("web", "dispatch", lease=LONG_ENOUGH)
        crashes = threading.Thread(target=crash)
        crashes.start()
        in_threads(send_some, [events[sender::4] for sender in range(4)])
        crashes.join()
        until(machine.adapter.is_ready)
        until(lambda: not {"queued", "sending"} & set(machine.states()))
        kept = {str(one["id"]): str(one["state"]) for one in machine.deliveries()}
        assert sorted(kept) == sorted(answered.values())
        assert set(kept.values()) <= {"accepted", "unknown"}
        assert len(reached(sandbox)) == len(set(reached(sandbox)))
        assert len(reached(sandbox)) >= list(kept.values()).count("accepted")
    finally:
        machine.stop()
