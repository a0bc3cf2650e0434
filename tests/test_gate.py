"""A tenant's gate: shut when all would fail alike, opened by a probe; what the rate lets through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sample import NOW, SECOND

from adapter.model import Evidence
from adapter.policy import Gate, Rate, gate

OPEN = Gate(tenant="default")
AWAY = replace(OPEN, trouble="away", failures=3, since=NOW, probe_at=NOW + 3 * SECOND)
RATE = Rate(per_second=2, burst=4)


def after(before: Gate, *evidence: Evidence) -> Gate:
    for one in evidence:
        before = gate.after(before, one, now=NOW)
    return before


def test_the_third_try_in_a_row_that_does_not_reach_xima_shuts_the_gate() -> None:
    assert after(OPEN, *[Evidence.NOT_SENT] * 2) == replace(OPEN, failures=2)
    assert after(OPEN, *[Evidence.NOT_SENT] * 3) == AWAY


def test_any_answer_in_between_begins_the_count_anew() -> None:
    some = [Evidence.NOT_SENT, Evidence.NOT_SENT, Evidence.REFUSED]
    assert after(OPEN, *some, *some) == OPEN


@pytest.mark.parametrize("evidence", ["ACCEPTED", "REFUSED", "LATER", "UNKNOWN"])
def test_any_answer_opens_it(evidence: str) -> None:
    shut = replace(AWAY, paused="by Pat", tokens=1.5, tokens_at=NOW)
    assert after(shut, Evidence[evidence]) == replace(OPEN, paused="by Pat", tokens=1.5, tokens_at=NOW)


@pytest.mark.parametrize(
    ("evidence", "trouble", "seconds"),
    [(Evidence.UNAUTHORIZED, "token", 30), (Evidence.OVER_CAP, "egress_cap", 300)],
)
def test_what_all_would_be_told_shuts_it_at_once(evidence: Evidence, trouble: Any, seconds: int) -> None:
    shut = after(OPEN, evidence)
    assert (shut.trouble, shut.since, shut.probe_at) == (trouble, NOW, NOW + seconds * SECOND)
    later = gate.after(shut, evidence, now=NOW + timedelta(hours=1))
    assert later.since == NOW  # since when it is so, not since the last probe


def test_a_shut_gate_lets_one_probe_through_and_then_nothing_until_the_next() -> None:
    assert gate.passing(AWAY, None, now=NOW + 2 * SECOND, most=9) == 0
    at = NOW + 3 * SECOND
    assert gate.passing(AWAY, None, now=at, most=9) == 1
    probing = gate.passed(AWAY, None, 1, now=at)
    assert gate.passing(probing, None, now=at, most=9) == 0
    assert gate.passing(probing, None, now=at + 3 * SECOND, most=9) == 1
    assert gate.passed(AWAY, None, 0, now=at) == AWAY
    assert gate.passing(after(probing, Evidence.ACCEPTED), None, now=at, most=9) == 9


@pytest.mark.parametrize("trouble", ["away", "token", "egress_cap"])
def test_a_clock_that_was_set_back_keeps_a_tenant_shut_no_longer_than_a_probe_takes(trouble: Any) -> None:
    shut = replace(AWAY, trouble=trouble, probe_at=NOW + gate.PROBES[trouble])
    before = NOW - timedelta(hours=1)
    assert [gate.is_shut(shut, now=at) for at in (NOW, NOW - 60 * SECOND, before)] == [True, True, False]
    probing = gate.passed(shut, None, 1, now=before)
    assert gate.passing(probing, None, now=before, most=9) == 0
    assert gate.passing(probing, None, now=before + gate.PROBES[trouble], most=9) == 1


def test_a_clock_that_was_set_back_keeps_what_a_rate_lets_through_waiting_no_longer_than_a_minute() -> None:
    used = gate.passed(OPEN, RATE, 4, now=NOW)
    passing = [gate.passing(used, RATE, now=NOW - ago * SECOND, most=9) for ago in (0, 1, 60, 61, 3600)]
    assert passing == [0, 0, 0, 4, 4]
    again = gate.passed(used, RATE, 4, now=NOW - timedelta(hours=1))
    assert gate.passing(again, RATE, now=NOW - timedelta(hours=1) + SECOND, most=9) == 2


def test_a_paused_gate_lets_nothing_through_not_even_a_probe() -> None:
    for one in (replace(OPEN, paused="by Pat"), replace(AWAY, paused="by Pat")):
        assert gate.passing(one, None, now=NOW + timedelta(days=1), most=9) == 0


def test_a_rate_lets_a_burst_through_and_then_so_many_a_second() -> None:
    assert gate.passing(OPEN, RATE, now=NOW, most=9) == 4
    empty = gate.passed(OPEN, RATE, 4, now=NOW)
    assert gate.passing(empty, RATE, now=NOW, most=9) == 0
    assert gate.passing(empty, RATE, now=NOW + SECOND / 2, most=9) == 1
    assert gate.passing(empty, RATE, now=NOW + SECOND, most=1) == 1
    assert gate.passing(empty, RATE, now=NOW + timedelta(days=1), most=9) == 4
    assert gate.passing(empty, RATE, now=NOW - SECOND, most=9) == 0  # a clock that was set back


@pytest.mark.parametrize(
    ("one", "rate", "delayed"),
    [
        (replace(OPEN, tokens=0, tokens_at=NOW), RATE, True),
        (replace(OPEN, tokens=0, tokens_at=NOW - 61 * SECOND), RATE, True),
        (replace(OPEN, tokens=0, tokens_at=NOW - 62 * SECOND), RATE, False),
        (replace(OPEN, tokens=4, tokens_at=NOW - 60 * SECOND), RATE, False),
        (OPEN, RATE, False),
        (replace(OPEN, tokens=0, tokens_at=NOW), None, False),
    ],
    ids=["just now", "until 59 s ago", "full for a minute", "never empty", "never used", "no rate any more"],
)
def test_what_waits_is_delayed_by_the_rate_while_its_bucket_is_not_full(
    one: Gate, rate: Rate | None, delayed: bool
) -> None:
    assert gate.delays(one, rate, now=NOW, within=timedelta(minutes=1)) == delayed
