"""JSON web tokens: monday's, Netlify's, and what nobody should send."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from signature_cases import NOW, SCHEMES, received, refused

from adapter import signature
from adapter.errors import SchemeError
from adapter.model import Received

SECRET = "a secret of more than thirty-two bytes"
URL = "https://hooks.example.com/hooks/lead"
SECONDS = int(NOW.timestamp())
MONDAY = signature.scheme(SCHEMES["monday"])
NETLIFY = signature.scheme(SCHEMES["netlify"])
CLAIMS = {"aud": URL, "exp": SECONDS + 60}


def token(claims: Any, *, key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    """A signed token, whatever its claims are."""
    text = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jwt.PyJWS().encode(text, key, algorithm, headers=header or None)


def sent(text: str, **more: Any) -> Received:
    """A request of monday's with this token."""
    return received(authorization=text, **more)


def plain(*parts: object) -> str:
    """A token put together by hand, with what stands for its signature last."""
    texts = [json.dumps(part).encode() if isinstance(part, dict) else str(part).encode() for part in parts]
    return ".".join(base64.urlsafe_b64encode(text).rstrip(b"=").decode() for text in texts)


@pytest.mark.parametrize("before", ["", "Bearer ", "bearer "])
def test_a_token_is_accepted_with_and_without_the_word_bearer(before: str) -> None:
    signature.verify(MONDAY, ["old", SECRET], sent(before + token(CLAIMS)), now=NOW)


def test_the_word_bearer_is_no_part_of_other_headers() -> None:
    body = hashlib.sha256(b"x").hexdigest()
    text = "Bearer " + token({"iss": "netlify", "sha256": body})
    assert refused(NETLIFY, [SECRET], received(b"x", X_Webhook_Signature=text)) == "malformed token"


