"""HMAC and digest: encodings, layouts of the header, pieces, time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from signature_cases import NOW, SCHEMES, hmac_scheme, received, refused

from adapter import signature
from adapter.errors import SchemeError, SignatureError
from adapter.model import Received

KEY = "k3y"
BODY = b'{"phone": "+12025550143"}'
STRIPE = signature.scheme(SCHEMES["stripe-like"])
STANDARD = signature.scheme(SCHEMES["standard-webhooks"])
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _mac(content: bytes = BODY, *, key: bytes = KEY.encode(), algorithm: str = "sha256") -> bytes:
    return hmac.digest(key, content, algorithm)


def _with(request: Received, **headers: str) -> Received:
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return replace(request, headers={**request.headers, **named})


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_the_signature_is_the_hash_named_in_the_encoding_named(algorithm: str, encoding: str) -> None:
    digest = _mac(algorithm=algorithm)
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    scheme = hmac_scheme(algorithm=algorithm, encoding=encoding)
    signature.verify(scheme, [KEY], received(x_signature=text), now=NOW)
    assert signature.sign(scheme, KEY, received(), now=NOW) == received(x_signature=text)


@pytest.mark.parametrize(
    ("encoding", "text", "good"),
    [
        ("hex", _mac().hex().upper(), True),
        ("hex", _mac().hex().title(), False),
        ("hex", _mac().hex() + " ", False),
        ("base64", base64.b64encode(_mac()).decode().rstrip("="), True),
        ("base64", base64.b64encode(_mac()).decode() + "=", False),
        ("base64", base64.b64encode(_mac()).decode() + "!!!!", False),
        ("base64", base64.b64encode(_mac()).decode() + "\n", False),
        ("base64", base64.urlsafe_b64encode(_mac(b"x")).decode(), False),
        ("base64", _mac().hex(), False),
    ],
    ids=["upper", "mixed", "blank", "unpadded", "overpadded", "junk", "newline", "other", "hex-for-base64"],
)
def test_only_the_written_forms_a_sender_uses_are_taken(encoding: str, text: str, good: bool) -> None:
    scheme = hmac_scheme(encoding=encoding)
    if good:
        signature.verify(scheme, [KEY], received(x_signature=text), now=NOW)
    else:
        assert refused(scheme, [KEY], received(x_signature=text)) == "signature mismatch"


def test_a_byte_that_is_not_ascii_is_a_mismatch_and_no_crash() -> None:
    assert refused(hmac_scheme(), [KEY], received(x_signature="\xe9" * 64)) == "signature mismatch"


@pytest.mark.parametrize("text", ["\u20ac", "\ud800"], ids=["euro", "surrogate"])
def test_text_no_server_can_have_received_is_refused(text: str) -> None:
    reason = "characters that no request can hold"
    assert refused(hmac_scheme(), [KEY], received(x_signature=text)) == reason
    by_url = hmac_scheme(content="{url}{body}")
    assert refused(by_url, [KEY], received(x_signature="a", url=f"https://a/{text}")) == reason
    by_query = hmac_scheme(content="{query:a}")
    assert refused(by_query, [KEY], received(x_signature="a", url=f"https://a/?a={text}")) == reason


@pytest.mark.parametrize(
    ("encoding", "secret", "key"),
    [
        ("utf8", "pä55", "pä55".encode()),
        ("hex", "00ff10", b"\x00\xff\x10"),
        ("base64", "AP8Q", b"\x00\xff\x10"),
        ("base64", "AP8QAA", b"\x00\xff\x10\x00"),
    ],
    ids=["utf8", "hex", "base64", "base64 without padding"],
)
def test_a_secret_is_read_as_the_scheme_says(encoding: str, secret: str, key: bytes) -> None:
    scheme = hmac_scheme(secret_encoding=encoding)
    signature.check_secret(scheme, secret)
    signature.verify(scheme, [secret], received(x_signature=_mac(key=key).hex()), now=NOW)


@pytest.mark.parametrize(
    ("encoding", "secret", "why"),
    [
        ("utf8", "", "empty"),
        ("utf8", "p_", "empty"),
        ("utf8", "\ud800", "not utf8 text"),
        ("hex", "xyz1", "not hex text"),
        ("hex", "abc", "not hex text"),
        ("hex", "é0", "not hex text"),
        ("base64", "a!b=", "not base64 text"),
        ("base64", "abcde", "not base64 text"),
        ("base64", "====", "not base64 text"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_and_never_shown(encoding: str, secret: str, why: str) -> None:
    scheme = hmac_scheme(secret_encoding=encoding, secret_prefix="p_")
    with pytest.raises(SchemeError, match=why) as refusal:
        signature.check_secret(scheme, secret)
    assert not secret or secret not in str(refusal.value)
    assert refusal.value.__cause__ is None
    empty_key = received(x_signature=_mac(key=b"").hex())
    assert refused(scheme, [secret], empty_key) == "no usable secret"


def test_without_a_secret_nothing_is_taken() -> None:
    assert refused(hmac_scheme(), [], received(x_signature=_mac(key=b"").hex())) == "no usable secret"


def test_any_secret_of_the_list_may_match() -> None:
    request = received(x_signature=_mac().hex())
    signature.verify(hmac_scheme(), ["new", "", KEY], request, now=NOW)
    assert refused(hmac_scheme(), ["new", "newer"], request) == "signature mismatch"


def test_one_secret_given_without_a_list_is_not_taken_letter_by_letter() -> None:
    signature.verify(hmac_scheme(), KEY, received(x_signature=_mac().hex()), now=NOW)
    with pytest.raises(SignatureError, match="signature mismatch"):
        signature.verify(hmac_scheme(), KEY, received(x_signature=_mac(key=b"k").hex()), now=NOW)


def test_a_missing_header_is_named_as_it_was_configured() -> None:
    assert refused(hmac_scheme(), [KEY], received()) == "missing header X-Signature"


def test_no_other_header_or_algorithm_is_tried_when_the_configured_one_is_missing() -> None:
    scheme = hmac_scheme(prefix="sha256=")
    assert refused(scheme, [KEY], received(x_signature=f"sha1={_mac(algorithm='sha1').hex()}")) == "prefix missing"
    assert refused(scheme, [KEY], received(x_sig=f"sha256={_mac().hex()}")) == "missing header X-Signature"


@pytest.mark.parametrize(
    ("content", "signed"),
    [
        ("v0:{method} {body}", b"v0:POST " + BODY),
        ("{url}{body}", b"https://hooks.example.com/in?a=%41+b&b=2" + BODY),
        ("{header:X-Topic}.{body}", b"lead\xe9." + BODY),
        ("{query:a}|{query:b}|{body}", b"A b|2|" + BODY),
        ("hé{body}", "hé".encode() + BODY),
        ("{method}\n{body}", b"POST\n" + BODY),
    ],
)
def test_the_content_is_put_together_from_the_bytes_received(content: str, signed: bytes) -> None:
    request = received(BODY, url="https://hooks.example.com/in?a=%41+b&b=2", x_topic="lead\xe9")
    signature.verify(hmac_scheme(content=content), [KEY], _with(request, x_signature=_mac(signed).hex()), now=NOW)


@pytest.mark.parametrize("query", ["", "?a=1&a=1", "?b=1"], ids=["none", "twice", "other"])
def test_a_signed_query_parameter_must_be_there_once(query: str) -> None:
    request = received(url=f"https://a/{query}", x_signature="ab")
    assert refused(hmac_scheme(content="{query:a}"), [KEY], request) == "query parameter a must be given once"


def test_a_digest_is_a_plain_hash_with_the_secret_in_it() -> None:
    scheme = signature.scheme(SCHEMES["hubspot-v1"])
    good = received(BODY, x_hubspot_signature=hashlib.sha256(KEY.encode() + BODY).hexdigest())
    signature.verify(scheme, [KEY], good, now=NOW)
    assert signature.sign(scheme, KEY, received(BODY), now=NOW) == good
    keyed = received(BODY, x_hubspot_signature=_mac().hex())
    assert refused(scheme, [KEY], keyed) == "signature mismatch"


# --- the URL


RAW = "https://a.example/in?x=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&y=%20%26%3D%2B%25%3a%41"
TABLE = "https://a.example/in?x=:/?@!$'()*,;&y=%20%26%3D%2B%25%3a%41"
PERCENT = "https://a.example/in?x=:/?@!$'()*,;&y= &=+%:A"


@pytest.mark.parametrize(
    ("decode", "good", "bad"),
    [
        ("none", [RAW], [TABLE, PERCENT]),
        (["hubspot"], [TABLE], [RAW, PERCENT]),
        (["percent"], [PERCENT], [RAW, TABLE]),
        (["none", "hubspot"], [RAW, TABLE], [PERCENT]),
    ],
)
def test_the_url_is_decoded_in_the_forms_named_and_no_other(decode: Any, good: list[str], bad: list[str]) -> None:
    scheme = hmac_scheme(content="{url}{body}", url={"decode": decode})
    for url in good:
        request = received(BODY, url=RAW, x_signature=_mac(url.encode() + BODY).hex())
        signature.verify(scheme, [KEY], request, now=NOW)
    for url in bad:
        request = received(BODY, url=RAW, x_signature=_mac(url.encode() + BODY).hex())
        assert refused(scheme, [KEY], request) == "signature mismatch"


def test_a_url_that_is_not_signed_is_not_looked_at() -> None:
    signature.verify(hmac_scheme(), [KEY], received(url="https://a/\u20ac", x_signature=_mac().hex()), now=NOW)


def test_a_sender_signs_the_first_form() -> None:
    scheme = hmac_scheme(content="{url}{body}", url={"decode": ["hubspot", "none"]})
    signed = signature.sign(scheme, KEY, received(BODY, url=RAW), now=NOW)
    assert signed.headers["x-signature"] == _mac(TABLE.encode() + BODY).hex()


# --- items in the header


def _stripe(*parts: str) -> Received:
    return received(BODY, stripe_signature=",".join(parts))


GOOD = _mac(b"1767261600." + BODY).hex()


@pytest.mark.parametrize(
    "parts",
    [
        ["t=1767261600", f"v1={GOOD}"],
        [f"v1={GOOD}", "t=1767261600"],
        ["t=1767261600", "v1=00", f"v1={GOOD}"],
        ["t=1767261600", f"v1={GOOD}", "v0=old"],
        ["t=1767261600", f" v1={GOOD}"],
    ],
    ids=["usual", "turned round", "several", "others beside it", "blank after the comma"],
)
def test_any_signature_among_the_items_may_match(parts: list[str]) -> None:
    signature.verify(STRIPE, [KEY], _stripe(*parts), now=NOW)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (["t=1767261600", "t=1767261600", f"v1={GOOD}"], "timestamp given twice"),
        ([f"v1={GOOD}"], "missing timestamp"),
        (["t=1767261600"], "no signature of version v1"),
        (["t=1767261600", f"v2={GOOD}"], "no signature of version v1"),
        (["t=1767261600", "v1="], "signature mismatch"),
        (["t=1767261600", "v1"], "malformed signature header"),
        (["t=1767261600", f"v1={GOOD}", ""], "malformed signature header"),
        (["t=1767261600", f"v1={GOOD}", "=a"], "malformed signature header"),
        (["t=1767261600", f"v1={GOOD} "], "signature mismatch"),
        (["t=1767261600", f"V1={GOOD}"], "no signature of version v1"),
        (["t= 1767261600", f"v1={GOOD}"], "signature mismatch"),
        (["t=1767261600.0", f"v1={GOOD}"], "signature mismatch"),
        (["t=01767261600", f"v1={GOOD}"], "signature mismatch"),
        ([""], "malformed signature header"),
    ],
)
def test_items_that_leave_a_doubt_are_refused(parts: list[str], reason: str) -> None:
    assert refused(STRIPE, [KEY], _stripe(*parts)) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v1", "malformed signature header"),
        ("v1, a", "malformed signature header"),
        ("v1,a", "signature mismatch"),
        ("v1,a,b", "signature mismatch"),
        ("v1a,abc", "no signature of version v1"),
        ("", "malformed signature header"),
    ],
)
def test_a_list_written_wrongly_is_refused(text: str, reason: str) -> None:
    request = received(b"\xff\xfe", webhook_id="m", webhook_timestamp="1767261600", webhook_signature=text)
    assert refused(STANDARD, [WHSEC], request) == reason


def test_a_list_may_hold_signatures_of_several_secrets_and_versions() -> None:
    old = signature.sign(STANDARD, WHSEC, received(BODY), now=NOW, message_id="m")
    mixed = _with(old, webhook_signature=f"v1a,abc v1,00 {old.headers['webhook-signature']}")
    signature.verify(STANDARD, [WHSEC], mixed, now=NOW)


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_that_is_signed_must_be_there(header: str) -> None:
    signed = signature.sign(STANDARD, WHSEC, received(BODY), now=NOW)
    headers = {name: value for name, value in signed.headers.items() if name != header}
    assert refused(STANDARD, [WHSEC], replace(signed, headers=headers)) == f"missing header {header}"


def test_the_message_id_is_the_callers() -> None:
    signed = signature.sign(STANDARD, WHSEC, received(BODY), now=NOW, message_id="msg_2")
    assert signed.headers["webhook-id"] == "msg_2"
    assert signed.headers["webhook-timestamp"] == "1767261600"
    assert signed.headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("separator", [" ", ","])
def test_a_separator_cannot_stand_for_padding(algorithm: str, separator: str) -> None:
    listed = {"type": "list", "item_sep": separator, "version_sep": "=", "version": "v1"}
    scheme = hmac_scheme(header_format=listed, encoding="base64", algorithm=algorithm)
    text = signature.sign(scheme, KEY, received(), now=NOW).headers["x-signature"]
    for at in range(text.rindex(text.rstrip("=")[-1]) + 1, len(text)):
        for other in " ,":
            assert refused(scheme, [KEY], received(x_signature=text[:at] + other + text[at + 1 :]))


# --- time


def _timed(unit: str, **changes: Any) -> signature.Scheme:
    timestamp = {"header": "X-Time", "unit": unit, **changes}
    return hmac_scheme(content="{timestamp}.{body}", timestamp=timestamp)


def _at(text: str) -> Received:
    return received(BODY, x_time=text, x_signature=_mac(text.encode("latin-1") + b"." + BODY).hex())


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("s", "1767261600"),
        ("ms", "1767261600000"),
        ("iso8601", "2026-01-01T10:00:00Z"),
        ("http-date", "Thu, 01 Jan 2026 10:00:00 GMT"),
    ],
)
def test_a_moment_is_written_and_read_in_its_unit(unit: str, text: str) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert signature.sign(_timed(unit), KEY, received(BODY), now=local) == _at(text)
    signature.verify(_timed(unit), [KEY], _at(text), now=local)


@pytest.mark.parametrize("unit", ["s", "ms", "iso8601", "http-date"])
@pytest.mark.parametrize("sign", [-1, 1], ids=["past", "future"])
def test_the_window_is_the_same_on_both_sides_and_its_edge_belongs_to_it(unit: str, sign: int) -> None:
    scheme = _timed(unit, tolerance=180)
    edge = signature.sign(scheme, KEY, received(BODY), now=NOW + sign * timedelta(seconds=180))
    signature.verify(scheme, [KEY], edge, now=NOW)
    beyond = signature.sign(scheme, KEY, received(BODY), now=NOW + sign * timedelta(seconds=181))
    assert refused(scheme, [KEY], beyond) == "timestamp outside tolerance"


def test_the_edge_is_exact() -> None:
    signature.verify(_timed("s"), [KEY], _at("1767261300"), now=NOW)
    late = NOW + timedelta(microseconds=1)
    assert refused(_timed("s"), [KEY], _at("1767261300"), now=late) == "timestamp outside tolerance"
    edge = NOW + timedelta(milliseconds=123)
    signature.verify(_timed("ms"), [KEY], _at("1767261300123"), now=edge)
    assert refused(_timed("ms"), [KEY], _at("1767261300122"), now=edge) == "timestamp outside tolerance"


@pytest.mark.parametrize(
    ("unit", "text", "reason"),
    [
        ("s", "1767261600.7", "malformed timestamp"),
        ("s", " 1767261600", "malformed timestamp"),
        ("s", "+1767261600", "malformed timestamp"),
        ("s", "1767261600e0", "malformed timestamp"),
        ("s", "-1767261600", "malformed timestamp"),
        ("s", "1_767_261_600", "malformed timestamp"),
        ("s", "\xb2\xb3", "malformed timestamp"),
        ("s", "", "malformed timestamp"),
        ("s", "9" * 5000, "malformed timestamp"),
        ("s", "9" * 17, "timestamp outside tolerance"),
        ("s", "1767261600000", "timestamp outside tolerance"),
        ("ms", "1767261600", "timestamp outside tolerance"),
        ("ms", "0", "timestamp outside tolerance"),
        ("iso8601", "2026-01-01T10:00:00", "malformed timestamp"),
        ("iso8601", "2026-01-01", "malformed timestamp"),
        ("iso8601", "2026-13-01T10:00:00Z", "malformed timestamp"),
        ("iso8601", "1767261600", "malformed timestamp"),
        ("iso8601", "2026-01-01T10:00:00\xe9", "malformed timestamp"),
        ("iso8601", "0001-01-01T00:00:00+23:59", "timestamp outside tolerance"),
        ("iso8601", "9999-12-31T23:59:59-23:59", "timestamp outside tolerance"),
        ("http-date", "Thu, 01 Jan 2026 10:00:00", "malformed timestamp"),
        ("http-date", "Thu, 31 Feb 2026 10:00:00 GMT", "malformed timestamp"),
        ("http-date", "Thu, 01 Jan 2026 10:00:61 GMT", "malformed timestamp"),
        ("http-date", "\xe9", "malformed timestamp"),
    ],
)
def test_a_signed_time_that_is_not_of_now_is_refused(unit: str, text: str, reason: str) -> None:
    assert refused(_timed(unit), [KEY], _at(text)) == reason


def test_the_signature_is_judged_before_its_time() -> None:
    assert refused(_timed("s"), ["other"], _at("12")) == "signature mismatch"
    assert refused(_timed("s"), ["other"], _at("soon")) == "signature mismatch"


def test_a_time_written_otherwise_needs_a_signature_of_its_own() -> None:
    moved = _with(_at("1767261600"), x_time="01767261600")
    assert refused(_timed("s"), [KEY], moved) == "signature mismatch"
    signature.verify(_timed("s"), [KEY], _at("01767261600"), now=NOW)


@pytest.mark.parametrize(
    "now",
    [datetime.max.replace(tzinfo=NOW.tzinfo), datetime.min.replace(tzinfo=NOW.tzinfo)],
    ids=["max", "min"],
)
def test_an_extreme_clock_refuses(now: datetime) -> None:
    assert refused(STRIPE, [KEY], _stripe("t=1767261600", f"v1={GOOD}"), now=now) == "timestamp outside tolerance"


def test_what_cannot_be_signed_says_why() -> None:
    with pytest.raises(SchemeError, match="empty"):
        signature.sign(hmac_scheme(), "", received(), now=NOW)
    with pytest.raises(SignatureError, match="missing header X-Topic"):
        signature.sign(hmac_scheme(content="{header:X-Topic}"), KEY, received(), now=NOW)
