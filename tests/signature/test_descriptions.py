"""Descriptions of schemes: what is read, and what each mistake is told."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signature_cases import SCHEMES, hmac_scheme

from adapter import signature
from adapter.errors import SchemeError

HMAC = {
    "scheme": "hmac",
    "header": "X-Signature",
    "algorithm": "sha256",
    "encoding": "hex",
    "content": "{timestamp}.{body}",
    "timestamp": {"header": "X-Time", "unit": "s"},
}
DIGEST = {"scheme": "digest", "header": "X-Signature", "algorithm": "sha1", "encoding": "hex"}
KV = {"type": "kv", "sig_key": "v1", "ts_key": "t"}


def _refusal(data: Any) -> tuple[str, str]:
    with pytest.raises(SchemeError) as refusal:
        signature.scheme(data)
    return refusal.value.key, refusal.value.reason


BAD: list[tuple[str, Any, str, str]] = [
    ("not a group", "hmac", "", "group of keys"),
    ("no scheme", {}, "scheme", "missing; add it"),
    ("unknown scheme", {"scheme": "hmca"}, "scheme", "did you mean hmac?"),
    ("far-off scheme", {"scheme": "zzz"}, "scheme", "use one of: hmac, digest"),
    ("unknown key", {**HMAC, "heder": "X"}, "heder", "did you mean header?"),
    ("key that is no text", {**HMAC, 7: "X"}, "7", "unknown key"),
    ("missing key", {"scheme": "header_token"}, "name", "missing; add it, like name: X-Hook-Key"),
    ("no content", {"scheme": "hmac", "header": "X"}, "content", 'missing; add it, like content: "{body}"'),
    ("null", {"scheme": "header_token", "name": None}, "name", "missing; add it"),
    ("empty text", {"scheme": "header_token", "name": ""}, "name", "must be a text"),
    ("yes for a text", {"scheme": "query_token", "name": True}, "name", "must be a text"),
    ("half a character", {"scheme": "query_token", "name": "\ud800"}, "name", "must be a text"),
    ("header with a colon", {"scheme": "header_token", "name": "X-Key:"}, "name", "no name of a header"),
    ("unknown algorithm", {**HMAC, "algorithm": "sha265"}, "algorithm", "did you mean sha256?"),
    ("algorithm nobody should use", {**HMAC, "algorithm": "md5"}, "algorithm", "unknown word"),
    ("unknown encoding", {**HMAC, "encoding": "base46"}, "encoding", "did you mean base64?"),
    ("no content", {**DIGEST}, "content", "missing"),
    ("open brace", {**HMAC, "content": "{body"}, "content", "a brace stands alone"),
    ("closing brace", {**HMAC, "content": "{body}}"}, "content", "a brace stands alone"),
    ("unknown piece", {**HMAC, "content": "{bdy}"}, "content", "unknown piece {bdy}; use one of: {method}"),
    ("header piece without name", {**HMAC, "content": "{header:}"}, "content", "unknown piece {header:}"),
    ("header piece with odd name", {**HMAC, "content": "{header:a b}"}, "content", "no name of a header"),
    ("body piece with a name", {**HMAC, "content": "{body:x}"}, "content", "unknown piece {body:x}"),
    ("secret in hmac", {**HMAC, "content": "{secret}{body}"}, "content", "take {secret} out"),
    ("digest without secret", {**DIGEST, "content": "{body}"}, "content", "anybody could make"),
    ("constant digest", {**DIGEST, "content": "a{secret}"}, "content", "same signature"),
    ("constant hmac", {**HMAC, "content": "a"}, "content", "same signature"),
    ("time signed, not described", {**DIGEST, "content": "{secret}{timestamp}"}, "timestamp", "say here"),
    ("time described, not signed", {**HMAC, "content": "{body}"}, "timestamp", "proves nothing"),
    ("id signed, not described", {**HMAC, "content": "{id}{timestamp}"}, "id", "say here"),
    ("id described, not signed", {**HMAC, "id": {"header": "X-Id"}}, "id", "proves nothing"),
    ("url described, not signed", {**HMAC, "url": {"decode": "none"}}, "url", "proves nothing"),
    ("time without unit", {**HMAC, "timestamp": {"header": "X-Time"}}, "timestamp.unit", "missing"),
    ("unknown unit", {**HMAC, "timestamp": {"header": "X", "unit": "min"}}, "timestamp.unit", "use one of"),
    ("time without header", {**HMAC, "timestamp": {"unit": "s"}}, "timestamp.header", "missing"),
    ("time as a text", {**HMAC, "timestamp": "X-Time"}, "timestamp", "group of keys"),
    (
        "unknown key of the time",
        {**HMAC, "timestamp": {"units": "s"}},
        "timestamp.units",
        "did you mean unit?",
    ),
    (
        "two places for the time",
        {**HMAC, "header_format": KV},
        "timestamp.header",
        "take one of them out",
    ),
    (
        "key of the time, no time",
        {**HMAC, "header_format": KV, "content": "{body}", "timestamp": None},
        "timestamp",
        "say its unit",
    ),
    (
        "unknown format",
        {**HMAC, "header_format": {"type": "lst"}},
        "header_format.type",
        "did you mean list?",
    ),
    ("kv without key", {**HMAC, "header_format": {"type": "kv"}}, "header_format.sig_key", "missing"),
    ("list without version", {**HMAC, "header_format": {"type": "list"}}, "header_format.version", "missing"),
    (
        "plain with a separator",
        {**HMAC, "header_format": {"type": "plain", "pair_sep": ","}},
        "header_format.pair_sep",
        "unknown key",
    ),
    (
        "prefix in a list",
        {**HMAC, "prefix": "a=", "header_format": {"type": "list", "version": "v1"}},
        "prefix",
        "header_format plain only",
    ),
    ("url as a text", {**HMAC, "content": "{url}{timestamp}", "url": "none"}, "url", "group of keys"),
    ("body path", {"scheme": "body_token", "path": "a..b"}, "path", "a dot"),
    ("path of the request", {"scheme": "body_token", "path": "request.body.a"}, "path", "field of the body"),
    ("path of everything", {"scheme": "xml_field", "path": "$"}, "path", "field of the body"),
    ("comparison", {"scheme": "xml_field", "path": "a", "compare": "exakt"}, "compare", "mean exact?"),
    ("basic with more", {"scheme": "basic", "name": "x"}, "name", "unknown key"),
    ("nothing to combine", {"scheme": "all_of", "of": []}, "of", "list of schemes"),
    ("a text to combine", {"scheme": "any_of", "of": "basic"}, "of", "list of schemes"),
    ("no list to combine", {"scheme": "any_of"}, "of", "list of schemes"),
    (
        "wrong part",
        {"scheme": "all_of", "of": [{"scheme": "basic"}, {"scheme": "x"}]},
        "of.1.scheme",
        "unknown",
    ),
    ("part that is a text", {"scheme": "all_of", "of": ["basic"]}, "of.0", "group of keys"),
]


@pytest.mark.parametrize(("data", "key", "remedy"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_mistake_is_named_with_its_remedy(data: Any, key: str, remedy: str) -> None:
    found, reason = _refusal(data)
    assert found == key
    assert remedy in reason


@pytest.mark.parametrize("decode", [[], {}, 7, "hubspto", ["none", 7]], ids=repr)
def test_a_wrong_list_of_url_forms_is_refused(decode: Any) -> None:
    key, _ = _refusal({**HMAC, "content": "{url}{timestamp}", "url": {"decode": decode}})
    assert key == "url.decode"


@pytest.mark.parametrize("tolerance", ["0", "-1", "5m", "1.5", 0, 86_401, "9" * 30, True, 1.5, "٣"], ids=repr)
def test_a_tolerance_is_a_whole_number_of_seconds_up_to_a_day(tolerance: Any) -> None:
    timestamp = {"header": "X-Time", "unit": "s", "tolerance": tolerance}
    assert _refusal({**HMAC, "timestamp": timestamp})[0] == "timestamp.tolerance"


def test_scalars_may_all_be_text() -> None:
    timestamp = {"header": "X-Time", "unit": "s", "tolerance": 300}
    as_json = signature.scheme({**HMAC, "timestamp": timestamp})
    assert signature.scheme({**HMAC, "timestamp": {**timestamp, "tolerance": "300"}}) == as_json


def test_null_is_as_good_as_a_key_left_out() -> None:
    without = signature.scheme({**HMAC, "content": "{url}{timestamp}", "url": {"decode": "none"}})
    assert signature.scheme({**HMAC, "content": "{url}{timestamp}", "url": {"decode": None}}) == without
    assert signature.scheme({**HMAC, "prefix": None, "secret_encoding": None}) == signature.scheme(HMAC)


def test_the_window_is_five_minutes_unless_told() -> None:
    told = signature.scheme({**HMAC, "timestamp": {"header": "X-Time", "unit": "s", "tolerance": "300"}})
    assert signature.scheme(HMAC) == told


def test_plain_is_the_format_unless_told() -> None:
    assert hmac_scheme(header_format={"type": "plain"}) == hmac_scheme()


@pytest.mark.parametrize(
    ("name", "covers"),
    [("hubspot-v1", False), ("hubspot-v2", True), ("hubspot-v3", True), ("github", False), ("keap", False)],
)
def test_a_scheme_tells_whether_the_public_url_must_be_known(name: str, covers: bool) -> None:
    assert signature.scheme(SCHEMES[name]).covers_url is covers


@pytest.mark.parametrize(
    ("data", "places"),
    [
        (SCHEMES["github"], ()),
        (SCHEMES["zapier"], (("header", "authorization"),)),
        (SCHEMES["pipedrive"], (("header", "authorization"),)),
        (SCHEMES["keap"], (("query", "key"),)),
        (SCHEMES["google-ads"], (("body", "google_key"),)),
        (SCHEMES["salesforce-outbound"], ()),
    ],
    ids=["hmac", "header_token", "basic", "query_token", "body_token", "xml_field"],
)
def test_a_scheme_tells_where_the_secret_itself_stands(data: Any, places: object) -> None:
    assert signature.scheme(data).carries == places


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(["hmac", "digest", "X-A", "sha256", "hex", "{secret}", "{body}", "{url}", "kv", "s"])
KEYS = st.sampled_from([*HMAC, "prefix", "header_format", "id", "url", "decode", "type", "unit", "path", "of"])
ANYTHING = st.recursive(
    SCALARS | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6)
)


@settings(max_examples=60)
@given(scheme=st.sampled_from(sorted({data["scheme"] for data in SCHEMES.values()})), data=ANYTHING)
def test_nothing_but_a_scheme_error_comes_of_a_wrong_description(scheme: str, data: Any) -> None:
    described = {**data, "scheme": scheme} if isinstance(data, dict) else data
    with suppress(SchemeError):
        assert isinstance(signature.scheme(described), signature.Scheme)
