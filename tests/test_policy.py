"""What our rules say before a delivery is sent, and where it goes after each thing an exchange can prove."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any, Literal

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter import policy
from adapter.hours import Hours
from adapter.model import Action, Delivery, Evidence, Outcome, State, check_move
from adapter.policy import Facts, Verdict
from adapter.policy.verdict import DOUBT

MICROSECOND = timedelta(microseconds=1)
NEVER = Hours(open={}, closed_on=frozenset(), zone="America/Denver")
WORK = Hours(
    open=dict.fromkeys(range(5), ((time(8), time(18)),)), closed_on=frozenset({date(2026, 1, 8)}), zone="America/Denver"
)
FOUR_IN_THE_MORNING = NOW - timedelta(hours=6)
AT_EIGHT = NOW - timedelta(hours=2)
FRIDAY_AT_EIGHT = AT_EIGHT + timedelta(days=2)


def with_hours(hours: Hours | None = WORK, *, zones: tuple[str, ...] = (), **changes: Any) -> Delivery:
    """A delivery wanted for a minute within calling hours, its terms as the store gives them back."""
    terms = policy.terms(fresh_for=timedelta(minutes=1), open_hours=hours, zones=zones)
    return delivery(terms=json.loads(json.dumps(terms)), **changes)


# before it is sent


def test_a_delivery_that_is_due_and_fresh_is_sent() -> None:
    assert policy.decide(delivery(), now=NOW) is None


def test_it_is_wanted_until_the_last_moment_and_not_longer() -> None:
    one = delivery(expires_at=NOW)
    assert policy.decide(one, now=NOW) is None
    late = NOW + MICROSECOND
    assert policy.decide(one, now=late) == Verdict(
        state="expired",
        reason="older than 1 minute, so it is not wanted any more (fresh_for)",
        due_at=late,
        expires_at=NOW,
        policy="fresh_for",
    )


def test_what_expires_after_tries_says_what_the_last_one_came_to() -> None:
    one = delivery(expires_at=NOW - SECOND, tries=3, reason="Xima could not be reached")
    found = policy.decide(one, now=NOW)
    assert found is not None
    assert found.reason.endswith("(fresh_for); the last try: Xima could not be reached")


def test_out_of_hours_it_is_held_until_they_open_and_wanted_for_a_while_after_that() -> None:
    one = with_hours(expires_at=FOUR_IN_THE_MORNING + 60 * SECOND)
    assert policy.decide(one, now=FOUR_IN_THE_MORNING) == Verdict(
        state="held",
        reason="outside the calling hours; they open on Wednesday 07 January 2026 at 08:00 MST (hours)",
        due_at=AT_EIGHT,
        expires_at=AT_EIGHT + 60 * SECOND,
        policy="hours",
    )


def test_held_far_longer_than_it_is_fresh_it_is_sent_when_the_hours_open() -> None:
    one = with_hours(expires_at=FOUR_IN_THE_MORNING + 60 * SECOND)
    hold = policy.decide(one, now=FOUR_IN_THE_MORNING)
    assert hold is not None
    held = policy.moved(one, hold, now=FOUR_IN_THE_MORNING)
    assert policy.decide(held, now=AT_EIGHT) is None
    assert policy.decide(held, now=AT_EIGHT + 60 * SECOND) is None
    found = policy.decide(held, now=AT_EIGHT + 61 * SECOND)
    assert found is not None
    assert found.state == "expired"


def test_too_old_goes_before_out_of_hours() -> None:
    found = policy.decide(with_hours(expires_at=FOUR_IN_THE_MORNING - SECOND), now=FOUR_IN_THE_MORNING)
    assert found is not None
    assert found.state == "expired"


def test_it_is_held_again_when_the_hours_end_before_it_was_sent() -> None:
    closing = NOW + timedelta(hours=8)
    assert policy.decide(with_hours(expires_at=closing), now=closing - SECOND) is None
    found = policy.decide(with_hours(expires_at=closing), now=closing)
    assert found is not None
    assert (found.state, found.due_at) == ("held", FRIDAY_AT_EIGHT)  # Thursday is closed
    assert found.expires_at == FRIDAY_AT_EIGHT + 60 * SECOND


def test_it_waits_until_every_zone_the_number_may_be_in_is_open() -> None:
    one = with_hours(zones=("America/New_York", "America/Los_Angeles"), expires_at=AT_EIGHT)
    found = policy.decide(one, now=AT_EIGHT)
    assert found is not None
    assert found.due_at == AT_EIGHT + timedelta(hours=1)


def test_hours_that_never_open_end_a_delivery() -> None:
    found = policy.decide(with_hours(NEVER), now=NOW)
    assert found is not None
    assert (found.state, found.reason) == ("expired", "the calling hours do not open within a year (hours)")


@pytest.mark.parametrize(
    ("outside", "asked"), [("hold", True), ("skip", True), ("send", False)], ids=["hold", "skip", "send"]
)
def test_a_delivery_carries_its_hours_unless_they_do_not_matter(
    outside: Literal["hold", "skip", "send"], asked: bool
) -> None:
    hours = Hours(open=WORK.open, closed_on=frozenset(), zone=WORK.zone, outside=outside)
    made = policy.terms(fresh_for=timedelta(minutes=1), open_hours=hours, zones=("America/Denver",))
    assert made["fresh_for"] == 60
    assert ("hours" in made, "zones" in made) == (asked, asked)
    assert policy.terms(fresh_for=timedelta(minutes=1), open_hours=None, zones=()) == {"fresh_for": 60}


def test_a_clock_that_was_set_back_delays_nothing() -> None:
    assert policy.decide(with_hours(), now=NOW - timedelta(hours=1)) is None


# after it was sent

KINDS = {"click_to_dial": CLICK, "callback": CALLBACK, "select_caller_id": SELECT}
HELD_BACK: dict[Evidence, dict[str, State]] = {
    Evidence.UNAUTHORIZED: {"callback": "held", "click_to_dial": "refused", "select_caller_id": "refused"},
    Evidence.OVER_CAP: {"callback": "held", "click_to_dial": "failed", "select_caller_id": "failed"},
}


def expected(evidence: Evidence, kind: str, if_unknown: str) -> State:
    """The table of the design, for a delivery that is wanted for a while yet."""
    if evidence in HELD_BACK:
        return HELD_BACK[evidence][kind]
    if evidence is Evidence.UNKNOWN:
        return "queued" if if_unknown == "again" and kind != "click_to_dial" else "unknown"
    ends: dict[Evidence, State] = {Evidence.ACCEPTED: "accepted", Evidence.REFUSED: "refused"}
    return ends.get(evidence, "queued")


EVERY_CASE = list(product(Evidence, KINDS, ("now", "queued"), ("ask", "again")))


def after(one: Delivery, evidence: Evidence, *, tries: int = 1, now: datetime = NOW, **more: Any) -> Verdict:
    outcome = Outcome(evidence=evidence, phase="answered", reason="so Xima said", **more)
    return policy.after(one, outcome, tries=tries, now=now, jitter=0)


@pytest.mark.parametrize(("evidence", "kind", "deliver", "if_unknown"), EVERY_CASE)
def test_an_exchange_leads_where_the_design_says(evidence: Evidence, kind: str, deliver: Any, if_unknown: Any) -> None:
    one = delivery(KINDS[kind], state="sending", deliver=deliver, if_unknown=if_unknown)
    found = after(one, evidence)
    waited_for = evidence is Evidence.NOT_SENT and kind == "click_to_dial" and deliver == "now"
    assert found.state == ("failed" if waited_for else expected(evidence, kind, if_unknown))
    assert (found.reason, found.expires_at) == ("so Xima said", one.expires_at)
    assert found.due_at > NOW if found.state in ("held", "queued") else found.due_at == NOW
    check_move("sending", found.state)


@pytest.mark.parametrize(("evidence", "kind", "deliver", "if_unknown"), EVERY_CASE)
def test_with_no_time_left_nothing_is_tried_again(evidence: Evidence, kind: str, deliver: Any, if_unknown: Any) -> None:
    one = delivery(KINDS[kind], state="sending", deliver=deliver, if_unknown=if_unknown, expires_at=NOW)
    found = after(one, evidence)
    check_move("sending", found.state)
    if evidence is Evidence.UNKNOWN:
        assert found.state == "unknown"
    elif evidence in (Evidence.NOT_SENT, Evidence.LATER) and deliver == "now":
        assert found.state == "failed"
    elif found.state in ("held", "queued"):
        ended = policy.decide(policy.moved(one, found, now=NOW, tries=1), now=found.due_at)
        assert ended is not None
        assert ended.state == "expired"
        assert ended.reason.endswith("the last try: so Xima said")


def test_no_answer_makes_a_dial_leave_twice() -> None:
    """For a click nothing but certainty that it did not happen leads to another try."""
    back = {one for one in Evidence if after(delivery(CLICK, if_unknown="again"), one).state in ("queued", "held")}
    assert back == {Evidence.LATER}
    queued = delivery(CLICK, if_unknown="again", deliver="queued")
    back = {one for one in Evidence if after(queued, one).state in ("queued", "held")}
    assert back == {Evidence.NOT_SENT, Evidence.LATER}


@pytest.mark.parametrize(
    ("evidence", "tries", "wait"),
    [
        *((Evidence.NOT_SENT, tries, wait) for tries, wait in ((1, 0.5), (2, 1), (3, 2), (4, 3), (9, 3))),
        *((Evidence.LATER, tries, 3) for tries in (1, 9)),
    ],
)
def test_after_an_outage_it_is_back_within_seconds(evidence: Evidence, tries: int, wait: float) -> None:
    assert after(delivery(CALLBACK), evidence, tries=tries).due_at == NOW + wait * SECOND


def test_what_xima_asks_for_is_waited_for() -> None:
    found = after(delivery(CALLBACK), Evidence.LATER, retry_after=20 * SECOND)
    assert found.due_at == NOW + 20 * SECOND


def test_a_click_whose_retry_after_lies_beyond_its_end_fails_at_once() -> None:
    assert after(delivery(CLICK), Evidence.LATER, retry_after=61 * SECOND).state == "failed"


def test_a_callback_whose_retry_after_lies_beyond_its_end_expires_at_its_end() -> None:
    one = delivery(CALLBACK)
    found = after(one, Evidence.LATER, retry_after=61 * SECOND)
    assert (found.state, found.due_at) == ("queued", one.expires_at + MICROSECOND)


@pytest.mark.parametrize(("tries", "wait"), [(1, 2), (2, 10), (3, 30), (4, 60), (5, 120), (50, 120)])
def test_a_callback_that_may_be_queued_is_repeated_a_few_times_only(tries: int, wait: int) -> None:
    one = delivery(CALLBACK, if_unknown="again", expires_at=NOW + timedelta(minutes=10))
    assert after(one, Evidence.UNKNOWN, tries=tries).due_at == NOW + wait * SECOND


DOUBTED = {"fresh_for": 60.0, DOUBT: {"at": NOW.isoformat(), "why": "no answer came"}, "numbers": ["h1"], "quiet": 60.0}


@pytest.mark.parametrize("action", [CALLBACK, SELECT], ids=["callback", "caller id"])
def test_a_try_that_may_have_rung_is_not_forgotten_when_there_is_another(action: Action) -> None:
    one = delivery(action, if_unknown="again")
    found = after(one, Evidence.UNKNOWN)
    assert (found.state, found.terms) == (
        "queued",
        {**one.terms, DOUBT: {"at": NOW.isoformat(), "why": "so Xima said"}},
    )
    again = policy.moved(one, found, now=NOW)
    assert after(replace(again, reason=""), Evidence.UNKNOWN).terms == again.terms
    assert after(again, Evidence.NOT_SENT).terms is None, "nothing changes, so nothing is written"


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (Evidence.ACCEPTED, "accepted"),
        (Evidence.REFUSED, "unknown"),
        (Evidence.NOT_SENT, "queued"),
        (Evidence.UNAUTHORIZED, "held"),
    ],
)
def test_nobody_is_told_it_was_not_done_when_an_earlier_try_may_have_been(evidence: Evidence, state: State) -> None:
    found = after(delivery(CALLBACK, if_unknown="again", terms=DOUBTED), evidence, tries=2)
    assert found.state == state
    if state == "unknown":
        assert found.reason == "so Xima said; of an earlier try: no answer came"


def test_the_last_try_that_may_have_rung_is_the_one_that_counts() -> None:
    one = delivery(CALLBACK, if_unknown="again", terms=DOUBTED, expires_at=NOW + SECOND)
    end = after(one, Evidence.UNKNOWN, tries=5)
    assert (end.state, end.reason) == ("unknown", "so Xima said")
    assert end.terms is not None
    assert DOUBT not in end.terms
    assert policy.abandoned(one, NOW).terms == end.terms


def test_what_may_have_rung_does_not_expire_and_is_not_suppressed_without_a_word() -> None:
    one = delivery(CALLBACK, terms=DOUBTED, tries=2, reason="connection refused", expires_at=NOW - SECOND)
    late = policy.decide(one, now=NOW)
    stopped = policy.judge(one, Facts(blocked="asked us to"), now=NOW)
    assert late is not None
    assert stopped is not None
    assert (late.state, stopped.state) == ("unknown", "unknown")
    assert late.reason.endswith("the last try: connection refused; of an earlier try: no answer came")
    assert stopped.reason.startswith("the number is on the do-not-call list")


def test_a_number_that_may_have_been_called_is_left_in_peace_though_it_will_not_be_tried_again() -> None:
    first = delivery(CALLBACK, id="first", terms=DOUBTED, expires_at=NOW - SECOND)
    asking = delivery(CALLBACK, terms=DOUBTED)
    later = NOW + timedelta(seconds=59)
    for called in (first, replace(first, state="cancelled"), replace(first, state="unknown", updated_at=later)):
        assert policy.judge(asking, Facts(called=called), now=NOW)
        assert not policy.judge(asking, Facts(called=called), now=NOW + timedelta(minutes=1))


def test_a_caller_id_that_may_be_selected_is_selected_again_at_once() -> None:
    assert after(delivery(SELECT), Evidence.UNKNOWN).due_at == NOW + 0.5 * SECOND


@pytest.mark.parametrize(("evidence", "pause"), [(Evidence.UNAUTHORIZED, 30), (Evidence.OVER_CAP, 300)])
def test_a_callback_of_a_tenant_that_cannot_send_is_held_for_a_while(evidence: Evidence, pause: int) -> None:
    found = after(delivery(CALLBACK), evidence)
    assert (found.state, found.due_at) == ("held", NOW + pause * SECOND)


@pytest.mark.parametrize("evidence", list(Evidence))
def test_only_what_certainly_did_not_happen_has_a_next_try(evidence: Evidence) -> None:
    outcome = Outcome(evidence=evidence, phase="answered")
    found = policy.next_try(delivery(), outcome, tries=1, now=NOW, jitter=0)
    assert (found is not None) == (evidence in (Evidence.NOT_SENT, Evidence.LATER))


def test_jitter_spreads_those_that_failed_together() -> None:
    outcome = Outcome(evidence=Evidence.NOT_SENT, phase="not_sent")
    early, late = (
        policy.after(delivery(CALLBACK), outcome, tries=4, now=NOW, jitter=jitter).due_at for jitter in (0, 1)
    )
    assert timedelta(0) < late - early < SECOND


def test_a_moved_delivery_is_where_the_verdict_says_and_held_by_nobody() -> None:
    one = delivery(state="sending", lease_owner="web-1", lease_until=NOW, attempt=2, tries=1)
    verdict = Verdict(state="held", reason="so it is", due_at=NOW + SECOND, expires_at=NOW + 2 * SECOND)
    moved = policy.moved(one, verdict, now=NOW + MICROSECOND, tries=5)
    assert (moved.state, moved.reason, moved.due_at, moved.expires_at) == (
        *("held", "so it is"),
        *(NOW + SECOND, NOW + 2 * SECOND),
    )
    assert (moved.updated_at, moved.tries, moved.attempt) == (NOW + MICROSECOND, 5, 2)
    assert (moved.lease_owner, moved.lease_until) == (None, None)
    assert policy.moved(one, verdict, now=NOW).tries == 1
