"""What real senders do that a mapping has to live with: one row each, the mapping, what arrives, what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from mapping_cases import HEAD, NOW, US, loaded, told

from adapter.mapping import examples, request_tree
from adapter.mapping.run import Result, results
from adapter.model import Received

FORM = HEAD.replace("body: json", "body: form")
SOAP = """\
format: 1
name: lead
receive:
  from: salesforce-outbound
  organization: 00D000000000001
  also:
    - query_token: key
      secrets: [HOOK_SECRET]
"""
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
    "<OrganizationId>00D000000000001</OrganizationId>%s</notifications></soapenv:Body></soapenv:Envelope>"
)


def notification(number: str, status: str = "Working") -> str:
    return (
        f"<Notification><Id>04l{number}</Id><sObject xmlns:sf='urn:sobject.enterprise.soap.sforce.com'>"
        f"<sf:Phone>8015550142</sf:Phone><sf:Status>{status}</sf:Status></sObject></Notification>"
    )


def dial(number: str, *, agent: str = "0101", when: str = "") -> str:
    rule = "rules:\n  - name: dial\n" + (f"    when: {when}\n" if when else "")
    return rule + f"    click_to_dial:\n      agent: {agent}\n      number_to_dial: {number}\n"


def arrived(text: str, body: str, *, now: datetime = NOW) -> list[Result]:
    """What comes of a whole body."""
    of = loaded(text)
    kind = examples.CONTENT_TYPES.get(of.receive.body or "json", "text/xml")
    request = Received(method="POST", url="https://e.com/", headers={"content-type": kind}, body=body.encode())
    document, records = examples.records(of, request)
    tree = request_tree(request, document)
    return [one for record in records for one in results(of, record, tree, now=now)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A mapping, a body, and for every record the number that is dialled, or why none is."""

    text: str
    body: str
    gives: list[str]
    keys: list[str] | None = None


def said(result: Result) -> str:
    if result.action is None:
        return f"{result.kind}: {result.field or result.reason}"
    fields: dict[str, Any] = result.action.as_dict()
    return "/".join(
        str(fields[name]) for name in ("agent", "skill", "number_to_dial", "callback_number") if name in fields
    )


