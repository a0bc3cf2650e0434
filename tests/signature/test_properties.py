"""What must hold for every request: true ones pass, changed ones do not, and nothing crashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from signature_cases import ENVELOPE, NOT_BUILT, NOW, SCHEMES, judged, refused

from adapter import signature
from adapter.errors import SchemeError
from adapter.model import Received
from adapter.signature.proof import Proof

BUILT = {name: signature.scheme(data) for name, data in SCHEMES.items() if data["scheme"] not in NOT_BUILT}
KEYED = [name for name in BUILT if SCHEMES[name]["scheme"] in ("hmac", "digest", "ed25519")]
KINDS = sorted({data["scheme"] for data in SCHEMES.values()})
QUICK = settings(max_examples=24)

bodies = st.binary(max_size=60)
latin = st.text(st.characters(max_codepoint=255), max_size=12)
urls = st.from_regex(r"\Ahttps://a\.example/[a-z%0-9]{0,6}(\?[a-z]=(%3A|%2F|%20|b){0,4})?\Z")


def _secret(name: str) -> str:
    data = SCHEMES[name]
    if data["scheme"] == "xml_field":
        return "00Dxx0000000001"
    if data["scheme"] == "ed25519":
        return "whsk_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
    return {"hex": "00ff1234", "base64": "whsec_c2VjcmV0"}.get(data.get("secret_encoding", ""), "user:s3crét")


def _body(name: str, body: bytes) -> tuple[bytes, str]:
    kind = SCHEMES[name]["scheme"]
    if kind == "xml_field":
        return ENVELOPE.format("<OrganizationId>00Dxx0000000001</OrganizationId>").encode(), "text/xml"
    return (b'{"a": 1}', "application/json") if kind == "body_token" else (body, "text/plain")


def _signed(name: str, body: bytes, url: str, *, secret: str = "") -> Received:
    body, content_type = _body(name, body)
    if secret and SCHEMES[name]["scheme"] == "xml_field":
        body = body.replace(_secret(name).encode(), secret.encode())
    request = Received(method="POST", url=url, headers={"content-type": content_type}, body=body)
    return signature.sign(BUILT[name], secret or _secret(name), request, now=NOW)


@pytest.mark.parametrize("name", BUILT)
def test_what_a_sender_signs_is_verified_and_another_secret_is_not(name: str) -> None:
    signed = _signed(name, b'{"phone": "\xc3\xa9"}', "https://a.example/in?x=%3A%20")
    signature.check_secret(BUILT[name], _secret(name))
    signature.verify(BUILT[name], ["other", _secret(name)], signed, now=NOW)
    assert refused(BUILT[name], ["00Dxx0000000002", "user:other", "b3RoZXI=", "abcd"], signed)


@QUICK
@given(name=st.sampled_from(KEYED), body=bodies, url=urls, seconds=st.integers(-180, 180))
def test_every_signed_request_is_verified_inside_its_window(name: str, body: bytes, url: str, seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    signature.verify(BUILT[name], [_secret(name)], _signed(name, body, url), now=now)


def _spoilt(text: str, at: int, by: int) -> str:
    """`text` with one character changed into another one."""
    at %= len(text)
    return text[:at] + chr((ord(text[at]) + 1 + by) % 256) + text[at + 1 :]


def _header(*names: str) -> Callable[[Received, int, int], Received]:
    def change(request: Received, at: int, by: int) -> Received:
        headers = {name: _spoilt(value, at, by) if name in names else value for name, value in request.headers.items()}
        return replace(request, headers=headers)

    return change


def _of_body(request: Received, at: int, by: int) -> Received:
    return replace(request, body=_spoilt(request.body.decode("latin-1"), at, by).encode("latin-1"))


def _of_url(request: Received, at: int, by: int) -> Received:
    return replace(request, url=_spoilt(request.url, at, by))


def _of_method(request: Received, at: int, by: int) -> Received:
    return replace(request, method=_spoilt(request.method, at, by))


Change = Callable[[Received, int, int], Received]


def _parts(name: str) -> Iterator[tuple[str, str, Change]]:
    """Every part of a request that the scheme's description says is covered, and how to change one byte of it."""
    data = SCHEMES[name]
    content = data.get("content", "")
    yield name, "signature", _header(data["header"].lower())
    for piece, change in (("{body}", _of_body), ("{url}", _of_url), ("{method}", _of_method)):
        if piece in content:
            yield name, piece.strip("{}"), change
    for part in ("timestamp", "id"):
        if header := data.get(part, {}).get("header"):
            yield name, part, _header(header.lower())
    if "aud_from" in data:
        yield name, "url", _of_url
    if "body_hash_claim" in data:
        yield name, "body", _of_body


