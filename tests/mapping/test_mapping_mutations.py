"""Whatever an author writes, a mapping loads or is refused with problems that can be shown; nothing else is raised."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from mapping_cases import HUBSPOT, NOW, loaded, run

from adapter import mapping
from adapter.errors import MappingError
from adapter.mapping import Mapping, Problem, examples, lint, named, provenance, unsent
from adapter.mapping.document import MappingSchema
from adapter.mapping.problems import Place
from adapter.mapping.run import scope_of
from adapter.model import Received

FILES = {"agents.csv": "user;extension\npat;0101\n"}


def check(text: str, name: str = "lead") -> None:
    """Load, run the examples, run a record: no exception but ours, and every problem at a place of the text."""
    try:
        of = loaded(text, name=name, files=FILES)
        found: list[Any] = list(examples.problems(of))
        assert all(one.kind in ("action", "skip", "reject") for one in run(of, {"phone": "801-555-0142"}, now=NOW))
        found += looked_at(of, text)
    except MappingError as exc:
        found = list(exc.problems)
        assert found
    lines = text.splitlines()
    for one in found:
        assert isinstance(one, Problem)
        assert isinstance(one.place, Place)
        assert 1 <= one.place.line <= len(lines) + 1
        assert one.message
        assert isinstance(one.hint, str)
        assert mapping.render("f.yaml", lines, one).startswith(f"f.yaml:{one.place.line}:{one.place.column}: ")


def looked_at(of: Mapping, text: str) -> list[Problem]:
    """Everything else that is done with a mapping that loads."""
    scope = scope_of(of, {"phone": "801-555-0142"}, {"body": None}, now=NOW)
    for rule in of.rules:
        named.of_rule(of, rule)
        provenance.of_action(of, rule, scope, now=NOW)
    received = Received(method="POST", url="/", headers={}, body=b'{"phone": "801-555-0142"}')
    return [*lint.problems(of, text), *unsent.problems(of, text, [received])]


BITS = [
    *("  ", "- ", ": ", "\n", "\t", "{", "}", "[", "]", "${", "'", '"', "#", "|", "*", "&", "!", "%", ",", "null", "~"),
    *("field: a", "is: x", "any: [", "lookup: t", "let.owner", "choose:", "use: x", "if_missing: skip", "clean: split"),
    *(
        "911",
        "0101",
        "yes",
        "no",
        "4d",
        "now",
        "\u00e9",
        "\U0001f600",
        "\u2028",
        "\x85",
        "\x00",
        "region: GB",
        "[]",
        "{}",
    ),
]


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The example of the documentation with some things put in, taken out, moved about."""
    lines = HUBSPOT.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        column = draw(st.integers(0, len(line)))
        bit = draw(st.sampled_from(BITS))
        lines[at : at + 1] = draw(
            st.sampled_from(
                [
                    [],
                    [line, line],
                    [f" {line}"],
                    [line[1:]],
                    [line[:column] + bit + line[column:]],
                    [line[:column]],
                    [line[: line.find(":") + 1] + f" {bit}"],
                    [bit],
                ]
            )
        ) or ["#"]
    return "\n".join(lines)


@given(mutations())
@settings(max_examples=80)
def test_any_change_of_a_good_mapping_loads_or_is_refused(text: str) -> None:
    check(text, "hubspot-click-to-dial")


def keys(schema: Any) -> set[str]:
    """Every key that means something anywhere in a mapping."""
    found: set[str] = set()
    waiting, seen = [schema], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        fields = getattr(one, "fields", None) or {}
        found |= {field.data_key or name for name, field in fields.items()}
        waiting += fields.values()
        waiting += [getattr(one, name) for name in ("item", "group", "inline", "csv", "schema") if hasattr(one, name)]
    return found


KEYS = sorted(keys(MappingSchema()))
VALUES = [
    *(
        "1",
        "lead",
        "x",
        "a.b[0]",
        "${a}",
        "${let.x}-${request.query.y}",
        "let.x",
        "yes",
        "no",
        "0101",
        "9",
        "30s",
        "4d",
    ),
    *("US", "first", "all", "github", "salesforce-outbound", "json", "hold", "UTC", "08:00-18:00", "trim", "split"),
    *("HOOK_SECRET", "agents.csv", "user", "2026-12-25", "now", "reject", "omit", "${", "", "801-555-0142", "hmac"),
]
TREES: Any = st.recursive(
    st.sampled_from(VALUES) | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS), below, max_size=5),
    max_leaves=25,
)
PARTS = st.dictionaries(st.sampled_from(sorted(MappingSchema().fields)), TREES, max_size=6)
BASE = {
    "format": "1",
    "name": "lead",
    "receive": {"from": "github", "secrets": ["HOOK_SECRET"], "body": "json"},
    "rules": [{"callback": {"skill": "S", "callback_number": "${phone}"}}],
}


def test_the_keys_of_the_format_are_all_tried() -> None:
    assert {"click_to_dial", "callback_number", "choose", "is", "query_token", "hold_until", "file", "zone"} <= set(
        KEYS
    )


@given(PARTS)
@settings(max_examples=80)
@example({"rules": {"callback": {"skill": "S", "callback_number": "1"}}})
@example({"examples": {"name": "a", "body": "x", "expect": {"skip": "x"}}})
@example({"rules": [{"click_to_dial": {"agent": {"choose": [{"use": "${a}"}]}, "number_to_dial": "${let.x}"}}]})
def test_any_tree_of_known_keys_loads_or_is_refused(parts: dict[str, Any]) -> None:
    check(json.dumps({**BASE, **parts}))


@given(st.text())
def test_any_text_loads_or_is_refused(text: str) -> None:
    check(text)