CASES = {
    "HubSpot v1 wraps every property": Case(
        text=HEAD + US + dial("${properties.phone.value}"),
        body='{"properties": {"phone": {"value": "8015550142", "versions": []}}}',
        gives=["0101/8015550142"],
    ),
    "HubSpot v3 does not": Case(
        text=HEAD + US + dial("${properties.phone}"),
        body='{"properties": {"phone": "8015550142"}}',
        gives=["0101/8015550142"],
    ),
    "HubSpot app webhooks carry no number": Case(
        text=HEAD + US + dial("${properties.phone}"),
        body='[{"eventId": 1, "objectId": 7}, {"eventId": 2, "objectId": 8}]',
        gives=["reject: number_to_dial"] * 2,
    ),
    "one SOAP notification is a list too": Case(
        text=SOAP + US + dial("${sObject.Phone}"),
        body=ENVELOPE % notification("1"),
        gives=["0101/8015550142"],
        keys=["04l1"],
    ),
    "two SOAP notifications are two records": Case(
        text=SOAP + US + dial("${sObject.Phone}"),
        body=ENVELOPE % (notification("1") + notification("2")),
        gives=["0101/8015550142"] * 2,
        keys=["04l1", "04l2"],
    ),
    "Salesforce repeats a notification with newer values": Case(
        text=SOAP + US + dial("${sObject.Phone}"),
        body=ENVELOPE % (notification("1") + notification("1", status="Closed")),
        gives=["0101/8015550142"] * 2,
        keys=["04l1", "04l1"],
    ),
    "a form without any id": Case(
        text=FORM + US + "once: {key: '${email}-${phone}-${product}', for: 30m}\n" + dial("${phone}"),
        body="email=ann%40example.com&phone=801-555-0142&product=Repair",
        gives=["0101/8015550142"],
        keys=["ann@example.com-801-555-0142-Repair"],
    ),
    "a form without any id and without any data": Case(
        text=FORM + US + "once: {key: '${email}-${product}'}\n" + dial("${phone}"),
        body="email=&phone=801-555-0142",
        gives=["reject: once.key"],
    ),
    "Typeform finds an answer by its reference": Case(
        text=HEAD + US + dial("${answers[field.ref=phone].phone_number}"),
        body='{"answers": [{"field": {"ref": "topic"}}, {"field": {"ref": "phone"}, "phone_number": "+18015550142"}]}',
        gives=["0101/8015550142"],
    ),
    "an 'other' choice has no label": Case(
        text=HEAD
        + US
        + "tables: {topics: {Repair: Support}}\n"
        + "rules:\n  - callback:\n      callback_number: ${phone}\n"
        + "      skill: {lookup: topics, key: '${choice.label}', default: Sales}\n",
        body='{"phone": "8015550142", "choice": {"other": "Billing"}}',
        gives=["Sales/8015550142"],
    ),
    "a field with a dot in its name": Case(
        text=HEAD + US + dial('${$["1.3"]}'), body='{"1.3": "8015550142"}', gives=["0101/8015550142"]
    ),
    "a field with brackets in its name": Case(
        text=FORM + US + dial('${$["q3_phone[full]"]}'),
        body="q3_phone%5Bfull%5D=801-555-0142",
        gives=["0101/8015550142"],
    ),
    "JSON inside a form field": Case(
        text=FORM + US + "let: {raw: {field: rawRequest, clean: [parse_json]}}\n" + dial("${let.raw.q3.phone}"),
        body="rawRequest=%7B%22q3%22%3A%7B%22phone%22%3A%228015550142%22%7D%7D",
        gives=["0101/8015550142"],
    ),
    "JSON inside a form field that is none": Case(
        text=FORM + US + "let: {raw: {field: rawRequest, clean: [parse_json]}}\n" + dial("${let.raw.q3.phone}"),
        body="rawRequest=%7Bno",
        gives=["reject: number_to_dial"],
    ),
    "a repeated form field gives its first": Case(
        text=FORM + US + dial("${phone}"), body="phone=8015550142&phone=8015550143", gives=["0101/8015550142"]
    ),
    "contains looks at every repeated field": Case(
        text=FORM + US + dial("${phone}", when="[{field: tag, contains: call}]"),
        body="phone=8015550142&tag=news&tag=Call",
        gives=["0101/8015550142"],
    ),
    "a multi-select of one text": Case(
        text=HEAD
        + US
        + "let: {topics: {field: topics, clean: [split]}}\n"
        + dial("${phone}", when="[{field: let.topics, contains: B}]"),
        body='[{"phone": "8015550142", "topics": "A;B;C"}, {"phone": "8015550142", "topics": "A;BB"}]',
        gives=["0101/8015550142", "skip: no rule matched"],
    ),
    "a number that JSON made a float": Case(
        text=HEAD + US + dial("${phone}"),
        body='[{"phone": 8015550142}, {"phone": 8015550142.0}, {"phone": 8.0155501425e9}, {"phone": "8.01555E+09"}]',
        gives=["0101/8015550142", "0101/8015550142", "reject: number_to_dial", "reject: number_to_dial"],
    ),
    "words that mean nothing": Case(
        text=HEAD + US + 'empty_values: [n/a, "-", none]\n' + dial("{first_of: [mobile, desk, phone]}"),
        body='{"mobile": "N/A", "desk": " - ", "phone": "8015550142"}',
        gives=["0101/8015550142"],
    ),
    "two numbers in one field": Case(
        text=HEAD + US + dial("${phone}"), body='{"phone": "801-555-0142 / 801-555-0143"}', gives=["0101/8015550142"]
    ),
    "an extension behind the number": Case(
        text=HEAD + US + dial("${phone}"), body='{"phone": "(801) 555-0142 ext. 12"}', gives=["0101/8015550142"]
    ),
    "a number from abroad that begins with 00": Case(
        text=HEAD + US + dial("${phone}"), body='{"phone": "00442079460958"}', gives=["0101/011442079460958"]
    ),
    "seven digits": Case(
        text=HEAD + US + "  area_code: 801\n" + dial("${phone}"),
        body='{"phone": "555-0142"}',
        gives=["0101/8015550142"],
    ),
    "the country as a name": Case(
        text=HEAD
        + "phones: {region: {lookup: countries, key: '${country}', default: US}, dial_as: e164}\n"
        + "tables: {countries: {Great Britain: GB}}\n"
        + dial("${phone}"),
        body='[{"country": "great britain", "phone": "020 7946 0958"}, {"phone": "801 555 0142"}]',
        gives=["0101/+442079460958", "0101/+18015550142"],
    ),
    "an owner nobody has listed rings the hunt desk": Case(
        text=HEAD
        + US
        + "tables: {agents: {ann: 0101}}\n"
        + dial("${phone}", agent="{lookup: agents, key: '${owner}', default: 0100}"),
        body='[{"owner": "Ann ", "phone": "8015550142"}, {"owner": "bob", "phone": "8015550142"}]',
        gives=["0101/8015550142", "0100/8015550142"],
    ),
    "an owner nobody has listed may be left alone": Case(
        text=HEAD
        + US
        + "tables: {agents: {ann: 0101}}\n"
        + dial("${phone}", agent="{lookup: agents, key: '${owner}', if_missing: skip}"),
        body='{"owner": "bob", "phone": "8015550142"}',
        gives=["skip: agent"],
    ),
    "who must not be called": Case(
        text=HEAD + US + dial("${phone}", when="[{not: [{field: dnc, is: true}]}]"),
        body='[{"phone": "8015550142", "dnc": true}, {"phone": "8015550142", "dnc": false}, {"phone": "8015550142"}]',
        gives=["skip: no rule matched", "0101/8015550142", "0101/8015550142"],
    ),
    "an emergency number behind the outside line": Case(
        text=HEAD + "phones: {region: BR}\n" + dial("${phone}\n      external_prefix: 9"),
        body='{"phone": "11 2345-6789"}',
        gives=["reject: number_to_dial"],
    ),
    "the sender's test button": Case(
        text=HEAD.replace("  body: json\n", "  body: json\n  test_when: {field: test, is: true}\n")
        + US
        + dial("${phone}"),
        body='[{"phone": "8015550142", "test": true}, {"phone": "8015550142"}]',
        gives=["skip: a test delivery of the sender: verified, nothing dialled", "0101/8015550142"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mapping_lives_with_what_senders_do(name: str) -> None:
    case = CASES[name]
    found = arrived(case.text, case.body)
    assert [said(one) for one in found] == case.gives
    if case.keys is not None:
        assert [one.key for one in found] == case.keys


HOURS = "hours: {zone: America/Denver, open: {mon-fri: 08:00-18:00}, closed_on: 2026-11-24}\n"


@pytest.mark.parametrize(
    ("number", "opens"),
    [("8015550142", "2026-11-25T08:00:00-07:00"), ("8005550199", "2026-11-25T08:00:00-07:00")],
    ids=["a holiday", "a toll-free number is of 42 zones, so the file's counts"],
)
def test_a_call_waits_for_the_next_opening(number: str, opens: str) -> None:
    (found,) = arrived(HEAD + US + HOURS + dial("${phone}"), f'{{"phone": "{number}"}}')
    assert found.hold_until == datetime.fromisoformat(opens)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("skill: *67", 'a text that begins with * needs quotes: "*67"'),
        ("skill: Sales: West", "put quotes around a text that holds ': '"),
        ('skill: "Sales" West', "put quotes around the whole of it, like '\"Sales\" West'"),
    ],
    ids=["a star code", "a second colon", "a quoted start"],
)
def test_a_text_that_yaml_wants_quoted_is_told_so(typed: str, hint: str) -> None:
    assert f"= {hint}" in told(HEAD + US + f"rules:\n  - callback:\n      {typed}\n      callback_number: 0102\n")
