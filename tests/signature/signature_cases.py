"""Requests and schemes the tests of this folder share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter import signature
from adapter.errors import SignatureError
from adapter.model import Received

DATA = Path(__file__).parents[1] / "data"
VECTORS: list[dict[str, Any]] = json.loads((DATA / "vectors.json").read_text())
SCHEMES: dict[str, dict[str, Any]] = {
    name: data for name, data in json.loads((DATA / "schemes.json").read_text()).items() if not name.startswith("_")
}
NOT_BUILT: tuple[str, ...] = ()
NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)  # 1767261600

ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">{}</notifications>'
    "</e:Body></e:Envelope>"
)


def received(
    body: bytes = b'{"phone": "+12025550143"}',
    *,
    method: str = "POST",
    url: str = "https://hooks.example.com/hooks/lead",
    **headers: str,
) -> Received:
    """A request; headers as keywords with _ for -."""
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Received(method=method, url=url, headers=named, body=body)


def soap(inside: str) -> Received:
    """An outbound message with these elements in it."""
    return received(ENVELOPE.format(inside).encode(), content_type="text/xml; charset=utf-8")


def from_vector(vector: Mapping[str, Any]) -> Received:
    """The request of a recorded vector, as the server would hand it over."""
    return Received(
        method=vector["method"],
        url=vector["url"],
        headers={name.lower(): value for name, value in vector["headers"].items()},
        body=vector["body"].encode(),
    )


def refused(scheme: signature.Scheme, secrets: list[str], request: Received, *, now: datetime = NOW) -> str:
    """The reason for which the request is refused."""
    with pytest.raises(SignatureError) as refusal:
        signature.verify(scheme, secrets, request, now=now)
    return refusal.value.reason


def judged(scheme: signature.Scheme, secrets: Sequence[str], request: Received) -> str:
    """The reason for which the request is refused, or "valid"."""
    try:
        signature.verify(scheme, secrets, request, now=NOW)
    except SignatureError as refusal:
        return refusal.reason
    return "valid"


def hmac_scheme(**changes: Any) -> signature.Scheme:
    """An HMAC over the body in the header X-Signature, changed."""
    base = {"scheme": "hmac", "header": "X-Signature", "algorithm": "sha256", "encoding": "hex"}
    return signature.scheme({**base, "content": "{body}", **changes})
