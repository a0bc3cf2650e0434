"""Salesforce as a SOAP client that has read the WSDL: one Ack for 100 notifications, and none of them twice or lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from chaos import launcher
from chaos.conftest import Machine
from running import until
from zeep import Client, Transport
from zeep.exceptions import Fault, TransportError

from adapter.sandbox import Sandbox

WSDL = Path(__file__).parents[1] / "data/outbound.wsdl"
ORGANIZATION = "00Dxx0000000001EAA"
MAPPING = f"""
format: 1
name: leads
receive:
  from: salesforce-outbound
  organization: {ORGANIZATION}
  also:
    - query_token: key
      secrets: [HOOK_SECRET]
phones:
  region: US
rules:
  - name: lead
    when:
      - field: sObject.Phone
        present: yes
    callback:
      skill: Sales
      callback_number: ${{sObject.Phone}}
"""
KEY = "a-key-in-the-url"
PORT = "{http://soap.sforce.com/2005/09/outbound}NotificationBinding"


class Salesforce:
    """An outbound message of leads, sent by a client that knows nothing of us but the WSDL and the URL."""

    def __init__(self, url: str) -> None:
        self.session = requests.Session()
        # zeep declares itself typed, but these three are not.
        transport = Transport(session=self.session, operation_timeout=30)  # type: ignore[no-untyped-call]
        client = Client(str(WSDL), transport=transport)  # type: ignore[no-untyped-call]
        self._service = client.create_service(PORT, url)  # type: ignore[no-untyped-call]

    def send(self, leads: list[int], *, organization: str = ORGANIZATION) -> Any:
        """What the client understands of the answer to a message of these leads."""
        return self._service.notifications(
            OrganizationId=organization,
            ActionId="04kxx0000000001AAA",
            SessionId=None,
            EnterpriseUrl="https://example.my.salesforce.com/services/Soap/c/61.0/00Dxx0000000001",
            PartnerUrl="https://example.my.salesforce.com/services/Soap/u/61.0/00Dxx0000000001",
            Notification=[notification(number) for number in leads],
        )


def phone(number: int) -> str:
    return f"801555{number:04d}"


def notification(number: int) -> dict[str, Any]:
    lead = {"Id": f"00Qxx00000{number:05d}AAA", "LastName": f"Müller & Söhne <{number}>", "DoNotCall": False}
    return {
        "Id": f"04lxx00000{number:05d}AAA",
        "sObject": {**lead, "Phone": f"({phone(number)[:3]}) {phone(number)[3:]}"},
    }


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Iterator[Machine]:
    """A machine with the mapping of the leads, and nothing running on it yet."""
    machine = Machine(tmp_path, sandbox.url, HOOK_SECRET=KEY)
    machine.adapter.write("leads", MAPPING)
    yield machine
    machine.stop()


@pytest.fixture
def salesforce(machine: Machine) -> Iterator[Salesforce]:
    """The sender, with the URL that an admin enters."""
    sender = Salesforce(f"{machine.adapter.url}/hooks/leads?key={KEY}")
    yield sender
    sender.session.close()


HUNDRED = list(range(100, 200))


def called(sandbox: Sandbox) -> list[str]:
    """The numbers for which a callback really came into Xima's queue, as its own ledger says."""
    return sorted(call["json"]["callbackNumber"] for call in sandbox.world.ledger() if call["effect"])


def check_each_was_called_once(machine: Machine, sandbox: Sandbox, leads: list[int]) -> None:
    until(lambda: set(machine.states()) == {"accepted"})
    assert called(sandbox) == [phone(number) for number in leads]
    assert len(machine.deliveries()) == len(leads)


def test_a_hundred_notifications_get_one_ack_and_a_hundred_callbacks(
    machine: Machine, salesforce: Salesforce, sandbox: Sandbox
) -> None:
    machine.start("web")
    assert salesforce.send(HUNDRED) is True
    assert machine.states() == ["queued"] * 100  # at the latest when the Ack is there
    machine.start("dispatch")
    check_each_was_called_once(machine, sandbox, HUNDRED)


