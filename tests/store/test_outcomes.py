"""How calls ended, in both databases: the dial is found by extension, number and time, and told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from processes import in_processes, together
from sample import CALLBACK, NOW, SECOND, delivery

from adapter.model import Attempt, ClickToDial, Ended, State
from adapter.policy.ended import Call
from adapter.store import Store

from .contract import claim, keep, to

MINUTE = 60 * SECOND


def call(**changes: Any) -> Call:
    """A call of a minute that began when the dial `d1` was made, told as soon as it ended."""
    values: dict[str, Any] = {
        "tenant": "default",
        "agent": "0101",
        "number": "18015550142",
        "outcome": "connected",
        "key": "c1",
        "own_key": True,
        "told_at": NOW + MINUTE,
        "duration": MINUTE,
    }
    return Call(**{**values, **changes})


def dialled(
    store: Store,
    name: str = "d1",
    *,
    at: datetime = NOW,
    state: State = "accepted",
    agent: str = "0101",
    number: str = "8015550142",
    **changes: Any,
) -> None:
    action = ClickToDial(agent=agent, number_to_dial=number)
    keep(store, delivery(action, id=name, key=name, state=state, created_at=at, updated_at=at, **changes), at=at)


TRY = Attempt(at=NOW, phase="sent", status=None, reason="no answer came", duration_ms=9)


def settled(store: Store, *, at: datetime, tries: tuple[Attempt, ...] = (TRY,)) -> None:
    """The dial `d1` of now, of which nobody knew, until a person said that it rang."""
    keep(store, delivery(deliver="queued"))
    (taken,) = claim(store)
    store.save(taken, to("unknown"), tries, now=NOW)
    unknown = store.get("d1")
    assert unknown
    store.act(unknown, to("accepted"), who="Pat", now=at)


def told_of(store: Store, *names: str) -> list[str]:
    return [name for name in names if store.outcomes.of(name)]


def settle_at_once(given: tuple[str, int]) -> str:
    """In another process: tell of the call that ended; the same one, or one of its own."""
    url, number = given
    store = Store(url)
    together()
    found = store.outcomes.settle(call(key=f"c{number}"))
    store.close()
    return found.kind


class TestOutcomes:
    """The promises about the ends of calls."""

    @pytest.fixture
    def store(self, any_url: str) -> Iterator[Store]:
        store = Store(any_url)
        store.upgrade()
        yield store
        store.close()

    def test_a_call_that_ended_is_told_of_the_dial_that_made_it(self, store: Store) -> None:
        dialled(store)
        found = store.outcomes.settle(call(ended_at=NOW + MINUTE))
        assert (found.kind, found.delivery_id, found.fits) == ("matched", "d1", 1)
        assert store.outcomes.of("d1") == Ended(
            outcome="connected", duration=60, ended_at=NOW + MINUTE, told_at=NOW + MINUTE, fits=1
        )

    def test_the_state_of_the_delivery_stays_what_it_was(self, store: Store) -> None:
        dialled(store)
        before = store.get("d1")
        store.outcomes.settle(call())
        assert store.get("d1") == before

    def test_a_dial_nobody_knows_about_may_be_told_of_too(self, store: Store) -> None:
        dialled(store, state="unknown")
        assert store.outcomes.settle(call()).kind == "matched"

    @pytest.mark.parametrize("state", ["queued", "held", "refused", "failed", "expired", "suppressed", "cancelled"])
    def test_what_was_not_dialled_is_told_of_no_call(self, store: Store, state: State) -> None:
        dialled(store, state=state)
        assert store.outcomes.settle(call()).kind == "unmatched"

    def test_a_callback_is_told_of_no_call(self, store: Store) -> None:
        keep(store, delivery(CALLBACK, state="accepted"))
        assert store.outcomes.settle(call()).kind == "unmatched"

    @pytest.mark.parametrize(
        "changes",
        [
            {"agent": "0102"},
            {"agent": "101"},
            {"agent": '0101","number_to_dial":"8015550142'},
            {"agent": "%"},
            {"number": "8015550143"},
            {"number": "142"},
            {"tenant": "other"},
            {"told_at": NOW + timedelta(hours=1)},
            {"ended_at": NOW - timedelta(hours=1)},
            {"ended_at": NOW + timedelta(hours=1), "told_at": NOW + timedelta(hours=1)},
        ],
        ids=str,
    )
    def test_another_call_is_told_of_nothing(self, store: Store, changes: dict[str, Any]) -> None:
        dialled(store)
        assert store.outcomes.settle(call(**changes)).kind == "unmatched"
        assert told_of(store, "d1") == []

    def test_a_late_request_is_found_by_the_end_it_names(self, store: Store) -> None:
        dialled(store)
        late = call(ended_at=NOW + MINUTE, told_at=NOW + timedelta(days=2))
        assert store.outcomes.settle(late).delivery_id == "d1"

    def test_a_call_without_a_length_may_have_lasted_hours(self, store: Store) -> None:
        dialled(store)
        assert store.outcomes.settle(call(duration=None, told_at=NOW + timedelta(hours=3))).delivery_id == "d1"

    def test_a_call_that_ended_in_the_future_by_ximas_clock_ended_now(self, store: Store) -> None:
        dialled(store)
        assert store.outcomes.settle(call(ended_at=NOW + timedelta(days=36500))).delivery_id == "d1"

    def test_a_call_made_by_hand_after_a_dial_was_settled_is_not_that_dials(self, store: Store) -> None:
        settled(store, at=NOW + timedelta(hours=2))
        by_hand = NOW + timedelta(hours=2, minutes=3)
        assert store.outcomes.settle(call(told_at=by_hand, ended_at=by_hand)).kind == "unmatched"

    def test_the_end_of_a_dial_that_was_settled_meanwhile_is_found_by_its_try(self, store: Store) -> None:
        settled(store, at=NOW + 15 * MINUTE)
        end = NOW + 20 * MINUTE
        assert store.outcomes.settle(call(duration=20 * MINUTE, told_at=end, ended_at=end)).delivery_id == "d1"

    def test_a_dial_that_was_settled_without_a_try_on_record_is_left_out(self, store: Store) -> None:
        settled(store, at=NOW, tries=())
        assert store.outcomes.settle(call()).kind == "unmatched"

    def test_a_call_told_twice_has_no_second_effect(self, store: Store) -> None:
        dialled(store)
        dialled(store, "d2", at=NOW + 5 * SECOND)
        assert store.outcomes.settle(call()).delivery_id == "d1"
        assert store.outcomes.settle(call(outcome="busy", told_at=NOW + 2 * MINUTE)).kind == "repeated"
        assert told_of(store, "d1", "d2") == ["d1"]
        first = store.outcomes.of("d1")
        assert first
        assert first.outcome == "connected"

    def test_two_calls_that_look_alike_are_two_when_there_was_a_dial_between(self, store: Store) -> None:
        dialled(store)
        alike = call(own_key=False, duration=timedelta())
        assert store.outcomes.settle(replace(alike, told_at=NOW + MINUTE)).delivery_id == "d1"
        assert store.outcomes.settle(replace(alike, told_at=NOW + 2 * MINUTE)).kind == "repeated"
        dialled(store, "d2", at=NOW + 3 * MINUTE)
        assert store.outcomes.settle(replace(alike, told_at=NOW + 4 * MINUTE)).delivery_id == "d2"
        assert store.outcomes.settle(replace(alike, told_at=NOW + 90 * MINUTE)).kind == "repeated"

    def test_of_several_dials_it_is_the_nearest_that_is_not_told_of_yet(self, store: Store) -> None:
        for number in range(3):
            dialled(store, f"d{number}", at=NOW + number * 3 * MINUTE)
        ends = [call(key=f"c{number}", told_at=NOW + MINUTE + number * 3 * MINUTE) for number in (1, 0, 2)]
        found = [store.outcomes.settle(one) for one in ends]
        assert [one.delivery_id for one in found] == ["d1", "d0", "d2"]
        assert [one.fits for one in found] == [2, 1, 3]

    def test_a_dial_whose_end_is_known_is_not_told_of_again(self, store: Store) -> None:
        dialled(store)
        assert store.outcomes.settle(call()).kind == "matched"
        assert store.outcomes.settle(call(key="c2", outcome="busy")).kind == "known"

    def test_two_dials_that_are_as_near_cannot_be_told_apart(self, store: Store) -> None:
        dialled(store, "d1", at=NOW - 30 * SECOND)
        dialled(store, "d2", at=NOW + 30 * SECOND)
        assert store.outcomes.settle(call()).kind == "undecided"
        assert told_of(store, "d1", "d2") == []

    def test_of_processes_that_are_told_of_one_call_at_once_one_does_it(self, store: Store, any_url: str) -> None:
        dialled(store)
        dialled(store, "d2", at=NOW + 5 * SECOND)
        found = in_processes(settle_at_once, [(any_url, 1)] * 4)
        assert sorted(found) == ["matched", "repeated", "repeated", "repeated"]

    def test_no_dial_is_told_of_by_two_calls_at_once(self, store: Store, any_url: str) -> None:
        dialled(store)
        found = in_processes(settle_at_once, [(any_url, number) for number in range(4)])
        assert sorted(found) == ["known", "known", "known", "matched"]

    def test_the_end_goes_when_its_delivery_goes(self, store: Store) -> None:
        dialled(store)
        store.outcomes.settle(call())
        store.purge(before=NOW + 2 * MINUTE, now=NOW + 2 * MINUTE)
        assert told_of(store, "d1") == ["d1"], "the delivery stays while its key is remembered"
        later = NOW + timedelta(days=40)
        store.purge(before=later, now=later)
        assert (store.get("d1"), store.outcomes.of("d1")) == (None, None)
