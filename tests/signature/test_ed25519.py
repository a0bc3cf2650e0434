"""Signatures with a key pair."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from signature_cases import NOW, SCHEMES, received, refused

from adapter import signature
from adapter.errors import SchemeError
from adapter.model import Received

SEED = b"k" * 32
PAIR = Ed25519PrivateKey.from_private_bytes(SEED)


def coded(key: bytes, prefix: str) -> str:
    """A key as the standard writes it."""
    return prefix + base64.b64encode(key).decode()


PUBLIC = coded(PAIR.public_key().public_bytes_raw(), "whpk_")
PRIVATE = coded(SEED, "whsk_")
SCHEME = signature.scheme(SCHEMES["standard-webhooks-ed25519"])
SIGNED = signature.sign(SCHEME, PRIVATE, received(), now=NOW)
GOOD = SIGNED.headers["webhook-signature"]


def with_signature(text: str) -> Received:
    """The signed request with another signature."""
    return replace(SIGNED, headers={**SIGNED.headers, "webhook-signature": text})


@pytest.mark.parametrize("key", [PUBLIC, PUBLIC.removeprefix("whpk_"), PRIVATE, coded(SEED + b"p" * 32, "whsk_")])
def test_every_form_of_the_right_key_verifies(key: str) -> None:
    signature.check_secret(SCHEME, key)
    signature.verify(SCHEME, ["whpk_bm90IGEga2V5", key], SIGNED, now=NOW)


@pytest.mark.parametrize("text", [f"v1,AAAA {GOOD}", f"v1a,AAAA {GOOD}", f"{GOOD} v1a,!!", GOOD.rstrip("=")])
def test_any_signature_of_the_list_may_be_the_right_one(text: str) -> None:
    signature.verify(SCHEME, [PUBLIC], with_signature(text), now=NOW)


REFUSED = {
    "hmac": ("v1,AAAA", "no signature of version v1a"),
    "short": ("v1a,AAAA", "signature mismatch"),
    "no-base64": ("v1a,????", "signature mismatch"),
    "empty": ("v1a,", "signature mismatch"),
    "no-version": ("AAAA", "malformed signature header"),
    "very-many": (" ".join(["v1a,AAAA"] * 17), "too many signatures"),
    "latin": ("v1a,\xe9", "signature mismatch"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_signature_is_refused(text: str, reason: str) -> None:
    assert refused(SCHEME, [PUBLIC], with_signature(text)) == reason


@pytest.mark.parametrize(
    "change", [{"body": b"{}"}, {"headers": {**SIGNED.headers, "webhook-id": "msg_2"}}], ids=["body", "id"]
)
def test_what_is_signed_cannot_be_changed(change: dict[str, Any]) -> None:
    assert refused(SCHEME, [PUBLIC], replace(SIGNED, **change)) == "signature mismatch"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_or_a_future_signature_is_refused(seconds: int) -> None:
    assert refused(SCHEME, [PUBLIC], SIGNED, now=NOW + timedelta(seconds=seconds)) == "timestamp outside tolerance"


def test_another_key_or_none_verifies_nothing() -> None:
    assert refused(SCHEME, [coded(b"x" * 32, "whsk_")], SIGNED) == "signature mismatch"
    assert refused(SCHEME, ["whpk_bm90IGEga2V5"], SIGNED) == "no usable secret"


@pytest.mark.parametrize(
    "key", ["whpk_bm90IGEga2V5", "whsk_bm90IGEga2V5", "whpk_", "whpk_?", coded(bytes(32), "whpk_")]
)
def test_what_is_no_key_is_told_at_start(key: str) -> None:
    with pytest.raises(SchemeError) as refusal:
        signature.check_secret(SCHEME, key)
    assert refusal.value.key == "secrets"


def test_a_public_key_cannot_sign() -> None:
    with pytest.raises(SchemeError, match="whsk_"):
        signature.sign(SCHEME, PUBLIC, received(), now=NOW)


def test_a_signature_without_a_time_or_a_list_can_be_described() -> None:
    kind = signature.scheme({"scheme": "ed25519", "header": "X-Sig", "encoding": "hex", "content": "{body}"})
    signed = signature.sign(kind, "whsk_" + "k" * 32, received(), now=NOW)
    signature.verify(kind, ["whsk_" + "k" * 32], signed, now=NOW + timedelta(days=9))


def test_an_algorithm_is_not_to_be_chosen() -> None:
    with pytest.raises(SchemeError) as refusal:
        signature.scheme({**SCHEMES["standard-webhooks-ed25519"], "algorithm": "sha256"})
    assert refusal.value.key == "algorithm"
