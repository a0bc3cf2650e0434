"""What stands in the header of a signature, and what stands beside it when the header is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapter.model import Received
from adapter.signature.keyed import Keyed

# 20, 32 or 64 bytes, in hex or in base64 of either alphabet.
_DIGEST = re.compile(
    r"(?<![0-9A-Za-z+/_-])(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128}"
    r"|[0-9A-Za-z+/_-]{27}=?|[0-9A-Za-z+/_-]{43}=?|[0-9A-Za-z+/_-]{86}(?:==)?)(?![0-9A-Za-z+/_=-])"
)
_LONG = "sha512 or ed25519"
_WRITTEN = {
    40: ("sha1", "hex"),
    64: ("sha256", "hex"),
    128: (_LONG, "hex"),
    27: ("sha1", "base64"),
    43: ("sha256", "base64"),
    86: (_LONG, "base64"),
}
"""Characters without padding -> how the digest was made and written."""
MOST_CHARACTERS = 2_000

KNOWN: Mapping[str, str] = {
    "x-hubspot-signature-v3": "HubSpot's signature v3 (hubspot-v3)",
    "x-hubspot-signature": "HubSpot's signature v1 or v2 (hubspot-v1, hubspot-v2)",
    "webhook-signature": "Standard Webhooks (standard-webhooks)",
    "svix-signature": "Svix (svix)",
    "x-hub-signature-256": "GitHub's or Meta's (github, meta-leadads)",
    "x-hub-signature": "the one of Bitbucket, Intercom or an old GitHub (bitbucket, intercom)",
    "stripe-signature": "Stripe's (stripe-like)",
    "typeform-signature": "Typeform's (typeform)",
    "x-zendesk-webhook-signature": "Zendesk's (zendesk)",
    "x-shopify-hmac-sha256": "Shopify's (shopify)",
    "calendly-webhook-signature": "Calendly's (calendly)",
    "tally-signature": "Tally's (tally)",
    "x-webflow-signature": "Webflow's (webflow)",
    "close-sig-hash": "Close's (close)",
    "x-li-signature": "LinkedIn's (linkedin)",
    "x-slack-signature": "Slack's (slack)",
}
"""Header -> whose signature it is, and the presets for it."""


def of_header(scheme: Keyed, received: Received) -> str:
    """Why the signature cannot even be looked at; empty when it can."""
    name = scheme.header
    value = received.headers.get(name.lower())
    if value is None:
        return _missing(name, received)
    if not value.strip():
        return f"the header {name} is empty: the sender has no secret set"
    if not _DIGEST.search(value[:MOST_CHARACTERS]):
        return f"the header {name} holds no signature: neither hex nor base64 of a digest's length"
    return ""


def of_digest(scheme: Keyed, received: Received) -> str:
    """Whether the signature is visibly of another kind; empty when it is not, or when it is not there."""
    wanted = (_LONG if scheme.algorithm in ("sha512", "ed25519") else scheme.algorithm, scheme.encoding)
    value = received.headers.get(scheme.header.lower(), "")
    kinds = {_WRITTEN[len(found.rstrip("="))] for found in _DIGEST.findall(value[:MOST_CHARACTERS])}
    if not kinds or wanted in kinds:
        return ""
    return f"the signature looks like {' in '.join(min(kinds))}, and this scheme wants {' in '.join(wanted)}"


def _missing(name: str, received: Received) -> str:
    others = [said for header, said in KNOWN.items() if header in received.headers]
    if others:
        return f"the header {name} is missing; what came is {', '.join(others[:3])}"
    return f"the header {name} is missing, and no other signature came: the sender does not sign, or a proxy drops it"