REFUSED = {
    "unsigned": (plain({"alg": "none"}, CLAIMS, ""), "the token's algorithm is not HS256"),
    "unsigned-in-capitals": (plain({"alg": "NONE"}, CLAIMS, ""), "the token's algorithm is not HS256"),
    "another-algorithm": (token(CLAIMS, algorithm="HS512", key=SECRET * 2), "the token's algorithm is not HS256"),
    "no-algorithm": (plain({"typ": "JWT"}, CLAIMS, "x"), "the token's algorithm is not HS256"),
    "algorithm-is-a-list": (plain({"alg": ["HS256"]}, CLAIMS, "x"), "the token's algorithm is not HS256"),
    "another-secret": (token(CLAIMS, key="another secret of thirty-two bytes"), "signature mismatch"),
    "unknown-and-critical": (token(CLAIMS, crit=["x"], x=1), "malformed token"),
    "two-parts": ("a.b", "malformed token"),
    "empty": ("", "malformed token"),
    "no-base64": ("?.?.?", "malformed token"),
    "header-is-a-list": (plain([], CLAIMS, "x"), "malformed token"),
    "deep-header": (plain("[" * 5000, CLAIMS, "x"), "malformed token"),
    "claims-are-a-list": (token([1]), "malformed token"),
    "claims-are-no-json": (token(b"{"), "malformed token"),
    "expired": (token({**CLAIMS, "exp": SECONDS}), "expired"),
    "expired-by-a-fraction": (token({**CLAIMS, "exp": SECONDS - 0.5}), "expired"),
    "no-expiry": (token({"aud": URL}), "missing claim exp"),
    "expiry-is-null": (token({"aud": URL, "exp": None}), "missing claim exp"),
    "expiry-is-text": (token({**CLAIMS, "exp": "tomorrow"}), "malformed claim exp"),
    "expiry-is-true": (token({**CLAIMS, "exp": True}), "malformed claim exp"),
    "expiry-is-endless": (token(b'{"aud": "%s", "exp": 10000000000000}' % URL.encode()), "malformed claim exp"),
    "made-tomorrow": (token({**CLAIMS, "iat": SECONDS + 301}), "the token is from the future (iat)"),
    "valid-tomorrow": (token({**CLAIMS, "nbf": SECONDS + 301}), "the token is from the future (nbf)"),
    "another-url": (token({**CLAIMS, "aud": URL + "/"}), "wrong claim aud: the token is for another URL"),
    "no-url": (token({"exp": SECONDS + 60}), "wrong claim aud: the token is for another URL"),
    "url-is-a-number": (token({**CLAIMS, "aud": 7}), "wrong claim aud: the token is for another URL"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_token_is_refused(text: str, reason: str) -> None:
    assert refused(MONDAY, [SECRET], sent(text)) == reason


def test_a_request_without_the_header_is_refused() -> None:
    assert refused(MONDAY, [SECRET], received()) == "missing header Authorization"


@pytest.mark.parametrize("secrets", [[], [""], ["\ud800"]])
def test_no_secret_verifies_nothing(secrets: list[str]) -> None:
    assert refused(MONDAY, secrets, sent(token(CLAIMS))) == "no usable secret"


def test_a_public_key_is_no_shared_secret() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"
    with pytest.raises(SchemeError, match="not a shared secret"):
        signature.check_secret(MONDAY, pem)
    assert refused(MONDAY, [pem], sent(token(CLAIMS))) == "signature mismatch"


@pytest.mark.parametrize("claims", [{**CLAIMS, "iat": SECONDS + 299}, {**CLAIMS, "aud": ["other", URL]}])
def test_a_clock_that_is_a_little_ahead_and_a_list_of_audiences_are_accepted(claims: dict[str, Any]) -> None:
    signature.verify(MONDAY, [SECRET], sent(token(claims)), now=NOW)


def test_the_query_of_the_url_may_be_missing_in_the_audience() -> None:
    signature.verify(MONDAY, [SECRET], sent(token(CLAIMS), url=URL + "?a=1"), now=NOW)


def test_leeway_is_given_to_the_expiry() -> None:
    kind = signature.scheme({**SCHEMES["monday"], "leeway": 10})
    signature.verify(kind, [SECRET], sent(token(CLAIMS)), now=NOW + timedelta(seconds=69))
    assert refused(kind, [SECRET], sent(token(CLAIMS)), now=NOW + timedelta(seconds=70)) == "expired"


def test_the_time_is_the_one_that_is_given() -> None:
    then = datetime.fromisoformat("1999-12-31T23:59:00+00:00")
    text = token({"aud": URL, "exp": int(then.timestamp()) + 60})
    signature.verify(MONDAY, [SECRET], sent(text), now=then)


NETLIFYS = {
    "another-sender": ({"iss": "gotcha", "sha256": hashlib.sha256(b"x").hexdigest()}, "wrong claim iss"),
    "no-hash": ({"iss": "netlify"}, "missing claim sha256"),
    "hash-of-another-body": ({"iss": "netlify", "sha256": hashlib.sha256(b"y").hexdigest()}, "body hash mismatch"),
    "hash-is-a-list": ({"iss": "netlify", "sha256": [1]}, "body hash mismatch"),
}


@pytest.mark.parametrize(("claims", "reason"), NETLIFYS.values(), ids=NETLIFYS)
def test_the_claims_and_the_hash_of_the_body_must_be_right(claims: dict[str, Any], reason: str) -> None:
    assert refused(NETLIFY, [SECRET], received(b"x", X_Webhook_Signature=token(claims))) == reason


def test_what_is_signed_here_is_what_the_sender_would_send() -> None:
    signed = signature.sign(NETLIFY, SECRET, received(b"x"), now=NOW)
    claims = jwt.decode(
        signed.headers["x-webhook-signature"], SECRET, algorithms=["HS256"], options={"verify_exp": False}
    )
    assert (claims["iss"], claims["sha256"]) == ("netlify", hashlib.sha256(b"x").hexdigest())
    signature.verify(NETLIFY, [SECRET], signed, now=NOW)


def test_a_claim_only_the_sender_knows_cannot_be_signed() -> None:
    kind = signature.scheme({**SCHEMES["monday"], "require": ["exp", "accountId"]})
    with pytest.raises(SchemeError, match="accountId"):
        signature.sign(kind, SECRET, received(), now=NOW)


def test_the_token_itself_is_never_stored() -> None:
    assert MONDAY.carries == (("header", "authorization"),)
    assert MONDAY.covers_url
    assert not NETLIFY.covers_url


WRONG = {
    "algorithm": ({"algorithms": ["RS256"]}, "algorithms"),
    "none": ({"algorithms": ["none"]}, "algorithms"),
    "no-algorithm": ({"algorithms": []}, "algorithms"),
    "bearer": ({"bearer_optional": "perhaps"}, "bearer_optional"),
    "require": ({"require": [1]}, "require"),
    "claims": ({"claims": ["iss"]}, "claims"),
    "claim": ({"claims": {"iss": []}}, "claims.iss"),
    "aud": ({"aud_from": "host"}, "aud_from"),
    "leeway": ({"leeway": "long"}, "leeway"),
    "hash": ({"body_hash_claim": {"name": "h", "algorithm": "md5"}}, "body_hash_claim.algorithm"),
    "unknown": ({"content": "{body}"}, "content"),
}


@pytest.mark.parametrize(("change", "key"), WRONG.values(), ids=WRONG)
def test_a_wrong_description_is_refused_at_its_key(change: dict[str, Any], key: str) -> None:
    with pytest.raises(SchemeError) as refusal:
        signature.scheme({**SCHEMES["monday"], **change})
    assert refusal.value.key == key


def test_a_mapping_file_says_it_in_texts() -> None:
    texts = {**SCHEMES["monday"], "bearer_optional": "yes", "require": "exp"}
    assert signature.scheme(texts) == MONDAY
