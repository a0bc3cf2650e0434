"""Every outgoing field leads back to a line of the mapping and a place in the request."""

from __future__ import annotations

from typing import Any

import pytest
from mapping_cases import HEAD, NOW, US, loaded

from adapter.mapping import provenance
from adapter.mapping.provenance import Origin
from adapter.mapping.run import scope_of

TABLES = "tables: {t: {ann: Sales}}\nempty_values: [none]\n"


def origin(value: str, record: Any, *, let: str = "") -> Origin:
    """The origin of the skill that a value gives."""
    rule = f"rules:\n  - callback:\n      skill: {value}\n      callback_number: 8015550142\n"
    of = loaded(HEAD, US, TABLES, let, rule)
    scope = scope_of(of, record, {"body": record, "headers": {"x-skill": "Support"}}, now=NOW)
    return provenance.of_action(of, of.rules[0], scope, now=NOW)["skill"]


@pytest.mark.parametrize(
    ("value", "record", "paths", "text"),
    [
        ("Sales", {}, (), None),
        ("${a}", {"a": "Sales"}, ("a",), "Sales"),
        ("${a}-${b.c}", {"a": "A", "b": {"c": 1}}, ("a", "b.c"), "A 1"),
        ("${a}-${a}", {"a": "A"}, ("a",), "A"),
        ("{field: a, clean: [upper]}", {"a": "sales"}, ("a",), "sales"),
        ("{first_of: [a, b, c]}", {"a": "none", "b": "Sales", "c": "x"}, ("b",), "Sales"),
        ("{lookup: t, key: '${a}'}", {"a": "Ann"}, ("a",), "Ann"),
        ("{lookup: t, key: '${a}', default: X}", {"a": "bob"}, (), None),
        ("{lookup: t, key: '${a}', default: '${b}'}", {"a": "bob", "b": "B"}, ("b",), "B"),
        ("{choose: [{when: {field: a, is: x}, use: '${b}'}, {use: '${c}'}]}", {"a": "x", "b": "B"}, ("b",), "B"),
        ("{choose: [{when: {field: a, is: x}, use: '${b}'}, {use: '${c}'}]}", {"c": "C"}, ("c",), "C"),
        ("${request.headers.x-skill}", {}, ("request.headers.x-skill",), "Support"),
        ("${nothing}", {}, (), None),
    ],
)
def test_a_field_knows_what_it_was_made_of(value: str, record: Any, paths: tuple[str, ...], text: str | None) -> None:
    found = origin(value, record)
    assert (found.where, found.paths, found.text) == (("rules", 0, "callback", "skill"), paths, text)


@pytest.mark.parametrize(
    ("let", "record", "paths"),
    [
        ("let: {x: {field: a}, y: '${let.x}'}\n", {"a": "A"}, ("a",)),
        ("let: {x: {field: a, clean: [parse_json]}, y: '${let.x.b}'}\n", {"a": '{"b": "B"}'}, ("a",)),
        ("let: {y: {lookup: t, key: '${a}'}}\n", {"a": "ann"}, ("a",)),
    ],
    ids=["a chain", "inside parsed JSON", "a lookup"],
)
def test_it_looks_through_let(let: str, record: Any, paths: tuple[str, ...]) -> None:
    assert origin("${let.y}", record, let=let).paths == paths


def test_yes_and_no_come_from_the_mapping() -> None:
    rule = "rules:\n  - click_to_dial: {agent: 0101, number_to_dial: '${p}', use_selected_caller_id: yes}\n"
    of = loaded(HEAD, US, rule)
    found = provenance.of_action(of, of.rules[0], scope_of(of, {}, {}, now=NOW), now=NOW)
    assert found["use_selected_caller_id"] == Origin(where=("rules", 0, "click_to_dial", "use_selected_caller_id"))
