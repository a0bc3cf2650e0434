"""Two versions of a mapping beside each other: every way in which a record can come out otherwise, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from mapping_cases import HEAD, NOW, US, loaded

from adapter.mapping import Result
from adapter.mapping.difference import KINDS, Made, Pair, made, pairs
from adapter.model import Callback, ClickToDial, Received, SelectCallerId

LEAD = Callback(skill="Sales", callback_number="8015550142")
LABEL = SelectCallerId(agent="0101", label="Main", outbound_caller_id="8015550100")
SKIP = Result(kind="skip", reason="no rule matched")
REJECT = Result(kind="reject", rule="lead", field="skill", reason="skill is empty")


def action(of: Any = LEAD, **changes: Any) -> Result:
    return Result(kind="action", **{"rule": "lead", "action": of, "key": "k1", **changes})


def dial(**changes: Any) -> Result:
    return action(ClickToDial(**{"agent": "0101", "number_to_dial": "8015550142", **changes}))


def compared(before: Sequence[Result], after: Sequence[Result] | None, *, noted: bool = False) -> list[Pair]:
    return list(pairs({0: before}, None if after is None else {0: after}, noted=noted))


SAME = {
    "the same action": (action(), action()),
    "by another rule": (action(), action(rule="renamed")),
    "skipped for another reason": (SKIP, Result(kind="skip", reason="outside the calling hours")),
    "refused for another field": (REJECT, Result(kind="reject", field="callback_number")),
}
OTHER = {
    "callback number": (action(), action(Callback(skill="Sales", callback_number="8015550199")), "other number"),
    "dialled number": (dial(), dial(number_to_dial="8015550199"), "other number"),
    "agent": (dial(), dial(agent="0102"), "other agent"),
    "skill": (action(), action(Callback(skill="Support", callback_number="8015550142")), "other skill"),
    "a caller id": (dial(), dial(outbound_caller_id="8015550100"), "other caller id"),
    "no prefix": (dial(external_prefix="9"), dial(), "other caller id"),
    "another action": (action(), dial(), "other action"),
    "label": (action(LABEL), action(replace(LABEL, label="Sales")), "other caller id"),
    "action to reject": (action(), REJECT, "newly rejected"),
    "skip to reject": (SKIP, REJECT, "newly rejected"),
    "action to skip": (action(), SKIP, "newly skipped"),
    "reject to skip": (REJECT, SKIP, "newly skipped"),
    "skip to action": (SKIP, action(), "newly accepted"),
    "reject to action": (REJECT, action(), "newly accepted"),
    "held": (action(), action(hold_until=NOW), "other hold"),
    "held for longer": (action(hold_until=NOW), action(hold_until=NOW + timedelta(days=1)), "other hold"),
    "key": (action(), action(key="k2"), "other key"),
    "wanted for longer": (action(), action(fresh_for=timedelta(hours=1)), "other terms"),
    "sent at once": (action(), action(deliver="now"), "other terms"),
    "repeated": (action(), action(if_unknown="again"), "other terms"),
    "remembered for longer": (action(), action(remember=timedelta(days=9)), "other terms"),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME.keys())
def test_what_has_the_same_effect_is_the_same(before: Result, after: Result) -> None:
    (pair,) = compared([before], [after])
    assert pair.kinds == ("same",)


@pytest.mark.parametrize(("before", "after", "kind"), OTHER.values(), ids=OTHER.keys())
def test_every_difference_has_its_name(before: Result, after: Result, kind: str) -> None:
    (pair,) = compared([before], [after])
    assert pair.kinds == (kind,)
    assert kind in KINDS


def test_a_record_may_differ_in_several_ways() -> None:
    (pair,) = compared([dial()], [dial(agent="0102", number_to_dial="8015550199")])
    assert pair.kinds == ("other number", "other agent")
    assert [(one.field, one.before, one.after) for one in pair.changes] == [
        ("agent", "0101", "0102"),
        ("number_to_dial", "8015550142", "8015550199"),
    ]


def test_a_body_that_cannot_be_read_any_more_counts_for_each_of_its_results() -> None:
    assert [one.kinds for one in compared([action(), SKIP], None)] == [("newly unreadable",)] * 2


def test_what_was_only_noted_is_not_compared_in_time() -> None:
    (pair,) = compared([action()], [action(hold_until=NOW, deliver="now")], noted=True)
    assert pair.kinds == ("same",)


def test_several_results_of_a_record_are_compared_by_their_rules() -> None:
    before = [action(rule="a"), action(rule="b", key="k2")]
    after = [action(rule="b", key="k3"), action(rule="c")]
    kinds = {(one.before.rule or one.after.rule if one.after else ""): one.kinds for one in compared(before, after)}
    assert kinds == {"a": ("newly skipped",), "b": ("other key",), "c": ("newly accepted",)}


def test_records_that_are_there_on_one_side_only_are_told() -> None:
    before: Made = {0: [action()], 1: [action()]}
    after: Made = {0: [action()], 2: [action()]}
    found = [(one.record, one.kinds) for one in pairs(before, after)]
    assert found == [(0, ("same",)), (1, ("newly skipped",)), (2, ("newly accepted",))]


def test_a_whole_request_is_run_on_its_own_clock() -> None:
    text = """\
rules:
  - name: ${lead}
    when:
      - field: late
        before: 2026-11-24
    callback:
      skill: ${request.index}
      callback_number: 801-555-0142
"""
    mapping = loaded(HEAD, US, text.replace("${lead}", "lead"))
    body = b'[{"late": "2026-11-23"}, {"late": "2026-11-25"}]'
    received = Received(method="POST", url="/hooks/lead", headers={"content-type": "application/json"}, body=body)
    found = made(mapping, received, now=NOW)
    assert {index: [one.kind for one in results] for index, results in found.items()} == {0: ["action"], 1: ["skip"]}
    (result,) = found[0]
    assert result.action == Callback(skill="0", callback_number="8015550142")
