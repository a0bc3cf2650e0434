"""A store out of a backup sends nothing that may have been sent since; in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter import policy, receipt
from adapter.model import TRANSITIONS, State
from adapter.store import Store

from .contract import claim, keep

DAY = timedelta(days=1)
ENDS: tuple[State, ...] = ("accepted", "refused", "unknown", "failed", "expired", "suppressed", "cancelled")


@pytest.fixture
def store(any_url: str) -> Iterator[Store]:
    """A store with today's tables."""
    with closing(Store(any_url)) as store:
        store.upgrade()
        yield store


@pytest.mark.parametrize("action", [CLICK, CALLBACK, SELECT], ids=lambda action: str(action.kind))
def test_what_waited_is_held_until_a_person_decides(store: Store, action: object) -> None:
    waits = {"expires_at": NOW + DAY}
    keep(
        store,
        delivery(action, **waits),  # type: ignore[arg-type]  # one of the three
        delivery(CALLBACK, id="d2", key="k2", state="held", due_at=NOW + DAY / 2, policy="hours", **waits),
        delivery(CALLBACK, id="d3", key="k3", state="held", due_at=NOW + DAY / 3, policy="recover", **waits),
    )
    assert store.rules.hold_past(now=NOW) == 3
    assert store.rules.hold_past(now=NOW + SECOND) == 0
    store.rules.resume("", now=NOW + SECOND)
    assert claim(store, now=NOW + DAY) == []
    found = store.get("d1")
    assert found is not None
    assert (found.state, found.policy, found.updated_at) == ("held", "restored", NOW)
    assert found.reason == (
        "the store is a backup of 2026-01-07 17:00:00 UTC, and this may have been done since:"
        " xima-adapter recover (restored)"
    )
    assert "If nothing changes it is given up at 2026-01-08T17:00:00.000Z" in receipt.message(found)
    assert [one.id for one in store.rules.backlog()] == ["d1", "d2", "d3"]


def test_what_nobody_decides_on_expires(store: Store) -> None:
    keep(store, delivery(CALLBACK))
    store.rules.hold_past(now=NOW)
    later = NOW + DAY
    taken, moved = store.claim(
        lambda one: policy.decide(one, now=later), owner="o", now=later, lease_until=later, most=9
    )
    assert (taken, [one.state for one in moved]) == ([], ["expired"])


def test_what_was_being_sent_is_unknown(store: Store) -> None:
    keep(store, delivery(CALLBACK))
    claim(store)
    assert store.rules.hold_past(now=NOW) == 1
    found = store.get("d1")
    assert found is not None
    assert (found.state, found.lease_owner, found.lease_until) == ("unknown", None, None)
    assert store.abandoned(now=NOW + DAY) == []


def test_the_sender_of_what_was_being_sent_is_told_that_it_is_unknown(store: Store) -> None:
    asked = {"fresh_for": 60.0, "report": {"to": "https://crm.example.com/told", "when": ["unknown"]}}
    keep(store, delivery(CALLBACK, terms=asked), delivery(CALLBACK, id="d2", key="k2"))
    claim(store)
    assert store.rules.hold_past(now=NOW + SECOND) == 2
    (told,) = store.reports.claim(now=NOW + SECOND, until=NOW + DAY, most=9, busy={}, each=9)
    assert (told.delivery.id, told.delivery.state, told.delivery.updated_at) == ("d1", "unknown", NOW + SECOND)
    assert "may have been done since" in told.delivery.reason


@pytest.mark.parametrize("state", ENDS)
def test_what_had_ended_stays_as_it_was(store: Store, state: State) -> None:
    keep(store, one := delivery(CALLBACK, state=state))
    assert store.rules.hold_past(now=NOW + SECOND) == 0
    assert store.get("d1") == one


def test_no_state_is_left_out() -> None:
    assert {*ENDS, "held", "queued", "sending"} == set(TRANSITIONS)


def test_an_empty_store_has_nothing_to_hold(store: Store) -> None:
    assert store.rules.hold_past(now=NOW) == 0
