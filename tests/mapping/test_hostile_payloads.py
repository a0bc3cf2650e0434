"""Whatever a sender puts into a body, it is mapped or refused with bounded work: calls are counted, not seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_cases import HEAD, NOW, US, loaded

from adapter import sources
from adapter.errors import PayloadError
from adapter.mapping import Mapping, Trace, examples, request_tree, results
from adapter.model import Received

FOLDER = Path(__file__).parents[2] / "mappings"
MOST_CALLS = 400_000
"""Calls of functions, Python's and C's, for one body."""
MB = 1_000_000
TOPICS = """\
let:
  topics: {field: topics, clean: [split, trim, lower]}
  raw: {field: raw, clean: [parse_json]}
  other: ${list[a.b=nothing].c}
rules:
  - name: dial
    when:
      - any:
          - {field: let.topics, contains: nothing}
          - {field: phone, like: "*a*b*c*d*e*"}
          - {field: phone, more_than: 5}
          - {field: phone, before: now}
          - {field: let.raw.x, present: no}
          - {field: let.other, present: yes}
    click_to_dial:
      agent: {first_of: [agent, phone], clean: [digits, first_word]}
      number_to_dial: {first_of: ["list[-1]", "$[\\"a.b\\"]", phone]}
"""


def tried(of: Mapping, body: bytes, content_type: str = "application/json") -> str:
    """What comes of a body: the kinds of the first results, or why it is refused."""
    request = Received(method="POST", url="https://e.com/?a=b", headers={"content-type": content_type}, body=body)
    try:
        document, records = examples.records(of, request)
    except PayloadError as exc:
        return f"refused: {exc.reason}"
    tree = request_tree(request, document)
    kinds = [one.kind for record in records for one in results(of, record, tree, now=NOW, trace=Trace())]
    return f"{len(kinds)} {'/'.join(sorted(set(kinds)))}"


JSON: dict[str, tuple[bytes, str]] = {
    "lists 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, "refused"),
    "groups 100,000 deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "refused"),
    "a text of 1 MB for a number": (b'{"phone": "%s"}' % (b"8" * MB), "1 reject"),
    "a text of 1 MB that looks like many numbers": (b'{"phone": "%s"}' % (b"801-555-0142 / " * 66_000), "1 reject"),
    "1 MB of stars to look through": (b'{"phone": "%s"}' % (b"ab" * (MB // 2)), "1 reject"),
    "1 MB of blanks": (b'{"phone": "%s"}' % (b" " * MB), "1 reject"),
    "1 MB to split": (b'{"phone": "8015550142", "agent": "1", "topics": "%s"}' % (b"a;" * 480_000), "1 action"),
    "1 MB to parse again": (b'{"phone": "8015550142", "agent": "1", "raw": "%s"}' % (b"[" * MB), "1 action"),
    "a list of 20,000": (b'{"phone": [%s]}' % b",".join([b'"8015550142"'] * 20_000), "refused"),
    "a list of 19,000 for a number": (b'{"phone": [%s]}' % b",".join([b'"8015550142"'] * 19_000), "1 action"),
    "a list of 6,000 groups to look through": (
        b'{"phone": "8015550142", "agent": "1", "list": [%s]}' % b",".join([b'{"a": {"b": 1}}'] * 6_000),
        "1 action",
    ),
    "19,000 records": (b"[%s]" % b",".join([b"{}"] * 19_000), "refused"),
    "60,000 keys": (b"{%s}" % b",".join(b'"k%d": 1' % number for number in range(60_000)), "refused"),
    "a number of 5,000 digits": (b'{"phone": %s}' % (b"8" * 5_000), "refused"),
    "a number with a huge exponent": (b'{"phone": 1e999999}', "refused"),
    "what is no number": (b'{"phone": NaN}', "refused"),
    "half a character": (b'{"phone": "\\ud800", "agent": "\\udc00"}', "1 reject"),
    "bytes": (bytes(range(256)) * 100, "refused"),
}


@pytest.mark.parametrize("name", JSON)
def test_a_hostile_json_body_costs_bounded_work(name: str) -> None:
    body, outcome = JSON[name]
    work = counted(lambda: tried(loaded(HEAD, US, TOPICS), body))
    assert work.given.startswith(outcome)
    assert work.calls < MOST_CALLS


FORM = "application/x-www-form-urlencoded"
OTHERS: dict[str, tuple[str, bytes, str, str]] = {
    "100,000 fields": ("webform-callback", b"a=1&" * 100_000, FORM, "refused"),
    "brackets 100,000 deep": ("webform-callback", b"a" + b"[b]" * 100_000 + b"=1", FORM, "1 skip"),
    "1 MB of percent signs": ("webform-callback", b"phone=" + b"%" * MB, FORM, "refused"),
    "elements 100,000 deep": ("salesforce-click-to-dial", b"<a>" * 100_000, "text/xml", "refused"),
    "closed elements 100,000 deep": (
        "salesforce-click-to-dial",
        b"<a>" * 100_000 + b"</a>" * 100_000,
        "text/xml",
        "refused",
    ),
    "entities in entities": (
        "salesforce-click-to-dial",
        b'<!DOCTYPE a [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]><a>&c;</a>',
        "text/xml",
        "refused",
    ),
    "a file from elsewhere": (
        "salesforce-click-to-dial",
        b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
        "text/xml",
        "refused",
    ),
    "100,000 attributes": (
        "salesforce-click-to-dial",
        b"<a %s/>" % b" ".join(b'a%d="1"' % number for number in range(100_000)),
        "text/xml",
        "refused",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_hostile_form_or_envelope_costs_bounded_work(name: str) -> None:
    mapping, body, content_type, outcome = OTHERS[name]
    of = sources.read(FOLDER / f"{mapping}.yaml")
    work = counted(lambda: tried(of, body, content_type))
    assert work.given.startswith(outcome)
    assert work.calls < MOST_CALLS


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["8015550142", "+44 20 7946 0958", "a;b,c", "[1]", '{"x": 1}', "2026-11-24", "*67", "911", "1e9"]),
)
PAYLOADS = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(st.sampled_from(["phone", "agent", "topics", "raw", "list", "a", "b", "c", "a.b"]), below),
    ),
    max_leaves=15,
)
BUSY = loaded(HEAD, US, "empty_values: [n/a]\n", TOPICS)


@pytest.mark.parametrize("body", [{"a": "x"}, {}], ids=["a text that doubles", "a reason that doubles"])
def test_values_that_hold_the_one_before_them_twice_stay_small(body: dict[str, str]) -> None:
    lines = "".join(
        f"  a{number}: ${{let.a{number - 1}}}${{let.a{number - 1}}} ${{let.a0}}\n" for number in range(1, 40)
    )
    rules = "rules:\n  - {callback: {skill: '${let.a39}', callback_number: '${let.a39}'}}\n"
    of = loaded(HEAD + US + "let:\n  a0: ${a}\n" + lines + rules)
    trace = Trace()
    (one,) = results(of, body, {}, now=NOW, trace=trace)
    assert one.kind == "reject"
    assert max(len(text) for _, text in trace.notes) < 5000


@given(PAYLOADS)
@settings(max_examples=200)
def test_a_mapping_that_loads_never_fails_on_any_json(payload: Any) -> None:
    for trace in (None, Trace()):
        for one in results(BUSY, payload, {"body": payload}, now=NOW, trace=trace):
            assert one.kind in ("action", "skip", "reject")
