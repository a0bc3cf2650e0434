"""Fakes hide the person and nothing else: the mapping does with them what it did with the real data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest

from adapter import phone
from adapter.errors import MappingError, PayloadError
from adapter.mapping import Result, added, disguise
from adapter.mapping.fakes import Fakes
from adapter.model import Callback, ClickToDial

FAKES = Fakes(regions=("US", "GB"), keep=frozenset({"owner@example.org"}))
AT = datetime(2026, 11, 24, 17, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("(415) 867-5309", "(415) 555-01##"),
        ("415.867.5309", "415.555.01##"),
        ("+1 415 867 5309", "+1 415 555 01##"),
        ("415-867-5309 x12", "415-555-01## x12"),
        ("+44 20 7123 4567", "+44 20 7946 0###"),
        ("020 7123 4567 ext. 4", "020 7946 0### ext. 4"),
        ("+44 (0)7400 654321", "+44 (0)7400 123456"),
        ("+33 1 42 68 53 00", "+33 1 99 00 ## ##"),
        ("+33 6 98 76 54 32", "+33 6 12 34 56 78"),
        ("+49 30 1234567", "+493023125###"),
        ("+49 171 1234567", "+49 171 39200##"),
        ("+61 2 9374 4000", "+61 2 5550 ####"),
        ("+61 412 345 678", "+61 491 570 00#"),
        ("1-800-CALL-NOW", None),
    ],
)
def test_a_number_stays_in_its_country_and_its_shape(text: str, shape: str | None) -> None:
    fake = FAKES.text("phone", text)
    if shape is not None:
        masked = "".join("#" if mask == "#" else sign for sign, mask in zip(fake, shape, strict=True))
        assert masked == shape
    home = "GB" if text.startswith("020") else "US"
    real, now = (phone.read(one, phone.Rules(region=home)) for one in (text, fake))
    if isinstance(real, phone.Number):
        assert isinstance(now, phone.Number)
        assert (now.region, now.extension) == (real.region, real.extension)
        assert now.e164 != real.e164


@pytest.mark.parametrize("region", ["BR", "IN", "JP", "ZA", "IT"])
def test_where_no_range_is_kept_free_the_librarys_example_stands(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    nsn = phonenumbers.national_significant_number(example)
    other = f"+{example.country_code}{nsn[:-1]}{(int(nsn[-1]) + 1) % 10}"
    fake = FAKES.text("phone", other)
    found = phone.read(fake, phone.Rules(region="US"))
    assert isinstance(found, phone.Number)
    assert found.region == region


@pytest.mark.parametrize(
    ("key", "text", "kept"),
    [
        ("id", "3234574", True),
        ("stamp", "1763800123456", True),
        ("status", "Working", True),
        ("product", "Repair", True),
        ("event_name", "lead.created", True),
        ("empty", "", True),
        ("owner", "Owner@Example.org", True),
        ("first_name", "Zaphod", False),
        ("lastName", "Beeblebrox", False),
        ("name", "Zaphod Beeblebrox", False),
        ("email", "zaphod@heart-of-gold.org", False),
        ("whatever", "Zaphod <zaphod@heart-of-gold.org>", False),
        ("message", "call Zaphod at home", False),
        ("street", "1 Betelgeuse", False),
        ("q5", "ring 415-867-5309 or +44 20 7123 4567 after five", False),
        ("from", "203.0.113.77", False),
        ("Phone", "55-8675309", False),
        ("mobile", "8675309", False),
        ("version", "1.2.3.4.5", True),
    ],
)
def test_only_what_is_personal_is_replaced(key: str, text: str, kept: bool) -> None:
    fake = FAKES.text(key, text)
    assert (fake == text) == kept
    assert fake == FAKES.text(key, text), "the same every time"
    assert "eeble" not in fake
    assert "gold" not in fake
    assert "5309" not in fake
    assert "4567" not in fake


BODIES: list[tuple[str, bytes, str]] = [
    (
        "json",
        b'{"id": 7, "flag": true, "phone": {"value": "415-867-5309"}, "list": [{"lastname": {"value": "Beeblebrox"}}]}',
        '{"id": 7, "flag": true, "phone": {"value": "415-555-01##"}, "list": [{"lastname": {"value": "Example"}}]}',
    ),
    ("json", b'{"phone": 4158675309, "ratio": 1.5, "none": null}', '{"phone": 41555501##, "ratio": 1.5, "none": null}'),
    ("form", b"phone=415-867-5309&lastname=Beeblebrox&id=7&x=", "phone=415-555-01##&lastname=Example&id=7&x="),
    (
        "soap",
        b"<a><sf:LastName>Beeblebrox</sf:LastName><Phone x='1'>415-867-5309</Phone><Id>7</Id> <E/></a>",
        "<a><sf:LastName>Example</sf:LastName><Phone x='1'>415-555-01##</Phone><Id>7</Id> <E/></a>",
    ),
]


@pytest.mark.parametrize(("kind", "content", "shape"), BODIES, ids=["json", "numbers", "form", "soap"])
def test_a_body_keeps_its_shape(kind: str, content: bytes, shape: str) -> None:
    made = disguise.body(kind, content, FAKES)
    made = json.dumps(json.loads(made)) if kind == "json" else made
    assert "".join("#" if mask == "#" else sign for sign, mask in zip(made, shape, strict=True)) == shape


PERSON = [
    ("json", '{"fields": [{"label": "Your name", "type": "TEXT", "value": "Zaphod Beeblebrox"}]}'),
    ("json", '{"data": [{"column_name": "Full Name", "column_id": "FULL_NAME", "string_value": "Zaphod Beeblebrox"}]}'),
    ("json", '{"field_data": [{"name": "full_name", "values": ["Zaphod Beeblebrox"]}]}'),
    ("json", '{"Name": {"First": "Zaphod", "Last": "Beeblebrox", "FirstAndLast": "Zaphod Beeblebrox"}}'),
    ("json", '{"subject": "Zaphod, a lead (Beeblebrox)", "requester_name": "Zaphod Beeblebrox"}'),
    ("json", '{"raw": "{\\"q3_name\\": {\\"first\\": \\"Zaphod\\", \\"last\\": \\"Beeblebrox\\"}}"}'),
    ("json", '{"q7": "please ring old Zaphod as soon as he is back on earth"}'),
    ("json", '{"Vorname": "Zaphod", "Nachname": "Beeblebrox"}'),
    ("json", '{"First_Name__c": "Zaphod", "LastName": "Beeblebrox"}'),
    ("json", '{"phone": 4158675309.0, "other": 4158675309.0}'),
    ("json", '{"page": "https://x.example/?tel=415-867-5309&email=zaphod%40gold.org", "link": "tel:+14158675309"}'),
    ("json", '{"zip": "84101-5309", "city": "Goldville"}'),
    ("form", "q3_name%5Bfirst%5D=Zaphod&q3_name%5Blast%5D=Beeblebrox&pretty=Name%3AZaphod+Beeblebrox"),
    ("form", "data.json=%7B%22full_name%22%3A%5B%22Zaphod+Beeblebrox%22%5D%7D"),
    ("json", '{"from": "\\"Zaphod Beeblebrox\\" <zaphod@gold.org>", "to": "Zaphod Beeblebrox <zaphod@gold.org>"}'),
    (
        "json",
        '{"zaphod@gold.org": {"username": "zaphod"}, "address": {"line1": "1 Gold Street"}, "x": "<tel:+14158675309>"}',
    ),
    ("form", "text=415-867-5309"),
    ("xml", "<a><Name><![CDATA[Zaphod Beeblebrox]]></Name><!-- Zaphod --></a>"),
    ("xml", "<a><lead email='zaphod@gold.org' phone=\"415-867-5309\" first-name='Zaphod'/></a>"),
]


@pytest.mark.parametrize(("kind", "content"), PERSON)
def test_nobody_is_left_wherever_a_sender_writes_of_them(kind: str, content: str) -> None:
    made = disguise.body(kind, content.encode(), Fakes(regions=("US",)))
    for word in ("Zaphod", "zaphod", "Beeblebrox", "5309", "867", "gold", "Gold"):
        assert word not in made
    if kind == "json":
        json.loads(made)


def test_the_questions_stay_beside_the_fakes() -> None:
    content = (
        b'{"field_data": [{"name": "full_name", "values": ["Zaphod"]}, {"name": "phone_number", "values": ["x"]}]}'
    )
    made = json.loads(disguise.body("json", content, FAKES))
    assert [one["name"] for one in made["field_data"]] == ["full_name", "phone_number"]


def test_a_number_that_stands_for_a_whole_text_can_still_be_called() -> None:
    found = phone.read(FAKES.text("text", "415-867-5309"), phone.Rules(region="US"))
    assert isinstance(found, phone.Number)


def test_what_only_begins_like_json_is_a_text() -> None:
    assert disguise.body("form", b"x=%5Bsic%5D+ring+415-867-5309", FAKES).startswith("x=%5Bsic%5D+ring+415-555-01")


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [("json", b"\xff", "not UTF-8"), ("form", b"--x\r\n", "multipart form cannot be kept")],
)
def test_what_cannot_be_kept_is_refused(kind: str, content: bytes, why: str) -> None:
    with pytest.raises(PayloadError, match=why):
        disguise.body(kind, content, FAKES)


NEW = added.NewExample(name="a: b", body='{"a": 1}', at=AT, results=[Result(kind="skip", reason="no rule matched")])
WRITTEN = [
    '- name: "a: b"',
    "  at: 2026-11-24T17:15:00+00:00",
    "  body: |",
    '    {"a": 1}',
    "  expect:",
    "    - skip: no rule matched",
]


def indented(by: int, ending: str = "\n") -> str:
    return "".join(f"{' ' * by}{line}{ending}" for line in WRITTEN)


@pytest.mark.parametrize(
    ("before", "after", "by"),
    [
        ("a: 1\nexamples:\n  - name: x\n    body: y\n", "", 2),
        ("a: 1\nexamples:\n- name: x\n  body: y\n", "", 0),
        ("# c\n\nexamples:\n  - name: x # c\n    body: |\n      y\n", "\n\n# about b\nb:   2  # c\n", 2),
        ("a: 1\n", "", 2),
    ],
    ids=["at the end", "no indent", "before another key", "no examples yet"],
)
def test_an_example_is_added_and_nothing_else_changes(before: str, after: str, by: int) -> None:
    head = "" if "examples:" in before else "examples:\n"
    assert added.example(before + after, NEW) == before + head + indented(by) + after


def test_the_ends_of_lines_and_the_mark_at_the_beginning_stay() -> None:
    before = "\ufeffa: 1\r\nexamples:\r\n  - name: x\r\n    body: y"
    assert added.example(before, NEW) == before + "\r\n" + indented(2, "\r\n")


@pytest.mark.parametrize("examples", ["[{name: x, body: y}]", "\n  name: x\n  body: y"])
def test_examples_in_a_row_are_left_alone(examples: str) -> None:
    with pytest.raises(MappingError, match="none can be added"):
        added.example(f"examples: {examples}\n", NEW)


def test_everything_that_came_of_a_request_is_written_down() -> None:
    dial = ClickToDial(agent="0101", number_to_dial="+18015550142", use_selected_caller_id=True)
    made: list[Any] = [
        Result(kind="action", action=dial, key="a-1"),
        Result(kind="action", action=Callback(skill="Sales: West", callback_number="1"), key="k", hold_until=AT),
        Result(kind="reject", field="agent", reason="long"),
    ]
    new = added.NewExample(name="n", body="b", at=AT, results=made, headers={"x-a": "#1"}, query="a=b&c")
    assert added.example("a: 1\n", new).splitlines()[2:] == [
        "  - name: n",
        "    at: 2026-11-24T17:15:00+00:00",
        "    headers:",
        '      x-a: "#1"',
        '    query: "a=b&c"',
        "    body: |",
        "      b",
        "    expect:",
        "      - click_to_dial:",
        "          agent: 0101",
        "          number_to_dial: +18015550142",
        "          use_selected_caller_id: yes",
        "        once: a-1",
        "      - callback:",
        '          skill: "Sales: West"',
        "          callback_number: 1",
        "        once: k",
        "        hold_until: 2026-11-24T17:15:00+00:00",
        "      - reject: agent",
    ]
