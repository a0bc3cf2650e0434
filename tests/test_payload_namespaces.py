"""Names of XML stand without their namespaces, which only tell what SOAP's Body and an empty element are."""

from __future__ import annotations

import gc
from contextlib import suppress

import pytest
from processes import in_processes

from adapter import payload
from adapter.errors import PayloadError
from adapter.model import Received
from adapter.payload.redact import redact

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
XMLNS = "http://www.w3.org/2000/xmlns/"
CONTENT = {"lead": {"phone": "1"}}
LEAD = "<lead><phone>1</phone></lead>"

TREES: dict[str, tuple[str, object]] = {
    "a default": ("<l xmlns='u'><p>1</p></l>", {"l": {"p": "1"}}),
    "a prefix": ("<x:l xmlns:x='u'><x:p>1</x:p></x:l>", {"l": {"p": "1"}}),
    "a prefix beyond ASCII": ("<é.1-x:ü xmlns:é.1-x='u'/>", {"ü": ""}),
    "a prefix declared after it is used": ("<l x:a='1' xmlns:x='u'/>", {"l@a": "1", "l": ""}),
    "a declaration is no field": ("<l xmlns='u' xmlns:x='v' a='1'/>", {"l@a": "1", "l": ""}),
    "a name that begins like a declaration is": ("<l xmlnsx='1' xml='2'/>", {"l@xmlnsx": "1", "l@xml": "2", "l": ""}),
    "one name in two namespaces": ("<l xmlns:x='u' xmlns:y='v'><x:p>1</x:p><y:p>2</y:p></l>", {"l": {"p": ["1", "2"]}}),
    "attributes of one name": ("<l xmlns:x='u' xmlns:y='v' x:a='1' y:a='2' a='3'/>", {"l@a": ["1", "2", "3"], "l": ""}),
    "an attribute beside the default of its URI": (
        "<l xmlns='u' xmlns:x='u' a='1' x:a='2'/>",
        {"l@a": ["1", "2"], "l": ""},
    ),
    "the default taken back": (
        f"<l xmlns='{XSI}'><p xmlns='' nil='true'>1</p></l>",
        {"l": {"p@nil": "true", "p": "1"}},
    ),
    "the prefix that needs none": ("<l xml:lang='en'><xml:p/></l>", {"l@lang": "en", "l": {"p": ""}}),
    "the prefix that needs none, declared": (f"<l xmlns:xml='{XML}' xml:lang='en'/>", {"l@lang": "en", "l": ""}),
    "empty by any prefix": (f"<l><p y:nil='1' xmlns:y='{XSI}'>x</p></l>", {"l": {"p": None}}),
    "empty by a prefix from far above": (f"<l xmlns:x='{XSI}'><m><p x:nil='true'/></m></l>", {"l": {"m": {"p": None}}}),
    "not empty without the prefix": (f"<l xmlns='{XSI}'><p nil='true'>x</p></l>", {"l": {"p@nil": "true", "p": "x"}}),
    "not empty in another namespace": (
        "<l xmlns:xsi='u'><p xsi:nil='true'>x</p></l>",
        {"l": {"p@nil": "true", "p": "x"}},
    ),
    "not empty in one that begins the same": (f"<l xmlns:i='{XSI}/' i:nil='true'>x</l>", {"l@nil": "true", "l": "x"}),
    "a prefix that means something else below": (
        f"<l xmlns:x='u'><m xmlns:x='{XSI}' x:nil='true'/><p x:nil='true'>1</p></l>",
        {"l": {"m": None, "p@nil": "true", "p": "1"}},
    ),
    "a prefix that means it again after that": (
        f"<l xmlns:x='{XSI}'><m xmlns:x='u'><n x:nil='1'>1</n></m><p x:nil='1'>2</p></l>",
        {"l": {"m": {"n@nil": "1", "n": "1"}, "p": None}},
    ),
}


