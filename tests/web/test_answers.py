"""What a sender hears: thin and test deliveries, SOAP, and statuses that no sender takes amiss."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from running import SECRET
from werkzeug.test import TestResponse

from adapter.web.answers import SOAP_FAULT
from adapter.web.hooks import SOAP_ACK
from web.front import CLICK, WORK, Front, front

RULES = "\n".join(WORK.splitlines()[7:])
SALES = "\nrules:\n  - callback: {skill: Sales, callback_number: 8015550142}\nphones: {region: US}\n"
SOAP = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D000000000001</OrganizationId>'
    b"<Notification><Id>04l1</Id></Notification></notifications></e:Body></e:Envelope>"
)
XML = {"Content-Type": "text/xml; charset=utf-8"}


def mapping(name: str, receive: str, rules: str = SALES) -> str:
    """A mapping whose sender is described in one line."""
    return f"format: 1\nname: {name}\nreceive: {{{receive}}}{rules}\n"


FILES = {
    "soap": mapping(
        "soap",
        "from: salesforce-outbound, organization: 00D000000000001, also: {query_token: key, secrets: [HOOK_SECRET]}",
    ),
    "google": mapping("google", "from: google-ads, secrets: [HOOK_SECRET]"),
    "zoho": mapping("zoho", "from: zoho-crm, secrets: [HOOK_SECRET]"),
    "tested": mapping(
        "tested", "from: google-ads, secrets: [HOOK_SECRET], test_when: [{field: campaign_id, is: 7}], body: json"
    ),
    "typeform": mapping(
        "typeform", "from: typeform, secrets: [HOOK_SECRET], test_when: {field: form_response.hidden.test, is: yes}"
    ),
}


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The application with senders of every kind of answer."""
    with front(tmp_path_factory.mktemp("answering"), FILES) as made:
        assert not made.sources.broken
        yield made


def said(answer: TestResponse) -> str:
    """The text of a SOAP fault."""
    assert answer.content_type == "text/xml; charset=utf-8"
    tree = ET.fromstring(answer.data)
    (fault,) = tree.iter("{http://schemas.xmlsoap.org/soap/envelope/}Fault")
    assert [child.tag for child in fault] == ["faultcode", "faultstring"]
    return f"{answer.status_code} {fault[0].text}: {fault[1].text}"


def test_a_thin_record_is_rejected_with_what_to_do_instead(answering: Front) -> None:
    answer = answering.post("zoho", {"token": SECRET, "ids": ["1"], "channel_id": "7"})
    (receipt,) = answer.get_json()["receipts"]
    assert (answer.status_code, receipt["state"]) == (200, "reject")
    assert receipt["reason"].startswith("a notification of Zoho's holds ids only: send the number with a workflow")


def test_a_thin_record_with_its_values_is_none(answering: Front) -> None:
    body = {"token": SECRET, "ids": ["1"], "affected_values": [{"values": {"Phone": "1"}}]}
    (receipt,) = answering.post("zoho", body).get_json()["receipts"]
    assert receipt["state"] == "queued"


@pytest.mark.parametrize(
    ("name", "body", "results"),
    [
        ("google", {"lead_id": "1", "is_test": True}, "skip"),
        ("google", {"lead_id": "2"}, "action"),
        ("tested", {"lead_id": "3", "is_test": True}, "skip"),
        ("tested", {"lead_id": "4", "campaign_id": 7}, "skip"),
        ("tested", {"lead_id": "5", "campaign_id": 8, "is_test": False}, "action"),
    ],
)
def test_a_test_delivery_is_verified_kept_logged_and_never_dialled(
    tmp_path: Path, log: io.StringIO, name: str, body: dict[str, object], results: str
) -> None:
    with front(tmp_path, {name: FILES[name]}) as made:
        answer = made.post(name, {"google_key": SECRET, **body})
        assert (answer.status_code, answer.text) == (200, "{}")
        (request,) = made.rows("requests")
        assert f'"kind":"{results}"' in request["results"]
        assert SECRET.encode() not in request["body"]
        assert len(made.rows("deliveries")) == (results == "action")
        assert f"results={'queued' if results == 'action' else 'test'}" in log.getvalue()
        assert made.client.post(f"/hooks/{name}", json=body).status_code == 401


