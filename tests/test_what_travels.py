"""What reaches Xima when requests, rules and outages meet: a real store, a real dispatcher, the sandbox's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter.cli.desk import _settled
from adapter.cli.recovery import decided
from adapter.dispatcher import Dispatcher, Timing
from adapter.model import Action, ClickToDial, Delivery, Evidence, Outcome, State
from adapter.policy import Verdict
from adapter.sandbox import Sandbox
from adapter.store import Arrival, Entry, Kept, Store
from adapter.xima import Client, Tenant

MINUTE = 60 * SECOND
FRESH = 10 * MINUTE
LATER = Outcome(evidence=Evidence.LATER, phase="answered", status=429, reason="429: too many requests")
UNKNOWN = Outcome(evidence=Evidence.UNKNOWN, phase="sent", reason="no answer came")
BUSY = Outcome(evidence=Evidence.REFUSED, phase="answered", status=409, reason="409: it is in the queue")
AWAY = Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason="Xima could not be reached")
LONDON = replace(SELECT, label="London", outbound_caller_id="442079460000")
SHOWN = replace(CLICK, use_selected_caller_id=True)
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


# a caller id, and the dial that shows it


def show_and_dial(house: House, **of_the_first: Any) -> None:
    """One request: select a caller id, dial with it."""
    plain = {"terms": {"fresh_for": 600.0}, "request_id": "r"}
    first = house.asked("select", LONDON, **{**plain, "due_at": house.now - timedelta(microseconds=1), **of_the_first})
    house.asks(first, house.asked("dial", SHOWN, **plain))


def asks_for_a_dial(house: House, name: str) -> None:
    """Another request of the same agent."""
    other = ClickToDial(agent="0101", number_to_dial="8015550177")
    house.asks(house.asked(name, other, terms={"fresh_for": 600.0}))


def shown(house: House) -> list[str]:
    """The caller ids of the calls that were made."""
    return [ring.caller_id for ring in house.sandbox.world.desks["0101"].rings]


def test_a_dial_waits_for_its_caller_id_however_long_xima_puts_that_off(house: House) -> None:
    house.line.said = [LATER]
    show_and_dial(house)
    house.works(NOW + 20 * SECOND)
    assert house.ledger() == ["select_caller_id", "click_to_dial"]
    assert shown(house) == [LONDON.outbound_caller_id]


def test_a_dial_waits_for_its_caller_id_though_others_had_the_line_meanwhile(house: House) -> None:
    house.line.said = [LATER]
    show_and_dial(house)
    house.works()
    asks_for_a_dial(house, "other")
    house.works(NOW + 10 * SECOND)
    assert house.ledger() == ["click_to_dial", "select_caller_id", "click_to_dial"]
    assert shown(house)[1:] == [LONDON.outbound_caller_id]


def test_a_line_that_becomes_free_between_two_looks_lets_nobody_overtake(house: House) -> None:
    """Each look has one free thread: the caller id is put off, then the line is free, then the dial is looked at."""
    asks_for_a_dial(house, "busy")
    (busy,) = house.dispatcher.claim(1)
    show_and_dial(house)
    house.now += 2 * SECOND
    assert house.dispatcher.claim(1) == []
    house.dispatcher.carry_out(busy)
    assert house.dispatcher.step() is None
    house.works(NOW + 8 * SECOND)
    assert [house.got(name).state for name in ("select", "dial")] == ["accepted", "accepted"]
    assert house.ledger() == ["click_to_dial", "select_caller_id", "click_to_dial"]


@pytest.mark.parametrize(
    ("state", "due_at", "expires_at"),
    [("held", NOW + timedelta(days=3), NOW + timedelta(days=4)), ("queued", NOW + MINUTE, NOW - SECOND)],
    ids=["held for days", "too old"],
)
def test_a_dial_does_not_wait_for_what_will_not_be_done(
    house: House, state: State, due_at: datetime, expires_at: datetime
) -> None:
    show_and_dial(house, state=state, due_at=due_at, expires_at=expires_at)
    house.works()
    assert house.ledger() == ["click_to_dial"]


def test_requests_of_an_agent_do_not_wait_for_each_other(house: House) -> None:
    house.line.said = [LATER]
    show_and_dial(house)
    house.works()
    asks_for_a_dial(house, "other")
    house.works()
    assert house.got("other").state == "accepted"


def test_what_was_cancelled_between_two_does_not_let_the_second_overtake_the_first(house: House) -> None:
    house.line.said = [LATER, LATER]
    plain = {"terms": {"fresh_for": 600.0}, "request_id": "r"}
    early = [NOW - place * timedelta(microseconds=1) for place in (2, 1)]
    first = house.asked("select", LONDON, **plain, due_at=early[0])
    second = house.asked("dropped", replace(CLICK, number_to_dial="8015550178"), **plain, due_at=early[1])
    house.asks(first, second, house.asked("dial", SHOWN, **plain))
    house.works()
    gone = house.got("dropped")
    stop = Verdict(state="cancelled", reason="not wanted", due_at=NOW, expires_at=gone.expires_at)
    house.store.act(gone, stop, who="Pat", now=NOW)
    house.works(NOW + 20 * SECOND)
    assert house.ledger() == ["select_caller_id", "click_to_dial"]


# a try that may have rung


def test_a_callback_refused_after_it_may_have_rung_is_unknown_and_its_number_left_in_peace(house: House) -> None:
    house.line.said = [UNKNOWN, BUSY]
    house.asks(house.asked("first", if_unknown="again"))
    house.works(NOW + 5 * SECOND)
    first = house.got("first")
    assert (first.state, first.reason) == ("unknown", "409: it is in the queue; of an earlier try: no answer came")
    (second,) = house.asks(house.asked("second"))
    assert (second.delivery.state, second.delivery.policy) == ("suppressed", "quiet.same_number")
    assert house.ledger() == []


def test_a_callback_too_old_after_it_may_have_rung_is_unknown(house: House) -> None:
    house.line.said = [UNKNOWN, *[AWAY] * 1000]
    house.asks(house.asked("first", if_unknown="again"))
    house.works(NOW + FRESH + 5 * SECOND, step=3 * SECOND)
    first = house.got("first")
    assert (first.state, first.tries > 3) == ("unknown", True)
    assert first.reason.endswith("the last try: Xima could not be reached; of an earlier try: no answer came")


@pytest.mark.parametrize("answer", ["not-rang", "gave-up"])
def test_once_a_person_said_that_it_did_not_ring_it_is_not_in_doubt_any_more(house: House, answer: str) -> None:
    house.line.said = [UNKNOWN, BUSY, BUSY]
    house.asks(house.asked("first", if_unknown="again"))
    house.works(NOW + 5 * SECOND)
    told = _settled(answer, "")(house.got("first"), house.now)
    house.store.act(house.got("first"), told, who="Pat", now=house.now)
    house.works()
    assert house.got("first").state == {"not-rang": "refused", "gave-up": "failed"}[answer]
    house.now += SECOND
    (second,) = house.asks(house.asked("second"))
    assert second.delivery.state == "queued"


def test_a_caller_id_whose_sender_died_and_that_is_refused_then_is_unknown(house: House) -> None:
    house.asks(house.asked("select", SELECT, terms={"fresh_for": 600.0}))
    house.dispatcher.claim(1)
    house.now += MINUTE
    house.dispatcher.sweep()
    house.line.said = [BUSY]
    house.works()
    assert house.got("select").state == "unknown"
