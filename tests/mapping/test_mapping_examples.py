"""The examples of a mapping: run at every load, with the reason where one does not come true."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from mapping_cases import HEAD, HUBSPOT, LEAD, US, loaded, problems, told

from adapter.errors import UnsupportedBody
from adapter.mapping import examples
from adapter.model import Received

RULES = """\
rules:
  - name: by hand
    when:
      - field: kind
        is: x
      - any:
          - field: a
            is: x
          - not:
              - field: b
                is: y
    click_to_dial:
      agent:
        lookup: agents
        key: ${owner}
      number_to_dial: ${phone}
      use_selected_caller_id: yes
  - name: lead
    when:
      - field: skill
        present: yes
    callback: {skill: "${skill}", callback_number: "${phone}"}
tables:
  agents:
    pat: 0101
"""


def test_a_skip_may_be_told_by_the_field_that_is_missing() -> None:
    text = example('{"kind": "x", "a": "x"}', "skip: agent").replace(
        "key: ${owner}", "key: ${owner}\n        if_missing: skip"
    )
    assert problems(text) == []
    (one,) = problems(text.replace("skip: agent", "skip: number_to_dial"))
    assert "write this into the example: skip: agent" in one.hint


def example(body: str, expect: str, more: str = "") -> str:
    return f"{HEAD}{US}{RULES}examples:\n  - name: one\n    body: '{body}'\n{more}    expect:\n      - {expect}\n"


DIALLED = '{"kind": "x", "a": "x", "owner": "pat", "phone": "8015550142"}'


@pytest.mark.parametrize(
    ("body", "expect"),
    [
        (DIALLED, "click_to_dial: {agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: yes}"),
        (DIALLED, "click_to_dial: {agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: true}"),
        ('{"skill": "S", "phone": "8015550142"}', "callback: {skill: S, callback_number: 8015550142}"),
        ("{}", "skip: no rule matched"),
        ("{}", "skip: No rule matched "),
        ("{}", "skip"),
        (DIALLED.replace("pat", "lee"), "reject"),
        (DIALLED.replace("pat", "lee"), "reject: agent"),
        (DIALLED.replace("pat", "lee"), "reject: \"agent is missing: table agents has no line for 'lee'\""),
        (DIALLED.replace("8015550142", "1"), "reject: number_to_dial"),
    ],
)
def test_an_example_comes_true(body: str, expect: str) -> None:
    text = example(body, expect)
    assert problems(text) == []


@pytest.mark.parametrize(
    ("body", "expect", "message", "hint"),
    [
        (
            '{"kind": "y"}',
            "¦click_to_dial: {agent: 0101}",
            "expected click_to_dial, but the mapping gives skip (no rule matched)",
            "rule 'by hand': condition 1 on line 12 does not hold: kind is 'y'; "
            "rule 'lead': condition 1 on line 28 does not hold: skill is not in the record",
        ),
        (
            '{"kind": "x", "b": "y"}',
            "¦click_to_dial: {agent: 0101}",
            "expected click_to_dial, but the mapping gives skip (no rule matched)",
            "rule 'by hand': condition 2 on line 14 does not hold: any (a is not in the record, not (b is 'y')); "
            "instead of a there is kind, b; "
            "rule 'lead': condition 1 on line 28 does not hold: skill is not in the record; "
            "instead of skill there is kind, b",
        ),
        (
            DIALLED.replace("pat", "lee"),
            "¦click_to_dial: {agent: 0101}",
            "expected click_to_dial, but the mapping gives reject (agent is missing: table agents has no line for",
            "rule 'by hand': agent is missing: table agents has no line for 'lee'",
        ),
        (
            DIALLED,
            "¦skip: no rule matched",
            "expected skip, but the mapping gives click_to_dial",
            "",
        ),
        (DIALLED, "click_to_dial: {agent: ¦0102, number_to_dial: 8015550142, use_selected_caller_id: yes}",
         "expected click_to_dial.agent: 0102, but the mapping gives 0101", ""),
        (DIALLED, "click_to_dial: ¦{agent: 0101, number_to_dial: 8015550142}",
         "expected click_to_dial.use_selected_caller_id: nothing, but the mapping gives yes", ""),
        (DIALLED, "click_to_dial: {agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: yes, "
         "external_prefix: ¦9}", "expected click_to_dial.external_prefix: 9, but the mapping gives nothing", ""),
        (
            DIALLED,
            "{click_to_dial: {agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: yes}, once: ¦7}",
            "expected once: 7, but the key is sha256:",
            "",
        ),
        (
            DIALLED,
            "{click_to_dial: {agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: yes}, "
            "hold_until: ¦2026-11-24T17:15Z}",
            "expected hold_until: 2026-11-24T17:15:00+00:00, but it is held not at all",
            "",
        ),
        (
            DIALLED.replace("8015550142", "1"),
            "¦reject: agent",
            "expected reject: agent, but it is number_to_dial that is rejected (number_to_dial: ",
            "rule 'by hand': number_to_dial: ",
        ),
        ("{}", "¦skip: outside the calling hours", "expected skip: outside the calling hours, but the", ""),
        ("{}", "{skip: no rule matched, once: ¦7}", "expected once: 7, but the key is not there", ""),
        (
            "[{}, {}]",
            "skip: no rule matched",
            "expected 1 result(s), but the mapping gives 2: skip (no rule matched), skip (no rule matched)",
            "write one item for each, in order",
        ),
        ("[]", "skip: no rule matched", "expected 1 result(s), but the mapping gives 0: none", "write one item"),
        ('{"a": ¦}', "skip: x", "the body is not JSON: Expecting value", "exactly as it is sent"),
        ("", "skip: x", "the body is empty", "exactly as it is sent"),
    ],
)  # fmt: skip
def test_an_example_that_does_not_come_true_is_told_with_the_reason(
    body: str, expect: str, message: str, hint: str
) -> None:
    text = example(body, expect)
    (problem,) = problems(text.replace("¦", ""))
    assert problem.message.startswith(f"example 'one': {message}")
    assert hint in problem.hint
    if "¦" in text:
        before = text[: text.index("¦")]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        assert (problem.place.line, problem.place.column) == place


FULL = "agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: yes"


@pytest.mark.parametrize(
    ("body", "expect", "instead"),
    [
        (DIALLED, "skip: no rule matched", f"click_to_dial: {{{FULL}}}"),
        (DIALLED, "click_to_dial: {¦agent: 0102, number_to_dial: 8015550142, use_selected_caller_id: yes}",
         "agent: 0101"),
        (DIALLED, f"click_to_dial: {{{FULL}, ¦external_prefix: 9}}", ""),
        ("{}", "reject: agent", "skip: no rule matched"),
        (DIALLED.replace("pat", "lee"), "skip: x", "reject: agent"),
        ('{"skill": "A: b, #c", "phone": "8015550142"}', "skip: x",
         'callback: {skill: "A: b, #c", callback_number: 8015550142}'),
    ],
)  # fmt: skip
def test_what_to_write_instead_is_told_and_makes_the_example_true(body: str, expect: str, instead: str) -> None:
    (problem,) = problems(example(body, expect.replace("¦", "")))
    told_line = f"write this into the example: {instead}" if instead else "remove this line from the example"
    assert problem.hint.endswith(f"if the mapping is right, {told_line}")
    kept, mark, wrong = expect.partition("¦")
    end = wrong[wrong.find(",") :] if "," in wrong else "}"
    mended = f"{kept}{instead}{end}" if mark else instead
    assert problems(example(body, mended.replace(", }", "}"))) == []


BAD = """\
examples:
  - name: one
    body: |
      <a>
        <b>
      </a>
    expect:
      - skip: no rule matched
