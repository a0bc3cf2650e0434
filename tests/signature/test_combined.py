"""all_of and any_of."""

from __future__ import annotations

import pytest
from signature_cases import NOW, SCHEMES, received, refused

from adapter import signature
from adapter.errors import SchemeError

QUERY = {"scheme": "query_token", "name": "key"}
BASIC = {"scheme": "basic"}
V2, V3 = SCHEMES["hubspot-v2"], SCHEMES["hubspot-v3"]
BOTH = signature.scheme({"scheme": "all_of", "of": [V3, QUERY]})
EITHER = signature.scheme({"scheme": "any_of", "of": [SCHEMES["github"], QUERY, BASIC]})


def test_all_must_hold() -> None:
    signed = signature.sign(BOTH, "k", received(), now=NOW)
    signature.verify(BOTH, ["k"], signed, now=NOW)
    signature.verify(signature.scheme(V3), ["k"], signed, now=NOW)
    unkeyed = signature.sign(signature.scheme(V3), "k", received(), now=NOW)
    assert "query parameter key" in refused(BOTH, ["k"], unkeyed)
    unsigned = signature.sign(signature.scheme(QUERY), "k", received(), now=NOW)
    assert refused(BOTH, ["k"], unsigned) == "missing header X-HubSpot-Signature-v3"


def test_of_all_those_are_asked_last_for_which_the_body_is_parsed() -> None:
    parts = [{"scheme": "any_of", "of": [{"scheme": "body_token", "path": "token"}, BASIC]}, QUERY]
    all_of = signature.scheme({"scheme": "all_of", "of": parts})
    assert refused(all_of, ["k"], received()) == "invalid token: query parameter key must be given once"
    assert "token must be one text" in refused(all_of, ["k"], received(url="https://a/in?key=k"))


def test_one_of_any_is_enough() -> None:
    for data in (SCHEMES["github"], QUERY, BASIC):
        signed = signature.sign(signature.scheme(data), "a:k", received(), now=NOW)
        signature.verify(EITHER, ["a:k"], signed, now=NOW)
    assert signature.sign(EITHER, "k", received(), now=NOW).headers.keys() == {"x-hub-signature-256"}


def test_when_none_holds_every_reason_is_told() -> None:
    assert refused(EITHER, ["k"], received()) == (
        "missing header X-Hub-Signature-256; invalid token: query parameter key must be given once; "
        "missing header Authorization"
    )


def test_a_secret_must_serve_all_parts_or_any_of_them() -> None:
    signature.check_secret(EITHER, "no-colon")
    signature.check_secret(BOTH, "k")
    with pytest.raises(SchemeError, match="empty"):
        signature.check_secret(EITHER, "")
    with pytest.raises(SchemeError, match="user:password"):
        signature.check_secret(signature.scheme({"scheme": "all_of", "of": [QUERY, BASIC]}), "no-colon")


def test_the_parts_speak_for_the_whole() -> None:
    assert BOTH.covers_url
    assert not EITHER.covers_url
    assert EITHER.carries == (("query", "key"), ("header", "authorization"))


def test_combinations_may_be_nested() -> None:
    nested = signature.scheme({"scheme": "all_of", "of": [QUERY, {"scheme": "any_of", "of": [V2, V3]}]})
    signature.verify(nested, ["k"], signature.sign(nested, "k", received(), now=NOW), now=NOW)
    assert nested.covers_url
