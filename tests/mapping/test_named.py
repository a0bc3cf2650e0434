"""What a mapping names at Xima is found wherever it stands."""

from __future__ import annotations

import pytest
from mapping_cases import HEAD, US, loaded

from adapter.mapping import named

TABLES = "tables: {t: {Ann: Sales, Bob: Repair}}\n"


@pytest.mark.parametrize(
    ("value", "let", "names"),
    [
        ("Sales", "", ["Sales"]),
        ("${skill}", "", []),
        ("${skill} Sales", "", []),
        ("{field: skill, default: Sales}", "", ["Sales"]),
        ("{lookup: t, key: '${who}', default: Other}", "", ["Other", "Repair", "Sales"]),
        ("{lookup: t, key: '${who}', clean: [upper], default: Other}", "", ["Other"]),
        ("{choose: [{when: {field: a, is: b}, use: Sales}, {use: '${skill}'}]}", "", ["Sales"]),
        ("${let.x}", "let: {x: {lookup: t, key: '${who}'}}\n", ["Repair", "Sales"]),
        ("{field: let.x, default: Other}", "let: {x: Sales}\n", ["Other", "Sales"]),
        ("{first_of: [skill, let.x]}", "let: {x: Sales}\n", ["Sales"]),
        ("${let.x.y}", "let: {x: {field: raw, clean: [parse_json]}}\n", []),
    ],
)
def test_a_name_is_found_wherever_it_stands(value: str, let: str, names: list[str]) -> None:
    rule = f"rules:\n  - callback:\n      skill: {value}\n      callback_number: ${{phone}}\n"
    of = loaded(HEAD, US, TABLES, let, rule)
    assert sorted(one.text for one in named.of_rule(of, of.rules[0]).skills) == names


def test_every_kind_of_name_has_its_place() -> None:
    rule = "rules:\n  - select_caller_id: {agent: 0101, label: Main, outbound_caller_id: 8015550100}\n"
    of = loaded(HEAD, US, rule)
    found = named.of_rule(of, of.rules[0])
    assert [one.text for one in (*found.extensions, *found.labels, *found.caller_ids)] == ["0101", "Main", "8015550100"]
    assert found.labels[0].where == ("rules", 0, "select_caller_id", "label")