CHANGES = [part for name, data in SCHEMES.items() if name in KEYED or data["scheme"] == "jwt" for part in _parts(name)]


def test_the_parts_that_are_changed_are_those_that_are_covered() -> None:
    assert {SCHEMES[name]["scheme"] for name, *_ in CHANGES} == {"hmac", "digest", "ed25519", "jwt"}
    assert {part for _, part, _ in CHANGES} == {"signature", "body", "url", "method", "timestamp", "id"}
    assert [part for name, part, _ in CHANGES if name == "hubspot-v3"] == [
        *("signature", "body", "url", "method", "timestamp")
    ]
    assert [part for name, part, _ in CHANGES if name == "standard-webhooks-ed25519"] == [
        *("signature", "body", "timestamp", "id")
    ]


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: f"{case[0]}-{case[1]}")
@settings(max_examples=16)
@given(
    body=st.binary(min_size=1, max_size=40),
    url=urls,
    at=st.integers(0, 500),
    by=st.integers(0, 254),
)
def test_no_single_byte_can_be_changed(case: tuple[str, str, Change], body: bytes, url: str, at: int, by: int) -> None:
    name, _, change = case
    refused(BUILT[name], [_secret(name)], change(_signed(name, body, url), at, by))


SIGNATURES = [case for case in CHANGES if case[1] == "signature"]


@pytest.mark.parametrize("case", SIGNATURES, ids=[name for name, *_ in SIGNATURES])
def test_every_byte_of_a_signature_counts(case: tuple[str, str, Change]) -> None:
    """The last digit of base64 has bits that mean nothing to a decoder."""
    name, _, change = case
    request = _signed(name, b"{}", "https://a.example/in")
    value = request.headers[SCHEMES[name]["header"].lower()]
    ends = [*range(0, len(value), 7), *range(len(value) - 5, len(value))]
    taken = [
        (at, by)
        for at in ends
        for by in range(-17, 17)
        if by != -1 and judged(BUILT[name], [_secret(name)], change(request, at, by)) == "valid"
    ]
    assert taken == []


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(data=st.data(), at=st.integers(0, 100), by=st.integers(0, 254))
def test_a_secret_with_one_other_letter_proves_nothing(kind: str, data: st.DataObject, at: int, by: int) -> None:
    name = data.draw(st.sampled_from([name for name in BUILT if SCHEMES[name]["scheme"] == kind]))
    other = _spoilt(_secret(name).removesuffix("="), at, by)
    try:
        signature.check_secret(BUILT[name], other)
        forged = _signed(name, b"{}", "https://a.example/in", secret=other)
    except SchemeError:
        return
    assume(_key(name, other) != _key(name, _secret(name)))
    refused(BUILT[name], [_secret(name)], forged)


def _key(name: str, secret: str) -> bytes:
    scheme = BUILT[name]
    return scheme.key(secret) if isinstance(scheme, Proof) else secret.encode()


