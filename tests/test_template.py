"""Text with `${path}` in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import path, template
from adapter.errors import TextError


def fill(text: str, record: Any) -> str | None:
    return template.fill(template.compile(text), lambda where: path.get(where, record))


@pytest.mark.parametrize(
    ("text", "record", "made"),
    [
        ("plain", {}, "plain"),
        ("", {}, ""),
        ("costs $5 {net}", {}, "costs $5 {net}"),
        ("}", {}, "}"),
        ("${a}", {"a": "x"}, "x"),
        ("${ a }", {"a": "x"}, "x"),
        ("${a}", {}, None),
        ("${a}${b}", {"b": "x"}, "x"),
        ("${a}${b}", {}, None),
        ("id ${a}", {}, None),
        ("id ${a}!", {"a": 7}, "id 7!"),
        ("${a.b[0]}-${c}", {"a": {"b": [Decimal("1.0")]}}, "1-"),
        ("${a}", {"a": ["x", "y"]}, "x"),
        ("${a}", {"a": {"b": "x"}}, None),
        ("x${a}", {"a": {"b": "x"}}, None),
        ("${a}", {"a": True}, "true"),
        ('${$["1.3"]}', {"1.3": "x"}, "x"),
        ('${$["a}b"]}', {"a}b": "x"}, "x"),
        ("-${a['}']}-${a['}}'].c}-", {"a": {"}": "x", "}}": {"c": "y"}}}, "-x-y-"),
        ('${l[k="}"].n} "}"', {"l": [{"k": "}", "n": "x"}]}, 'x "}"'),
        ("${a}}", {"a": "x"}, "x}"),
        ("$${a}", {"a": "x"}, "$x"),
        ("${a}", {"a": "${b}", "b": "x"}, "${b}"),
    ],
)
def test_every_path_is_replaced_by_what_it_leads_to(text: str, record: Any, made: str | None) -> None:
    assert fill(text, record) == made


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("${a", "${ is never closed with }", 0),
        ("x ${a} ${b", "${ is never closed with }", 7),
        ("${}", "a path is missing", 2),
        ("x ${ }", "a path is missing", 4),
        ("x ${a..b}", "right after a dot comes a name", 5),
        ("${a} ${b[}", "[ is never closed with ]", 8),
        ('${b["}', "[ is never closed with ]", 3),
        ('${b["}"]', "${ is never closed with }", 0),
        ("${${a}}", "here stands a field without braces", 3),
    ],
)
def test_it_says_where_the_fault_lies(text: str, reason: str, offset: int) -> None:
    with pytest.raises(TextError) as caught:
        template.compile(text)
    assert caught.value.reason.startswith(reason)
    assert caught.value.offset == offset


def test_its_paths_are_known_in_order() -> None:
    assert [str(one) for one in template.compile("${a}-${let.b}x${c}").paths] == ["a", "let.b", "c"]
    assert template.compile("a").paths == ()


@given(st.text(alphabet="ab${}[].\"'= \\"))
def test_any_text_is_compiled_or_refused_within_itself(text: str) -> None:
    try:
        made = template.compile(text)
    except TextError as exc:
        offset = exc.offset
    else:
        assert made.text == text
        assert bool(made.paths) is ("${" in text)
        assert template.fill(made, lambda where: "x") is not None
        offset = 0
    assert 0 <= offset <= len(text)


@given(st.text(), st.text())
def test_a_text_that_is_filled_in_is_never_read_again(before: str, value: str) -> None:
    before = before.replace("$", "")
    assert fill(before + "${a}", {"a": value}) == before + value


def test_a_text_of_any_length_is_passed_on_but_none_is_put_together() -> None:
    long = "x" * template.LONGEST
    assert fill("${a}", {"a": long + "x"}) == long + "x"
    assert fill("${a}${b}", {"a": long}) == long
    assert fill("${a}${b}", {"a": long, "b": "y"}) is None
