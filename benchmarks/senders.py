"""The largest requests of two senders, without any server: HubSpot's batch of events, Salesforce's hundred records."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from adapter import path, payload, signature, sources
from adapter.model import Received
from adapter.web import hints
from benchmarks.bodies import SECRET, phone

EVENTS = 18
"""About 5 KB."""
NOTIFICATIONS = 100
FIELDS = 107
"""In all a little less than the 1 MB that ADAPTER_MAX_BODY lets in."""
ORGANIZATION = "00Dxx0000000001EAA"


def hubspot_cpu_milliseconds(times: int = 1_000) -> float:
    """Processor time of the signature v3 and the parsing of a batch of 5 KB."""
    scheme = signature.scheme(sources.presets()["hubspot-v3"].verify)
    now = datetime.now(UTC)
    url = "https://hooks.example.com/hooks/hubspot"
    request = signature.sign(scheme, SECRET, _received(url, _events()), now=now)

    def once() -> None:
        signature.verify(scheme, ["another secret", SECRET], request, now=now)
        payload.records(payload.parse("json", request.body), None)

    return _cpu_milliseconds(once, times)


def soap_cpu_milliseconds(times: int = 5) -> float:
    """Processor time of the parsing of an outbound message of 1 MB."""
    body = _message()
    where = path.compile("notifications.Notification")

    def once() -> None:
        assert len(payload.records(payload.parse("soap", body), where)) == NOTIFICATIONS

    return _cpu_milliseconds(once, times)


def organization_cpu_milliseconds(times: int = 5) -> float:
    """Processor time of the look for the organisation in the same message, before its sender is known."""
    scheme = signature.scheme(sources.presets()["salesforce-outbound"].verify)
    request = _received("https://hooks.example.com/hooks/leads", _message())
    now = datetime.now(UTC)
    return _cpu_milliseconds(lambda: signature.verify(scheme, [ORGANIZATION], request, now=now), times)


def refusal_cpu_milliseconds(times: int = 50) -> float:
    """Processor time of the hints for a wrong signature over the largest body that the server explains."""
    scheme = signature.scheme(sources.presets()["hubspot-v3"].verify)
    now = datetime.now(UTC)
    body = b"[" + b",".join([b'{"eventId": 1}'] * (hints.LARGEST // 15)) + b"]"
    request = signature.sign(scheme, "of somebody else", _received("https://a.example/in/?a=%20", body), now=now)

    def once() -> None:
        assert signature.explain(scheme, [SECRET, "an older secret"], request, now=now)

    return _cpu_milliseconds(once, times)


def _cpu_milliseconds(work: Callable[[], None], times: int) -> float:
    work()
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times * 1000


def _received(url: str, body: bytes) -> Received:
    return Received(method="POST", url=url, headers={"content-type": "text/xml; charset=utf-8"}, body=body)


def _events() -> bytes:
    """A batch as HubSpot's app webhooks post it."""
    event = {"subscriptionType": "contact.propertyChange", "portalId": 62515, "appId": 54321, "attemptNumber": 0}
    event |= {"changeSource": "CRM_UI", "propertyName": "phone", "subscriptionId": 12345}
    batch = [
        {
            **event,
            "eventId": number,
            "objectId": 1000 + number,
            "occurredAt": 1767261600000,
            "propertyValue": phone(number),
        }
        for number in range(EVENTS)
    ]
    return json.dumps(batch).encode()


def _message() -> bytes:
    """An outbound message with as many records as Salesforce puts into one, each with a hundred fields."""
    records = "".join(_notification(number) for number in range(NOTIFICATIONS))
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{ORGANIZATION}</OrganizationId>'
        f'<SessionId xsi:nil="true"/>{records}</notifications></soapenv:Body></soapenv:Envelope>'
    ).encode()


def _notification(number: int) -> str:
    fields = "".join(
        f"<sf:Custom_Field_{field}__c>text &amp; more of field {field} by somebody, é</sf:Custom_Field_{field}__c>"
        for field in range(FIELDS)
    )
    return (
        f'<Notification><Id>04lxx00000{number:05d}AAA</Id><sObject xsi:type="sf:Lead"'
        f' xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Phone>{phone(number)}</sf:Phone>{fields}</sObject>'
        "</Notification>"
    )
