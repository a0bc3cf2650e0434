"""Why a request was refused: every usual mistake gives its sentence, and no sentence gives anything away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signature_cases import NOT_BUILT, NOW, SCHEMES, hmac_scheme, judged, received, soap

from adapter import signature, sources
from adapter.model import Received
from adapter.signature.explain import LARGEST, MOST_SECRETS, NOTHING
from adapter.signature.mistakes.guess import Tried
from adapter.signature.mistakes.header import KNOWN
from adapter.signature.mistakes.reason import of_reason

URL = "https://hooks.example.com/hooks/lead?a=%41"
BODY = '{"name": "Zoë", "phone": "+12025550143"}'.encode()
SECRET = "8b41a3c0-secret-of-the-app"
KEY = "whsec_" + base64.b64encode(b"a key of twenty-four bytes").decode()
HEX = "00ff12345678abcdef00ff12345678ab"
CAUGHT = "the sender calls another address than ADAPTER_PUBLIC_URL says; correct one of them"
RESERIALISED = "the body looks re-serialised on its way; pass its bytes on unchanged"
MISSING_V3 = "the header X-HubSpot-Signature-v3 is missing; what came is HubSpot's signature v1 or v2"

Sent = Callable[[], Received]


def scheme(name: str) -> signature.Scheme:
    return signature.scheme(SCHEMES[name])


def signed(
    name: str | signature.Scheme, secret: str = SECRET, *, url: str = URL, body: bytes = BODY, **headers: str
) -> Received:
    one = scheme(name) if isinstance(name, str) else name
    return signature.sign(one, secret, received(body, url=url, **headers), now=NOW)


def told(
    name: str | signature.Scheme, request: Received, *secrets: str, now: timedelta = timedelta()
) -> tuple[str, ...]:
    one = scheme(name) if isinstance(name, str) else name
    return signature.explain(one, secrets or (SECRET,), request, now=NOW + now)


def test_nothing_is_said_of_a_request_that_is_right() -> None:
    assert told("hubspot-v3", signed("hubspot-v3")) == ()


URLS: list[tuple[str, str, str, str]] = [
    ("http", URL.replace("https", "http"), URL, f"it would match for http instead of https: {CAUGHT}"),
    ("https", URL, URL.replace("https", "http"), f"it would match for https instead of http: {CAUGHT}"),
    (
        "slash gone",
        "https://a.example/in?b=1",
        "https://a.example/in/?b=1",
        "it would match without the trailing slash",
    ),
    ("slash added", "https://a.example/in/?b=1", "https://a.example/in?b=1", "it would match with a trailing slash"),
    (
        "decoded",
        "https://a.example/in?a=A b",
        "https://a.example/in?a=%41%20b",
        "it would match with the query decoded",
    ),
    ("no query", "https://a.example/in", "https://a.example/in?a=1", "it would match without the query"),
    ("host", "https://inner/in?a=1", "https://a.example/in?a=1", "it would match for the Host header instead of"),
    ("http and host", "http://inner/in", "https://a.example/in", "it would match for http and the Host header"),
    ("https and host", "https://inner/in", "http://a.example/in", "it would match for https and the Host header"),
    ("path", "/in?a=1", "https://a.example/in?a=1", "it would match for the path alone"),
]


@pytest.mark.parametrize("name", ["hubspot-v2", "hubspot-v3"])
@pytest.mark.parametrize(("theirs", "ours", "says"), [case[1:] for case in URLS], ids=[case[0] for case in URLS])
def test_another_url_was_signed(name: str, theirs: str, ours: str, says: str) -> None:
    request = replace(signed(name, url=theirs, host="inner"), url=ours)
    first, *_, checked = told(name, request)
    assert first.startswith(says)
    assert checked.startswith("checked: ")


def test_a_url_that_is_none_is_no_reason_to_fail() -> None:
    assert told("hubspot-v2", replace(signed("hubspot-v2"), url="nowhere"))[0] == NOTHING


BODIES: list[tuple[str, bytes, bytes, str]] = [
    ("compact", b'{"a":"\xc3\xab","b":[1,2]}', b'{"a": "\xc3\xab", "b": [1, 2]}', "for the JSON written compact: "),
    ("escaped", b'{"a":"\\u00eb"}', b'{"a": "\xc3\xab"}', "for the JSON written compact and escaped: "),
    ("spaced", b'{"a": "\xc3\xab"}', b'{"a":"\xc3\xab"}', "for the JSON written spaced: "),
    ("spaced and escaped", b'{"a": "\\u00eb"}', b'{"a":"\xc3\xab"}', "for the JSON written spaced and escaped: "),
    ("break gone", b"a=b\n", b"a=b", "with a line break after the body: something on the way adds or removes"),
    ("break added", b"a=b", b"a=b\r\n", "without the blanks around the body: something on the way"),
    ("LF", b"a\nb", b"a\r\nb", "with LF instead of CRLF: "),
    ("CRLF", b"a\r\nb", b"a\nb", "with CRLF instead of LF: "),
    ("empty", b"", b"a=b", "for an empty body: the sender signs before it has its body"),
]


@pytest.mark.parametrize("name", ["shopify", "webflow", "hubspot-v1"])
@pytest.mark.parametrize(("theirs", "ours", "says"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_the_body_is_another_one(name: str, theirs: bytes, ours: bytes, says: str) -> None:
    first, *_ = told(name, replace(signed(name, body=theirs), body=ours))
    assert first.startswith(f"it would match {says}")
    assert (RESERIALISED in first) == ours.startswith(b"{")


def made(secret: bytes) -> Received:
    """A request signed with these bytes."""
    return received(BODY, x_signature=hmac.digest(secret, BODY, "sha256").hex())


TEXT, OF_BASE64, OF_HEX = (hmac_scheme(secret_encoding=word) for word in ("utf8", "base64", "hex"))
WHSEC = hmac_scheme(secret_encoding="base64", secret_prefix="whsec_")
SECRETS: list[tuple[str, signature.Scheme, bytes, str, str]] = [
    ("break around", TEXT, b"s3cr3t", "s3cr3t\n", "without the blanks or line breaks around the secret"),
    ("blank around", TEXT, b"s3cr3t", " s3cr3t", "without the blanks or line breaks around the secret"),
    ("quotes", TEXT, b"s3cr3t", '"s3cr3t"', "without the quotes around the secret"),
    ("their break", TEXT, b"s3cr3t\n", "s3cr3t", "with a line break behind the secret"),
    ("base64", TEXT, base64.b64decode("c2VjcmV0IQ=="), "c2VjcmV0IQ==", "with the secret decoded from base64: "),
    ("whsec_ decoded", TEXT, base64.b64decode(KEY[6:]), KEY, "with the secret decoded from base64: "),
    ("hex", TEXT, bytes.fromhex(HEX), HEX, "with the secret decoded from hex: write secret_encoding: hex"),
    ("text, not hex", OF_HEX, HEX.encode(), HEX, "with the secret as plain text: write secret_encoding: utf8"),
    ("text, not base64", OF_BASE64, b"c2VjcmV0", "c2VjcmV0", "with the secret as plain text: "),
    ("whsec_ as text", WHSEC, KEY.encode(), KEY, "with the secret as plain text: "),
    ("text behind whsec_", WHSEC, KEY[6:].encode(), KEY, "with the secret as plain text without whsec_: "),
    ("whsec_ too much", TEXT, KEY[6:].encode(), KEY, "with the secret as plain text without whsec_: "),
]


@pytest.mark.parametrize(
    ("one", "key", "ours", "says"), [case[1:] for case in SECRETS], ids=[case[0] for case in SECRETS]
)
def test_the_secret_is_read_wrongly(one: signature.Scheme, key: bytes, ours: str, says: str) -> None:
    hints = told(one, made(key), "some other secret", ours)
    assert any(hint.startswith(f"it would match {says}") for hint in hints)


DIGEST = hmac.digest(b"s3cr3t", BODY, "sha256")
TIMED = {"header": "X-Time", "unit": "s", "tolerance": 300}
NOW_TEXT = str(int(NOW.timestamp()))


def over(template: str) -> str:
    """A signature over the time and the body, as hex."""
    text = template.format(t=NOW_TEXT, b=BODY.decode())
    return hmac.digest(b"s3cr3t", text.encode(), "sha256").hex()


def timed(content: str) -> signature.Scheme:
    return hmac_scheme(content=content, timestamp=TIMED)


SHAPES: list[tuple[str, signature.Scheme, str, str]] = [
    ("hex, not base64", hmac_scheme(encoding="base64"), DIGEST.hex(), "in hex, but this scheme wants base64"),
    ("base64, not hex", hmac_scheme(), base64.b64encode(DIGEST).decode(), "in base64, but this scheme wants hex"),
    ("prefix", hmac_scheme(), "sha256=" + DIGEST.hex(), "with the prefix sha256=: write prefix: sha256="),
    ("no prefix", hmac_scheme(prefix="sha256="), DIGEST.hex(), "without the prefix"),
    ("sha1", hmac_scheme(), hmac.digest(b"s3cr3t", BODY, "sha1").hex(), "with sha1: write algorithm: sha1"),
    ("v0", hmac_scheme(prefix="v1="), "v0=" + DIGEST.hex(), "with the prefix v0=: write prefix: v0="),
    ("v1", hmac_scheme(prefix="v0="), "v1=" + DIGEST.hex(), "with the prefix v1=: write prefix: v1="),
    ("sha512", hmac_scheme(), hmac.digest(b"s3cr3t", BODY, "sha512").hex(), "with sha512: write algorithm: sha512"),
    ("sha256", hmac_scheme(algorithm="sha1"), DIGEST.hex(), "with sha256: write algorithm: sha256"),
    ("dot", timed("{timestamp}{body}"), over("{t}.{b}"), "over {timestamp}.{body} alone: write content: "),
    ("colon", timed("{timestamp}.{body}"), over("{t}:{b}"), "over {timestamp}:{body} alone: write content: "),
    ("nothing", timed("{timestamp}.{body}"), over("{t}{b}"), "over {timestamp}{body} alone: write content: "),
    ("body", hmac_scheme(content="{timestamp}.{body}", timestamp=TIMED), DIGEST.hex(), "over {body} alone: write"),
]


@pytest.mark.parametrize(("one", "value", "says"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_the_signature_is_written_in_another_way(one: signature.Scheme, value: str, says: str) -> None:
    first, *_ = told(one, received(BODY, x_signature=value, x_time=NOW_TEXT), "s3cr3t")
    assert first.startswith(f"it would match {says}")


def test_a_signature_of_another_kind_is_seen_even_when_nothing_matches() -> None:
    other = hmac.digest(b"unknown", BODY, "sha1").hex()
    assert told(hmac_scheme(), received(BODY, x_signature=other))[0] == (
        "the signature looks like sha1 in hex, and this scheme wants sha256 in hex"
    )
    other = base64.b64encode(hmac.digest(b"unknown", BODY, "sha256")).decode()
    assert told("close", received(BODY, close_sig_hash=other, close_sig_timestamp=NOW_TEXT), HEX)[0] == (
        "the signature looks like sha256 in base64, and this scheme wants sha256 in hex"
    )


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("webflow", timedelta(minutes=6), "the time is 6 minutes behind our clock, and 5 minutes are allowed: an old"),
        ("webflow", timedelta(hours=-2), "the time is 2 hours ahead of our clock, and 5 minutes are allowed: an old"),
        (
            "calendly",
            timedelta(days=2, hours=1),
            "the time is 2 days 1 hour behind our clock, and 3 minutes are allowed",
        ),
        ("zendesk", timedelta(minutes=6), "the time is 6 minutes behind our clock"),
    ],
)
def test_the_clock_is_wrong(name: str, change: timedelta, says: str) -> None:
    first, *_ = told(name, signed(name), now=change)
    assert first.startswith(f"the signature is right, but {says}")


@pytest.mark.parametrize(
    ("sent", "wanted", "says"),
    [
        ("ms", "s", "the time is in milliseconds, but this scheme wants seconds: write unit: ms"),
        ("s", "ms", "the time is in seconds, but this scheme wants milliseconds: write unit: s"),
        ("iso8601", "s", "the time is in ISO 8601, but this scheme wants seconds: write unit: iso8601"),
        ("http-date", "ms", "the time is in an HTTP date, but this scheme wants milliseconds: write unit: http-date"),
        ("s", "iso8601", "the time is in seconds, but this scheme wants ISO 8601: write unit: s"),
    ],
)
def test_the_time_is_in_another_unit(sent: str, wanted: str, says: str) -> None:
    theirs, ours = (
        hmac_scheme(content="{timestamp}.{body}", timestamp={**TIMED, "unit": one}) for one in (sent, wanted)
    )
    assert told(ours, signed(theirs))[0] == f"the signature is right, but {says}"
    assert says in told(ours, signed(theirs), "another secret")


def test_a_wrong_time_alone_does_not_explain_a_wrong_signature() -> None:
    first, second, _ = told("webflow", signed("webflow"), "of another app", now=timedelta(hours=1))
    assert first == NOTHING
    assert second.startswith("the time is 1 hour behind our clock")


def test_a_time_that_cannot_be_read_or_is_missing_is_told() -> None:
    request = signed("webflow")
    nonsense = replace(request, headers={**request.headers, "x-webflow-timestamp": "soon"})
    assert "the time cannot be read: this scheme wants milliseconds" in told("webflow", nonsense)
    without = {name: text for name, text in request.headers.items() if name != "x-webflow-timestamp"}
    assert any(
        hint == "the time of the signature is not there: missing header x-webflow-timestamp"
        for hint in told("webflow", replace(request, headers=without))
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_hubspots_older_signatures_are_known(version: str) -> None:
    hints = told("hubspot-v3", signed(f"hubspot-{version}"))
    assert hints[0] == f"this is HubSpot's signature {version}, made with the right secret: use from: hubspot-{version}"
    assert hints[1].startswith(MISSING_V3)
    assert told("hubspot-v3", signed(f"hubspot-{version}"), "another")[0].startswith(MISSING_V3)


def test_zendesks_test_is_known_and_still_refused() -> None:
    public = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    hints = told("zendesk", signed("zendesk", public))
    assert hints[0].startswith("this is Zendesk's test, signed with a secret everybody knows: save the webhook")
    assert judged(scheme("zendesk"), [SECRET], signed("zendesk", public)) == "signature mismatch"


HEADERS: list[tuple[str, str, dict[str, str], str]] = [
    ("none", "shopify", {}, "the header X-Shopify-Hmac-Sha256 is missing, and no other signature came: the sender"),
    ("empty", "shopify", {"x_shopify_hmac_sha256": " "}, "the header X-Shopify-Hmac-Sha256 is empty: the sender has"),
    ("garbage", "shopify", {"x_shopify_hmac_sha256": "abc"}, "the header X-Shopify-Hmac-Sha256 holds no signature: "),
    (
        "svix",
        "standard-webhooks",
        {"svix_signature": "v1,a"},
        "the header webhook-signature is missing; what came is Svix",
    ),
]


@pytest.mark.parametrize(("name", "headers", "says"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_there_is_no_signature_to_look_at(name: str, headers: dict[str, str], says: str) -> None:
    assert told(name, received(BODY, **headers), KEY)[0].startswith(says)


def test_whose_signature_came_instead_is_told_with_presets_that_there_are() -> None:
    named = [name for said in KNOWN.values() for name in said.partition(" (")[2].rstrip(")").split(", ")]
    assert set(named) <= set(sources.presets())
    assert len(named) > 15


@pytest.mark.parametrize("secret", ["whsk_" + base64.b64encode(b"k" * 32).decode()])
def test_a_signature_with_a_key_pair_is_explained_too(secret: str) -> None:
    name = "standard-webhooks-ed25519"
    request = signed(name, secret)
    assert told(name, replace(request, body=BODY + b"\n"), secret)[0].startswith("it would match without the blanks")
    assert told(name, request, secret, now=timedelta(hours=1))[0].startswith("the signature is right, but the time is")
    hints = told(name, signed("standard-webhooks", KEY), secret)
    assert "the signature looks like sha256 in base64, and this scheme wants sha512 or ed25519 in base64" in hints
    assert hints[-1].startswith("checked: ed25519 in base64, header webhook-signature, over {id}.{timestamp}.{body}; a")
    assert told(name, request, secret.replace("k", "j"))[-1].startswith("checked: ed25519")


JWTS: list[tuple[str, str, Callable[[Received], Received], str]] = [
    ("missing", "monday", lambda one: replace(one, headers={}), "the header that proves it is missing: the sender"),
    ("malformed", "monday", lambda one: replace(one, headers={"authorization": "x"}), "what came is no JSON web token"),
    ("path", "monday", lambda one: replace(one, url=one.url + "/"), "the token is for another URL: ADAPTER_PUBLIC_URL"),
    ("proxy", "monday", lambda one: one, "it would match for http instead of https: the sender calls another"),
    ("sender", "netlify", lambda one: one, "it would match with a line break behind the secret"),
    ("body", "netlify", lambda one: replace(one, body=one.body + b"!"), "the token is right, but for another body"),
    ("rewritten", "netlify", lambda one: replace(one, body=b'{"a":1}'), "it would match for the JSON written spaced"),
]


@pytest.mark.parametrize(("name", "change", "says"), [case[1:] for case in JWTS], ids=[case[0] for case in JWTS])
def test_a_json_web_token_is_explained_too(name: str, change: Callable[[Received], Received], says: str) -> None:
    proxied = "instead of https" in says
    url = URL.replace("https", "http") if proxied else URL
    secret = SECRET + "\n" if "line break" in says else SECRET
    request = signed(name, secret, url=url, body=b'{"a": 1}')
    hints = told(name, change(replace(request, url=URL)))
    assert any(hint.startswith(says) for hint in hints)
    assert NOTHING not in hints
    assert hints[-1].startswith("checked: a token with HS256 in the header ")


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("signature mismatch", ""),
        ("missing claim exp", "the token lacks a claim that this scheme wants: "),
        ("wrong claim aud: the token is for another URL", "the token is for another URL: "),
        ("address not allowed", "it comes from an address outside the networks that are allowed: "),
        ("something new", "something new"),
    ],
)
def test_a_reason_is_told_as_what_it_means(reason: str, says: str) -> None:
    assert of_reason(reason).startswith(says)
    assert bool(of_reason(reason)) == bool(says)


def test_a_token_that_has_expired_or_has_another_secret_is_told() -> None:
    assert told("monday", signed("monday"), now=timedelta(hours=1))[0].startswith(
        "the token has expired: an old request"
    )
    assert told("monday", signed("monday"), "another secret of the app")[0] == NOTHING


BEARER = {"scheme": "header_token", "name": "Authorization", "value_prefix": "Bearer "}
TOKENS: list[tuple[str, dict[str, Any], Received, str]] = [
    ("missing", BEARER, received(), "the header Authorization is missing: the sender does not send it"),
    ("no prefix", BEARER, received(authorization=SECRET), "the header Authorization does not begin with Bearer"),
    ("query", BEARER, received(url=f"{URL}&key={SECRET}"), "the right secret stands in the query key: not as"),
    ("other header", BEARER, received(x_key=SECRET), "the right secret stands in the header x-key: not as"),
    (
        "behind a word",
        {"scheme": "header_token", "name": "X-Key"},
        received(x_key=f"Bearer {SECRET}"),
        "the right secret stands in the header x-key behind a word: not as",
    ),
    (
        "quotes",
        {"scheme": "query_token", "name": "key"},
        received(url=f'{URL}&key="{SECRET}"'),
        "the right secret stands in the query key with blanks or quotes around it: not as",
    ),
    (
        "encoded twice",
        {"scheme": "query_token", "name": "key"},
        received(url=f"{URL}&key={SECRET.replace('-', '%252D')}"),
        "the right secret stands in the query key percent-encoded: not as",
    ),
    (
        "field",
        SCHEMES["google-ads"],
        received(b'{"google_key": "other"}'),
        "checked: the field google_key of the body; a",
    ),
    ("wrong", {"scheme": "query_token", "name": "key"}, received(url=f"{URL}&key=wrong"), NOTHING),
]


@pytest.mark.parametrize(("data", "request_", "says"), [case[1:] for case in TOKENS], ids=[case[0] for case in TOKENS])
def test_a_secret_is_sent_in_another_way(data: dict[str, Any], request_: Received, says: str) -> None:
    assert any(hint.startswith(says) for hint in told(signature.scheme(data), request_))


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (base64.b64encode(b"user:wrong").decode(), "the user is right, the password is not"),
        (base64.b64encode(b"other:secret").decode(), "it is another user than the secret names"),
        ("user:secret", "what stands behind Basic is not user:password in base64"),
        ("a", "what stands behind Basic is not user:password in base64"),
        ("dXNlcg==", "what stands behind Basic is not user:password in base64"),
    ],
)
def test_credentials_are_wrong_in_part(shown: str, says: str) -> None:
    assert told("pipedrive", received(authorization=f"Basic {shown}"), "user:secret")[0] == says


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("00DXX0000000001", "only the capitals of the organisation id differ, and they count: copy it anew"),
        ("00Dyy0000000001", "it comes from another organisation, perhaps a sandbox: the id stands in Setup"),
        ("", NOTHING),
    ],
)
def test_an_organisation_is_another_one(sent: str, says: str) -> None:
    request = soap(f"<OrganizationId>{sent}</OrganizationId>")
    assert told("salesforce-outbound", request, "00Dxx0000000001")[0].startswith(says)


def test_a_secret_that_cannot_be_used_is_named_by_its_place() -> None:
    hints = told("standard-webhooks", signed("standard-webhooks", KEY), "no base64!", "b3RoZXI=")
    assert hints[0] == "secret 1 cannot be used: the secret is not base64 text; copy it anew from the sender"


def test_of_schemes_that_all_must_hold_the_first_that_fails_is_explained() -> None:
    both = signature.scheme({"scheme": "all_of", "of": [SCHEMES["github"], SCHEMES["elementor"]]})
    request = signature.sign(scheme("github"), SECRET, received(url=URL), now=NOW)
    assert [hint for hint in told(both, request) if hint.startswith("checked: ")] == [
        "checked: the secret in the query parameter key; a body of 25 bytes with the sha256 "
        f"{hashlib.sha256(request.body).hexdigest()[:8]}...; 1 secret tried"
    ]


def test_of_schemes_of_which_one_must_hold_each_is_explained() -> None:
    either = signature.scheme({"scheme": "any_of", "of": [SCHEMES["hubspot-v3"], SCHEMES["github"]]})
    hints = told(either, received(BODY), "one", "two")
    assert [hint.partition(";")[0] for hint in hints if hint.startswith("checked: ")] == [
        "checked: hmac sha256 in base64, header X-HubSpot-Signature-v3, over {method}{url}{body}{timestamp}",
        "checked: hmac sha256 in hex, header X-Hub-Signature-256, over {body}",
    ]
    assert hints[-1].endswith("; 2 secrets tried")


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ([SECRET], ""),
        ([SECRET, "old secret"], "secret 1 of 2 matches"),
        (["new secret", SECRET], "secret 2 of 2 matches; the sender still uses an older one"),
        (["new secret", "old secret"], ""),
    ],
)
def test_which_of_several_secrets_matches_is_told(secrets: list[str], says: str) -> None:
    assert signature.matching(scheme("shopify"), secrets, signed("shopify"), now=NOW) == says


# what it costs


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[Tried]:
    """Every check that is made, the first one included."""
    made: list[Tried] = []
    holds = Tried.holds

    def counted(self: Tried, **more: Any) -> bool:
        made.append(self)
        return holds(self, **more)

    monkeypatch.setattr(Tried, "holds", counted)
    return made


def test_what_does_not_look_like_a_signature_costs_no_attempt(tries: list[Tried]) -> None:
    for value in ("", "a", "=" * 1000, "é" * 64, "z" * 3000):
        told("shopify", received(BODY, x_shopify_hmac_sha256=value))
    assert len(tries) == 5


def test_the_work_for_a_wrong_signature_is_bounded(tries: list[Tried]) -> None:
    request = replace(signed("hubspot-v3", "another"), body=BODY + b" ")
    told("hubspot-v3", request, *map(str, range(100)))
    assert len(tries) < 45
    assert all(len(one.secrets) <= MOST_SECRETS for one in tries)


def test_mistakes_are_not_tried_on_a_large_body(tries: list[Tried]) -> None:
    request = signed("shopify", "another", body=b"x" * (LARGEST + 1))
    assert told("shopify", request)[0] == "the body is too large to try the usual mistakes on it (more than 64 KB)"
    assert len(tries) == 1


# what it never tells


KEYED = sorted(name for name, data in SCHEMES.items() if data["scheme"] in ("hmac", "digest"))
BUILT = sorted(name for name, data in SCHEMES.items() if data["scheme"] not in NOT_BUILT)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)


@settings(max_examples=150)
@given(
    name=st.sampled_from(KEYED),
    theirs=texts,
    ours=texts,
    body=st.one_of(
        st.binary(max_size=40), st.dictionaries(texts, texts, max_size=2).map(lambda d: json.dumps(d).encode())
    ),
    change=st.sampled_from(["nothing", "secret", "url", "body", "break", "time"]),
)
def test_no_hint_holds_a_secret_or_the_right_signature(
    name: str, theirs: str, ours: str, body: bytes, change: str
) -> None:
    one = scheme(name)
    if SCHEMES[name].get("secret_encoding") in ("hex", "base64"):
        theirs, ours = theirs.encode().hex(), ours.encode().hex()
    request = signed(one, theirs, body=body)
    secret = ours if change == "secret" else f"{theirs}\n" if change == "break" else theirs
    spoilt = {
        "url": replace(request, url=URL.replace("https", "http")),
        "body": replace(request, body=request.body + b"\n"),
    }.get(change, request)
    later = timedelta(hours=change == "time")
    right = signed(one, secret.strip(), url=spoilt.url, body=spoilt.body)
    header = SCHEMES[name]["header"].lower()
    hints = told(one, spoilt, secret, now=later)
    for hidden in (theirs, ours, secret.strip(), request.headers[header], right.headers[header]):
        assert not any(hidden in hint for hint in hints)
    pieces = [piece for piece in body.decode("latin-1").split('"') if len(piece) > 7 and not piece.isalpha()]
    assert not any(piece in " ".join(hints) for piece in pieces)  # plain letters may be those of a hint's own words


@settings(max_examples=60)
@given(name=st.sampled_from(BUILT), secret=texts, body=st.binary(max_size=60), value=st.text(max_size=90), url=texts)
def test_whatever_comes_is_explained_without_a_secret(
    name: str, secret: str, body: bytes, value: str, url: str
) -> None:
    data = SCHEMES[name]
    names = [data.get("header", data.get("name", "authorization")), "x-hubspot-signature", "content-type", secret]
    request = Received(
        method="POST", url=f"{url}?{secret}={secret}", headers={n.lower(): value for n in names}, body=body
    )
    for hint in told(name, request, secret):
        assert secret not in hint
        assert len(hint) < 300
