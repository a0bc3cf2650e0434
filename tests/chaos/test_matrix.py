"""Every answer that Xima's pages leave open, on every way it can meet: the ledger of the pretend Xima is the judge.

Each switch of the sandbox takes each of its values in turn. For each, one event goes out on every way that the switch
concerns, at once and through the queue, with an agent and a number of its own. Then time passes, and everything is
sent once more by its sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import pytest
from marshmallow.validate import OneOf

from adapter.model import TRANSITIONS, WAITING, Delivery
from adapter.sandbox import Sandbox
from adapter.sandbox.script import Switches
from adapter.sandbox.world import Waiting

from .desk import Desk, check_told, let_xima_finish

CLICKS, LEADS, SELECTS = ("click", "queued click"), ("lead", "prompt lead"), ("select", "prompt select")
ALL = (*CLICKS, *LEADS, *SELECTS)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What makes a switch matter: the ways it concerns, who is how at Xima, and its values if they are no words."""

    ways: tuple[str, ...]
    agents: str = "{caller_ids: [{label: Main, outboundCallerId: '8015550100'}], selected: Main}"
    skills: str = "{name: Sales}"
    values: tuple[str, ...] = ()


TOO_LONG = "500ms"
OTHER_IDS = "{caller_ids: [{label: Other, outboundCallerId: '8015550100'}], selected: Other}"
STAGES: Mapping[str, Stage] = {
    "agent_offline": Stage(ways=CLICKS, agents="{logged_in: no}"),
    "unknown_extension": Stage(ways=(*CLICKS, *SELECTS), agents=""),
    "agent_busy": Stage(ways=CLICKS, agents="{busy: yes}"),
    "delay_before_204": Stage(ways=ALL, values=("10ms",)),
    "uc_wait": Stage(ways=CLICKS, values=("10ms", TOO_LONG)),
    "duplicate_callback": Stage(ways=LEADS),
    "unknown_skill": Stage(ways=LEADS, skills="{name: Other}"),
    "skill_callback_disabled": Stage(ways=LEADS, skills="{name: Sales, strategy: disabled}"),
    "number_policy": Stage(ways=(*CLICKS, *LEADS)),
    "both_caller_ids": Stage(ways=("selected click",)),
    "default_caller_id": Stage(ways=CLICKS),
    "prefix_with_selected": Stage(ways=("selected click",)),
    "bad_caller_id": Stage(ways=("shown click", *SELECTS), agents="{caller_ids: []}"),
    "label_mismatch": Stage(ways=SELECTS, agents=OTHER_IDS),
    "caller_id_format": Stage(ways=("near click",), agents=OTHER_IDS),
    "no_selection": Stage(ways=("near click", "selected click"), agents="{caller_ids: []}"),
    "empty_optional": Stage(ways=ALL),
    "extra_fields": Stage(ways=ALL),
    "error_body": Stage(ways=ALL, agents="", skills="{name: Other}"),
    "rate_limit": Stage(ways=ALL, values=("1h",)),
    "odd_2xx": Stage(ways=ALL),
    "redirect": Stage(ways=ALL),
    "token_revoked": Stage(ways=ALL, values=("yes",)),
    "forbidden_agents": Stage(ways=(*CLICKS, *SELECTS), values=("['7000', '7001', '7002', '7003']",)),
    "max_concurrency": Stage(ways=ALL, values=("1",)),
    "egress_cap": Stage(ways=ALL, values=("yes",)),
}
NEVER_MET = ("both_caller_ids", "prefix_with_selected", "empty_optional", "extra_fields")
"""What these refuse the adapter never sends."""
WORDS = {one.name: one.metadata["read"].validators for one in fields(Switches)}


def values(switch: str) -> tuple[str, ...]:
    """Everything a switch can be."""
    words = [validator.choices for validator in WORDS[switch] if isinstance(validator, OneOf)]
    return STAGES[switch].values or tuple(words[0])


def script(switch: str, value: str) -> str:
    """An office in which a switch matters, with an agent for every way."""
    stage = STAGES[switch]
    own = stage.agents.removeprefix("{").removesuffix("}")
    staff = [f"{{name: Pat, extension: '700{turn}', {own}}}" for turn in range(len(stage.ways)) if stage.agents]
    return f"agents: [{', '.join(staff)}]\nskills: [{stage.skills}]\nswitches: {{{switch}: {value}}}"


@contextmanager
def another_call(office: Sandbox, switch: str) -> Iterator[None]:
    """Somebody else's call that Xima is busy with, where that is what matters."""
    many = int(switch == "max_concurrency")
    office.world.in_flight += many
    yield
    office.world.in_flight -= many


