"""The life of a delivery, and the values that travel."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from itertools import product
from typing import get_args

import pytest
from sample import CALLBACK, CLICK, SELECT, delivery

from adapter.errors import Conflict
from adapter.model import ACTIONS, TRANSITIONS, WAITING, Action, ClickToDial, Delivery, State, check_move

LIFE = """
held      -> queued unknown cancelled expired suppressed
queued    -> sending held unknown cancelled expired suppressed
sending   -> accepted refused queued held failed unknown
unknown   -> accepted queued failed
failed    -> queued
refused   -> queued
expired   -> queued
accepted  ->
cancelled ->
suppressed -> queued
"""
STATES: tuple[State, ...] = get_args(State)
LEGAL = {
    (old, new)
    for line in LIFE.strip().splitlines()
    for old, _, after in [line.partition(" ->")]
    for old in [old.strip()]
    for new in after.split()
}


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(STATES)


@pytest.mark.parametrize(("old", "new"), list(product(STATES, STATES)))
def test_a_delivery_moves_as_the_table_says_and_no_other_way(old: State, new: State) -> None:
    if (old, new) in LEGAL:
        check_move(old, new)
    else:
        with pytest.raises(Conflict, match=f"a delivery that is {old} cannot become {new}"):
            check_move(old, new)


def test_what_may_have_rung_never_becomes_waiting_by_itself() -> None:
    """Only `unknown` (settled by a person) and `sending` (certainly not done) lead back to the queue."""
    assert {old for old, new in LEGAL if new in WAITING} == {
        *("held", "queued", "suppressed"),  # nothing was sent yet
        *("sending", "unknown", "failed", "refused", "expired"),
    }
    assert ("queued", "accepted") not in LEGAL
    assert ("held", "accepted") not in LEGAL


def test_an_action_lists_only_the_fields_that_are_set() -> None:
    assert CLICK.as_dict() == {"agent": "0101", "number_to_dial": "8015550142"}
    explicit = ClickToDial(agent="1", number_to_dial="2", outbound_caller_id="", use_selected_caller_id=True)
    assert explicit.as_dict() == {
        "agent": "1",
        "number_to_dial": "2",
        "outbound_caller_id": "",
        "use_selected_caller_id": True,
    }


@pytest.mark.parametrize("action", [CLICK, CALLBACK, SELECT], ids=lambda action: str(action.kind))
def test_an_action_is_found_by_its_kind_and_made_again_from_its_fields(action: Action) -> None:
    kind = ACTIONS[action.kind]
    assert kind(**action.as_dict()) == action
    assert set(action.as_dict()) <= set(kind.field_names())


def test_a_delivery_is_frozen_and_says_what_it_is() -> None:
    one = delivery()
    assert str(one) == "lead/d1 queued"
    assert Delivery.columns()[:3] == ("id", "request_id", "mapping")
    with pytest.raises(FrozenInstanceError):
        one.state = "accepted"  # type: ignore[misc]  # what must not work
