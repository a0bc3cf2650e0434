"""What every store must do for reports; subclassed for each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from processes import in_processes, together
from sample import CALLBACK, CLICK, NOW, SECOND, delivery

from adapter.model import Action, Delivery, State
from adapter.store import Due, Store, Told

from .contract import Contract, claim, keep, to, tried

ENDS: tuple[State, ...] = ("accepted", "refused", "unknown", "failed", "expired", "suppressed", "cancelled")
LONG_AGO = NOW - timedelta(days=40)
MONTH_AGO = NOW - timedelta(days=30)


def asked(number: int = 1, action: Action = CALLBACK, *, host: str = "crm", **changes: Any) -> Delivery:
    """A new delivery of a mapping that wants to hear of every end."""
    report = {"to": f"https://{host}.example.com/", "secrets": ["S"], "when": list(ENDS), "include": {"id": "7"}}
    terms = {"fresh_for": 60.0, "report": {**report, **changes.pop("report", {})}}
    return delivery(action, **{"id": f"d{number}", "key": f"k{number}", "terms": terms, **changes})


def take(store: Store, *, at: int = 0, most: int = 10, each: int = 10, busy: dict[str, int] | None = None) -> list[Due]:
    now = NOW + at * SECOND
    return store.reports.claim(now=now, until=now + 60 * SECOND, most=most, busy=busy or {}, each=each)


def shown(found: list[Due]) -> list[tuple[str, State, int]]:
    return [(one.id, one.delivery.state, one.tries) for one in found]


def take_all(given: tuple[str, int]) -> list[str]:
    """In another process: take reports in small handfuls; gives their ids."""
    store = Store(given[0])
    together()
    ids: list[str] = []
    while taken := take(store, most=3):
        ids += [one.id for one in taken]
    store.close()
    return ids


class ReportsContract(Contract):
    """The promises about reports."""

    # noting

    @pytest.mark.parametrize("state", ["accepted", "refused", "unknown", "failed"])
    def test_the_end_of_a_try_is_noted(self, store: Store, state: State) -> None:
        keep(store, asked())
        (taken,) = claim(store)
        assert take(store) == []
        assert store.save(taken, to(state), [tried()], now=NOW)
        (due,) = take(store)
        assert (due.id, due.host, due.tries, due.delivery.state) == ("d1-1", "https://crm.example.com:443", 1, state)
        assert (due.delivery.reason, due.delivery.updated_at) == (f"now {state}", NOW)

    def test_an_outcome_that_is_saved_twice_is_noted_once(self, store: Store) -> None:
        keep(store, asked())
        (taken,) = claim(store)
        assert store.save(taken, to("accepted"), [tried()], now=NOW)
        assert store.save(taken, to("accepted"), [tried()], now=NOW)
        assert len(take(store)) == 1

    def test_what_ends_on_arrival_is_noted(self, store: Store) -> None:
        keep(store, asked(state="expired", reason="too old"))
        assert shown(take(store)) == [("d1-1", "expired", 1)]

    def test_what_our_rules_end_is_noted(self, store: Store) -> None:
        keep(store, asked())
        store.claim(lambda one: to("expired"), owner="x", now=NOW, lease_until=NOW + SECOND, most=9)
        assert shown(take(store)) == [("d1-1", "expired", 1)]

    def test_what_a_person_does_is_noted_and_every_end_has_its_own_number(self, store: Store) -> None:
        keep(store, asked())
        store.act(asked(), to("cancelled"), who="ann", now=NOW)
        assert shown(take(store)) == [("d1-1", "cancelled", 1)]
        keep(store, asked(2))
        (taken,) = claim(store)
        store.save(taken, to("unknown"), [tried()], now=NOW)
        found = store.get("d2")
        assert found
        store.act(found, to("accepted"), who="ann", now=NOW + SECOND)
        assert shown(take(store, at=1)) == [("d2-1", "unknown", 1), ("d2-2", "accepted", 1)]

    def test_a_delivery_whose_holder_died_is_noted(self, store: Store) -> None:
        keep(store, asked())
        (taken,) = claim(store)
        late = NOW + 60 * SECOND
        assert store.abandon(taken, to("unknown"), tried(), now=late)
        assert shown(take(store, at=60)) == [("d1-1", "unknown", 1)]

    def test_only_the_ends_that_were_asked_for_are_noted_and_none_without_a_report(self, store: Store) -> None:
        keep(store, asked(report={"when": ["refused"]}), delivery(CLICK, id="d2", key="k2", deliver="queued"))
        for one in claim(store):
            assert store.save(one, to("accepted"), [tried()], now=NOW)
        assert take(store) == []
        assert store.reports.pending() == (0, None)

    def test_what_goes_back_to_the_queue_is_no_end(self, store: Store) -> None:
        keep(store, asked())
        (taken,) = claim(store)
        assert store.save(taken, to("queued"), [tried()], now=NOW)
        assert take(store) == []

    def test_a_report_tells_of_the_delivery_as_it_was(self, store: Store) -> None:
        keep(store, asked())
        (taken,) = claim(store)
        store.save(taken, to("refused"), [tried()], now=NOW)
        found = store.get("d1")
        assert found
        store.act(found, to("queued"), who="ann", now=NOW + SECOND)
        (due,) = take(store, at=2)
        assert (due.delivery.state, due.delivery.updated_at) == ("refused", NOW)

    # taking and settling

    def test_a_report_that_was_taken_is_due_again_when_nobody_settled_it(self, store: Store) -> None:
        keep(store, asked(state="expired"))
        assert shown(take(store)) == [("d1-1", "expired", 1)]
        assert take(store, at=59) == []
        assert shown(take(store, at=60)) == [("d1-1", "expired", 2)]

    def test_who_was_taken_for_dead_settles_nothing(self, store: Store) -> None:
        keep(store, asked(state="expired"))
        (first,), (second,) = take(store), take(store, at=60)
        assert not store.reports.settle(first, Told(result="given up"))
        assert store.reports.settle(second, Told(result="sent", status=200))
        assert not store.reports.settle(second, Told(result="sent", status=200))
        assert take(store, at=10_000) == []

    def test_a_failure_waits_for_its_time(self, store: Store) -> None:
        keep(store, asked(state="expired"))
        (due,) = take(store)
        assert store.reports.pending() == (1, NOW)
        again = NOW + 5 * SECOND
        store.reports.settle(due, Told(result="pending", status=500, said="answered 500", again_at=again))
        assert take(store, at=4) == []
        (due,) = take(store, at=5)
        assert due.tries == 2
        store.reports.settle(due, Told(result="given up", status=410, said="answered 410"))
        assert store.reports.pending() == (0, None)
        (row,) = store.reports.of("d1")
        assert (row["result"], row["status"], row["said"], row["tries"]) == ("given up", 410, "answered 410", 2)

    def test_what_was_given_up_can_be_sent_once_more(self, store: Store) -> None:
        keep(store, asked(state="expired"), asked(2, state="expired"))
        given_up, sent = take(store)
        store.reports.settle(given_up, Told(result="given up", status=410))
        store.reports.settle(sent, Told(result="sent", status=200))
        assert [store.reports.again(one, now=NOW) for one in ("d1", "d2", "d3")] == [1, 0, 0]
        assert shown(take(store)) == [("d1-1", "expired", 2)]
        assert store.reports.again("d1", now=NOW) == 0

    def test_what_is_made_anew_by_a_mapping_that_reports_to_nobody_is_not_reported_any_more(self, store: Store) -> None:
        keep(store, asked())
        (taken,) = claim(store)
        store.save(taken, to("refused"), [tried()], now=NOW)
        old = store.get("d1")
        assert old is not None
        store.anew(old, replace(old, terms={"fresh_for": 60.0}), to("queued"), who="Pat", now=NOW)
        assert take(store) == []
        (report,) = store.reports.of("d1")
        assert (report["result"], report["said"]) == ("given up", "its mapping reports to nobody any more")
        assert store.reports.again("d1", now=NOW) == 0

    def test_one_host_takes_no_more_than_its_share(self, store: Store) -> None:
        slow = [asked(number, host="slow", state="expired") for number in range(5)]
        quick = asked(9, host="quick", state="expired", updated_at=NOW + SECOND)
        keep(store, *slow, quick)
        taken = take(store, at=1, each=2)
        assert [one.id for one in taken] == ["d0-1", "d1-1", "d9-1"]
        busy = {"https://slow.example.com:443": 2, "https://quick.example.com:443": 1}
        assert take(store, at=1, each=2, busy=busy) == []
        busy["https://slow.example.com:443"] = 1
        assert [one.id for one in take(store, at=1, each=2, busy=busy)] == ["d2-1"]

    def test_no_report_is_taken_twice_at_the_same_time(self, store: Store, url: str) -> None:
        keep(store, *(asked(number, state="expired") for number in range(40)))
        found = [one for ids in in_processes(take_all, [(url, number) for number in range(4)]) for one in ids]
        assert sorted(found) == sorted(f"d{number}-1" for number in range(40))

    # the purge

    def test_reports_go_with_their_delivery(self, store: Store) -> None:
        old = asked(state="expired", created_at=LONG_AGO, updated_at=LONG_AGO)
        keep(store, old, at=LONG_AGO, remember=SECOND)
        keep(store, asked(2, state="expired"))
        assert len(take(store)) == 2
        store.purge(before=MONTH_AGO, now=NOW)
        assert (len(store.reports.of("d1")), len(store.reports.of("d2"))) == (0, 1)
        assert shown(take(store, at=99)) == [("d2-1", "expired", 2)]

    def test_nothing_is_sent_of_a_delivery_that_is_gone(self, store: Store) -> None:
        old = asked(state="expired", created_at=LONG_AGO, updated_at=LONG_AGO)
        keep(store, old, at=LONG_AGO, remember=SECOND)
        store.purge(before=MONTH_AGO, now=NOW, most=1)
        assert store.get("d1") is None
        assert take(store) == []
