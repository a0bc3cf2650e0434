"""What a report says, and the headers that prove who says it (https://www.standardwebhooks.com)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter import receipt, signature
from adapter.allowed import STANDARD
from adapter.model import Delivery, Received
from adapter.receipt import Link

SIGNATURE = "webhook-signature"


def body(delivery: Delivery, link: Link) -> bytes:
    """The report of a delivery as it was when it came to its end."""
    return written(f"delivery.{delivery.state}", data(delivery, link), at=delivery.updated_at)


def data(delivery: Delivery, link: Link) -> dict[str, Any]:
    """The receipt of a delivery, and what its mapping includes."""
    return {**receipt.of_delivery(delivery, link), "include": delivery.terms["report"]["include"]}


def written(kind: str, told_of: Mapping[str, Any], *, at: datetime) -> bytes:
    """A report of any kind."""
    told = {"type": kind, "timestamp": receipt.instant(at), "data": told_of}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def headers(message_id: str, content: bytes, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """The headers of a report, signed with every secret, so that a receiver may know either; raises `SchemeError`."""
    plain = Received(method="POST", url="", headers={}, body=content)
    signed = [signature.sign(STANDARD, one, plain, now=now, message_id=message_id).headers for one in secrets]
    return {**signed[0], SIGNATURE: " ".join(one[SIGNATURE] for one in signed)}
