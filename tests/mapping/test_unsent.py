"""A field that nobody sends any more is told before the calls stop."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mapping_cases import HEAD, US, loaded

from adapter.mapping import Problem, unsent
from adapter.model import Received

TEXT = (
    HEAD
    + US
    + """\
let:
  phone: {first_of: [properties.mobilephone, properties.phone]}
once: {key: "${id}-${request.headers.x-id}"}
rules:
  - when: [{field: $, present: yes}]
    callback: {skill: "${skill}", callback_number: "${let.phone}"}
"""
)


def sent(*records: Any) -> list[Received]:
    return [
        Received(method="POST", url="https://e.com/", headers={}, body=json.dumps(record).encode())
        for record in records
    ]


def told(*records: Any, text: str = TEXT) -> list[Problem]:
    return unsent.problems(loaded(text), text, sent(*records))


WHOLE = {"id": 1, "skill": None, "properties": {"phone": "1"}}


def test_what_is_never_there_is_told_with_its_place() -> None:
    (one,) = told(WHOLE, {"skill": "S"})
    assert one.message == "warning: nobody has sent properties.mobilephone in the last 2 requests [never-sent]"
    assert one.hint == "look how the sender writes it, or remove it"
    line = TEXT.splitlines()[one.place.line - 1]
    assert line[one.place.column - 1 :].startswith("properties.mobilephone")


def test_the_name_that_is_sent_instead_is_the_remedy() -> None:
    (one,) = told({**WHOLE, "properties": {"phone": "1", "mobile_phone": "2"}})
    assert "in the last request [" in one.message
    assert one.hint == "did you mean mobile_phone?"


@pytest.mark.parametrize(
    "records",
    [(), ({**WHOLE, "properties": {"phone": "1", "mobilephone": ""}},), ([],)],
    ids=["no request", "sent once, though empty", "no record"],
)
def test_nothing_else_is_told(records: tuple[Any, ...]) -> None:
    found = told(*records) if records != ([],) else told([], {**WHOLE, "properties": {"mobilephone": 1, "phone": 2}})
    assert found == []


def test_a_body_that_cannot_be_read_says_nothing() -> None:
    broken = Received(method="POST", url="https://e.com/", headers={}, body=b"{")
    assert unsent.problems(loaded(TEXT), TEXT, [broken]) == []


def test_it_can_be_silenced() -> None:
    assert told({}, text=TEXT + "lint: {ignore: never-sent}\n") == []
