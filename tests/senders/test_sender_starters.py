"""The starter mappings: each is good as it is, can be copied under its own name, and maps what its sender sends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sender_cases import (
    ACTIONS,
    INDEX,
    NUMBERS,
    PRESETS,
    SCHEMES,
    STARTERS,
    document,
    examples_of,
    source,
    starter,
    with_sample,
)

from adapter.cli import bodies
from adapter.errors import SignatureError
from adapter.mapping import examples
from adapter.mapping.examples import NOW

LONGEST = 110
"""Lines of a starter; what is longer is no start."""
OTHER = {
    "hubspot-calling-sdk-ondialnumber.json": "a message inside the browser",
    "salesforce-open-cti-clicktodial.json": "a message inside the browser",
    "salesforce-cdc.json": "fetched over the Pub/Sub API, never sent to a URL",
    "salesforce-platform-event.json": "fetched over the Pub/Sub API, never sent to a URL",
}
"""Recorded samples that no webhook brings."""
WITH_NUMBER = [one for one in INDEX if one["phone"] and one["file"] not in OTHER]


def test_every_sender_of_the_list_has_a_preset_with_a_starter() -> None:
    assert set(SCHEMES) <= set(PRESETS)
    assert set(STARTERS) == set(PRESETS)


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_is_good_and_shows_a_call_and_a_missing_number(name: str) -> None:
    results = [one["result"] for example in starter(name).examples for one in example.expect]
    assert {"skip", "reject"} & set(results), "an example without a number is missing"
    assert {*ACTIONS, "call_ended"} & set(results), "an example that makes a call is missing"


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_is_short_and_begins_with_a_word_to_its_reader(name: str) -> None:
    text = STARTERS[name].read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= LONGEST
    assert max(len(line) for line in lines if "body: " not in line) <= 120
    assert lines[0].startswith("# ")
    assert text.endswith("\n")


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_is_of_its_sender_and_names_one_secret(name: str) -> None:
    of = starter(name)
    assert of.receive.preset == name or PRESETS[name].thin, "only a thin sender's numbers come another way"
    assert len({variable for proof in of.receive.proofs for variable in proof.secrets}) == 1


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_lets_in_what_is_signed_and_nothing_else(name: str) -> None:
    ready = source(starter(name))
    request = bodies.signed(ready, None, [], origin="https://example.com", now=NOW)
    ready.verify(request, now=NOW)
    unsigned = examples.received(starter(name), starter(name).examples[0])
    with pytest.raises(SignatureError):
        ready.verify(unsigned, now=NOW)


@pytest.mark.parametrize("sample", WITH_NUMBER, ids=lambda sample: sample["file"])
def test_what_a_sender_sends_becomes_the_call_that_its_starter_shows(sample: dict[str, Any]) -> None:
    found = list(examples_of(sample))
    assert found, "no starter shows this sample or the part of it that matters"
    for name, example in found:
        assert list(examples.problems(with_sample(starter(name), example, sample))) == []
    numbers = [
        digits(one[one["result"]][key])
        for _, example in found
        for one in example.expect
        if one["result"] in ACTIONS
        for key in NUMBERS
        if key in one[one["result"]]
    ]
    assert all(number.endswith(digits(sample["phone"])[-7:]) for number in numbers[:1]), numbers


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@pytest.mark.parametrize("sample", INDEX, ids=lambda sample: sample["file"])
def test_every_sample_can_be_read(sample: dict[str, Any]) -> None:
    assert document(sample)


@pytest.mark.parametrize("name", [name for name in STARTERS if PRESETS[name].thin])
def test_a_thin_sender_is_sent_the_way_that_its_starter_takes(name: str) -> None:
    thin, taken = PRESETS[name].thin, starter(name).receive.preset
    assert thin is not None
    assert taken == name or f"(preset {taken})" in thin.instead