def test_the_answer_to_a_test_says_so(answering: Front) -> None:
    (receipt,) = answering.post("typeform", {"form_response": {"hidden": {"test": "yes"}}}).get_json()["receipts"]
    assert receipt["state"] == "skip"
    assert receipt["message"] == "Nothing was done: a test delivery of the sender: verified, nothing dialled."


@pytest.mark.parametrize("path", ["soap", "soap/"])
def test_a_soap_sender_hears_an_ack_when_all_is_kept(answering: Front, path: str) -> None:
    answer = answering.client.post(f"/hooks/{path}?key={SECRET.replace(' ', '+')}", data=SOAP, headers=XML)
    assert answer.status_code == 200
    assert "<Ack>true</Ack>" in answer.text


@pytest.mark.parametrize(
    ("query", "body", "fault"),
    [
        ("key=other", SOAP, "401 soapenv:Client: The request was not signed"),
        ("", SOAP.replace(b"00D000000000001", b"00D000000000002"), "401 soapenv:Client: The request was not signed"),
        ("key=", SOAP[:-9], "401 soapenv:Client: "),
        ("", b"x" * 1_100_000, "413 soapenv:Client: The body is larger than"),
    ],
)
def test_a_soap_sender_hears_a_fault_when_it_is_refused(answering: Front, query: str, body: bytes, fault: str) -> None:
    answer = answering.client.post(f"/hooks/soap?{query}", data=body, headers=XML)
    assert said(answer).startswith(fault)
    assert "Ack" not in answer.text


def test_a_soap_sender_hears_a_fault_when_nothing_could_be_kept(tmp_path: Path) -> None:
    with front(tmp_path, {"soap": FILES["soap"]}) as made:
        made.run("drop table requests")
        answer = made.client.post(f"/hooks/soap?key={SECRET.replace(' ', '+')}", data=SOAP, headers=XML)
        assert said(answer).startswith("503 soapenv:Server: ")
        assert answer.headers["Retry-After"]


@pytest.mark.parametrize(("sample", "answer"), [("salesforce-ack.xml", SOAP_ACK), ("salesforce-fault.xml", SOAP_FAULT)])
def test_soap_answers_are_built_like_the_recorded_ones(sample: str, answer: str) -> None:
    recorded = ET.fromstring((Path(__file__).parents[1] / "samples" / sample).read_bytes())
    ours = ET.fromstring(answer.encode())
    assert [one.tag for one in ours.iter()] == [one.tag for one in recorded.iter()]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("name", [f"{name}{slash}" for name in FILES for slash in ("", "/")])
def test_a_known_mapping_is_never_moved_missing_or_gone(answering: Front, method: str, name: str) -> None:
    status = answering.client.open(f"/hooks/{name}", method=method).status_code
    assert status in (200, 400, 401, 405)


def test_a_sender_that_takes_only_200_cannot_be_told_of_failures(tmp_path: Path) -> None:
    text = mapping("google", "from: google-ads, secrets: [HOOK_SECRET], answer: {failures: 4xx}")
    with front(tmp_path, {"google": text}) as made:
        assert "google-ads takes every status but 200 for a broken address" in made.sources.broken["google"].problems[0]


def test_a_handshake_of_a_preset_is_not_to_be_written_anew(tmp_path: Path) -> None:
    text = mapping("x", "from: google-ads, secrets: [HOOK_SECRET], handshake: {type: post_ping, field: a, value: b}")
    own = mapping("y", "verify: {scheme: basic}, secrets: [HOOK_SECRET], handshake: {type: post_ping, field: a}")
    with front(tmp_path, {"x": text, "y": own}) as made:
        assert "the preset google-ads says how its sender asks" in made.sources.broken["x"].problems[0]
        assert "value: this key is missing" in made.sources.broken["y"].problems[0]


def test_a_click_waits_no_longer_than_its_sender(tmp_path: Path) -> None:
    text = f"format: 1\nname: zendesk\nreceive: {{from: intercom, secrets: [HOOK_SECRET], body: json}}\n{RULES}\n"
    with front(tmp_path, {"zendesk": text}, ADAPTER_WAIT="60s") as made:
        made.xima.free.clear()
        begun = monotonic()
        receipt = made.receipt("zendesk", CLICK)
        assert receipt["state"] == "sending"
        assert monotonic() - begun < 20
        assert made.sources.usable["zendesk"].mapping.receive.answer_within == timedelta(seconds=5)
