"""Whatever stands in a megabyte of XML, what is made of it stays near a megabyte: before any secret is checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from counted import Work, counted, peak

from adapter import payload, signature
from adapter.errors import PayloadError, SignatureError
from adapter.model import Received
from adapter.payload.redact import redact
from adapter.payload.tree import MAX_DEPTH, MAX_NODES

MB = 1_000_000
MOST_CALLS = 30 * MAX_NODES
"""Calls of functions, Python's and C's, for one body."""
MOST_MEMORY = 35 * MB
"""20,000 values of 500 bytes each, and the names they have: what the bounds of the tree let in anyway."""
LONG = "u" * 900_000
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def many(text: str, count: int) -> str:
    """A text again and again, `#` in it another number each time."""
    return "".join(text.replace("#", str(number)) for number in range(count))


def nested(text: str) -> str:
    """Elements in elements as deep as is read, with this within each start tag."""
    return many(f"<a {text}>", MAX_DEPTH) + "</a>" * MAX_DEPTH


LONG_NAMES = "refused: the XML has a name of more than 256 letters"
HOSTILE: dict[str, tuple[str, str]] = {
    "a namespace for many elements": (f"<a xmlns='{LONG}'>{'<b/>' * 19_000}</a>", "read"),
    "a namespace for elements of many names": (f"<a xmlns='{LONG}'>{many('<b#/>', 9_000)}</a>", "read"),
    "a namespace for prefixed elements": (f"<a xmlns:p='{LONG}'>{'<p:b/>' * 14_000}</a>", "read"),
    "a namespace for attributes of many elements": (f"<a xmlns:p='{LONG}'>{many('<b p:c=``/>', 8_000)}</a>", "read"),
    "a namespace for many attributes": (f"<a xmlns:p='{LONG}' {many('p:a#=`` ', 8_000)}/>", "read"),
    "two namespaces of one length": (
        f"<a xmlns:p='{'u' * 450_000}p' xmlns:q='{'u' * 450_000}q'>{'<b p:c=`` q:c=``/>' * 5_000}</a>",
        "read",
    ),
    "a namespace inherited forty deep": (f"<b xmlns='{LONG}'>{many('<a>', 39)}{many('</a>', 39)}</b>", "read"),
    "a namespace of the SOAP's length and more": (f"<a xmlns='{SOAP}{LONG}'>{'<b/>' * 19_000}</a>", "read"),
    "a long prefix": (f"<{LONG}:a xmlns:{LONG[:90_000]}='u'/>", LONG_NAMES),
    "a long prefix that is declared": (f"<a xmlns:{LONG}='u'/>", LONG_NAMES),
    "a long name": (f"<{LONG}/>", LONG_NAMES),
    "a long name with many attributes": (f"<{'a' * 800_000} {many('b#=`` ', 15_000)}/>", LONG_NAMES),
    "a long attribute": (f"<a {LONG}=''/>", LONG_NAMES),
    "the longest name with many attributes": (f"<{'龍' * 256} {many('b#=`` ', 19_000)}/>", "read"),
    "names as long as can be": (f"<a>{many('<' + 'b' * 250 + '#/>', 3_700)}</a>", "read"),
    "names in letters of three bytes": (f"<a>{many('<b' + '龍' * 70 + '#/>', 4_300)}</a>", "read"),
    "values in letters of four bytes": (f"<a>{many('<b>😀' + 'a' * 40 + '</b>', 19_000)}</a>", "read"),
    "declarations in one element": (f"<a {many('xmlns:p#=`u` ', 55_000)}/>", "refused: the XML declares more than"),
    "declarations as many as can be": (f"<a {many('xmlns:p#=`u` ', 20_000)}>{'<b/>' * 19_000}</a>", "read"),
    "declarations in many elements": (
        f"<a {many('xmlns:p#=`u` ', 10_000)}>{many('<b xmlns:p#=`v`/>', 10_000)}</a>",
        "read",
    ),
    "declarations forty deep": (nested(many("xmlns:p#=`u` ", 500)), "read"),
    "the default declared again and again": (f"<a>{many('<b xmlns=`u#`/>', 19_000)}</a>", "read"),
    "too many attributes": (f"<a {many('b#=`` ', 90_000)}/>", "refused: the body holds more than"),
    "too many elements": (f"<a>{'<b/>' * (MB // 4)}</a>", "refused: the body holds more than"),
    "too deep": ("<a>" * (MB // 3), "refused: the body is nested deeper than"),
    "text in many pieces": (f"<a>{'x<b/>' * 19_000}</a>", "read"),
    "text in many pieces, not cut by elements": (
        "<a>" + "x<!---->y<?p?><![CDATA[z]]>&lt;&#65;\n" * 25_000 + "</a>",
        "read",
    ),
    "references": (f"<a>{'&#x1F600;' * (MB // 9)}</a>", "read"),
    "a reference of many digits": (f"<a>&#{'0' * MB}65;</a>", "read"),
    "references in an attribute": (f"<a b='{'&lt;' * (MB // 4)}'/>", "read"),
    "lines in an attribute": (f"<a b='{chr(10) * MB}'/>", "read"),
    "one comment": (f"<a><!--{LONG}--></a>", "read"),
    "many comments": (f"<a>{'<!---->' * (MB // 7)}</a>", "read"),
    "one instruction": (f"<a><?p {LONG}?></a>", "read"),
    "many instructions": (f"<a>{'<?p?>' * (MB // 5)}</a>", "read"),
    "blanks": (f"<a>{' ' * MB}</a{' ' * 9_000}>", "read"),
    "entities": (
        f"<!DOCTYPE a [<!ENTITY b '{'x' * 300_000}'>]><a>{'&b;' * 200_000}</a>",
        "refused: the XML has a DOCTYPE",
    ),
    "many entities": (f"<!DOCTYPE a [{many('<!ENTITY b# `x`>', 50_000)}]><a/>", "refused: the XML has a DOCTYPE"),
    "attributes by default": (
        f"<!DOCTYPE a [<!ATTLIST b {many('a# CDATA `x` ', 20_000)}>]><a>{'<b/>' * 100_000}</a>",
        "refused: the XML has a DOCTYPE",
    ),
}
BODIES = {name: (text.replace("`", "'").encode(), said) for name, (text, said) in HOSTILE.items()}
WRITTEN = ["UTF-16", "ISO-8859-1", "windows-1252", "koi8-r"]


def tried(body: bytes) -> str:
    """Whether a body was read, or why it was refused."""
    try:
        payload.message(body)
    except PayloadError as exc:
        return f"refused: {exc.reason}"
    return "read"


def bounded(body: bytes, function: Callable[[], object]) -> Work:
    """The work of a function on a body; fails when the size of that and the bounds of the tree do not explain it."""
    work = counted(function)
    assert work.calls < MOST_CALLS
    # A tag says its name once, and expat says it twice: when the element begins and when it ends.
    assert work.letters < 2 * len(body)
    assert peak(function) < MOST_MEMORY
    return work


@pytest.mark.parametrize(("body", "said"), BODIES.values(), ids=BODIES)
def test_what_is_made_of_hostile_xml_is_bounded(body: bytes, said: str) -> None:
    assert len(body) < 1024 * 1024 + 10_000
    assert bounded(body, lambda: tried(body)).given.startswith(said)


@pytest.mark.parametrize("encoding", WRITTEN)
@pytest.mark.parametrize("name", ["a namespace for many elements", "a namespace for many attributes", "blanks"])
def test_it_costs_no_more_in_any_encoding(name: str, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>{BODIES[name][0].decode()}"
    body = text.encode(encoding)
    assert bounded(body, lambda: tried(body)).given == "read"


SECRETS = {
    "a namespace": (
        f"<a xmlns='{LONG}'>{'<b/>' * 9_000}<S>x</S></a>",
        f"<a xmlns='{LONG}'>{'<b/>' * 9_000}<S></S></a>",
    ),
    "many secrets": (f"<a>{'<S>x</S>' * 19_000}{LONG[:800_000]}</a>", f"<a>{'<S></S>' * 19_000}{LONG[:800_000]}</a>"),
    "secrets far apart": (f"<a>{f'<S>{LONG[:900]}</S>.' * 1_000}</a>", f"<a>{'<S></S>.' * 1_000}</a>"),
}


@pytest.mark.parametrize(("text", "kept"), SECRETS.values(), ids=SECRETS)
def test_striking_out_costs_no_more_than_reading(text: str, kept: str) -> None:
    request = Received(method="POST", url="https://e.com/", headers={}, body=text.encode())
    work = bounded(request.body, lambda: redact(request, kind="xml", fields={"S"}).body)
    assert work.given == kept.encode()


class Copied(bytes):
    """Bytes of which every copy of a part is counted."""

    copied = 0

    def __getitem__(self, place: Any) -> Any:
        return Copied._kept(super().__getitem__(place))

    def __add__(self, other: Any) -> Any:
        return Copied._kept(super().__add__(other))

    @classmethod
    def _kept(cls, part: Any) -> Copied:
        cls.copied += len(part)
        return cls(part)


def test_striking_out_many_secrets_copies_a_body_once() -> None:
    text, _ = SECRETS["many secrets"]
    body, before = Copied(text.encode()), Copied.copied
    redact(Received(method="POST", url="https://e.com/", headers={}, body=body), kind="xml", fields={"S"})
    assert 0 < Copied.copied - before <= len(body)


def test_the_field_that_proves_a_sender_is_looked_for_in_one_reading() -> None:
    scheme = signature.scheme({"scheme": "xml_field", "path": "OrganizationId"})
    body = f"<a xmlns='{LONG}'>{'<b/>' * (MAX_NODES - 1)}</a>".encode()
    request = Received(method="POST", url="https://e.com/", headers={}, body=body)

    def refused() -> None:
        with pytest.raises(SignatureError, match="field count"):
            signature.verify(scheme, ["a secret"], request, now=datetime(2026, 11, 24, tzinfo=UTC))

    assert bounded(body, refused).by_c["ParserCreate"] == 1
