"""What single senders are known for."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

from adapter.signature.description import describe
from adapter.signature.keyed import Keyed, read_digest
from adapter.signature.mistakes.guess import Guess, Tried

ZENDESK = "x-zendesk-webhook-signature"
ZENDESK_TEST_KEY = base64.b64encode(b"this_secret_is_for_testing_only").decode()
"""Published by Zendesk; whoever accepted it would accept anybody.
https://developer.zendesk.com/documentation/webhooks/verifying/"""

_HUBSPOT = {"scheme": "digest", "header": "X-HubSpot-Signature", "algorithm": "sha256", "encoding": "hex"}
HUBSPOT: tuple[tuple[str, Keyed], ...] = (
    ("v1", read_digest(describe({**_HUBSPOT, "content": "{secret}{body}"}))),
    ("v2", read_digest(describe({**_HUBSPOT, "content": "{secret}{method}{url}{body}"}))),
)
"""The older signatures. https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication"""


def of_sender(tried: Tried) -> Iterator[Guess]:
    """An older signature of HubSpot; Zendesk's test of a webhook that is not saved yet."""
    if not isinstance(tried.scheme, Keyed):
        return
    if tried.scheme.header.lower().startswith("x-hubspot-"):
        for version, scheme in HUBSPOT:
            if scheme.content != tried.scheme.content:
                said = f"this is HubSpot's signature {version}, made with the right secret: use from: hubspot-{version}"
                yield said, replace(tried, scheme=scheme)
    if tried.scheme.header.lower() == ZENDESK:
        said = "this is Zendesk's test, signed with a secret everybody knows: save the webhook and send a real event"
        yield said, replace(tried, secrets=[ZENDESK_TEST_KEY])
