"""What every store must do for our rules, whoever asks at the same moment; subclassed for each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from processes import in_processes, in_threads, together
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter import policy
from adapter.model import Action, Delivery, Evidence, State
from adapter.policy import Gate, Numbers, Rate
from adapter.store import Kept, Store
from adapter.store.marks import CHUNK

from .contract import Contract, claim, entry, keep, send, to
from .contract import arrival as arrived

NUMBERS = Numbers(["a key of the tests"])
MINUTE = timedelta(minutes=1)


def asked(number: int = 0, action: Action = CALLBACK, *, phone: str = "+18015550142", **changes: Any) -> Delivery:
    """A new delivery with the usual limits: an event of its own, by default to the same telephone number."""
    limits = policy.limits(hashes=NUMBERS.hashes(phone), quiet=10 * MINUTE, number_per_day=None, per_minute=None)
    terms = {"fresh_for": 60.0, **limits, **changes.pop("terms", {})}
    return delivery(action, terms=terms, **{"id": f"d{number}", "key": f"k{number}", **changes})


def clicked(number: int = 0, *, at: datetime = NOW, **changes: Any) -> Delivery:
    """A click that its web process has in hand."""
    until = at + 15 * SECOND
    held = {"state": "sending", "attempt": 1, "lease_owner": "web", "lease_until": until, "expires_at": at + MINUTE}
    return asked(number, CLICK, **{**held, "created_at": at, "updated_at": at, **changes})


def ask_at_once(given: tuple[str, int, bool]) -> tuple[str, str, bool]:
    """In another process: keep an event of its own for the same number; gives what became of it."""
    url, number, click = given
    store = Store(url)
    together()
    (kept,) = keep(store, clicked(number) if click else asked(number))
    store.close()
    return kept.delivery.id, kept.delivery.state, kept.duplicate


def states(kept: list[Kept]) -> list[State]:
    return [one.delivery.state for one in kept]


class RulesContract(Contract):
    """The promises about numbers, agents and tenants."""

    # the same number

    def test_the_second_request_for_a_number_is_kept_and_not_sent(self, store: Store) -> None:
        keep(store, asked(1))
        (second,) = keep(store, asked(2), at=NOW + SECOND)
        assert (second.delivery.state, second.delivery.policy, second.duplicate) == (
            "suppressed",
            "quiet.same_number",
            False,
        )
        assert "see d1" in second.delivery.reason
        assert store.get("d2") == second.delivery
        assert [one.id for one in claim(store)] == ["d1"]

    def test_of_several_requests_in_the_same_instant_one_is_sent_from_threads(self, store: Store) -> None:
        kept = in_threads(lambda number: keep(store, asked(number))[0], range(6))
        assert sorted(states(list(kept))) == ["queued", *["suppressed"] * 5]

    def test_of_several_requests_in_the_same_instant_one_is_sent_from_processes(self, store: Store, url: str) -> None:
        kept = in_processes(ask_at_once, [(url, number, False) for number in range(6)])
        assert sorted(state for _, state, _ in kept) == ["queued", *["suppressed"] * 5]

    def test_a_double_click_is_answered_with_one_receipt_from_processes(self, store: Store, url: str) -> None:
        kept = in_processes(ask_at_once, [(url, number, True) for number in range(6)])
        assert len({delivery_id for delivery_id, _, _ in kept}) == 1
        assert sorted(duplicate for _, _, duplicate in kept) == [False, *[True] * 5]
        assert store.counts() == {"sending": 1}

    def test_two_records_of_one_request_do_not_call_a_number_twice(self, store: Store) -> None:
        kept = keep(store, asked(1), asked(2), asked(3, phone="+18015550143"))
        assert states(kept) == ["queued", "suppressed", "queued"]

    def test_every_number_of_a_long_request_is_left_in_peace_after_it(self, store: Store) -> None:
        many = range(3 * CHUNK)
        keep(store, *(asked(number, phone=f"+1801555{number:04}") for number in many))
        again = keep(store, *(asked(500 + number, phone=f"+1801555{number:04}") for number in many), at=NOW + SECOND)
        assert {one.delivery.policy for one in again} == {"quiet.same_number"}

    def test_a_repeat_of_the_second_click_is_still_answered_with_the_first(self, store: Store) -> None:
        keep(store, clicked(1))
        (second,) = keep(store, clicked(2))
        (again,) = keep(store, clicked(3, at=NOW + MINUTE, key="k2"), at=NOW + MINUTE)
        assert [one.delivery.id for one in (second, again)] == ["d1", "d1"]
        assert (second.duplicate, again.duplicate) == (True, True)

    def test_whoever_was_not_called_may_ask_again(self, store: Store) -> None:
        keep(store, asked(1))
        (taken,) = claim(store)
        store.save(taken, to("refused"), [], now=NOW)
        assert states(keep(store, asked(2), at=NOW + SECOND)) == ["queued"]

    def test_a_call_leaves_the_number_in_peace_for_its_time(self, store: Store) -> None:
        keep(store, asked(1))
        (taken,) = claim(store)
        store.save(taken, to("accepted"), [], now=NOW)
        for number, (after, state) in enumerate([(9 * MINUTE, "suppressed"), (10 * MINUTE, "queued")], 2):
            assert states(keep(store, asked(number), at=NOW + after)) == [state]

    @pytest.mark.parametrize(
        "other",
        [
            asked(2, phone="+18015550143"),
            asked(2, tenant="acme"),
            clicked(2),
        ],
        ids=["another number", "another tenant", "a click beside a callback"],
    )
    def test_others_are_not_stopped(self, store: Store, other: Delivery) -> None:
        keep(store, asked(1))
        assert states(keep(store, other)) == [other.state]

    def test_another_agent_may_dial_the_same_number(self, store: Store) -> None:
        keep(store, clicked(1))
        other = replace(clicked(2), action=replace(CLICK, agent="0102"))
        assert states(keep(store, other)) == ["sending"]

    def test_the_number_is_asked_about_once_more_before_it_is_sent(self, store: Store) -> None:
        """As after a replay: meanwhile the number was called by another request."""
        keep(store, asked(1))
        (taken,) = claim(store)
        store.save(taken, to("refused"), [], now=NOW)
        keep(store, asked(2))
        (second,) = claim(store)
        store.save(second, to("accepted"), [], now=NOW)
        refused = store.get("d1")
        assert refused is not None
        store.act(refused, to("queued"), who="Pat", now=NOW)
        assert claim(store) == []
        stopped = store.get("d1")
        assert stopped is not None
        assert (stopped.state, stopped.policy) == ("suppressed", "quiet.same_number")

    def test_a_number_is_called_so_often_within_a_day_and_again_on_the_next(self, store: Store) -> None:
        often = {"quiet": None, "number_per_day": 2}
        for number, (after, state) in enumerate(
            [(0, "queued"), (1, "queued"), (2, "suppressed"), (23, "suppressed"), (24, "queued"), (25, "queued")]
        ):
            at = NOW + timedelta(hours=after)
            one = asked(number, terms={**often})
            one = replace(one, terms={name: value for name, value in one.terms.items() if value}, expires_at=at)
            assert states(keep(store, one, at=at)) == [state], after

    # the do-not-call list

    def block(self, store: Store, *phones: str, key: Numbers = NUMBERS, tenant: str = "") -> int:
        hashes, key_id = [key.hashes(phone)[0] for phone in phones], key.key_ids()[0]
        return store.rules.block(hashes, key_id=key_id, reason="asked us to", who="Pat", now=NOW, tenant=tenant)

    def test_a_number_on_the_list_is_not_called_and_one_taken_off_is(self, store: Store) -> None:
        assert self.block(store, "+18015550142", "+18015550199") == 2
        assert self.block(store, "+18015550142") == 0
        (stopped,) = keep(store, asked(1))
        assert (stopped.delivery.state, stopped.delivery.policy) == ("suppressed", "do_not_call")
        assert "asked us to" in stopped.delivery.reason
        assert store.rules.unblock(NUMBERS.hashes("+18015550142")) == (1, [])
        assert states(keep(store, asked(2))) == ["queued"]
        assert [(one["who"], one["reason"], one["at"]) for one in store.rules.blocked()] == [
            ("Pat", "asked us to", NOW)
        ]

    def test_a_number_on_a_tenants_list_is_called_for_others_until_it_is_on_the_list_of_all(self, store: Store) -> None:
        number = NUMBERS.hashes("+18015550142")
        assert self.block(store, "+18015550142", tenant="acme") == 1
        assert states(keep(store, asked(1, tenant="acme"))) == ["suppressed"]
        assert states(keep(store, asked(2, tenant="other"))) == ["queued"]
        assert self.block(store, "+18015550142") == 1
        assert states(keep(store, asked(3, tenant="third"))) == ["suppressed"]
        assert store.rules.unblock(number, tenant="other") == (0, ["", "acme"])
        assert store.rules.unblock(number) == (1, ["acme"])
        assert states(keep(store, asked(4, tenant="third"), asked(5, tenant="acme"))) == ["queued", "suppressed"]

    def test_who_is_put_on_the_list_while_a_call_waits_is_not_called_either(self, store: Store) -> None:
        keep(store, asked(1, state="held", due_at=NOW + SECOND))
        self.block(store, "+18015550142")
        assert claim(store, now=NOW + SECOND) == []
        found = store.get("d1")
        assert found is not None
        assert (found.state, found.policy) == ("suppressed", "do_not_call")

    def test_the_list_is_read_under_a_key_that_was_rotated(self, store: Store) -> None:
        rotated = Numbers(["a new key", "a key of the tests"])
        self.block(store, "+18015550142")
        one = replace(asked(1), terms={"fresh_for": 60.0, "numbers": rotated.hashes("+18015550142")})
        assert states(keep(store, one)) == ["suppressed"]
        assert store.rules.unreadable(rotated.key_ids()) == 0
        assert store.rules.unreadable(Numbers(["a new key"]).key_ids()) == 1

    def test_a_release_keeps_what_the_list_has_just_learnt_of_the_number(self, store: Store) -> None:
        newer = Numbers(["a newer key", "a key of the tests"])
        keep(store, asked(1, state="held", policy="hours"))
        seen = store.get("d1")
        assert seen is not None
        hashes = newer.hashes("+18015550142")
        assert store.rules.rehash([hashes]) == 1
        store.act(seen, to("queued"), who="Pat", now=NOW, released=True)
        found = store.get("d1")
        assert found is not None
        assert (found.terms["released"], found.terms["numbers"]) == (True, list(hashes))

    @pytest.mark.parametrize("state", ["queued", "sending", "unknown", "failed", "refused", "expired", "suppressed"])
    def test_what_may_be_sent_again_is_found_by_a_list_that_was_written_with_a_later_key(
        self, store: Store, state: State
    ) -> None:
        newer = Numbers(["a newer key", "a key of the tests"])
        keep(store, asked(1))
        if state != "queued":
            (taken,) = claim(store)
            if state != "sending":
                store.save(taken, to(state), [], now=NOW)
        hashes = newer.hashes("+18015550142")
        assert [store.rules.rehash([hashes]) for _ in range(2)] == [1, 0]
        assert store.rules.rehash([[hashes[0]] * 2]) == 0  # the same key twice
        self.block(store, "+18015550142", key=newer)
        found = store.get("d1")
        assert found is not None
        if state == "sending":
            store.save(found, to("queued"), [], now=NOW)
        elif state != "queued":
            store.act(found, to("queued"), who="Pat", now=NOW)
        assert claim(store) == []
        ended = store.get("d1")
        assert ended is not None
        assert (ended.state, ended.policy) == ("suppressed", "do_not_call")

    def test_the_list_is_never_purged(self, store: Store) -> None:
        self.block(store, "+18015550142")
        store.purge(before=NOW + timedelta(days=99), now=NOW + timedelta(days=99))
        assert len(store.rules.blocked()) == 1

    # one dial for each agent

    def test_a_second_click_of_an_agent_is_stopped_while_the_first_is_under_way(self, store: Store) -> None:
        keep(store, clicked(1))
        (second,) = keep(store, clicked(2, phone="+18015550143"))
        assert (second.delivery.state, second.delivery.policy) == ("suppressed", "agent.in_flight")
        assert second.delivery.lease_owner is None
        first = store.get("d1")
        assert first is not None
        store.save(first, to("accepted"), [], now=NOW)
        assert states(keep(store, clicked(3, phone="+18015550143"))) == ["sending"]

    def test_the_dials_of_an_agent_are_claimed_one_after_the_other(self, store: Store) -> None:
        three = [
            asked(1, SELECT, due_at=NOW - 3 * SECOND),
            asked(2, CLICK, phone="+18015550142", due_at=NOW - 2 * SECOND),
            asked(3, CLICK, phone="+18015550143", due_at=NOW - SECOND),
        ]
        keep(store, *three)
        for number, seconds in ((1, 0), (2, 1), (3, 2)):
            (taken,) = claim(store, now=NOW + seconds * SECOND)
            assert taken.id == f"d{number}"
            assert claim(store, now=NOW + seconds * SECOND) == []
            store.save(taken, to("accepted"), [], now=NOW)

    def test_what_came_in_one_request_keeps_its_order_when_it_has_to_wait(self, store: Store) -> None:
        keep(store, asked(1, CLICK, due_at=NOW - SECOND))
        (busy,) = claim(store)
        first, second = keep(store, asked(2, SELECT), asked(3, CLICK, phone="+18015550143"))
        assert second.delivery.due_at > first.delivery.due_at > NOW
        later = NOW + 2 * SECOND
        assert claim(store, now=later, most=1) == []
        store.save(busy, to("accepted"), [], now=NOW)
        assert claim(store, now=later, most=1) == []
        (taken,) = claim(store, now=later + 2 * SECOND)
        assert taken.id == "d2"

    def test_a_click_is_stopped_while_one_that_was_claimed_is_under_way(self, store: Store) -> None:
        keep(store, asked(1, CLICK))
        (taken,) = claim(store)
        (second,) = keep(store, clicked(2, phone="+18015550143"))
        assert (second.delivery.state, second.delivery.policy) == ("suppressed", "agent.in_flight")
        store.save(taken, to("accepted"), [], now=NOW)
        assert states(keep(store, clicked(3, phone="+18015550143"))) == ["sending"]

    def test_processes_never_dial_for_one_agent_at_once(self, store: Store, url: str) -> None:
        keep(store, *(asked(number, CLICK, phone=f"+1801555{number:04}") for number in range(12)))
        taken = in_processes(claim_once, [(url, number) for number in range(6)])
        assert sum(taken) == 1

    # floods

    def test_a_flood_of_requests_is_held_and_looked_at_again(self, store: Store) -> None:
        for number in range(4):
            few = asked(number, phone=f"+1801555{number:04}", terms={"per_minute": 3}, expires_at=NOW + 10 * MINUTE)
            expected = "queued" if number < 3 else "held"
            assert states(keep(store, few, at=NOW + number * SECOND)) == [expected]
        held = store.get("d3")
        assert held is not None
        assert (held.policy, held.due_at) == ("limits.per_minute", NOW + 63 * SECOND)

    def test_what_came_before_a_clock_was_set_back_is_no_flood(self, store: Store) -> None:
        few = [asked(one, phone=f"+1801555{one:04}", terms={"per_minute": 3}) for one in range(4)]
        for number, one in enumerate(few[:3]):
            keep(store, one, at=NOW + timedelta(hours=2) + number * SECOND)
        assert states(keep(store, few[3])) == ["queued"]

    # pauses

    def test_while_paused_everything_is_kept_and_held_and_goes_on_after_it(self, store: Store) -> None:
        keep(store, asked(1))
        assert store.rules.pause("", said="by Pat: test", now=NOW) == 1
        keep(store, asked(2, phone="+18015550143"), clicked(3, phone="+18015550144"))
        assert store.counts() == {"held": 3}
        assert claim(store, now=NOW + SECOND) == []
        assert store.rules.resume("", now=NOW + SECOND) == 3
        assert sorted(one.id for one in claim(store, now=NOW + SECOND)) == ["d1", "d2", "d3"]

    def test_a_pause_holds_one_tenant_or_all(self, store: Store) -> None:
        store.rules.pause("acme", said="by Pat", now=NOW)
        keep(store, asked(1, tenant="acme"), asked(2, phone="+18015550143"))
        assert [one.id for one in claim(store)] == ["d2"]
        store.rules.pause("", said="by Lee", now=NOW)
        store.rules.resume("acme", now=NOW)
        assert claim(store) == []
        store.rules.resume("", now=NOW)
        assert [one.id for one in claim(store)] == ["d1"]

    def test_what_nobody_resumes_in_time_is_given_up(self, store: Store) -> None:
        store.rules.pause("", said="by Pat", now=NOW)
        keep(store, asked(1))
        late = NOW + MINUTE + timedelta(microseconds=1)
        _, (gone,) = store.claim(
            lambda one: policy.decide(one, now=late), owner="one", now=late, lease_until=late, most=5
        )
        assert (gone.state, gone.policy) == ("expired", "fresh_for")
        assert "it was kept back: dialling is paused by Pat (pause)" in gone.reason

    # the gates of the tenants

    def fail(self, store: Store, evidence: Evidence, *, now: datetime, state: State = "queued", times: int = 1) -> None:
        for _ in range(times):
            (taken,) = claim(store, now=now, most=1)
            store.save(taken, to(state, due_at=now, expires_at=now + 99 * MINUTE), [], now=now, evidence=evidence)

    def test_while_xima_is_away_one_callback_looks_whether_it_is_back_and_then_all_go(self, store: Store) -> None:
        keep(store, *(asked(number, phone=f"+1801555{number:04}") for number in range(9)))
        self.fail(store, Evidence.NOT_SENT, now=NOW, times=3)
        assert claim(store, now=NOW + 2 * SECOND) == []
        (probe,) = claim(store, now=NOW + 3 * SECOND)
        assert claim(store, now=NOW + 3 * SECOND) == []
        store.save(probe, to("accepted"), [], now=NOW + 4 * SECOND, evidence=Evidence.ACCEPTED)
        assert len(claim(store, now=NOW + 4 * SECOND)) == 8

    def test_one_tenants_trouble_is_not_anothers(self, store: Store) -> None:
        keep(store, *(asked(number, phone=f"+1801555{number:04}") for number in range(3)))
        self.fail(store, Evidence.UNAUTHORIZED, now=NOW, state="held")
        keep(store, asked(8, tenant="acme"))
        assert [one.id for one in claim(store, now=NOW + SECOND)] == ["d8"]
        shut = next(gate for gate in store.rules.gates() if gate.trouble)
        assert (shut.tenant, shut.trouble, shut.since) == ("default", "token", NOW)

    def test_a_refused_token_holds_what_comes_and_lets_it_go_when_it_is_accepted(self, store: Store) -> None:
        keep(store, asked(1))
        (first,) = claim(store)
        store.save(first, to("held", due_at=NOW + 30 * SECOND), [], now=NOW, evidence=Evidence.UNAUTHORIZED)
        (new,) = keep(store, asked(2, phone="+18015550143"), at=NOW + SECOND)
        assert (new.delivery.state, new.delivery.policy) == ("held", "token")
        (probe,) = claim(store, now=NOW + 30 * SECOND)
        assert probe.id == "d1"
        store.save(probe, to("accepted"), [], now=NOW + 31 * SECOND, evidence=Evidence.ACCEPTED)
        assert [one.id for one in claim(store, now=NOW + 31 * SECOND)] == ["d2"]
        assert [gate.trouble for gate in store.rules.gates()] == [""]

    def test_what_comes_while_a_token_is_refused_finds_out_by_itself_that_it_is_accepted(self, store: Store) -> None:
        """A click was refused, so nothing that was tried is waiting to be tried again; of many that come one goes."""
        (click,) = keep(store, clicked(1))
        store.save(click.delivery, to("refused"), [], now=NOW, evidence=Evidence.UNAUTHORIZED)
        some = (asked(n, phone=f"+1801555{n:04}", expires_at=NOW + 10 * MINUTE) for n in range(2, 7))
        assert states(keep(store, *some, at=NOW + SECOND)) == ["held"] * 5
        assert claim(store, now=NOW + 29 * SECOND) == []
        tried = set()
        for tried_at in (NOW + 30 * SECOND, NOW + 60 * SECOND):
            (probe,) = claim(store, now=tried_at)
            assert claim(store, now=tried_at + 29 * SECOND) == []
            again = to("held", due_at=tried_at + 30 * SECOND, expires_at=NOW + 10 * MINUTE)
            store.save(probe, again, [], now=tried_at, evidence=Evidence.UNAUTHORIZED)
            tried.add(probe.id)
        others = [one for one in store.newest(state="queued") if one.id not in tried]
        assert [one.updated_at for one in others] == [NOW + 30 * SECOND] * 3  # moved once, not at every probe
        (probe,) = claim(store, now=NOW + 90 * SECOND)
        store.save(probe, to("accepted"), [], now=NOW + 91 * SECOND, evidence=Evidence.ACCEPTED)
        assert len(claim(store, now=NOW + 91 * SECOND)) == 4

    def test_behind_a_shut_gate_things_still_grow_too_old(self, store: Store) -> None:
        keep(store, *(asked(number, phone=f"+1801555{number:04}") for number in range(4)))
        self.fail(store, Evidence.NOT_SENT, now=NOW + 59 * SECOND, times=3)
        late = NOW + 61 * SECOND
        taken, gone = store.claim(
            lambda one: policy.decide(one, now=late), owner="one", now=late, lease_until=late, most=9
        )
        assert (taken, [one.state for one in gone]) == ([], ["expired"])

    def test_a_rate_is_shared_by_all_who_claim(self, store: Store) -> None:
        rates = {"default": Rate(per_second=1, burst=3)}
        keep(store, *(asked(number, phone=f"+1801555{number:04}") for number in range(9)))

        def take(owner: str, seconds: int) -> int:
            now = NOW + seconds * SECOND
            return len(store.claim(send, owner=owner, now=now, lease_until=now + MINUTE, most=9, rates=rates)[0])

        assert [take("one", 0), take("two", 0), take("two", 2), take("one", 2)] == [3, 0, 2, 0]

    def test_tenants_take_turns_and_clicks_go_first(self, store: Store) -> None:
        many = [asked(number, tenant="big", phone=f"+1801555{number:04}") for number in range(20)]
        few = [asked(50 + number, tenant="small", phone=f"+1801555{number:04}") for number in range(2)]
        keep(store, *many, *few, asked(99, CLICK, tenant="big", phone="+18015559999"))
        first = [one.tenant if one.action.kind == "callback" else "click" for one in claim(store, most=5)]
        assert first in (["click", "small", "big", "small", "big"], ["click", "big", "small", "big", "small"])

    def test_backlog_waits_behind_those_who_ask_just_now(self, store: Store) -> None:
        keep(store, *(asked(n, state="held", due_at=NOW - MINUTE, phone=f"+1801555{n:04}") for n in range(3)))
        keep(store, asked(7, phone="+18015550777"))
        assert [one.id for one in claim(store, most=1)] == ["d7"]

    def test_a_gate_that_nobody_touched_is_open(self, store: Store) -> None:
        assert store.rules.gates() == []
        store.rules.resume("acme", now=NOW)
        assert store.rules.gates() == [Gate(tenant="acme")]

    def test_marks_are_purged(self, store: Store) -> None:
        keep(store, clicked(1))
        week = timedelta(days=7)
        assert store.purge(before=NOW, now=NOW) == 0
        assert store.purge(before=NOW + SECOND, now=NOW + week) == 1  # the request; its key stays while it is sent
        assert store.purge(before=NOW + SECOND, now=NOW + week + SECOND) == 2

    def test_a_short_retention_does_not_let_a_number_be_called_more_often(self, store: Store) -> None:
        hour = timedelta(hours=1)
        keep(store, asked(1, terms={"number_per_day": 1}))
        (taken,) = claim(store)
        store.save(taken, to("accepted"), [], now=NOW)
        later = NOW + 13 * hour
        store.purge(before=later - 12 * hour, now=later)
        (second,) = keep(store, asked(2, terms={"number_per_day": 1}, expires_at=later + hour), at=later)
        assert (second.delivery.state, second.delivery.policy) == ("suppressed", "limits.number_per_day")

    def test_a_kept_request_says_which_rule_stopped_it(self, store: Store) -> None:
        keep(store, asked(1))
        store.add(arrived("r2"), [entry(asked(2))])
        found = store.request("r2")
        assert found is not None
        assert found["results"] == [{"record": 0, "delivery": "d2", "duplicate": False, "policy": "quiet.same_number"}]


def claim_once(given: tuple[str, int]) -> int:
    """In another process: take what is due; gives how much that was."""
    url, number = given
    store = Store(url)
    together()
    taken = claim(store, owner=f"p{number}")
    store.close()
    return len(taken)