def test_every_switch_of_the_pretend_xima_is_tried() -> None:
    assert list(STAGES) == list(WORDS)


@pytest.mark.parametrize("switch", STAGES)
def test_whatever_xima_answers_happens_once_and_is_told_as_it_is(desk: Desk, office: Sandbox, switch: str) -> None:
    for value in values(switch):
        office.world.load(script(switch, value))
        office.world.clear()
        desk.event += 1
        desk.now += timedelta(hours=1)
        kept = sum(desk.store.counts().values())
        events = {way: Event(desk, way, turn) for turn, way in enumerate(STAGES[switch].ways)}
        if switch == "duplicate_callback":  # whoever asked for it waits already
            numbers = (one.fields["phone"] for one in events.values())
            office.world.queues["Sales"].waiting += [Waiting(at=desk.now, number=number) for number in numbers]
        with another_call(office, switch), desk.impatient(value == TOO_LONG):
            found = {way: desk.send(way, **one.fields) for way, one in events.items()}
        for one in found.values():
            check_told(one)
            desk.wait_for_the_end(one)
        let_xima_finish(office, sum(len(desk.store.attempts(one.id)) for one in found.values()))
        for way, one in found.items():
            events[way].check(one, office.world.ledger())
        check_the_switch_acted(office, switch, value)
        check_nothing_more_happens(desk, office, events)
        assert sum(desk.store.counts().values()) == kept + len(found)


@dataclass(frozen=True)
class Event:
    """One event on one way, with an agent and a number that no other has."""

    desk: Desk
    way: str
    turn: int

    @property
    def fields(self) -> dict[str, str]:
        return {"agent": f"700{self.turn}", "phone": f"80155{self.desk.event % 1000:03}{self.turn}1"}

    def check(self, sent: Delivery, ledger: list[dict[str, Any]]) -> None:
        """Its delivery ended in one state, which says what happened; what happened, happened once."""
        one = self.desk.store.get(sent.id)
        assert one is not None
        assert one.state in TRANSITIONS
        assert one.state not in (*WAITING, "sending")
        check_told(one)
        calls = [call for call in ledger if self._is_mine(call)]
        attempts = self.desk.store.attempts(one.id)
        assert len(calls) == len(attempts)
        assert all(heard.status in (None, call["status"]) for heard, call in zip(attempts, calls, strict=True))
        happened = sum(call["effect"] for call in calls)
        assert happened <= 1
        answered = attempts[-1].status if attempts else None  # none where it did not come in time
        assert (one.state == "accepted") == (answered in (200, 202, 204))
        assert one.state in ("accepted", "unknown") or not happened
        assert one.state in _ends(answered, one.action.kind), (self.way, answered, one)

    def _is_mine(self, call: dict[str, Any]) -> bool:
        number = self.fields["phone"]
        asked = call["json"] or {}
        mine = (asked.get("numberToDial"), asked.get("callbackNumber")) if "select" not in self.way else ()
        if self.way in SELECTS or self.way == "selected click":
            return call["method"] == "POST" and f"/{self.fields['agent']}/" in call["path"]
        return number in mine


def _ends(status: int | None, kind: str) -> tuple[str, ...]:
    """Where a delivery may be in the end after its last answer; without any it was held back, or is too old."""
    match status:
        case 200 | 202 | 204:
            return ("accepted",)
        case 401:
            return ("expired",) if kind == "callback" else ("refused",)
        case 509:
            return ("expired",) if kind == "callback" else ("failed",)
        case 429:
            return ("expired", "failed")
        case None | 500:
            return ("unknown",) if status else ("unknown", "expired")
    return ("refused",)


def check_the_switch_acted(office: Sandbox, switch: str, value: str) -> None:
    """Xima answered what the switch says, or never had reason to."""
    answered = {call["status"] for call in office.world.ledger() if call["method"] == "POST"}
    if switch in NEVER_MET:
        assert answered == {204}
    elif value.isdigit():
        assert (429 if switch == "max_concurrency" else int(value)) in answered


def check_nothing_more_happens(desk: Desk, office: Sandbox, events: Mapping[str, Event]) -> None:
    """Not by time, and not by a repeat of the events."""
    calls, before = len(office.world.ledger()), desk.store.counts()
    desk.now += timedelta(hours=1)
    desk.dispatcher.sweep()
    for way, one in events.items():
        assert desk.receive(way, **one.fields).state not in (*WAITING, "sending")
    assert desk.dispatcher.step() is None
    assert len(office.world.ledger()) == calls
    assert desk.store.counts() == before
