"""The signed requests that are sent: contacts of 1 to 5 KB, each with an id and a telephone number of its own."""

from __future__ import annotations

import hmac
import json
from typing import Literal

Kind = Literal["click", "lead"]

SECRET = "a secret of the benchmarks"
SOURCE = {"click": "Web", "lead": "Form"}
FILLERS = (12, 30, 65)
"""Numbers of further properties, in turn: bodies of about 1, 2.5 and 5 KB."""


def phone(number: int) -> str:
    """A telephone number nobody else in this run has, as Xima gets it."""
    return f"801{2_000_000 + number % 8_000_000}"


def body(kind: Kind, number: int) -> bytes:
    """A contact as a CRM's workflow posts it."""
    digits = phone(number)
    shown = {
        "mobilephone": "",
        "phone": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
        "hs_lead_source": SOURCE[kind],
        "hubspot_owner_email": f"Owner.{number}@Example.com ",
    }
    fillers = {
        f"custom_property_{index}": f"a value typed by somebody, {index}" for index in range(FILLERS[number % 3])
    }
    properties = {name: {"value": text} for name, text in {**fillers, **shown}.items()}
    return json.dumps({"vid": number, "portal-id": 62515, "properties": properties}).encode()


def signature(content: bytes) -> str:
    """What a true sender puts into X-Hub-Signature-256."""
    return "sha256=" + hmac.digest(SECRET.encode(), content, "sha256").hex()


def request(kind: Kind, number: int) -> bytes:
    """The whole request as it goes over the wire."""
    content = body(kind, number)
    head = (
        "POST /hooks/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: {signature(content)}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
