"""The official package of Standard Webhooks: we accept what it signs, and it accepts what we sign."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from adapter import signature, sources
from adapter.errors import SignatureError
from adapter.model import Received

SCHEME = signature.scheme(sources.presets()["standard-webhooks"].verify)
BODIES = ['{"type":"lead.created","data":{"phone":"+12025550143"}}', '{"name": "Zoë 🎈"}', "", "a=b\r\n"]
KEYS = {
    "as the dashboard shows it": "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    "without whsec_": base64.b64encode(b"a key of twenty-four byt").decode(),
    "without padding": "whsec_" + base64.b64encode(b"a key of twenty-five bytes").decode().rstrip("="),
}


@pytest.mark.parametrize("body", BODIES, ids=["JSON", "other letters", "empty", "no JSON"])
@pytest.mark.parametrize("secret", KEYS.values(), ids=list(KEYS))
def test_we_accept_what_it_signs(secret: str, body: str) -> None:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", now, body),
    }
    request = Received(method="POST", url="/hooks/lead", headers=headers, body=body.encode())
    signature.verify(SCHEME, ["b3RoZXI=", secret], request, now=now)
    with pytest.raises(SignatureError):
        signature.verify(SCHEME, [secret], replace(request, body=request.body + b" "), now=now)


@pytest.mark.parametrize("body", BODIES, ids=["JSON", "other letters", "empty", "no JSON"])
@pytest.mark.parametrize("secret", KEYS.values(), ids=list(KEYS))
def test_it_accepts_what_we_sign(secret: str, body: str) -> None:
    request = Received(method="POST", url="/hooks/lead", headers={}, body=body.encode())
    signed = signature.sign(SCHEME, secret, request, now=datetime.now(UTC), message_id="msg_1")
    Webhook(secret).verify(body, dict(signed.headers), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + " ", dict(signed.headers), json_parse=False)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_both_refuse_the_same_times(minutes: int) -> None:
    now = datetime.now(UTC)
    secret = KEYS["as the dashboard shows it"]
    request = Received(method="POST", url="/hooks/lead", headers={}, body=b"{}")
    signed = signature.sign(SCHEME, secret, request, now=now + timedelta(minutes=minutes))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify("{}", dict(signed.headers))
    with pytest.raises(SignatureError):
        signature.verify(SCHEME, [secret], signed, now=now)
