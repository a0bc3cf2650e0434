"""What reaches Xima when requests, rules and outages meet: a real store, a real dispatcher, the sandbox's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, delivery

from adapter.cli.recovery import decided
from adapter.dispatcher import Dispatcher, Timing
from adapter.model import Action, Delivery, Outcome
from adapter.sandbox import Sandbox
from adapter.store import Arrival, Entry, Kept, Store
from adapter.xima import Client, Tenant

MINUTE = 60 * SECOND
FRESH = 10 * MINUTE
QUIET = {"fresh_for": FRESH.total_seconds(), "numbers": ["h1"], "quiet": FRESH.total_seconds()}


class Line:
    """The way to the sandbox; before a request takes it, one of `said` is the answer for each."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.said: list[Outcome] = []

    def carry_out(self, action: Action) -> Outcome:
        return self.said.pop(0) if self.said else self._client.carry_out(action)


class House:
    """A store and its dispatcher, with a clock that is turned by hand."""

    def __init__(self, store: Store, sandbox: Sandbox, client: Client) -> None:
        self.store, self.sandbox, self.line, self.now = store, sandbox, Line(client), NOW
        self.dispatcher = self.other_dispatcher(Timing())

    def other_dispatcher(self, timing: Timing) -> Dispatcher:
        return Dispatcher(self.store, {"default": self.line}, lambda: self.now, owner="one", timing=timing)

    def asks(self, *many: Delivery) -> list[Kept]:
        """A request that comes now, with these deliveries."""
        came = Arrival(
            id=f"of {many[0].id}",
            mapping="lead",
            version="v1",
            received_at=self.now,
            method="POST",
            url="/",
            headers={},
            body=b"",
        )
        kept = self.store.add(came, [Entry(note={}, delivery=one, remember_until=NOW + 99 * FRESH) for one in many])
        return [one for one in kept if one]

    def asked(self, name: str, action: Action = CALLBACK, **changes: Any) -> Delivery:
        """A wish of this moment for the one number."""
        moments = {"created_at": self.now, "updated_at": self.now, "due_at": self.now, "expires_at": self.now + FRESH}
        given = {"id": name, "key": name, "request_id": f"of {name}", "terms": QUIET, "deliver": "queued"}
        return delivery(action, **{**given, **moments, **changes})

    def works(self, until: datetime | None = None, *, step: timedelta = SECOND) -> None:
        """Do all that is due, now or second by second."""
        while True:
            while self.dispatcher.step() or self.dispatcher.step():  # a look may find only what is not sent any more
                pass
            if until is None or self.now >= until:
                return
            self.now += step

    def got(self, name: str) -> Delivery:
        found = self.store.get(name)
        assert found is not None
        return found

    def ledger(self) -> list[str]:
        """The operations that had an effect at Xima, in their order."""
        return [str(one["operation"]) for one in self.sandbox.world.ledger() if one["effect"]]


@pytest.fixture
def house(store: Store, sandbox: Sandbox) -> Iterator[House]:
    tenant = Tenant(name="default", base_url=sandbox.url, token="sandbox-token")
    with closing(Client(tenant)) as client:
        made = House(store, sandbox, client)
        with closing(made.dispatcher):
            yield made


# a second request


def test_a_request_is_not_thrown_away_for_one_that_nobody_will_send_any_more(house: House) -> None:
    """The dispatcher is down for 25 minutes; the person asks again after 20."""
    house.asks(house.asked("first"))
    house.now += 20 * MINUTE
    (second,) = house.asks(house.asked("second"))
    assert second.delivery.state == "queued"
    house.now += 5 * MINUTE
    house.works()
    assert (house.got("first").state, house.got("second").state) == ("expired", "accepted")
    assert len(house.ledger()) == 1


def test_a_click_is_not_answered_with_one_that_is_too_old_to_be_dialled(house: House) -> None:
    house.asks(house.asked("first", CLICK, expires_at=NOW + 30 * SECOND))
    house.now += FRESH
    (second,) = house.asks(house.asked("second", CLICK))
    assert (second.duplicate, second.delivery.state) == (False, "queued")
    house.works()
    assert (house.got("first").state, house.got("second").state) == ("expired", "accepted")
    assert len(house.ledger()) == 1


def held_after_an_outage(house: House) -> list[Delivery]:
    """The number's request is held for a question; then the person asks again, and is called. Gives the question."""
    house.asks(house.asked("other", replace(CALLBACK, callback_number="8015550199"), terms={"fresh_for": 600.0}))
    house.asks(house.asked("first"))
    house.now += 2 * MINUTE
    with closing(house.other_dispatcher(Timing(ask=1))) as asking:
        assert asking.step() is None
    house.now += timedelta(hours=1)
    house.asks(house.asked("second"))
    house.works()
    assert house.got("second").state == "accepted"
    return house.store.rules.backlog()


def test_new_requests_are_sent_while_it_is_asked_what_becomes_of_old_ones(house: House) -> None:
    assert [one.id for one in held_after_an_outage(house)] == ["other", "first"]
    assert len(house.ledger()) == 1


@pytest.mark.parametrize("wait", [MINUTE, timedelta(hours=5)], ids=["soon", "hours later"])
def test_what_is_let_go_late_is_not_sent_when_the_number_was_called_meanwhile(house: House, wait: timedelta) -> None:
    waiting = held_after_an_outage(house)
    house.now += wait
    told = [(one, decided(one, late=True, now=house.now)) for one in waiting]
    house.store.rules.recover(told, who="Pat", now=house.now)
    house.works()
    assert (house.got("first").state, house.got("other").state) == ("suppressed", "accepted")
    assert "see second" in house.got("first").reason
    assert len(house.ledger()) == 2
