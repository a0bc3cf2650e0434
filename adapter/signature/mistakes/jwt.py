"""What the refusal of a JSON web token means to the person who set the sender up."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "missing header": "no token came: the sender was set up without its signing secret, or a proxy drops the header",
    "malformed token": "what came is no JSON web token, which is three texts with dots between",
    "expired": "the token has expired: an old request sent again, or a clock that is wrong",
    "the token is from the future": "the token is from the future: the sender's clock or ours is wrong",
    "the token's algorithm": "the token is signed in a way that is not allowed here: this scheme takes a shared secret",
    "missing claim": "the token lacks a claim that this scheme wants: it comes from another sender, or for another use",
    "wrong claim aud": "the token is for another URL: ADAPTER_PUBLIC_URL or the URL at the sender is another one",
    "wrong claim": "a claim of the token is another one: it comes from another sender, or for another use",
    "body hash mismatch": "the token is right, but for another body: something on the way changes it",
}
"""How the reason begins -> what it means."""


def of_jwt(reason: str) -> str:
    """What a refused token means; empty for a wrong signature, which says nothing more."""
    return next((said for begin, said in REASONS.items() if reason.startswith(begin)), "")
