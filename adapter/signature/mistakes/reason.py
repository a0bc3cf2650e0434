"""What a refusal means to the person who set the sender up, where the reason tells it: tokens, and guards."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "signature mismatch": "",  # which says nothing more
    "missing header": "the header that proves it is missing: the sender does not send it, or a proxy drops it",
    "malformed token": "what came is no JSON web token, which is three texts with dots between",
    "expired": "the token has expired: an old request sent again, or a clock that is wrong",
    "the token is from the future": "the token is from the future: the sender's clock or ours is wrong",
    "the token's algorithm": "the token is signed in a way that is not allowed here: this scheme takes a shared secret",
    "missing claim": "the token lacks a claim that this scheme wants: it comes from another sender, or for another use",
    "wrong claim aud": "the token is for another URL: ADAPTER_PUBLIC_URL or the URL at the sender is another one",
    "wrong claim": "a claim of the token is another one: it comes from another sender, or for another use",
    "body hash mismatch": "the token is right, but for another body: something on the way changes it",
    "address not allowed": "it comes from an address outside the networks that are allowed: the sender has moved, or "
    "ADAPTER_TRUSTED_PROXIES is not the number of proxies in front",
    "the client's address": "its address is not known: ADAPTER_TRUSTED_PROXIES is too high, or a proxy "
    "does not send X-Forwarded-For",
    "client certificate": "the proxy did not find the client's certificate good: look there which one was shown",
}
"""How the reason begins -> what it means."""


def of_reason(reason: str) -> str:
    """What a reason means; the reason itself where there is no more to say, empty where it says nothing at all."""
    return next((said for begin, said in REASONS.items() if reason.startswith(begin)), reason)
