"""What every store must do; the tests of a database subclass this and give the `url` of an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from processes import in_processes, in_threads, together
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter.errors import Conflict, StoreError
from adapter.model import Action, Attempt, Callback, Delivery, State
from adapter.policy import Verdict, moved
from adapter.store import Arrival, Entry, Kept, Store, queue

LONG_AGO = NOW - timedelta(days=40)
MONTH_AGO = NOW - timedelta(days=30)


def arrival(request_id: str = "r1", *, at: datetime = NOW) -> Arrival:
    return Arrival(
        id=request_id,
        mapping="lead",
        version="v1",
        received_at=at,
        method="POST",
        url="/hooks/lead?a=1",
        headers={"content-type": "application/json"},
        body=b'{"\xc3\xa9": 1}',
    )


def entry(one: Delivery, *, remember: timedelta = timedelta(days=1)) -> Entry:
    return Entry(note={"record": 0}, delivery=one, remember_until=one.created_at + remember)


def keep(store: Store, *many: Delivery, at: datetime = NOW, remember: timedelta = timedelta(days=1)) -> list[Kept]:
    """Keep deliveries as one request; its id is the first one's."""
    found = store.add(arrival(f"of {many[0].id}", at=at), [entry(one, remember=remember) for one in many])
    return [one for one in found if one is not None]


def deliveries(count: int, action: Action = CALLBACK, **changes: Any) -> list[Delivery]:
    return [delivery(action, id=f"d{number}", key=f"k{number}", **changes) for number in range(count)]


def to(state: State, *, due_at: datetime = NOW, expires_at: datetime = NOW + 60 * SECOND) -> Verdict:
    return Verdict(state=state, reason=f"now {state}", due_at=due_at, expires_at=expires_at)


def send(_: Delivery) -> None:
    """Nothing stops any delivery."""


def claim(store: Store, *, owner: str = "one", now: datetime = NOW, most: int = 100) -> list[Delivery]:
    taken, _ = store.claim(send, owner=owner, now=now, lease_until=now + 15 * SECOND, most=most)
    return taken


def tried(reason: str = "", *, at: datetime = NOW, status: int | None = 204) -> Attempt:
    return Attempt(at=at, phase="answered", status=status, reason=reason, duration_ms=7)


def add_the_same_event(given: tuple[str, int]) -> tuple[str, bool]:
    """In another process: keep the event `k1`; gives the delivery that stands for it and whether it is a repeat."""
    url, number = given
    store = Store(url)
    together()
    (kept,) = keep(store, delivery(id=f"d{number}"))
    store.close()
    return kept.delivery.id, kept.duplicate


def claim_until_nothing_is_left(given: tuple[str, int]) -> list[str]:
    """In another process: take deliveries in small handfuls; gives their ids."""
    url, number = given
    store = Store(url)
    together()
    ids: list[str] = []
    while taken := claim(store, owner=f"p{number}", most=5):
        assert {one.lease_owner for one in taken} == {f"p{number}"}
        ids += [one.id for one in taken]
    store.close()
    return ids


def upgrade(url: str) -> None:
    """In another process: create the tables."""
    store = Store(url)
    together()
    store.upgrade()
    store.check()
    store.close()


class Contract:
    """What is tested on a store; each subclass that is run has a fixture `url`, an empty database of the test's own."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        """The store with today's tables."""
        store = Store(url)
        store.upgrade()
        yield store
        store.close()