"""


def test_the_place_of_bad_xml_is_told_in_the_file() -> None:
    text = HEAD.replace("json", "xml") + US + LEAD + BAD
    assert told(text) == (
        "lead.yaml:19:9: example 'one': the body is not XML: mismatched tag\n"
        "      19 |       </a>\n"
        "         |         ^\n"
        "         = the body stands here exactly as it is sent"
    )


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("body: |\n      {'a'}", (17, 8)),
        ("body: \"{'a'}\"", (16, 13)),
        ("body: >\n      {'a'}", (16, 11)),
        ("body:\n      {'a'}", None),
    ],
    ids=["block", "quoted", "folded", "no text at all"],
)
def test_the_place_of_bad_json_is_told_as_near_as_can_be(body: str, place: tuple[int, int] | None) -> None:
    text = f"{HEAD}{US}{LEAD}examples:\n  - name: one\n    {body}\n    expect:\n      - skip: x\n"
    (problem,) = problems(text)
    if place:
        assert (problem.place.line, problem.place.column) == place
        assert problem.message.startswith("example 'one': the body is not JSON")
    else:
        assert problem.message == "a text is expected here, not a group or a list"


FORM = """\
format: 1
name: lead
receive: {from: header-token, header: X-Key, secrets: [KEY]}
phones: {region: US}
rules:
  - callback: {skill: "${request.headers.x-skill}${request.query.skill}", callback_number: "${phone}"}
