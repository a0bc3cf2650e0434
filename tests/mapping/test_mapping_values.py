"""Values: where they come from, how they are cleaned, what stands in for them, and why they are missing."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from mapping_cases import DIAL, HEAD, US, action, loaded, result, run

from adapter.mapping import Mapping, Trace


def skill(value: str, *parts: str) -> Mapping:
    """A mapping whose skill is `value`, text or a group in braces."""
    return loaded(HEAD, US, f"rules:\n  - callback: {{skill: {value}, callback_number: 0102}}\n", *parts)


def skill_of(value: str, record: Any, *parts: str) -> str | None:
    got = result(skill(value, *parts), record)
    return got.action.as_dict()["skill"] if got.action else None


@pytest.mark.parametrize(
    ("value", "record", "made"),
    [
        ("'${a}'", {"a": "x"}, "x"),
        ("'${a}-${b.c}'", {"a": "x", "b": {"c": 1}}, "x-1"),
        ("'${a}-${b}'", {"a": "x"}, "x-"),
        ("'${a}-${b}'", {}, None),
        ("'no path'", {}, "no path"),
        ("'${a}'", {"a": ["x", "y"]}, "x"),
        ("'${a}'", {"a": {"b": "x"}}, None),
        ("'${a}'", {"a": [{"b": "x"}]}, None),
        ("'${a}'", {"a": ["", "x"]}, None),
        ("{field: a}", {"a": "x"}, "x"),
        ("{field: a}", {"a": {"b": "x"}}, None),
        ("{field: 'a[b=2].c'}", {"a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}]}, "y"),
        ("{field: '$[\"1.3\"]'}", {"1.3": "x"}, "x"),
        ("{field: $}", {"a": "x"}, None),
        ("{first_of: [a, b]}", {"a": " ", "b": "x"}, "x"),
        ("{first_of: [a, b]}", {"a": {"c": 1}, "b": "x"}, "x"),
        ("{first_of: [a, b]}", {"a": 0, "b": "x"}, "0"),
        ("{first_of: a}", {"a": "x"}, "x"),
        ("{first_of: [a, b]}", {}, None),
        ("{lookup: t, key: '${a}'}", {"a": "One"}, "first"),
        ("{lookup: t, key: '${a}${b}'}", {"b": "ONE"}, "first"),
        ("{lookup: t, key: '${a}'}", {"a": "two"}, None),
        ("{lookup: t, key: '${a}'}", {}, None),
        ("{lookup: t, key: '${a}', default: x}", {}, "x"),
        ("{lookup: t, key: '${a}', clean: upper}", {"a": "one"}, "FIRST"),
        ("{field: a, default: '${b}'}", {"b": "x"}, "x"),
        ("{field: a, default: '${b}'}", {}, None),
        ("{field: a, default: x}", {"a": " "}, "x"),
        ("{field: a, default: x}", {"a": False}, "false"),
    ],
)
def test_a_value_comes_from_where_the_file_says(value: str, record: Any, made: str | None) -> None:
    assert skill_of(value, record, "tables: {t: {one: first}}\n") == made


CHOOSE = """\
{choose: [
  {when: [{field: a, is: 1}, {field: b, is: 1}], use: both},
  {when: {field: a, is: 1}, use: '${name}'},
  {when: {field: c, is: 1}, use: {field: other, default: none}},
  {use: else}]}"""


@pytest.mark.parametrize(
    ("record", "made"),
    [
        ({"a": 1, "b": 1}, "both"),
        ({"a": 1, "name": "x"}, "x"),
        ({"a": 1}, None),
        ({"c": 1, "other": "x"}, "x"),
        ({"c": 1}, "none"),
        ({}, "else"),
    ],
)
def test_the_first_line_of_choose_that_holds_is_used(record: Any, made: str | None) -> None:
    assert skill_of(CHOOSE.replace("\n", "\n      "), record) == made


@pytest.mark.parametrize(
    ("clean", "value", "made"),
    [
        ("trim", " x ", "x"),
        ("lower", "X", "x"),
        ("upper", "é", "É"),
        ("digits", "(801) 555", "801555"),
        ("digits", "none", None),
        ("first_word", " Ann  Field ", "Ann"),
        ("[trim, lower]", " X ", "x"),
        ("[lower, first_word]", "A B", "a"),
        ("trim", [" x ", "y"], "x"),
        ("trim", [None, " y "], None),
        ("trim", {"a": 1}, None),
        ("upper", True, "TRUE"),
        ("digits", "８０１ ٣٤ x", "80134"),
        ("split", "a; b", "a"),
        ("split", "b, a", "b"),
        ("split", "a,b;c", "a,b"),
        ("split", ";;x", "x"),
        ("split", ";", None),
        ("split", ["a;b", "c"], "a;b"),
        ("[split, upper]", "a;b", "A"),
        ("parse_json", '["x", "y"]', "x"),
        ("parse_json", '{"a": 1}', None),
        ("parse_json", "{", None),
        ("parse_json", {"a": 1}, None),
    ],
)
def test_a_value_is_cleaned_step_by_step(clean: str, value: Any, made: str | None) -> None:
    assert skill_of(f"{{field: a, clean: {clean}}}", {"a": value}) == made


def test_what_is_cleaned_to_nothing_has_its_default() -> None:
    assert skill_of("{field: a, clean: digits, default: x}", {"a": "none"}) == "x"


@pytest.mark.parametrize(
    ("field", "if_missing", "kind"),
    [
        ("number_to_dial", "", "reject"),
        ("number_to_dial", "if_missing: reject", "reject"),
        ("number_to_dial", "if_missing: skip", "skip"),
        ("outbound_caller_id", "", "action"),
        ("outbound_caller_id", "if_missing: omit", "action"),
        ("outbound_caller_id", "if_missing: reject", "reject"),
        ("outbound_caller_id", "if_missing: skip", "skip"),
    ],
)
def test_the_file_says_what_becomes_of_a_record_without_a_value(field: str, if_missing: str, kind: str) -> None:
    given = {"agent": "0101", "number_to_dial": "0102", field: f"{{field: nothing, {if_missing}}}"}
    rules = "rules:\n  - click_to_dial:\n" + "".join(f"      {name}: {value}\n" for name, value in given.items())
    got = result(loaded(HEAD, US, rules), {})
    assert got.kind == kind
    if kind == "action":
        assert got.action
        assert field not in got.action.as_dict()
    else:
        assert (got.field, got.reason) == (field, f"{field} is missing: nothing is not in the record")


@pytest.mark.parametrize(
    ("value", "record", "why"),
    [
        ("'${a}'", {}, "a is not in the record"),
        ("'${a.b}'", {"a": {}}, "a.b is not in the record"),
        ("'${a}'", {"a": None}, "a is null"),
        ("'${a}'", {"a": ""}, "a is empty"),
        ("'${a}'", {"a": "N/A"}, "a is empty ('N/A' is one of empty_values)"),
        ("'${a}'", {"a": {}}, "a is empty"),
        ("'${a}'", {"a": []}, "a is empty"),
        ("'${a}'", {"a": {"b": 1, "c": 2}}, "a is a group of keys (b, c), not a text"),
        (
            "'${a}'",
            {"a": {f"key {number}" + "x" * 50: 1 for number in range(9)}},
            "a is a group of keys (" + ", ".join(f"key {number}" + "x" * 35 for number in range(5)) + "), not a text",
        ),
        ("'${a}'", {"a": [{"b": 1}]}, "a is a list that does not begin with a text"),
        ("'${a}'", {"a": ["", "x"]}, "a is empty"),
        ("'${a}${b}'", {"a": None}, "a is null; b is not in the record"),
        ("{field: a}", {"a": " "}, "a is empty"),
        ("{first_of: [a, b]}", {"b": ""}, "a is not in the record; b is empty"),
        ("{field: a, clean: digits}", {"a": "ask me"}, "a is 'ask me', of which clean leaves nothing"),
        ("{field: request.headers.x}", {}, "request.headers.x is not in the request"),
        ("{field: request.body}", {}, "request.body is empty"),
        ("{lookup: t, key: '${a}'}", {"a": "x"}, "table t has no line for 'x'"),
        ("{lookup: t, key: '${a}'}", {}, "table t has no line for an empty key (a is not in the record)"),
        ("{choose: [{when: {field: a, is: x}, use: y}]}", {}, "no line of choose applies"),
        ("{choose: [{use: '${a}'}]}", {}, "a is not in the record"),
        ("{field: let.x}", {}, "let.x is empty"),
        ("'   '", {}, "the text in the mapping is empty"),
    ],
)
def test_the_reason_names_what_was_tried_and_what_it_held(value: str, record: Any, why: str) -> None:
    got = result(skill(value, "empty_values: [n/a]\ntables: {t: {one: first}}\nlet: {x: '${y}'}\n"), record)
    assert (got.kind, got.reason) == ("reject", f"skill is missing: {why}")


def test_the_reason_looks_behind_a_let_value_when_somebody_asks() -> None:
    of = skill("'${let.x}'", "let: {x: {first_of: [a, b]}}\n")
    (got,) = run(of, {"b": None}, trace=Trace())
    assert got.reason == "skill is missing: let.x is empty (a is not in the record; b is null)"
    of = skill("'${let.x.y}'", "let: {x: {field: a, clean: parse_json}}\n")
    (got,) = run(of, {"a": "{}"}, trace=Trace())
    assert got.reason == "skill is missing: let.x.y is empty (a is '{}', of which clean leaves nothing)"
    (got,) = run(of, {"a": '{"z": 1}'}, trace=Trace())
    assert got.reason == "skill is missing: let.x.y is empty"


@pytest.mark.parametrize(
    ("value", "noted"),
    [
        ("'${nothing}'", "skill is missing: nothing is not in the record; instead of nothing there is long, group"),
        ("'${Lang}'", "skill is missing: Lang is not in the record; instead of Lang there is long, group"),
        (
            "'${none[0].x}'",
            "skill is missing: none[0].x is not in the record; instead of none[0].x there is long, group",
        ),
        ("'${long.x}'", "skill is missing: long.x is not in the record"),
        ("{field: long}", "skill: longer than 200 characters, or not printable"),
        ("{field: 'n', default: x}", "nothing found, so the default 'x' is used"),
        ("{choose: [{when: {field: n, is: x}, use: a}, {use: b}]}", "this line of choose applies"),
        ("'x${group}${long}'", "group is a group of keys (a), not a text"),
        ("'x${nothing}${group.a}'", "nothing is not in the record"),
    ],
)
def test_the_trace_tells_of_every_value(value: str, noted: str) -> None:
    trace = Trace()
    run(skill(value), {"long": "x" * 300, "group": {"a": "b"}}, trace=trace)
    assert noted in [text for _, text in trace.notes]


def test_of_many_fields_the_nearest_are_told_and_five_at_most() -> None:
    record = {**{f"field {number}": "x" for number in range(9)}, "Phone": "1", "phone_2": "2"}
    trace = Trace()
    (got,) = run(skill("'${phone}'"), record, trace=trace)
    (stopped,) = trace.obstacles
    assert stopped.text.partition(" there is ")[2] == "Phone, phone_2, field 0, field 1, field 2"
    assert got.reason == "skill is missing: phone is not in the record", "an example may expect these very words"


def test_the_trace_tells_what_is_left_out() -> None:
    trace = Trace()
    rules = "rules:\n  - click_to_dial: {agent: 1, number_to_dial: 0102, outbound_caller_id: '${x}'}\n"
    run(loaded(HEAD, US, rules), {}, trace=trace)
    assert "outbound_caller_id is left out: x is not in the record" in [text for _, text in trace.notes]
    assert trace.obstacles == []


def test_a_long_value_is_cut_in_the_trace() -> None:
    trace = Trace()
    run(skill("{lookup: t, key: '${a}'}", "tables: {t: {a: b}}\n"), {"a": "x" * 100}, trace=trace)
    assert f"table t, '{'x' * 77}...': nothing" in [text for _, text in trace.notes]


@pytest.mark.parametrize(
    ("number", "made"),
    [
        (8015550142, "8015550142"),
        (Decimal("8015550142.0"), "8015550142"),
        (Decimal("8.015550142E9"), "8015550142"),
        ("8015550142.0", "8015550142"),
        ([8015550142, "x"], "8015550142"),
        ("801-555-0142 / 801-555-0143", "8015550142"),
        ("'8015550142", "8015550142"),
        ("tel:801-555-0142", "8015550142"),
    ],
)
def test_numbers_of_any_kind_are_dialled(number: Any, made: str) -> None:
    assert action(loaded(HEAD, US, DIAL), {"phone": number})["number_to_dial"] == made


@pytest.mark.parametrize(
    "number",
    [
        Decimal("8015550142.5"),
        Decimal("8.01555E-5"),
        "8.01555E+09",
        True,
        False,
        {"value": "8015550142"},
        [{"value": "8015550142"}],
        [[]],
        "",
        "call me",
        "911",
        10**39,
    ],
)
def test_what_is_no_telephone_number_is_rejected(number: Any) -> None:
    got = result(loaded(HEAD, US, DIAL), {"phone": number})
    assert (got.kind, got.field) == ("reject", "number_to_dial")


KINDS: dict[str, Any] = {
    "text": "x",
    "number": 1,
    "fraction": Decimal("1.50"),
    "yes": True,
    "null": None,
    "list": ["x"],
    "empty list": [],
    "group": {"x": 1},
    "empty group": {},
}


@pytest.mark.parametrize(
    ("value", "kind"),
    list(itertools.product(["'${a}'", "'x ${a}'", "{field: a}", "{first_of: [a]}", "{lookup: t, key: '${a}'}"], KINDS)),
)
def test_any_kind_of_data_may_stand_where_a_text_is_wanted(value: str, kind: str) -> None:
    got = result(skill(value, "tables: {t: {x: X, 1: One, 1.50: OneHalf, 'true': Yes}}\n"), {"a": KINDS[kind]})
    wanted = {"text": "x", "number": "1", "fraction": "1.50", "yes": "true", "list": "x"}.get(kind)
    if "lookup" in value and wanted:
        wanted = {"x": "X", "1": "One", "1.50": "OneHalf", "true": "Yes"}[wanted]
    if value == "'x ${a}'":
        wanted = f"x {wanted}" if wanted else None
    assert (got.action.as_dict()["skill"] if got.action else None) == wanted
