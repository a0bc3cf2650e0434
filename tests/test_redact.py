"""What is struck out of a request before it is stored, and that the rest stays as it was sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import payload
from adapter.model import Received
from adapter.payload.redact import redact

SECRET = "s3cr3t"
MULTIPART = (
    "--B1\r\n"
    'Content-Disposition: form-data; name="phone"\r\n'
    "\r\n"
    "8015550142\r\n"
    "--B1\r\n"
    'Content-Disposition: form-data; name="photo"; filename="Grüße.png"\r\n'
    "Content-Type: image/png\r\n"
    "\r\n"
    "x\r\n"
    "--B1\r\n"
    "content-disposition: form-data; Name=token\r\n"
    "\r\n"
    "s3cr3t\n--not the boundary s3cr3t\n\ns3cr3t\r\n"
    "--B1--\r\n"
)


def request(body: bytes = b"", *, url: str = "https://x.example/hooks/lead", content_type: str = "") -> Received:
    return Received(method="POST", url=url, headers={"content-type": content_type}, body=body)


def test_credentials_never_stay_in_the_headers() -> None:
    names = ("authorization", "cookie", "proxy-authorization", "x-form-key", "x-other")
    asked = replace(request(), headers=dict.fromkeys(names, SECRET))
    assert redact(asked, kind="json", headers={"x-form-key"}).headers == {"x-other": SECRET}


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        pytest.param("/hooks/lead", "/hooks/lead", id="no query"),
        pytest.param("/hooks/lead?", "/hooks/lead?", id="empty query"),
        pytest.param("/h?a=1&key=s3cr3t&b=2", "/h?a=1&key=(removed)&b=2", id="among others"),
        pytest.param("/h?key=s3cr3t&key=s3cr3t", "/h?key=(removed)&key=(removed)", id="twice"),
        pytest.param("/h?%6bey=s3cr3t", "/h?%6bey=(removed)", id="name with escapes"),
        pytest.param("/h?key", "/h?key=(removed)", id="without a value"),
        pytest.param("/h?key=a=s3cr3t", "/h?key=(removed)", id="with an equals sign"),
        pytest.param("/h?monkey=1&keys=2", "/h?monkey=1&keys=2", id="names that only look alike"),
    ],
)
def test_named_parameters_of_the_query_are_struck_out(url: str, kept: str) -> None:
    assert redact(request(url=url), kind="json", query={"key"}).url == kept


def test_a_body_without_secrets_is_kept_byte_for_byte() -> None:
    body = b'\xef\xbb\xbf{"a" : 1.10, "SessionId": "x"}'
    assert redact(request(body), kind="json").body == body


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param('{"token": "s3cr3t", "a": 1}', b'{"token":"(removed)","a":1}', id="at the top"),
        pytest.param('[{"b": {"token": ["s3cr3t"]}}]', b'[{"b":{"token":"(removed)"}}]', id="deep, and a list"),
        pytest.param(r'{"\u0074oken": "s3cr3t"}', b'{"token":"(removed)"}', id="name with escapes"),
        pytest.param('\ufeff{"token": null}', b'{"token":"(removed)"}', id="byte order mark"),
        pytest.param('{"a": "token", "é": "ü"}', rb'{"a":"token","\u00e9":"\u00fc"}', id="nothing of that name"),
    ],
)
def test_named_fields_of_json_are_struck_out(body: str, kept: bytes) -> None:
    assert redact(request(body.encode()), kind="json", fields={"token"}).body == kept


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param("<a><S>s3cr3t</S><b>1</b></a>", "<a><S></S><b>1</b></a>", id="plain"),
        pytest.param("<n:a xmlns:n='u'><n:S>s3cr3t</n:S></n:a>", "<n:a xmlns:n='u'><n:S></n:S></n:a>", id="prefix"),
        pytest.param("<a><S x='>'>s3cr3t</S ></a>", "<a><S x='>'></S ></a>", id="attribute with a bracket"),
        pytest.param("<a><S><![CDATA[s3cr3t</S>s3cr3t]]></S></a>", "<a><S></S></a>", id="CDATA"),
        pytest.param("<a><S><!-- s3cr3t --><x>s3cr3t</x></S></a>", "<a><S></S></a>", id="comment and child"),
        pytest.param("<a><S>s3cr3t<S>s3cr3t</S>s3cr3t</S></a>", "<a><S></S></a>", id="within itself"),
        pytest.param("<a><S/><S></S><S>&#115;3cr3t</S></a>", "<a><S/><S></S><S></S></a>", id="empty, and escaped"),
        pytest.param("<a><S>s3cr3t</S>\n<S>s3cr3t</S>é</a>", "<a><S></S>\n<S></S>é</a>", id="twice"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_content_of_named_xml_elements_is_removed(body: str, kept: str, encoding: str) -> None:
    found = redact(request(body.encode(encoding)), kind="xml", fields={"S"}).body
    assert found == kept.encode(encoding)
    payload.parse("xml", found)


def test_a_session_id_of_salesforce_is_removed() -> None:
    body = b"<e><notifications><SessionId>00D!AQ</SessionId><Id>1</Id></notifications></e>"
    kept = redact(request(body), kind="soap", fields={"SessionId"}).body
    assert kept == body.replace(b"00D!AQ", b"")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param("token=s3cr3t&phone=1", "token=(removed)&phone=1", id="plain"),
        pytest.param("\r\n%74oken=s3cr3t&a=%E9", "%74oken=(removed)&a=%E9", id="blank before it, name with escapes"),
        pytest.param("my+token=s3cr3t&token2=é", "my+token=(removed)&token2=é", id="name with a space"),
    ],
)
def test_named_fields_of_a_form_are_struck_out(body: str, kept: str) -> None:
    asked = request(body.encode(), content_type="application/x-www-form-urlencoded")
    assert redact(asked, kind="form", fields={"token", "my token"}).body == kept.encode()


@pytest.mark.parametrize("lines", ["\r\n", "\n"], ids=["CRLF", "LF"])
@pytest.mark.parametrize("boundary", ["B1", '"B1"'], ids=["bare", "quoted"])
def test_named_parts_of_a_multipart_form_are_struck_out(boundary: str, lines: str) -> None:
    content_type = f"multipart/form-data; charset=utf-8; boundary={boundary}"
    asked = request(MULTIPART.replace("\r\n", lines).encode(), content_type=content_type)
    kept = redact(asked, kind="form", fields={"token"}).body
    assert SECRET.encode() not in kept
    fields: dict[str, Any] = payload.parse("form", kept, content_type=content_type)
    assert fields == {"phone": "8015550142", "photo": "Grüße.png", "token": "(removed)"}
    untouched = redact(asked, kind="form", fields={"other"}).body
    assert untouched == asked.body
