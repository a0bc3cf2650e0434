"""HubSpot's own package: we accept what it signs, and it accepts what we sign, in all three versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hubspot.utils.signature import Signature

from adapter import signature, sources
from adapter.errors import SignatureError
from adapter.model import Received

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HEADERS = {"v1": "x-hubspot-signature", "v2": "x-hubspot-signature", "v3": "x-hubspot-signature-v3"}
REQUESTS = {
    "events": ("POST", "https://hooks.example.com/hooks/lead", '[{"eventId":1,"propertyValue":"+12025550143"}]'),
    "letters": ("POST", "https://hooks.example.com/hooks/lead", '{"firstname": "Zoë", "city": "São Paulo 🎈"}'),
    "query": ("POST", "https://hooks.example.com/hooks/lead?portal=1&email=a%40b.example&q=%20", "{}"),
    "card": ("GET", "https://hooks.example.com/hooks/card?userId=1&hs_object_id=5", ""),
}


def signed(version: str, method: str, url: str, body: str, *, now: datetime) -> Received:
    """What HubSpot's package would send."""
    moment = str(int(now.timestamp() * 1000))
    made = Signature.get_signature(SECRET, body, version, url, method, moment)
    headers = {HEADERS[version]: made, "x-hubspot-request-timestamp": moment}
    return Received(method=method, url=url, headers=headers, body=body.encode())


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=list(REQUESTS))
@pytest.mark.parametrize("version", HEADERS)
def test_we_accept_what_it_signs(version: str, request_: tuple[str, str, str]) -> None:
    now = datetime.now(UTC)
    scheme = signature.scheme(sources.presets()[f"hubspot-{version}"].verify)
    request = signed(version, *request_, now=now)
    signature.verify(scheme, ["another", SECRET], request, now=now)
    with pytest.raises(SignatureError):
        signature.verify(scheme, [SECRET], replace(request, body=request.body + b" "), now=now)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=list(REQUESTS))
@pytest.mark.parametrize("version", HEADERS)
def test_it_accepts_what_we_sign(version: str, request_: tuple[str, str, str]) -> None:
    method, url, body = request_
    scheme = signature.scheme(sources.presets()[f"hubspot-{version}"].verify)
    unsigned = Received(method=method, url=url, headers={}, body=body.encode())
    made = signature.sign(scheme, SECRET, unsigned, now=datetime.now(UTC))
    shown, moment = made.headers[HEADERS[version]], made.headers.get("x-hubspot-request-timestamp")
    assert Signature.is_valid(shown, SECRET, body, url, method, version, moment)
    assert not Signature.is_valid(shown, SECRET, body + " ", url, method, version, moment)


def test_a_version_is_not_taken_for_another_one_and_the_hint_says_which_it_is() -> None:
    now = datetime.now(UTC)
    scheme = signature.scheme(sources.presets()["hubspot-v3"].verify)
    for version in ("v1", "v2"):
        request = signed(version, *REQUESTS["query"], now=now)
        with pytest.raises(SignatureError, match="missing header X-HubSpot-Signature-v3"):
            signature.verify(scheme, [SECRET], request, now=now)
        hint, *_ = signature.explain(scheme, [SECRET], request, now=now)
        assert hint == f"this is HubSpot's signature {version}, made with the right secret: use from: hubspot-{version}"