def test_a_single_notification_is_understood_too(machine: Machine, salesforce: Salesforce, sandbox: Sandbox) -> None:
    machine.start("web", "dispatch")
    assert salesforce.send([7]) is True
    check_each_was_called_once(machine, sandbox, [7])


def test_what_is_resent_after_its_ack_and_comes_mixed_with_new_ones_happens_once(
    machine: Machine, salesforce: Salesforce, sandbox: Sandbox
) -> None:
    machine.start("web", "dispatch")
    for leads in (HUNDRED, HUNDRED, HUNDRED[::-1], [*HUNDRED[50:], *range(200, 250)]):
        assert salesforce.send(leads) is True
    check_each_was_called_once(machine, sandbox, list(range(100, 250)))


@pytest.mark.parametrize(
    ("point", "kept"),
    [("before the commit", 0), ("with half of a hundred rows written", 0), ("after the commit", 100)],
)
def test_a_message_whose_process_died_is_resent_and_nothing_happens_twice(
    machine: Machine, salesforce: Salesforce, sandbox: Sandbox, point: str, kept: int
) -> None:
    dead = machine.start("web", die=point)
    with pytest.raises(requests.ConnectionError):  # no Ack, so Salesforce will come again
        salesforce.send(HUNDRED)
    dead.join(60)
    assert len(machine.deliveries()) == kept  # all or none
    machine.start("web", "dispatch")
    assert salesforce.send(HUNDRED) is True
    check_each_was_called_once(machine, sandbox, HUNDRED)


def test_killed_while_the_queue_is_being_sent_the_resend_calls_nobody_again(
    machine: Machine, salesforce: Salesforce, sandbox: Sandbox
) -> None:
    sandbox.world.load("switches: {delay_before_204: 20ms}")
    web = machine.start("dispatch", "web")
    assert salesforce.send(HUNDRED) is True
    until(lambda: len(called(sandbox)) > 20)
    launcher.kill(web)
    machine.start("web")
    assert salesforce.send(HUNDRED) is True
    check_each_was_called_once(machine, sandbox, HUNDRED)


def test_power_cuts_at_any_moment_while_it_resends_until_it_is_acked(
    machine: Machine, salesforce: Salesforce, sandbox: Sandbox
) -> None:
    """Five messages of a hundred; the machine goes down again and again, a little later each time."""
    messages = [list(range(first, first + 100)) for first in range(0, 500, 100)]
    sandbox.world.load("switches: {delay_before_204: 5ms}")
    acked = 0
    for seconds in (0.02, 0.05, 0.1, 0.2, 0.4, 60):
        machine.start("web", "dispatch")
        cut = threading.Timer(seconds, machine.stop)
        cut.start()
        with suppress(requests.RequestException):
            while acked < len(messages):
                assert salesforce.send(messages[acked]) is True
                acked += 1
        cut.join(0 if seconds > 1 else None)
        cut.cancel()
    assert acked == len(messages)
    until(lambda: not {"queued", "sending"} & set(machine.states()))
    assert len(machine.deliveries()) == 500
    assert len(called(sandbox)) == len(set(called(sandbox)))  # nobody twice
    unknown = machine.states().count("unknown")  # a call that was under way when the power went: a person decides
    assert len(called(sandbox)) >= 500 - unknown
    assert set(machine.states()) <= {"accepted", "unknown"}


@pytest.mark.parametrize("wrong", ["key", "organisation"])
def test_another_sender_gets_no_ack(machine: Machine, salesforce: Salesforce, wrong: str) -> None:
    machine.start("web")
    sender = salesforce if wrong == "organisation" else Salesforce(f"{machine.adapter.url}/hooks/leads?key=other")
    other = "00Dxx0000000002EAA" if wrong == "organisation" else ORGANIZATION
    with pytest.raises((Fault, TransportError)):
        sender.send([1], organization=other)
    sender.session.close()
    assert machine.deliveries() == []