@QUICK
@given(
    name=st.sampled_from(["hubspot-v3", "standard-webhooks", "zendesk", "stripe-like"]),
    seconds=st.integers(301),
)
def test_no_request_can_be_sent_again_later(name: str, seconds: int) -> None:
    assume(seconds < 10**9)
    later = NOW + timedelta(seconds=seconds)
    reason = refused(BUILT[name], [_secret(name)], _signed(name, b"{}", "https://a.example/"), now=later)
    assert reason == "timestamp outside tolerance"


HEADERS = sorted(
    {"content-type", "authorization", "x-webhook-signature", "host", "x-hubspot-signature"}
    | {SCHEMES[name]["header"].lower() for name in KEYED}
    | {part["header"].lower() for data in SCHEMES.values() if "header" in (part := data.get("timestamp", {}))}
    | {"webhook-id", "svix-id", "x-adapter-key"}
)
nasty = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(), max_size=20),
    st.sampled_from(
        ["a.b.c", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.W10.AA", "..", "a.b.c.d"]
    ),
    st.sampled_from(["sha256=", "v1,", "v1,=", "t=1,v1=", "t=9,t=9", "Basic ", "Basic =", "Bearer \xe9", "9" * 6000]),
    st.sampled_from(["application/json", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data"]),
    st.text(st.characters(categories=["Cs", "Nd", "Cc"]), max_size=8),
)


@settings(max_examples=80)
@given(
    name=st.sampled_from(sorted(BUILT)),
    method=nasty,
    url=st.one_of(nasty, nasty.map(lambda text: f"https://a.example/?key={text}"), st.just("http://[?code=%ff")),
    headers=st.dictionaries(st.sampled_from(HEADERS), nasty, max_size=len(HEADERS)),
    body=st.one_of(bodies, st.sampled_from([b"<a/>", b"<a", b'{"token": 1}', b'{"token": "\\ud800"}', b"[" * 9000])),
    secrets=st.lists(nasty, max_size=3),
)
def test_whatever_comes_is_refused_and_nothing_else_is_raised(
    name: str, method: str, url: str, headers: dict[str, str], body: bytes, secrets: Sequence[Any]
) -> None:
    request = Received(method=method, url=url, headers=headers, body=body)
    reason = judged(BUILT[name], secrets, request)
    assert len(reason) < 120
    hints = signature.explain(BUILT[name], secrets, request, now=NOW)
    assert bool(hints) == (reason != "valid")
    assert not any(secret in said for secret in secrets if len(secret) > 12 for said in (reason, *hints))


def _without(request: Received, name: str) -> Received:
    return replace(request, headers={key: value for key, value in request.headers.items() if key != name})


spoils = st.sampled_from(["drop", "cut", "double", "byte", "url", "body"])


@settings(max_examples=150)
@given(
    name=st.sampled_from(sorted(BUILT)),
    body=bodies,
    steps=st.lists(st.tuples(spoils, st.integers(0, 500), nasty), min_size=1, max_size=3),
)
def test_what_is_nearly_right_is_refused_or_taken_and_nothing_else_is_raised(
    name: str, body: bytes, steps: Sequence[tuple[str, int, str]]
) -> None:
    request = _signed(name, body, "https://a.example/in?a=1")
    for how, at, text in steps:
        header = sorted(request.headers)[at % len(request.headers)] if request.headers else ""
        value = request.headers.get(header, "")
        changed = {
            "drop": _without(request, header),
            "cut": replace(request, headers={**request.headers, header: value[: at % (len(value) + 1)]}),
            "double": replace(request, headers={**request.headers, header: f"{value},{value}"}),
            "byte": replace(request, headers={**request.headers, header: value[:at] + text + value[at:]}),
            "url": replace(request, url=request.url + text),
            "body": replace(request, body=request.body[: at % (len(request.body) + 1)] + text.encode(errors="replace")),
        }
        request = changed[how]
    hints = signature.explain(BUILT[name], [_secret(name)], request, now=NOW)
    assert bool(hints) == (judged(BUILT[name], [_secret(name)], request) != "valid")
    assert not any(_secret(name) in hint for hint in hints)