class StoreContract(Contract):
    """The promises of a store."""

    # tables

    def test_an_empty_database_is_refused_until_it_is_upgraded(self, url: str) -> None:
        store = Store(url)
        with pytest.raises(StoreError, match=r"no tables, this adapter needs .* db upgrade"):
            store.check()
        store.upgrade()
        store.upgrade()
        store.check()
        store.close()

    def test_several_processes_may_upgrade_at_once(self, url: str) -> None:
        in_processes(upgrade, [url] * 6)

    # requests and their events

    @pytest.mark.parametrize("action", [CLICK, CALLBACK, SELECT], ids=lambda action: str(action.kind))
    def test_a_delivery_comes_back_as_it_was_kept(self, store: Store, action: Action) -> None:
        full = delivery(
            action,
            state="sending",
            terms={"fresh_for": 600.0, "hours": {"open": {"mon": "08:00-18:00"}}, "zones": ["Europe/Rome"]},
            reason="é",
            created_at=NOW - timedelta(microseconds=1),
            expires_at=datetime.min.replace(tzinfo=NOW.tzinfo),
            attempt=1,
            tries=3,
            lease_owner="web-1",
            lease_until=NOW + 15 * SECOND,
        )
        assert keep(store, full) == [Kept(delivery=full, duplicate=False)]
        assert store.get("d1") == full
        assert store.get("d2") is None

    def test_a_request_is_kept_with_what_became_of_its_records(self, store: Store) -> None:
        keep(store, delivery())
        skip, again = Entry(note={"kind": "skip"}), entry(delivery(id="d2"))
        kept = store.add(arrival("r2"), [skip, again])
        assert [one and (one.delivery.id, one.duplicate) for one in kept] == [None, ("d1", True)]
        found = store.request("r2")
        assert found is not None
        assert (found["body"], found["received_at"], found["url"]) == (b'{"\xc3\xa9": 1}', NOW, "/hooks/lead?a=1")
        assert found["results"] == [{"kind": "skip"}, {"record": 0, "delivery": "d1", "duplicate": True}]
        assert store.request("r3") is None

    def test_a_request_is_kept_with_everything_or_not_at_all(self, store: Store) -> None:
        keep(store, delivery())
        with pytest.raises(StoreError):  # the id of the second is taken
            store.add(arrival("r2"), [entry(delivery(id="d2", key="k2")), entry(delivery(id="d1", key="k3"))])
        assert (store.get("d2"), store.request("r2")) == (None, None)
        assert [one.duplicate for one in keep(store, delivery(id="d3", key="k2"))] == [False]

    def test_the_first_delivery_stands_for_a_repeated_event_as_it_is_by_then(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        store.save(taken, to("accepted"), [tried()], now=NOW)
        (again,) = keep(store, delivery(CALLBACK, id="d2"), at=NOW + SECOND)
        assert (again.delivery.id, again.delivery.state, again.duplicate) == ("d1", "accepted", True)
        assert store.counts() == {"accepted": 1}

    def test_the_same_key_of_another_mapping_is_another_event(self, store: Store) -> None:
        keep(store, delivery())
        assert [one.duplicate for one in keep(store, delivery(id="d2", mapping="other"))] == [False]

    def test_requests_with_the_same_events_in_another_order_do_not_block_each_other(self, store: Store) -> None:
        def both(number: int) -> list[bool]:
            order = [0, 1] if number % 2 else [1, 0]
            return [
                one.duplicate
                for turn in range(10)
                for one in keep(store, *(delivery(id=f"d{turn} {number} {key}", key=f"{turn} {key}") for key in order))
            ]

        found = [duplicate for one in in_threads(both, range(4)) for duplicate in one]
        assert found.count(False) == 20

    def test_the_same_key_twice_in_one_request_is_one_event(self, store: Store) -> None:
        first, second = keep(store, delivery(), delivery(id="d2"))
        assert (first.delivery.id, first.duplicate) == (second.delivery.id, not second.duplicate) == ("d1", False)
        assert store.counts() == {"queued": 1}

    def test_a_key_is_taken_until_its_time_is_over(self, store: Store) -> None:
        keep(store, delivery(id="d2", key="of another event, which waits"))
        keep(store, delivery(state="accepted"), remember=60 * SECOND)
        for number, (seconds, duplicate) in enumerate([(59, True), (60, False), (61, True), (120, False)]):
            at = NOW + seconds * SECOND
            one = delivery(id=f"e{number}", created_at=at, state="accepted")
            (kept,) = keep(store, one, at=at, remember=60 * SECOND)
            assert kept.duplicate == duplicate, seconds

    @pytest.mark.parametrize("state", ["held", "queued", "sending"])
    def test_a_key_stays_taken_while_its_event_is_on_its_way(self, store: Store, state: State) -> None:
        keep(store, delivery(state=state, attempt=1), remember=SECOND)
        later = NOW + timedelta(days=5)
        store.purge(before=NOW, now=later)
        (again,) = keep(store, delivery(id="d2", created_at=later), at=later)
        assert (again.delivery.id, again.duplicate) == ("d1", True)

    def test_one_event_five_times_at_once_from_threads_is_one_delivery(self, store: Store) -> None:
        kept = in_threads(lambda number: keep(store, delivery(id=f"d{number}"))[0], range(5))
        assert len({one.delivery.id for one in kept}) == 1
        assert sorted(one.duplicate for one in kept) == [False, True, True, True, True]
        assert store.counts() == {"queued": 1}

    def test_one_event_five_times_at_once_from_processes_is_one_delivery(self, store: Store, url: str) -> None:
        kept = in_processes(add_the_same_event, [(url, number) for number in range(5)])
        assert len({delivery_id for delivery_id, _ in kept}) == 1
        assert sorted(duplicate for _, duplicate in kept) == [False, True, True, True, True]
        assert store.counts() == {"queued": 1}

    # the queue

    def test_a_claim_is_marked_with_its_holder_and_counted(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store, now=NOW + SECOND)
        assert taken == store.get("d1")
        assert (taken.state, taken.attempt, taken.lease_owner) == ("sending", 1, "one")
        assert (taken.updated_at, taken.lease_until) == (NOW + SECOND, NOW + 16 * SECOND)
        assert claim(store, owner="two") == []

    def test_clicks_go_before_callbacks_and_then_whoever_waits_longest(self, store: Store) -> None:
        waiting = (
            delivery(CALLBACK, id="callback 9", due_at=NOW - 9 * SECOND),
            delivery(CLICK, id="click 1", due_at=NOW - SECOND),
            delivery(CALLBACK, id="callback 5", due_at=NOW - 5 * SECOND),
            delivery(replace(SELECT, agent="0102"), id="select 3", due_at=NOW - 3 * SECOND),
        )
        keep(store, *(replace(one, key=one.id) for one in waiting))
        taken = [one.id for _ in waiting for one in claim(store, most=1)]
        assert taken == ["select 3", "click 1", "callback 9", "callback 5"]

    def test_nothing_is_claimed_before_it_is_due(self, store: Store) -> None:
        keep(store, delivery(due_at=NOW + SECOND))
        assert claim(store, now=NOW + SECOND - timedelta(microseconds=1)) == []
        assert [one.id for one in claim(store, now=NOW + SECOND)] == ["d1"]

    def test_what_is_held_is_claimed_when_its_time_has_come(self, store: Store) -> None:
        keep(store, delivery(state="held", due_at=NOW + SECOND))
        assert claim(store) == []
        assert [one.id for one in claim(store, now=NOW + SECOND)] == ["d1"]

    def test_a_claim_takes_no_more_than_it_was_asked_for(self, store: Store) -> None:
        keep(store, *deliveries(5))
        assert [len(claim(store, most=2)) for _ in range(4)] == [2, 2, 1, 0]

    def test_what_our_rules_stop_is_moved_and_never_claimed(self, store: Store) -> None:
        verdicts = {"d0": None, "d1": to("expired"), "d2": to("held", due_at=NOW + SECOND), "d3": to("suppressed")}
        keep(store, *deliveries(4))
        taken, stopped = store.claim(
            lambda one: verdicts[one.id], owner="one", now=NOW, lease_until=NOW + SECOND, most=9
        )
        assert [one.id for one in taken] == ["d0"]
        assert stopped == [store.get(one.id) for one in stopped]
        assert [(one.id, one.state) for one in stopped] == [("d1", "expired"), ("d2", "held"), ("d3", "suppressed")]
        assert claim(store) == []

    def test_threads_never_claim_the_same_delivery(self, store: Store) -> None:
        keep(store, *deliveries(60))
        shares = in_threads(
            lambda n: [one.id for _ in range(5) for one in claim(store, owner=f"t{n}", most=3)], range(6)
        )
        taken = [delivery_id for share in shares for delivery_id in share]
        assert (len(taken), len(set(taken))) == (60, 60)

    def test_processes_never_claim_the_same_delivery(self, store: Store, url: str) -> None:
        keep(store, *deliveries(300))
        shares = in_processes(claim_until_nothing_is_left, [(url, number) for number in range(6)])
        taken = [delivery_id for share in shares for delivery_id in share]
        assert (len(taken), len(set(taken))) == (300, 300)
        assert store.counts() == {"sending": 300}

    # what came of it

    def test_an_outcome_is_kept_with_its_tries_and_ends_the_lease(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        made = [tried("429", status=429), tried(at=NOW + SECOND)]
        verdict = to("accepted", due_at=NOW + 2 * SECOND)
        assert store.save(taken, verdict, made, now=NOW + 2 * SECOND)
        assert store.get("d1") == moved(taken, verdict, now=NOW + 2 * SECOND, tries=2)
        assert store.attempts("d1") == made

    def test_only_who_holds_the_claim_can_save(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (first,) = claim(store)
        assert store.save(first, to("queued"), [tried("first")], now=NOW)
        (second,) = claim(store, owner="two")
        assert second.attempt == 2
        assert not store.save(first, to("accepted"), [tried("late")], now=NOW)
        assert store.get("d1") == second
        assert store.save(second, to("refused"), [tried("second")], now=NOW)
        assert not store.save(second, to("accepted"), [], now=NOW)
        kept = store.get("d1")
        assert kept is not None
        assert kept.state == "refused"
        assert [one.reason for one in store.attempts("d1")] == ["first", "late", "second"]

    @pytest.mark.parametrize(
        ("late", "then"),
        [("accepted", "accepted"), ("refused", "unknown"), ("queued", "unknown"), ("failed", "unknown")],
    )
    def test_a_holder_that_was_taken_for_dead_still_brings_its_truth(
        self, store: Store, late: State, then: State
    ) -> None:
        """Whatever it says is kept as a try; only that Xima accepted it settles the delivery."""
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        assert store.save(taken, to("unknown"), [tried("taken for dead", status=None)], now=NOW)
        assert store.save(taken, to(late), [tried("late")], now=NOW) == (late == then)
        kept = store.get("d1")
        assert kept is not None
        assert kept.state == then
        assert [one.reason for one in store.attempts("d1")] == ["taken for dead", "late"]

    def test_a_late_truth_does_not_undo_what_a_person_decided(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        store.save(taken, to("unknown"), [], now=NOW)
        unknown = store.get("d1")
        assert unknown is not None
        store.act(unknown, to("failed"), who="Pat", now=NOW)
        assert not store.save(taken, to("accepted"), [tried()], now=NOW)
        assert store.counts() == {"failed": 1}

    # leases

    def test_a_lease_runs_out_unless_its_owner_renews_it(self, store: Store) -> None:
        keep(store, *deliveries(2))
        claim(store)
        until = NOW + 15 * SECOND
        later = until + timedelta(microseconds=1)
        assert store.abandoned(now=until) == []
        assert {one.id for one in store.abandoned(now=later)} == {"d0", "d1"}
        assert store.renew(["d0"], owner="one", until=NOW + 30 * SECOND) == {("d0", 1)}
        assert [one.id for one in store.abandoned(now=later)] == ["d1"]
        assert {one.id for one in store.abandoned(now=NOW + 31 * SECOND)} == {"d0", "d1"}

    def test_a_lease_is_not_renewed_by_others_or_after_the_end(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        assert store.renew(["d1", "d9"], owner="two", until=NOW + 60 * SECOND) == set()
        assert store.get("d1") == taken
        store.save(taken, to("unknown"), [], now=NOW)
        assert store.renew(["d1"], owner="one", until=NOW + 60 * SECOND) == set()
        assert store.abandoned(now=NOW + 61 * SECOND) == []

    def test_only_the_first_who_finds_a_lease_run_out_settles_it(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        claim(store)
        later = NOW + 16 * SECOND
        (found,) = store.abandoned(now=later)
        settled = in_threads(
            lambda number: store.abandon(found, to("unknown"), tried(f"by {number}", at=later), now=later), range(5)
        )
        assert sorted(settled) == [False] * 4 + [True]
        assert len(store.attempts("d1")) == 1
        one = store.get("d1")
        assert one is not None
        assert (one.state, one.tries, one.lease_owner, one.updated_at) == ("unknown", 1, None, later)

    def test_a_holder_that_renewed_at_the_last_moment_keeps_its_delivery(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        later = NOW + 16 * SECOND
        (found,) = store.abandoned(now=later)
        store.renew(["d1"], owner="one", until=NOW + 30 * SECOND)
        assert not store.abandon(found, to("unknown"), tried(at=later), now=later)
        assert store.save(taken, to("accepted"), [tried()], now=later)

    def test_an_outcome_saved_again_because_the_first_answer_was_lost_is_saved_once(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        assert [store.save(taken, to("accepted"), [tried()], now=NOW) for _ in range(3)] == [True] * 3
        assert store.attempts("d1") == [tried()]

    def test_much_that_opens_at_one_hour_is_released_in_bites(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue, "RELEASED_AT_ONCE", 2)
        keep(store, *deliveries(5, state="held", due_at=NOW + SECOND))
        shares = [len(claim(store, now=NOW + SECOND)) for _ in range(4)]
        assert shares == [2, 2, 1, 0]

    # people

    def test_what_ended_does_what_it_is_to_do_now_and_keeps_its_key(self, store: Store) -> None:
        keep(store, delivery(CALLBACK, state="refused"))
        old = store.get("d1")
        assert old is not None
        new = replace(old, action=Callback(skill="Support", callback_number="8015550177"), version="v2", rule="other")
        store.anew(old, new, to("queued"), who="Pat", now=NOW)
        after = store.get("d1")
        assert after == moved(new, to("queued"), now=NOW)
        assert [(one["who"], one["old"], one["new"]) for one in store.acts("d1")] == [("Pat", "refused", "queued")]
        with pytest.raises(Conflict):  # somebody was first
            store.anew(old, new, to("queued"), who="Pat", now=NOW)
        assert len(store.acts("d1")) == 1

    def test_what_a_rule_had_stopped_is_judged_as_if_it_came_just_now(self, store: Store) -> None:
        limits = {"fresh_for": 60.0, "numbers": ["h1"], "quiet": 600.0}
        keep(store, delivery(CALLBACK, id="d0", key="k0", terms=limits))
        keep(store, delivery(CALLBACK, state="suppressed"))
        old = store.get("d1")
        assert old is not None
        store.anew(old, replace(old, terms=limits), to("queued"), who="Pat", now=NOW)
        after = store.get("d1")
        assert after is not None
        assert (after.state, after.policy) == ("suppressed", "quiet.same_number")

    def test_what_a_person_did_is_kept_with_the_name(self, store: Store) -> None:
        keep(store, delivery())
        one = store.get("d1")
        assert one is not None
        store.act(one, to("cancelled"), who="Pat", now=NOW + SECOND)
        assert store.get("d1") == moved(one, to("cancelled"), now=NOW + SECOND)
        (act,) = store.acts("d1")
        assert {name: act[name] for name in ("who", "old", "new", "reason", "at")} == {
            "who": "Pat",
            "old": "queued",
            "new": "cancelled",
            "reason": "now cancelled",
            "at": NOW + SECOND,
        }

    def test_a_person_and_a_dispatcher_do_not_both_win(self, store: Store) -> None:
        keep(store, delivery())
        seen = store.get("d1")
        assert seen is not None
        claim(store)
        with pytest.raises(Conflict, match="changed at the same moment"):
            store.act(seen, to("cancelled"), who="Pat", now=NOW)
        assert (store.counts(), store.acts("d1")) == ({"sending": 1}, [])

    @pytest.mark.parametrize("state", ["accepted", "queued", "failed"])
    def test_nobody_settles_what_is_being_sent(self, store: Store, state: State) -> None:
        keep(store, delivery())
        (taken,) = claim(store)
        with pytest.raises(Conflict, match="being sent at this moment"):
            store.act(taken, to(state), who="Pat", now=NOW)
        assert store.get("d1") == taken

    def test_an_illegal_move_is_refused(self, store: Store) -> None:
        keep(store, delivery(state="accepted"))
        one = store.get("d1")
        assert one is not None
        with pytest.raises(Conflict, match="a delivery that is accepted cannot become queued"):
            store.act(one, to("queued"), who="Pat", now=NOW)

    def test_a_replayed_delivery_is_claimed_again_and_keeps_its_history(self, store: Store) -> None:
        keep(store, delivery(CALLBACK))
        (taken,) = claim(store)
        store.save(taken, to("refused"), [tried("404", status=404)], now=NOW)
        one = store.get("d1")
        assert one is not None
        store.act(one, to("queued", expires_at=NOW + 99 * SECOND), who="Pat", now=NOW)
        (again,) = claim(store)
        assert (again.attempt, again.tries, again.expires_at) == (2, 1, NOW + 99 * SECOND)
        assert [one.status for one in store.attempts("d1")] == [404]

    # lists

    def test_the_newest_deliveries_come_first(self, store: Store) -> None:
        keep(store, *deliveries(3), delivery(CLICK, id="d3", key="other", mapping="other", state="held"))
        assert [one.id for one in store.newest()] == ["d3", "d2", "d1", "d0"]
        assert [one.id for one in store.newest(most=2, state="queued")] == ["d2", "d1"]
        assert [one.id for one in store.newest(mapping="other")] == ["d3"]
        assert store.counts() == {"queued": 3, "held": 1}

    def test_refusals_are_counted_by_reason_and_day(self, store: Store) -> None:
        for seconds in (0, 1, 86_400):
            store.count_refusal(mapping="lead", code="unauthorized", reason="stale", now=NOW + seconds * SECOND)
        store.count_refusal(mapping="", code="not_found", reason="no mapping", now=NOW + 2 * SECOND)
        found = [(one["mapping"], one["day"], one["count"]) for one in store.refusals()]
        assert found == [("lead", "2026-01-08", 1), ("", "2026-01-07", 1), ("lead", "2026-01-07", 2)]
        assert len(store.refusals(most=1)) == 1

    # the purge

    @pytest.mark.parametrize("state", ["accepted", "refused", "failed", "expired", "suppressed", "cancelled"])
    def test_what_has_ended_goes_with_everything_about_it(self, store: Store, state: State) -> None:
        self.age(store, delivery(state=state))
        store.count_refusal(mapping="lead", code="unauthorized", reason="stale", now=LONG_AGO)
        assert store.purge(before=MONTH_AGO, now=NOW) == 7  # delivery, attempt, act, request, refusal, key, mark
        assert (store.get("d1"), store.attempts("d1"), store.acts("d1")) == (None, [], [])
        assert (store.request("of d1"), store.refusals()) == (None, [])
        assert [one.duplicate for one in keep(store, delivery(id="d2"))] == [False]

    @pytest.mark.parametrize("state", ["held", "queued", "sending", "unknown"])
    def test_what_waits_or_is_not_settled_stays_for_ever(self, store: Store, state: State) -> None:
        self.age(store, delivery(state=state))
        gone = 3 if state == "unknown" else 2  # its payload, its mark; and its key, unless it is on its way
        assert store.purge(before=MONTH_AGO, now=NOW) == gone
        assert [len(found) for found in (store.attempts("d1"), store.acts("d1"))] == [1, 1]
        assert (store.counts(), store.request("of d1")) == ({state: 1}, None)

    def test_what_a_repeated_event_is_answered_with_stays(self, store: Store) -> None:
        self.age(store, delivery(state="accepted"), remember=timedelta(days=41))
        store.purge(before=MONTH_AGO, now=NOW)
        (again,) = keep(store, delivery(id="d2"))
        assert (again.delivery.id, again.duplicate) == ("d1", True)
        assert len(store.attempts("d1")) == 1

    def test_what_is_younger_stays(self, store: Store) -> None:
        self.age(store, delivery(state="accepted"))
        store.count_refusal(mapping="lead", code="unauthorized", reason="stale", now=LONG_AGO)
        assert store.purge(before=LONG_AGO, now=LONG_AGO) == 0

    def test_a_purge_takes_small_bites(self, store: Store) -> None:
        many = [replace(one, created_at=LONG_AGO, updated_at=LONG_AGO) for one in deliveries(7, state="accepted")]
        keep(store, *many, at=LONG_AGO, remember=SECOND)
        bites = [store.purge(before=MONTH_AGO, now=NOW, most=3) for _ in range(4)]
        assert bites == [3 + 1 + 3, 3 + 3, 1 + 1, 0]  # the request goes with the first
        assert store.counts() == {}

    @staticmethod
    def age(store: Store, one: Delivery, *, remember: timedelta = SECOND) -> None:
        """Keep a delivery of long ago, with a try and an act."""
        cancelled = moved(one, to("cancelled"), now=LONG_AGO)
        before = replace(one, state="queued", created_at=LONG_AGO, updated_at=LONG_AGO)
        keep(store, before, at=LONG_AGO, remember=remember)
        store.act(before, to("cancelled"), who="Pat", now=LONG_AGO)
        ended = Verdict(state=one.state, reason="", due_at=LONG_AGO, expires_at=LONG_AGO)
        store.save(cancelled, ended, [tried(at=LONG_AGO)], now=LONG_AGO)
