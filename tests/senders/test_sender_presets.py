"""The presets beyond their signatures: what is thin, what is a test, what is never kept, what is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sender_cases import INDEX, PRESETS, SAMPLES, of_preset, request_of, starter

from adapter import payload
from adapter.mapping import examples, request_tree, results
from adapter.mapping.examples import NOW
from adapter.payload.redact import redact
from adapter.web.hooks import SOAP_ACK

OTHERWISE = {
    "intercom-ping.json": "a handshake",
    "monday-challenge.json": "a handshake",
    "sfmc-ens-verification.json": "a handshake",
    "jotform-submission.multipart": "its number stands in a text that is JSON",
    "unbounce.form": "its number stands in a text that is JSON",
}
"""Recorded samples whose number, if they have one, the index cannot name; other tests speak of them."""
THIN = [one for one in INDEX if not one["phone"] and one["file"] not in OTHERWISE]
CREDENTIALS = [
    ("salesforce-outbound-single.xml", "salesforce-outbound", "FAKE.SESSION.ID"),
    ("zoho-crm-workflow.form", "zoho-workflow", "STATIC-SHARED-TOKEN"),
    ("jotform-submission.multipart", "jotform", "?key=STATIC"),
    ("google-ads-lead.json", "google-ads", "SHARED-KEY-SET-IN-ADS"),
    ("zoho-crm-notification.json", "zoho-crm", "TOKEN_FOR_VERIFICATION"),
    ("google-ads-lead.json", "google-ads", "SHARED-KEY-SET-IN-ADS"),
]
"""Recorded credentials that no store may ever see."""


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_where_to_click(name: str) -> None:
    assert len(PRESETS[name].setup) >= 2
    assert len(PRESETS[name].title) <= 70, "it stands on one line of a list"


@pytest.mark.parametrize("sample", THIN, ids=lambda sample: sample["file"])
def test_a_thin_record_is_rejected_with_what_to_set_up_instead(sample: dict[str, Any]) -> None:
    family = sample["sender"].split("-")[0]
    thin = [one for one in PRESETS.values() if one.thin and one.name.split("-")[0] == family]
    assert thin, "no preset of this sender knows that it is thin"
    for one in thin:
        of = of_preset(one.name)
        request = request_of(sample)
        tree, records = examples.records(of, request)
        made = [result for record in records for result in results(of, record, request_tree(request, tree), now=NOW)]
        assert one.thin
        assert one.thin.instead in {result.reason for result in made if result.kind == "reject"}


def made_of(name: str, body: dict[str, Any], **headers: str) -> str:
    """The reason for which the preset's test delivery is skipped, or what else comes of it."""
    of = of_preset(name)
    (result,) = results(of, body, {"headers": headers, "query": {}, "body": body}, now=NOW)
    return result.reason or result.kind


@pytest.mark.parametrize(
    ("name", "body", "headers", "test"),
    [
        ("github", {"zen": "Keep it simple."}, {"x-github-event": "ping"}, True),
        ("github", {"phone": "202-555-0143"}, {"x-github-event": "issues"}, False),
        ("bitbucket", {"test": True}, {"x-event-key": "diagnostics:ping"}, True),
        ("bitbucket", {"phone": "202-555-0143"}, {}, False),
        ("slack", {"ssl_check": "1"}, {}, True),
        ("slack", {"command": "/call", "text": "202-555-0143"}, {}, False),
        ("shopify", {"id": 1}, {"x-shopify-test": "true"}, True),
        ("shopify", {"id": 1}, {}, False),
        ("zoho-payments", {"live_mode": False}, {}, True),
        ("zoho-payments", {"live_mode": True}, {}, False),
    ],
)
def test_a_test_delivery_calls_nobody(name: str, body: dict[str, Any], headers: dict[str, str], test: bool) -> None:
    said = made_of(name, body, **headers)
    assert said == ("a test delivery of the sender: verified, nothing dialled" if test else "action")


@pytest.mark.parametrize(("file", "name", "secret"), CREDENTIALS)
def test_a_credential_in_a_body_is_never_kept(file: str, name: str, secret: str) -> None:
    sample = next(one for one in INDEX if one["file"] == file)
    receive = (starter if name == "salesforce-outbound" else of_preset)(name).receive
    kept = redact(
        request_of(sample, query="key=the-secret"),
        kind=receive.body or "json",
        headers=receive.drop_headers,
        query=receive.drop_query,
        fields=receive.drop_fields,
    )
    assert secret in (SAMPLES / file).read_text()
    assert secret not in kept.body.decode()
    assert len(kept.body) > 100, "the rest stays"


def test_a_repeated_synchronous_step_of_dataverse_is_one_event_and_two_steps_are_two() -> None:
    """Its OperationId is all zeros there, so it alone would make everything one event."""
    zeros = "00000000-0000-0000-0000-000000000000"
    sample = json.loads((SAMPLES / "dataverse-update-contact.json").read_text())
    of = starter("dataverse-httpheader")
    keys = [
        results(of, {**sample, "OperationId": zeros, "CorrelationId": one}, {"headers": {}}, now=NOW)[0].key
        for one in ("a", "a", "b")
    ]
    assert keys[0] == keys[1] != keys[2]


def test_what_salesforce_hears_is_the_recorded_acknowledgement() -> None:
    ack, fault = (payload.parse("soap", (SAMPLES / f"salesforce-{one}.xml").read_bytes()) for one in ("ack", "fault"))
    assert payload.parse("soap", SOAP_ACK.encode()) == ack != fault
