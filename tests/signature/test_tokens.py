"""Secrets and identifiers that stand in the request as they are."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from signature_cases import NOW, SCHEMES, received, refused, soap

from adapter import signature
from adapter.errors import SchemeError
from adapter.model import Received

HEADER = signature.scheme({"scheme": "header_token", "name": "X-Form-Key"})
BEARER = signature.scheme({"scheme": "header_token", "name": "Authorization", "value_prefix": "Bearer "})
QUERY = signature.scheme({"scheme": "query_token", "name": "key"})
BODY = signature.scheme({"scheme": "body_token", "path": "token"})
BASIC = signature.scheme({"scheme": "basic"})
ORGANIZATION = signature.scheme(SCHEMES["salesforce-outbound"])
ELEMENT = signature.scheme({"scheme": "xml_field", "path": "Header.account"})
EMPTY = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<e:Header><account>7</account></e:Header><e:Body/></e:Envelope>"
)
EXACT = signature.scheme({"scheme": "xml_field", "path": "lead.account"})


def _json(text: str) -> Received:
    return received(text.encode(), content_type="application/json; charset=utf-8")


def _form(text: str) -> Received:
    return received(text.encode(), content_type="application/x-www-form-urlencoded")


def _basic(text: str) -> Received:
    return received(authorization="Basic " + base64.b64encode(text.encode()).decode())


def _id(text: str) -> Received:
    return soap(f"<OrganizationId>{text}</OrganizationId><Notification><Id>1</Id></Notification>")


GOOD: list[tuple[str, signature.Scheme, str, Received]] = [
    ("header", HEADER, "s3cret", received(x_form_key="s3cret")),
    ("header in UTF-8", HEADER, "sécret", received(x_form_key="sécret".encode().decode("latin-1"))),
    ("bearer", BEARER, "s3cret", received(authorization="Bearer s3cret")),
    ("bearer in another case", BEARER, "s3cret", received(authorization="bearer s3cret")),
    ("query", QUERY, "s3cret", received(url="https://a/in?b=1&key=s3cret")),
    ("query, escaped", QUERY, "s +é", received(url="https://a/in?key=s+%2B%C3%A9")),
    ("JSON", BODY, "s3crét", _json('{"token": "s3cr\\u00e9t"}')),
    ("form", BODY, "s 3", _form("a=1&token=s+3")),
    ("JSON, unmarked", BODY, "s3cret", received(b'{"token": "s3cret"}')),
    ("form, unmarked", BODY, "s3cret", received(b"token=s3cret")),
    ("basic", BASIC, "hook:p:ss wörd", _basic("hook:p:ss wörd")),
    ("basic, unpadded", BASIC, "a:b", received(authorization="basic YTpi")),
    ("organisation, 18 and 15", ORGANIZATION, "00Dxx0000000001", _id("00Dxx0000000001EAA")),
    ("organisation, 15 and 18", ORGANIZATION, "00Dxx0000000001EAA", _id("00Dxx0000000001")),
    ("element", EXACT, "7", received(b"<lead><account>7</account></lead>")),
    ("element of a message", EXACT, "7", soap("<lead><account>7</account></lead>")),
    ("element of a message without content", ELEMENT, "7", received(EMPTY)),
    ("element below the top", EXACT, "7", received(b"<x><lead><account>7</account></lead></x>")),
]


@pytest.mark.parametrize(("scheme", "secret", "request_"), [c[1:] for c in GOOD], ids=[c[0] for c in GOOD])
def test_the_secret_in_its_place_is_a_proof(scheme: signature.Scheme, secret: str, request_: Received) -> None:
    signature.check_secret(scheme, secret)
    signature.verify(scheme, ["another:00secret", secret], request_, now=NOW)


ONCE = "invalid token: query parameter key must be given once"
TEXT = "invalid token: token must be one text"
COUNT = "field count: OrganizationId must be there once"
BAD: list[tuple[str, signature.Scheme, str, Received, str]] = [
    ("no header", HEADER, "s3cret", received(), "missing header X-Form-Key"),
    ("wrong header", HEADER, "s3cret", received(x_form_key="S3cret"), "invalid token"),
    ("header twice", HEADER, "s3cret", received(x_form_key="s3cret,s3cret"), "invalid token"),
    ("header not ASCII", HEADER, "s3cret", received(x_form_key="\xe9"), "invalid token"),
    ("empty secret", HEADER, "", received(x_form_key=""), "no usable secret"),
    ("no bearer", BEARER, "s3cret", received(authorization="s3cret"), "prefix missing"),
    ("bearer twice", BEARER, "s3cret", received(authorization="Bearer Bearer s3cret"), "invalid token"),
    ("no query", QUERY, "s3cret", received(), ONCE),
    ("query twice", QUERY, "s3cret", received(url="https://a/?key=s3cret&key=x"), ONCE),
    ("wrong query", QUERY, "s3cret", received(url="https://a/?key=s3cre"), "invalid token"),
    ("query after a broken host", QUERY, "s3cret", received(url="http://[::1?key=%zz"), "invalid token"),
    ("empty query", QUERY, "", received(url="https://a/?key="), "no usable secret"),
    ("no token", BODY, "s3cret", _json("{}"), TEXT),
    ("token below a list", BODY, "s3cret", _json('[{"token": "s3cret"}]'), TEXT),
    ("token is a number", BODY, "1", _json('{"token": 1}'), TEXT),
    ("token is a list", BODY, "s3cret", _json('{"token": ["s3cret"]}'), TEXT),
    ("token twice in a form", BODY, "s3cret", _form("token=s3cret&token=x"), TEXT),
    ("wrong token", BODY, "s3cret", _json('{"token": "\\ud800"}'), "invalid token"),
    ("broken JSON", BODY, "s3cret", _json("{"), "unreadable body"),
    ("deep JSON", BODY, "s3cret", _json("[" * 100_000), "unreadable body"),
    ("wrong password", BASIC, "a:b", _basic("a:c"), "wrong credentials"),
    ("not base64", BASIC, "a:b", received(authorization="Basic a:b"), "wrong credentials"),
    ("base64 with junk", BASIC, "a:b", received(authorization="Basic YTpi===="), "wrong credentials"),
    ("no colon in the secret", BASIC, "ab", _basic("ab"), "no usable secret"),
    ("no password", BASIC, "a:", _basic("a:"), "no usable secret"),
    ("bearer for basic", BASIC, "a:b", received(authorization="Bearer YTpi"), "prefix missing"),
    ("other organisation", ORGANIZATION, "00Dxx0000000002", _id("00Dxx0000000001"), "other organisation"),
    ("other case", ORGANIZATION, "00DXX0000000001", _id("00Dxx0000000001"), "other organisation"),
    ("id of 16", ORGANIZATION, "00Dxx0000000001", _id("00Dxx0000000001E"), "malformed organisation id"),
    ("id with a sign", ORGANIZATION, "00Dxx0000000001", _id("00Dxx000000000-"), "malformed organisation id"),
    ("secret of 16", ORGANIZATION, "00Dxx0000000001E", _id("00Dxx0000000001"), "no usable secret"),
    ("no id", ORGANIZATION, "00Dxx0000000001", soap(""), COUNT),
    ("empty id", ORGANIZATION, "00Dxx0000000001", _id(""), COUNT),
    (
        "id twice",
        ORGANIZATION,
        "00Dxx0000000001",
        _id("00Dxx0000000001</OrganizationId><OrganizationId>x"),
        COUNT,
    ),
    (
        "id inside a record",
        ORGANIZATION,
        "00Dxx0000000001",
        soap("<Notification><OrganizationId>00Dxx0000000001</OrganizationId></Notification>"),
        COUNT,
    ),
    (
        "something beside the message",
        ORGANIZATION,
        "00Dxx0000000001",
        received(
            b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><notifications>'
            b"<OrganizationId>00Dxx0000000001</OrganizationId></notifications><other/></e:Body></e:Envelope>"
        ),
        COUNT,
    ),
    ("no XML", ORGANIZATION, "00Dxx0000000001", received(b"{}"), "unreadable body"),
    ("entities", ORGANIZATION, "a", received(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "unreadable body"),
    ("other element", EXACT, "8", received(b"<lead><account>7</account></lead>"), "wrong field value"),
]


@pytest.mark.parametrize(
    ("scheme", "secret", "request_", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_anything_else_is_refused_with_its_reason(
    scheme: signature.Scheme, secret: str, request_: Received, reason: str
) -> None:
    assert refused(scheme, [secret], request_) == reason


@pytest.mark.parametrize(
    ("scheme", "secret", "why"),
    [
        (HEADER, "s3cret\n", "line break or outer blanks"),
        (HEADER, " s3cret", "line break or outer blanks"),
        (HEADER, "", "empty"),
        (QUERY, "", "empty"),
        (BODY, "", "empty"),
        (EXACT, "", "empty"),
        (BASIC, "user", "user:password"),
        (BASIC, "user:", "password not empty"),
        (ORGANIZATION, "00D", "15 or 18"),
    ],
)
def test_a_secret_that_can_never_match_is_refused_beforehand(scheme: signature.Scheme, secret: str, why: str) -> None:
    with pytest.raises(SchemeError, match=why):
        signature.check_secret(scheme, secret)


SIGNED: list[tuple[str, signature.Scheme, str, Received, Received]] = [
    ("header", HEADER, "k", received(x_form_key="old"), received(x_form_key="k")),
    ("header in UTF-8", HEADER, "é", received(), received(x_form_key="Ã©")),
    ("bearer", BEARER, "k", received(), received(authorization="Bearer k")),
    ("basic", BASIC, "a:b!", received(), received(authorization="Basic YTpiIQ==")),
    ("query", QUERY, "k&é", received(url="https://a/in"), received(url="https://a/in?key=k%26%C3%A9")),
    (
        "query among others",
        QUERY,
        "k",
        received(url="https://a/in?a=%41&key=old&b"),
        received(url="https://a/in?a=%41&b&key=k"),
    ),
    ("JSON", BODY, "é", _json('{"a": 1}'), _json('{"a": 1, "token": "é"}')),
    ("JSON with the token already", BODY, "k", _json('{"token":"k"}'), _json('{"token":"k"}')),
    ("form", BODY, "k k", _form("a=1&token=old"), _form("a=1&token=k%20k")),
    ("organisation", ORGANIZATION, "00Dxx0000000001", _id("00Dxx0000000001"), _id("00Dxx0000000001")),
]


@pytest.mark.parametrize(
    ("scheme", "secret", "before", "after"), [case[1:] for case in SIGNED], ids=[case[0] for case in SIGNED]
)
def test_a_true_sender_would_put_the_secret_there(
    scheme: signature.Scheme, secret: str, before: Received, after: Received
) -> None:
    assert signature.sign(scheme, secret, before, now=NOW) == after
    signature.verify(scheme, [secret], after, now=NOW)


def test_a_token_below_others_is_put_there() -> None:
    scheme = signature.scheme({"scheme": "body_token", "path": "meta.keys[0].token"})
    signed = signature.sign(scheme, "k", _json('{"meta": {"keys": [{}]}}'), now=NOW)
    assert signed.body == b'{"meta": {"keys": [{"token": "k"}]}}'


MULTIPART = received(b"--x\r\n\r\n--x--", content_type="multipart/form-data; boundary=x")


@pytest.mark.parametrize(
    ("data", "secret", "request_"),
    [
        ({"scheme": "body_token", "path": "a.token"}, "k", _json("{}")),
        ({"scheme": "body_token", "path": "a.token"}, "k", _form("a=1")),
        ({"scheme": "body_token", "path": "token"}, "k", _json("[]")),
        ({"scheme": "body_token", "path": "token"}, "k", _json("")),
        ({"scheme": "body_token", "path": "token"}, "k", _json("[" * 100_000)),
        ({"scheme": "body_token", "path": "token"}, "k", MULTIPART),
        (SCHEMES["salesforce-outbound"], "00Dxx0000000002", _id("00Dxx0000000001")),
    ],
    ids=["no parent", "form field below another", "list", "empty", "deep", "multipart", "other organisation"],
)
def test_a_body_that_cannot_take_the_token_says_so(data: Any, secret: str, request_: Received) -> None:
    with pytest.raises(SchemeError, match="cannot be put into this body"):
        signature.sign(signature.scheme(data), secret, request_, now=NOW)