@pytest.mark.parametrize(("body", "tree"), TREES.values(), ids=TREES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_name_is_what_stands_after_its_prefix(body: str, tree: object, encoding: str) -> None:
    assert payload.parse("xml", body.encode(encoding)) == tree
    assert payload.message(body.encode(encoding)) == tree


REFUSED: dict[str, tuple[str, str]] = {
    "an element's prefix": ("<a>\n <x:b/></a>", "unbound prefix at line 2 column 2"),
    "an attribute's prefix": ("<a>\n  <b c='1'\n x:d=''/></a>", "unbound prefix at line 2 column 3"),
    "a prefix that is not open any more": ("<a><b xmlns:x='u'/><x:b/></a>", "unbound prefix at line 1 column 20"),
    "a prefix of an element beside": ("<a><b xmlns:x='u'/>\n<c x:d=''/></a>", "unbound prefix at line 2 column 1"),
    "the prefix of declarations": ("<xmlns:a/>", "unbound prefix at line 1 column 1"),
    "a prefix without a namespace": ("<a xmlns:x=''/>", "must not undeclare prefix at line 1 column 1"),
    "the prefix of declarations, declared": (
        "<a xmlns:xmlns='u'/>",
        "reserved prefix (xmlns) must not be declared or undeclared at line 1 column 1",
    ),
    "another meaning of xml": (
        "<a xmlns:xml='u'/>",
        "reserved prefix (xml) must not be undeclared or bound to another namespace name at line 1 column 1",
    ),
    "another prefix for what xml means": (
        f"<a>\n<b xmlns:x='{XML}'/></a>",
        "prefix must not be bound to one of the reserved namespace names at line 2 column 1",
    ),
    "a prefix for what xmlns means": (
        f"<a xmlns='{XMLNS}'/>",
        "prefix must not be bound to one of the reserved namespace names at line 1 column 1",
    ),
    "one attribute by two prefixes": (
        "<a xmlns:x='u'>\n<b xmlns:y='u' x:c='' y:c=''/></a>",
        "duplicate attribute at line 2 column 1",
    ),
    "one attribute twice": ("<a x='' x=''/>", "duplicate attribute at line 1 column 9"),
    "one declaration twice": ("<a xmlns:x='u' xmlns:x='u'/>", "duplicate attribute at line 1 column 16"),
    **{
        f"the name {name}": (f"<a xmlns:b='u'><{name}/></a>", "not well-formed (invalid token) at line 1 column 16")
        for name in ("b:", ":b", "b:b:b", "b::b", ":", "b:1", "b:-", "b:.", "b:٣")
    },
    "a declaration of nothing": ("<a xmlns:='u'/>", "not well-formed (invalid token) at line 1 column 1"),
    "a declaration of two": ("<a xmlns:x:y='u'/>", "not well-formed (invalid token) at line 1 column 1"),
    "an attribute of two prefixes": (
        "<a xmlns:x='u' x:x:b='u'/>",
        "not well-formed (invalid token) at line 1 column 1",
    ),
}


@pytest.mark.parametrize(("body", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("kind", ["xml", "soap"])
def test_what_breaks_the_rules_of_namespaces_is_refused_in_the_words_of_expat(kind: str, body: str, words: str) -> None:
    with pytest.raises(PayloadError) as refused:
        payload.parse(kind, body.encode())
    assert refused.value.reason == f"the body is not XML: {words}"


BOUNDS: dict[str, tuple[str, str]] = {
    "an element": (f"<{'a' * 257}/>", "the XML has a name of more than 256 letters"),
    "a name with its prefix": (f"<p:{'a' * 255} xmlns:p='u'/>", "the XML has a name of more than 256 letters"),
    "an attribute": (f"<a {'b' * 257}=''/>", "the XML has a name of more than 256 letters"),
    "a declaration": (f"<a xmlns:{'b' * 251}='u'/>", "the XML has a name of more than 256 letters"),
    "declarations": (
        "<a>" + "".join(f"<b xmlns='u' xmlns:p{number}='u'/>" for number in range(10_001)) + "</a>",
        "the XML declares more than 20000 namespaces",
    ),
}


@pytest.mark.parametrize(("body", "reason"), BOUNDS.values(), ids=BOUNDS)
def test_names_and_declarations_have_bounds(body: str, reason: str) -> None:
    with pytest.raises(PayloadError) as refused:
        payload.parse("xml", body.encode())
    assert refused.value.reason == reason


def test_names_as_long_as_the_bound_are_read() -> None:
    name = "a" * 254
    body = f"<p:{name} xmlns:p='u' {name}bb='1' xmlns:{'b' * 250}='u'/>"
    assert payload.parse("xml", body.encode()) == {f"{name}@{name}bb": "1", name: ""}


def test_declarations_are_no_values() -> None:
    body = f"<a>{'<b xmlns=`u`>1</b>' * 19_999}</a>".replace("`", "'")
    assert payload.parse("xml", body.encode()) == {"a": {"b": ["1"] * 19_999}}


ENVELOPES = {
    "a prefix": f"<s:Envelope xmlns:s='{SOAP}'><s:Body>{LEAD}</s:Body></s:Envelope>",
    "another prefix": f"<é:Envelope xmlns:é='{SOAP}'><é:Body>{LEAD}</é:Body></é:Envelope>",
    "two prefixes": f"<s:Envelope xmlns:s='{SOAP}' xmlns:t='{SOAP}'><t:Body>{LEAD}</t:Body></s:Envelope>",
    "the default": f"<Envelope xmlns='{SOAP}'><Body><lead xmlns='u'><phone>1</phone></lead></Body></Envelope>",
    "the default, undone": f"<Envelope xmlns='{SOAP}'><Body><lead xmlns=''><phone>1</phone></lead></Body></Envelope>",
    "the default, for all": f"<Envelope xmlns='{SOAP}'><Body>{LEAD}</Body></Envelope>",
    "declared at the Body again": f"<s:Envelope xmlns:s='{SOAP}'><x:Body xmlns:x='{SOAP}'>{LEAD}</x:Body></s:Envelope>",
    "a Body of somebody else beside": (
        f"<s:Envelope xmlns:s='{SOAP}'><Body>x</Body><s:Body>{LEAD}</s:Body></s:Envelope>"
    ),
    "attributes": f"<s:Envelope xmlns:s='{SOAP}' s:encodingStyle='x'><s:Body id='1'>{LEAD}</s:Body></s:Envelope>",
    "an envelope within": (
        f"<s:Envelope xmlns:s='{SOAP}'><s:Header><s:Envelope><s:Body><a><b/></a></s:Body></s:Envelope></s:Header>"
        f"<s:Body>{LEAD}</s:Body></s:Envelope>"
    ),
}


@pytest.mark.parametrize("body", ENVELOPES.values(), ids=ENVELOPES)
def test_an_envelope_is_known_by_its_namespace_however_that_is_written(body: str) -> None:
    assert payload.parse("soap", body.encode()) == CONTENT
    assert payload.message(body.encode()) == CONTENT


NO_MESSAGES = {
    "the Body has another namespace": f"<s:Envelope xmlns:s='{SOAP}'><s:Body xmlns:s='u'>{LEAD}</s:Body></s:Envelope>",
    "the Envelope has another": f"<x:Envelope xmlns:x='u' xmlns:s='{SOAP}'><s:Body>{LEAD}</s:Body></x:Envelope>",
    "a namespace that begins the same": f"<s:Envelope xmlns:s='{SOAP}x'><s:Body>{LEAD}</s:Body></s:Envelope>",
    "the Body stands deeper": f"<s:Envelope xmlns:s='{SOAP}'><s:Header><s:Body>{LEAD}</s:Body></s:Header></s:Envelope>",
    "the Envelope stands deeper": f"<a xmlns:s='{SOAP}'><s:Envelope><s:Body>{LEAD}</s:Body></s:Envelope></a>",
    "the Body is the root": f"<s:Body xmlns:s='{SOAP}'>{LEAD}</s:Body>",
    "the Body is nil": (
        f"<s:Envelope xmlns:s='{SOAP}' xmlns:i='{XSI}'><s:Body i:nil='true'>{LEAD}</s:Body></s:Envelope>"
    ),
}


@pytest.mark.parametrize("body", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_what_only_looks_like_an_envelope_is_other_xml(body: str) -> None:
    with pytest.raises(PayloadError, match="not a SOAP"):
        payload.parse("soap", body.encode())
    assert payload.message(body.encode()) == payload.parse("xml", body.encode())


STRUCK = {
    "a default": ("<a xmlns='u S'><S>x</S></a>", "<a xmlns='u S'><S></S></a>"),
    "any prefix": ("<a xmlns:é='u'><é:S y='z'>x</é:S></a>", "<a xmlns:é='u'><é:S y='z'></é:S></a>"),
    "a prefix of that name": ("<S:a xmlns:S='u'><S:b>x</S:b></S:a>", "<S:a xmlns:S='u'><S:b>x</S:b></S:a>"),
    "a namespace that ends in it": ("<a xmlns='u S'><b>x</b></a>", "<a xmlns='u S'><b>x</b></a>"),
    "several": ("<a>1<S>x</S>2<b><S>x</S></b>3<S/><S>x</S></a>", "<a>1<S></S>2<b><S></S></b>3<S/><S></S></a>"),
    "none": ("<a>1</a>", "<a>1</a>"),
}


@pytest.mark.parametrize(("body", "kept"), STRUCK.values(), ids=STRUCK)
def test_secrets_are_struck_out_in_whatever_namespace_they_are(body: str, kept: str) -> None:
    request = Received(method="POST", url="https://e.com/", headers={}, body=body.encode())
    assert redact(request, kind="xml", fields={"S"}).body == kept.encode()


def garbage(body: str) -> int:
    """In another process, where nobody else makes any: what of a reading only a collection finds."""
    for _ in range(2):  # the first time more is made, which stays
        gc.collect()
        gc.disable()
        read(body)
    return gc.collect()


def read(body: str) -> None:
    request = Received(method="POST", url="https://e.com/", headers={}, body=f"<a>{body}</a>".encode())
    with suppress(PayloadError):
        payload.parse("xml", body.encode())
        redact(request, kind="xml", fields={"phone"})


def test_nothing_of_a_reading_waits_for_a_collection() -> None:
    assert in_processes(garbage, [f"<a>{LEAD}</a>", "<a>", "<x:a/>"]) == [0, 0, 0]
