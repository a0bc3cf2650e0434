"""Receipts say what is known, in one sentence, and never more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from sample import CALLBACK, CLICK, NOW, SELECT, delivery

from adapter import receipt
from adapter.mapping import Result
from adapter.model import Action, Attempt, State

WHY = "it rained"
SENTENCES: dict[State, str] = {
    "held": "The call from extension 0101 to …0142 is held until 2026-01-07T17:00:00.000Z: it rained.",
    "queued": "The call from extension 0101 to …0142 is waiting to be sent to Xima.",
    "sending": "The call from extension 0101 to …0142 is on its way to Xima; the answer has not come yet.",
    "accepted": "The call from extension 0101 to …0142 counts as accepted: it rained.",
    "refused": "Xima refused the call from extension 0101 to …0142: it rained.",
    "unknown": "Nobody can tell whether Xima did the call from extension 0101 to …0142: it rained. "
    "A person has to decide; it is not sent again.",
    "failed": "The call from extension 0101 to …0142 was not made and will not be: it rained.",
    "expired": "The call from extension 0101 to …0142 will not be sent: it rained.",
    "suppressed": "The call from extension 0101 to …0142 will not be sent: it rained.",
    "cancelled": "The call from extension 0101 to …0142 was cancelled: it rained.",
}


def link(delivery_id: str) -> str:
    return f"https://x.example/deliveries/{delivery_id}"


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_has_a_sentence_that_says_no_more_than_is_known(state: State) -> None:
    said = receipt.message(delivery(state=state, reason=WHY))
    assert said == SENTENCES[state]
    assert "connect" not in said


def test_the_sentence_of_a_repeated_event_says_so_first() -> None:
    said = receipt.message(delivery(state="accepted"), duplicate=True)
    assert said == (
        "This was asked for before and is done once only. Xima accepted the call from extension 0101 to …0142."
    )


@pytest.mark.parametrize(
    ("action", "words"),
    [
        pytest.param(CLICK, "the call from extension 0101 to …0142", id="click to dial"),
        pytest.param(CALLBACK, "the callback to …0142 for the skill Sales", id="callback"),
        pytest.param(SELECT, "the caller id Main for extension 0101", id="select caller id"),
        pytest.param(Action(), "", id="none of them"),
    ],
)
def test_an_action_is_named_in_words_without_its_whole_number(action: Action, words: str) -> None:
    assert receipt.what(action) == words


def test_a_number_that_a_person_typed_as_a_reason_is_not_shown_in_full() -> None:
    typed = "called back by +1 801 555 0142"
    of = delivery(state="cancelled", reason=typed)
    tried = Attempt(at=NOW, phase="answered", status=400, reason=typed, duration_ms=1)
    done = receipt.of_act({"at": NOW, "who": "ann", "old": "held", "new": "cancelled", "reason": typed})
    told = [receipt.of_delivery(of, link), receipt.of_attempt(tried), done]
    assert [one["reason"] for one in told] == ["called back by ***0142"] * 3
    assert told[0]["message"].endswith(" was cancelled: called back by ***0142.")


@pytest.mark.parametrize(("number", "shown"), [("8015550142", "…0142"), ("01012", "…1012"), ("0101", "0101")])
def test_a_number_is_shown_by_its_last_four_digits(number: str, shown: str) -> None:
    assert receipt.last_four(number) == shown


def test_a_reason_with_braces_is_only_text() -> None:
    assert receipt.message(delivery(state="refused", reason="{what} {0}")).endswith(": {what} {0}.")


def test_of_an_acceptance_there_is_most_often_nothing_more_to_say() -> None:
    assert receipt.message(delivery(state="accepted")) == "Xima accepted the call from extension 0101 to …0142."


def test_the_receipt_of_a_delivery_has_every_field_of_the_contract() -> None:
    one = delivery(CALLBACK, state="refused", reason=WHY, updated_at=NOW + timedelta(milliseconds=1500))
    assert receipt.of_delivery(one, link) == {
        "id": "d1",
        "state": "refused",
        "action": "callback",
        "reason": WHY,
        "policy": None,
        "message": "Xima refused the callback to …0142 for the skill Sales: it rained.",
        "mapping": "lead",
        "version": "v1",
        "rule": "dial",
        "created_at": "2026-01-07T17:00:00.000Z",
        "updated_at": "2026-01-07T17:00:01.500Z",
        "status_url": "https://x.example/deliveries/d1",
        "duplicate_of": None,
    }


def test_the_receipt_of_a_repeated_event_is_the_first_ones() -> None:
    repeated = receipt.of_delivery(delivery(state="accepted"), link, duplicate=True)
    assert (repeated["id"], repeated["duplicate_of"]) == ("d1", "d1")


@pytest.mark.parametrize(
    ("result", "message"),
    [
        pytest.param(Result(kind="skip", reason="no rule matched"), "Nothing was done: no rule matched.", id="skip"),
        pytest.param(
            Result(kind="reject", rule="dial", reason="no number", field="phone"),
            "This record cannot be used: no number.",
            id="reject",
        ),
    ],
)
def test_a_record_that_made_no_delivery_has_a_receipt_of_the_same_shape(result: Result, message: str) -> None:
    found = receipt.of_result(result, mapping="lead", version="v1", now=NOW)
    assert found.keys() == receipt.of_delivery(delivery(), link).keys()
    assert (found["state"], found["message"], found["rule"]) == (result.kind, message, result.rule or None)
    assert [found[name] for name in ("id", "action", "status_url", "duplicate_of")] == [None] * 4


def test_an_attempt_is_shown_with_its_phase_and_length() -> None:
    one = Attempt(at=NOW, phase="answered", status=204, reason="", duration_ms=12)
    assert receipt.of_attempt(one) == {
        "at": "2026-01-07T17:00:00.000Z",
        "phase": "answered",
        "status": 204,
        "reason": "",
        "duration_ms": 12,
    }


def test_moments_are_written_in_utc() -> None:
    denver = timezone(timedelta(hours=-7))
    assert receipt.instant(datetime(2026, 1, 7, 10, 0, 0, 999_999, tzinfo=denver)) == "2026-01-07T17:00:00.999Z"


def test_what_is_held_with_an_open_end_says_when_it_is_given_up() -> None:
    one = delivery(CALLBACK, state="held", policy="pause", reason="dialling is paused by Pat (pause)", due_at=NOW)
    late = replace(one, policy="recover", due_at=NOW + timedelta(days=1))
    assert receipt.message(late).endswith("given up at 2026-01-08T17:00:00.000Z.")
    assert receipt.message(one) == (
        "The callback to …0142 for the skill Sales is held: dialling is paused by Pat (pause)."
        " If nothing changes it is given up at 2026-01-07T17:01:00.000Z."
    )
