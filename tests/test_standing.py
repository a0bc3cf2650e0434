"""The rules that know what else there is: do-not-call, quiet, caps, pauses, one dial for each agent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter import policy
from adapter.model import Action, Delivery, State
from adapter.policy import Facts, Gate, Numbers, Verdict
from adapter.policy.standing import goes_first
from adapter.policy.verdict import TICK

MINUTE = timedelta(minutes=1)
BUSY = delivery(CLICK, id="busy", state="sending")


def limited(action: Action = CALLBACK, *, quiet: timedelta | None = 10 * MINUTE, **changes: Any) -> Delivery:
    """A delivery with limits, its terms as the store gives them back."""
    made = policy.limits(hashes=["h1", "h0"], quiet=quiet, number_per_day=3, per_minute=5)
    terms = json.loads(json.dumps({"fresh_for": 60.0, **made, **changes.pop("terms", {})}))
    return delivery(action, terms=terms, **changes)


def verdict(one: Delivery, **facts: Any) -> Verdict:
    found = policy.judge(one, Facts(**facts), now=NOW)
    assert found is not None
    return found


def test_a_delivery_about_which_nothing_is_known_is_sent() -> None:
    assert policy.judge(limited(), Facts(), now=NOW) is None
    assert policy.judge(delivery(), Facts(gate=Gate(tenant="default")), now=NOW) is None


def test_a_number_on_the_do_not_call_list_is_never_called() -> None:
    released = limited(CLICK, terms={"released": True})
    for one in (limited(), limited(CLICK), limited(state="held"), released):
        found = verdict(one, blocked="asked us to stop")
        assert (found.state, found.policy) == ("suppressed", "do_not_call")
        assert found.reason == "the number is on the do-not-call list: asked us to stop (do_not_call)"


@pytest.mark.parametrize("state", ["held", "queued", "sending"])
def test_a_number_that_waits_to_be_called_is_not_called_once_more_however_long_it_waits(state: State) -> None:
    first = delivery(CALLBACK, id="first", state=state, created_at=NOW - timedelta(days=2), expires_at=NOW)
    found = verdict(limited(), called=first)
    assert (found.state, found.policy) == ("suppressed", "quiet.same_number")
    assert found.reason == "a call to the same number was asked for 2 days ago, see first (quiet.same_number)"


@pytest.mark.parametrize(("state", "stopped"), [("held", False), ("queued", False), ("sending", True)])
def test_what_has_grown_too_old_is_not_waited_for_unless_it_is_on_its_way(state: State, stopped: bool) -> None:
    first = delivery(CALLBACK, id="first", state=state, expires_at=NOW - timedelta(microseconds=1))
    assert bool(policy.judge(limited(), Facts(called=first), now=NOW)) == stopped
    assert policy.repeats(limited(CLICK, id="d2"), replace(first, action=CLICK), now=NOW) == stopped


@pytest.mark.parametrize(
    ("state", "asked", "stopped"),
    [
        ("accepted", NOW - 2 * MINUTE, True),
        ("unknown", NOW - 2 * MINUTE, True),
        ("refused", NOW - 2 * MINUTE, False),
        ("accepted", NOW - 40 * MINUTE, False),
    ],
    ids=["called since", "perhaps called since", "not called since", "called before"],
)
def test_what_is_let_go_late_is_not_sent_when_a_newer_request_was(state: State, asked: Any, stopped: bool) -> None:
    late = limited(created_at=NOW - 3 * MINUTE, quiet=SECOND)
    first = delivery(CALLBACK, id="first", state=state, created_at=asked, updated_at=NOW - MINUTE)
    assert bool(policy.judge(late, Facts(called=first), now=NOW)) == stopped


@pytest.mark.parametrize(
    ("state", "ago", "stopped"),
    [
        pytest.param("accepted", 10 * MINUTE - SECOND, True, id="within the time"),
        pytest.param("accepted", 10 * MINUTE, False, id="when the time is over"),
        pytest.param("unknown", MINUTE, True, id="perhaps it was called"),
        pytest.param("accepted", -MINUTE, True, id="a clock that was set back"),
        *(
            pytest.param(state, MINUTE, False, id=f"not called: {state}")
            for state in ("refused", "failed", "expired", "suppressed", "cancelled")
        ),
    ],
)
def test_after_a_call_the_number_is_left_in_peace(state: State, ago: timedelta, stopped: bool) -> None:
    first = delivery(CALLBACK, id="first", state=state, created_at=NOW - timedelta(hours=3), updated_at=NOW - ago)
    assert bool(policy.judge(limited(), Facts(called=first), now=NOW)) == stopped


def test_quiet_counts_from_the_call_and_not_from_the_asking() -> None:
    first = delivery(CALLBACK, id="first", state="accepted", created_at=NOW - 9 * MINUTE, updated_at=NOW - MINUTE)
    assert "the same number was called 1 minute ago, see first" in verdict(limited(), called=first).reason


def test_it_does_not_stop_itself() -> None:
    one = limited()
    assert policy.judge(one, Facts(called=one, on_line=replace(one, state="sending")), now=NOW) is None


@pytest.mark.parametrize(("calls", "stopped"), [(2, False), (3, True), (30, True)])
def test_a_number_is_called_so_often_a_day(calls: int, stopped: bool) -> None:
    found = policy.judge(limited(), Facts(number_calls=calls), now=NOW)
    assert (found and found.policy) == ("limits.number_per_day" if stopped else None)


def test_a_flood_of_leads_waits_and_a_flood_of_clicks_does_not_ring() -> None:
    assert policy.judge(limited(), Facts(source_requests=4), now=NOW) is None
    lead, click = verdict(limited(), source_requests=5), verdict(limited(CLICK), source_requests=5)
    assert (lead.state, lead.due_at, lead.policy) == ("held", NOW + MINUTE, "limits.per_minute")
    assert (click.state, click.policy) == ("suppressed", "limits.per_minute")


def test_what_a_person_released_is_not_limited() -> None:
    one = limited(terms={"released": True})
    first = delivery(CALLBACK, id="first", state="accepted")
    assert policy.judge(one, Facts(called=first, number_calls=9, source_requests=9), now=NOW) is None


# gates


@pytest.mark.parametrize("action", [CLICK, CALLBACK, SELECT], ids=lambda action: str(action.kind))
def test_while_dialling_is_paused_everything_is_held_until_it_is_too_old(action: Action) -> None:
    gate = Gate(tenant="default", paused="by Pat: maintenance")
    found = verdict(delivery(action, state="sending"), gate=gate)
    assert (found.state, found.policy) == ("held", "pause")
    assert found.reason == "dialling is paused by Pat: maintenance (pause)"
    assert found.due_at == NOW + 60 * SECOND + timedelta(microseconds=1)  # and then it expires, unless somebody resumes


@pytest.mark.parametrize("trouble", ["token", "egress_cap"])
def test_in_trouble_that_all_would_share_nothing_is_sent_until_it_is_time_to_try(trouble: Any) -> None:
    gate = Gate(tenant="default", trouble=trouble, since=NOW - MINUTE, probe_at=NOW + SECOND)
    found = verdict(limited(), gate=gate)
    assert (found.state, found.policy) == ("held", trouble)
    assert "since 16:59 UTC" in found.reason
    assert found.due_at == NOW + SECOND  # and then it may be what looks whether the trouble is over
    short = verdict(limited(expires_at=NOW), gate=gate)
    assert short.due_at == NOW + timedelta(microseconds=1)  # it is too old before that
    assert policy.judge(limited(), Facts(gate=replace(gate, probe_at=NOW)), now=NOW) is None


def test_while_xima_is_away_a_click_tries_for_itself_and_a_callback_stays_queued() -> None:
    gate = Gate(tenant="default", trouble="away", since=NOW, probe_at=NOW + SECOND, failures=3)
    assert policy.judge(delivery(CLICK, state="sending"), Facts(gate=gate), now=NOW) is None
    assert policy.judge(limited(), Facts(gate=gate), now=NOW) is None


# one dial for each agent


def test_a_click_while_the_agent_is_being_rung_is_not_dialled_later_behind_the_agents_back() -> None:
    found = verdict(delivery(CLICK, id="d2", state="sending"), on_line=BUSY)
    assert (found.state, found.policy) == ("suppressed", "agent.in_flight")
    assert "extension 0101 is being rung for another call at this moment, see busy: click again" in found.reason


@pytest.mark.parametrize(
    "one",
    [delivery(CLICK, id="d2", deliver="queued"), delivery(SELECT, id="d2", state="sending")],
    ids=["queued", "select"],
)
def test_what_nobody_waits_for_waits_its_turn(one: Delivery) -> None:
    found = verdict(one, on_line=BUSY)
    assert (found.state, found.due_at, found.policy) == ("queued", NOW + SECOND, "agent.in_flight")


@pytest.mark.parametrize("state", ["accepted", "unknown", "queued", "held"])
def test_only_a_dial_that_is_under_way_keeps_the_line(state: State) -> None:
    assert policy.judge(delivery(id="d2"), Facts(on_line=replace(BUSY, state=state)), now=NOW) is None


@pytest.mark.parametrize(
    ("waits", "put_off", "due"),
    [
        pytest.param(NOW - SECOND, None, NOW + SECOND, id="it is just being done"),
        pytest.param(NOW + 5 * SECOND, None, NOW + 5 * SECOND + TICK, id="it is done later"),
        pytest.param(NOW, NOW + 2 * SECOND, NOW + 2 * SECOND + TICK, id="another waits for the line as well"),
        pytest.param(NOW + MINUTE * 9, None, NOW + MINUTE + TICK, id="later than this one is wanted"),
    ],
)
def test_it_does_not_overtake_what_came_before_it_in_its_request(waits: Any, put_off: Any, due: Any) -> None:
    first = delivery(SELECT, id="first", due_at=waits, expires_at=NOW + 10 * MINUTE)
    found = verdict(delivery(CLICK, id="d2", deliver="queued"), ahead=first, put_off=put_off)
    assert (found.state, found.due_at, found.policy) == ("queued", due, "agent.in_flight")
    assert "what came before it for extension 0101, see first" in found.reason


def test_those_that_wait_for_one_line_keep_their_order() -> None:
    found = verdict(delivery(CLICK, id="d2", deliver="queued"), on_line=BUSY, put_off=NOW + SECOND)
    assert found.due_at == NOW + SECOND + TICK


@pytest.mark.parametrize(
    ("other", "first"),
    [
        pytest.param(delivery(state="queued", due_at=NOW + MINUTE), True, id="queued"),
        pytest.param(delivery(state="sending", expires_at=NOW - SECOND), True, id="on its way"),
        pytest.param(delivery(state="held", due_at=NOW), True, id="let go"),
        pytest.param(delivery(state="held", due_at=NOW + SECOND), False, id="held for later"),
        pytest.param(delivery(state="queued", expires_at=NOW - SECOND), False, id="too old"),
        pytest.param(delivery(state="accepted"), False, id="done"),
    ],
)
def test_what_goes_first_is_what_is_about_to_be_done(other: Delivery, first: bool) -> None:
    assert goes_first(other, now=NOW) == first


@pytest.mark.parametrize(
    ("first", "same"),
    [
        pytest.param(None, False, id="the first"),
        pytest.param(delivery(state="sending", created_at=NOW - 40 * SECOND), True, id="under way"),
        pytest.param(delivery(state="held"), True, id="held"),
        pytest.param(delivery(state="accepted", created_at=NOW - 5 * SECOND), True, id="just accepted"),
        pytest.param(delivery(state="unknown", created_at=NOW - 5 * SECOND), True, id="just unknown"),
        pytest.param(delivery(state="accepted", created_at=NOW - 6 * SECOND), False, id="accepted a while ago"),
        pytest.param(delivery(state="accepted", created_at=NOW + SECOND), True, id="accepted on a clock that is ahead"),
        pytest.param(delivery(state="accepted", created_at=NOW + MINUTE), False, id="before the clock was set back"),
        pytest.param(delivery(state="refused"), False, id="refused: click again"),
    ],
)
def test_the_second_half_of_a_double_click(first: Delivery | None, same: bool) -> None:
    assert policy.repeats(delivery(id="d2"), first, now=NOW) == same
    assert not policy.repeats(delivery(CALLBACK, id="d2"), first, now=NOW)


# marks and hashes


def test_marks_name_what_is_remembered() -> None:
    click, callback = policy.marks(limited(CLICK)), policy.marks(limited())
    assert click.quiet == "quiet default click_to_dial 0101 h1"
    assert callback.quiet == "quiet default callback  h1"
    assert (click.line, callback.line) == ("line default 0101", "")
    assert click.day == callback.day == "day default h1"
    assert policy.marks(limited(quiet=timedelta())).quiet == ""
    assert policy.marks(delivery(SELECT)) == policy.Marks(line="line default 0101")


def test_without_a_number_there_is_nothing_to_limit_but_the_flood() -> None:
    assert policy.limits(hashes=[], quiet=MINUTE, number_per_day=1, per_minute=2) == {"per_minute": 2}
    assert policy.limits(hashes=[], quiet=None, number_per_day=None, per_minute=None) == {}


def test_numbers_are_recognised_under_every_key_and_written_under_the_first() -> None:
    old, both, new = Numbers(["old"]), Numbers(["new", "old"]), Numbers(["new"])
    number = "+18015550142"
    assert both.hashes(number) == [*new.hashes(number), *old.hashes(number)]
    assert both.key_ids() == [*new.key_ids(), *old.key_ids()]
    assert not set(old.hashes(number)) & set(new.hashes(number))
    assert "8015550142" not in str(both.hashes(number))
    assert "old" not in repr(both)
