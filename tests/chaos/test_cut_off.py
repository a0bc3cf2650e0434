"""A machine whose network is pulled out in the midst of work, beside one that goes on; and its return."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running import until

from adapter.policy import Verdict
from adapter.sandbox import Sandbox
from adapter.store import Store
from benchmarks import postgres

from .conftest import Machine
from .launcher import BRIEF
from .test_machines import LEADS, all_done_beside, put, reached
from .wires import Wire, wires

SLOW = "switches: {delay_before_204: 300ms}"


@pytest.fixture
def lines() -> Iterator[list[Wire]]:
    """The wires to both machines."""
    with wires("east", "west") as found:
        yield found


@pytest.fixture
def database(lines: list[Wire]) -> Iterator[str]:
    """An empty database of a server that both machines reach; the host of its address is to be filled in."""
    if reason := postgres.obstacle():
        pytest.skip(reason)
    with postgres.running(options=("listen_addresses=*", *postgres.FAST)) as server:
        with (server.home / "data/pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.0.0.0/8 scram-sha-256\n")
        server.run("pg_ctl", "reload", "-D", str(server.home / "data"))
        yield server.new_database().replace("127.0.0.1", "{host}")


@pytest.fixture
def office() -> Iterator[Sandbox]:
    """A pretend Xima that both machines reach."""
    with Sandbox.start("0.0.0.0", script=SLOW) as office:  # that is what both reach
        yield office


@pytest.fixture
def machines(tmp_path: Path, lines: list[Wire], database: str, office: Sandbox) -> Iterator[list[Machine]]:
    """Two machines in networks of their own, with nothing running on them yet."""
    found = []
    for wire in lines:
        home = tmp_path / wire.network
        home.mkdir()
        xima = office.url.replace("0.0.0.0", wire.address)
        url = database.format(host=wire.address)
        found.append(Machine(home, xima, network=wire.network, ADAPTER_DATABASE_URL=url))
    yield found
    for machine in found:
        machine.stop()


def with_state(machine: Machine, state: str) -> set[str]:
    return {str(one["id"]) for one in machine.deliveries() if one["state"] == state}


def happened(office: Sandbox) -> set[str]:
    """The deliveries that had an effect, by the last digits of their numbers."""
    return {f"d{call['json']['callbackNumber'][-4:]}" for call in office.world.ledger() if call["effect"]}


def test_a_machine_that_is_cut_off_is_replaced_and_its_late_answers_overwrite_nothing(
    machines: list[Machine], lines: list[Wire], office: Sandbox
) -> None:
    (east, west), (wire, _) = machines, lines
    url = west.adapter.database_url
    east.start("dispatch", lease=BRIEF)
    put(url, LEADS[:240])
    until(lambda: len(reached(office)) > 20 and with_state(west, "sending"))
    wire.cut()
    west.start("dispatch")
    held = all_done_beside(east, by=west)
    lost = with_state(west, "unknown")
    assert lost
    assert lost <= held
    assert len(reached(office)) == len(set(reached(office)))
    settled = settle(url, min(lost))
    west.stop()
    wire.mend()
    # what Xima had said meanwhile becomes known; what had not left the machine stays unsent
    until(lambda: with_state(east, "accepted") == happened(office) | {settled})
    (kept,) = (one for one in east.deliveries() if one["id"] == settled)
    assert (kept["state"], kept["reason"]) == ("accepted", "it rang, says Pat")
    put(url, LEADS[240:250], first=240)
    until(lambda: with_state(east, "accepted") >= {f"d{number:04}" for number in range(240, 250)})
    assert len(reached(office)) == len(set(reached(office)))


def settle(url: str, name: str) -> str:
    """A person says of a delivery that it rang; gives its id."""
    store = Store(url)
    one = store.get(name)
    assert one is not None
    now = datetime.now(UTC)
    verdict = Verdict(state="accepted", reason="it rang, says Pat", due_at=now, expires_at=one.expires_at)
    store.act(one, verdict, who="Pat", now=now)
    store.close()
    return one.id