examples:
  - name: a form as a block text
    headers:
      Content-Type: application/x-www-form-urlencoded
      X-Skill: Sales
    body: |
      name=Ann&phone=801-555-0142
    expect:
      callback: {skill: Sales, callback_number: 8015550142}
  - name: JSON by its content type
    headers: {content-type: application/json}
    query: skill=Help&x=y
    body: '{"phone": "801-555-0142"}'
    expect:
      callback: {skill: Help, callback_number: 8015550142}
"""


def test_an_example_has_the_headers_and_the_query_of_its_request() -> None:
    assert problems(FORM) == []


def test_an_example_is_a_request_to_the_mappings_url() -> None:
    of = loaded(FORM)
    request = examples.received(of, of.examples[0])
    assert request.body == b"name=Ann&phone=801-555-0142"
    assert request.headers["x-skill"] == "Sales"
    assert (request.method, request.url) == ("POST", "https://example.com/hooks/lead")
    assert examples.received(of, of.examples[1]).url == "https://example.com/hooks/lead?skill=Help&x=y"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("json", "application/json"),
        ("form", "application/x-www-form-urlencoded"),
        ("soap", "text/xml"),
        ("xml", "text/xml"),
    ],
)
def test_an_example_without_a_content_type_has_the_senders(body: str, content_type: str) -> None:
    text = f"{HEAD.replace('json', body)}{US}{LEAD}examples:\n  - {{name: a, body: x, expect: {{skip: x}}}}\n"
    of = loaded(text)
    assert examples.received(of, of.examples[0]).headers == {"content-type": content_type}


def test_a_body_of_no_kind_is_not_read() -> None:
    of = loaded(FORM)
    with pytest.raises(UnsupportedBody, match=r"neither the mapping \(receive.body\) nor the content type"):
        examples.records(of, Received(method="POST", url="", headers={}, body=b"x"))


CLOCK = """\
hours:
  zone: America/Denver
  open: {mon-fri: 08:00-18:00}
examples:
  - name: the clock of an example is a Wednesday morning
    body: '{"skill": "Sales"}'
    expect: {callback: {skill: Sales, callback_number: 8015550142}}
  - name: it can be set
    at: 2026-11-22T10:00:00-07:00
    body: '{"skill": "Sales"}'
    expect:
      - callback: {skill: Sales, callback_number: 8015550142}
        hold_until: 2026-11-23T08:00:00-07:00
"""


def test_an_example_may_set_its_clock() -> None:
    assert problems(HEAD + US + LEAD + CLOCK) == []
    wrong = (HEAD + US + LEAD + CLOCK).replace("T08:00", "T09:00")
    assert problems(wrong)[0].message.endswith(
        "expected hold_until: 2026-11-23T09:00:00-07:00, but it is held 2026-11-23T08:00:00-07:00"
    )
    assert datetime(2026, 1, 7, 17, 0, tzinfo=UTC) == examples.NOW


def test_records_are_numbered() -> None:
    text = (
        f"{HEAD}  records: items\n{US}rules:\n  - callback: {{skill: 'S ${{request.index}}', callback_number: 0102}}\n"
        "examples:\n  - name: two\n    body: '{\"items\": [{}, {}]}'\n    expect:\n"
        "      - callback: {skill: S 0, callback_number: 0102}\n      - callback: {skill: S 1, callback_number: 0102}\n"
    )
    assert problems(text) == []


def test_one_example_and_one_expectation_need_no_list() -> None:
    text = f"{HEAD}{US}{LEAD}examples: {{name: a, body: '{{}}', expect: {{reject: skill}}}}\n"
    assert problems(text) == []
    assert "expected skip" in problems(text.replace("reject: skill", "skip: x"))[0].message


def test_every_example_that_fails_is_told() -> None:
    text = HUBSPOT.replace("agent: 0101\n", "agent: 0199\n").replace("- skip: no rule matched", "- reject: agent")
    assert [one.message.split("'")[1] for one in problems(text, name="hubspot-click-to-dial")] == [
        "mobile is empty, so the desk phone is used",
        "a lead from a trade show is left alone",
    ]
