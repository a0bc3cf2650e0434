"""The recorded samples that no webhook brings, each read, and mapped where it holds a number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sender_cases import INDEX, ROOT, SAMPLES

from adapter import payload, sources
from adapter.mapping import examples, request_tree, results
from adapter.model import Received

RELAYED = sources.read(ROOT / "tests/data/relayed.yaml")
FORM = "application/x-www-form-urlencoded"
CLICK = ("click_to_dial", {"agent": "0101", "number_to_dial": "2025550143"})
CALLBACK = ("callback", {"skill": "General Sales", "callback_number": "2025550143"})


@pytest.mark.parametrize(
    ("file", "content_type", "wanted"),
    [
        ("hubspot-calling-sdk-ondialnumber.json", "application/json", CLICK),
        ("hubspot-crm-card.query", FORM, CLICK),
        ("salesforce-open-cti-clicktodial.json", "application/json", CLICK),
        ("salesforce-platform-event.json", "application/json", CALLBACK),
        ("salesforce-cdc.json", "application/json", CALLBACK),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_what_a_backend_passes_on_becomes_a_call(file: str, content_type: str, wanted: tuple[str, Any]) -> None:
    body = (SAMPLES / file).read_bytes().strip()
    request = Received(method="POST", url="https://example.com/x", headers={"content-type": content_type}, body=body)
    document, (record,) = examples.records(RELAYED, request)
    (made,) = results(RELAYED, record, request_tree(request, document), now=datetime(2026, 1, 7, 17, tzinfo=UTC))
    assert made.action is not None
    assert (made.action.kind, made.action.as_dict()) == wanted


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("hubspot-crm-card.query", "form"),
        ("linkedin-challenge.query", "form"),
        ("meta-verify.query", "form"),
        ("salesforce-ack.xml", "soap"),
        ("salesforce-fault.xml", "soap"),
    ],
)
def test_what_is_no_body_of_a_webhook_can_be_read_all_the_same(file: str, kind: str) -> None:
    assert payload.parse(kind, (SAMPLES / file).read_bytes().strip())


def test_these_and_those_of_the_index_are_all_the_samples_there_are() -> None:
    others = {"hubspot-crm-card.query", "linkedin-challenge.query", "meta-verify.query"}
    others |= {"salesforce-ack.xml", "salesforce-fault.xml", "index.json"}
    assert {one["file"] for one in INDEX} | others == {file.name for file in SAMPLES.iterdir()}
