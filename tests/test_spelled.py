"""A number is found in whatever spelling, and another one is not taken for it."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.policy.spelled import Spelled

ANN = Spelled("+18015550142")
HARROD = Spelled("+442079460958")
GERMAN = Spelled("+491721234567")
MAIL = base64.encodebytes(
    b"Dear all, please call me back as soon as you can, thank you. My number: 801-555-0142"
).decode()

SAME = {
    "E.164": (ANN, "+18015550142"),
    "in Xima's way": (ANN, "8015550142"),
    "with its country": (ANN, "18015550142"),
    "brackets": (ANN, "call (801) 555-0142 today"),
    "dots": (ANN, "801.555.0142"),
    "country and blanks": (ANN, "+1 801 555 0142"),
    "from abroad": (ANN, "001 801-555-0142"),
    "from Australia": (ANN, "0011 1 801 555 0142"),
    "an extension": (ANN, "801-555-0142 x12"),
    "an address of the web": (ANN, "tel:+1-801-555-0142"),
    "JSON": (ANN, json.dumps({"id": 7, "phone": "+1 (801) 555-0142"})),
    "dashes that JSON escapes": (ANN, json.dumps({"phone": "801\u2011555\u20110142"})),
    "other digits": (ANN, "\uff18\uff10\uff11-\uff15\uff15\uff15-\uff10\uff11\uff14\uff12"),
    "Arabic digits that JSON escapes": (
        ANN,
        json.dumps("\u0668\u0660\u0661\u0665\u0665\u0665\u0660\u0661\u0664\u0662"),
    ),
    "a form": (ANN, urlencode({"id": 1, "phone": "+1 801 555 0142"})),
    "a form with brackets": (ANN, urlencode({"phone": "(801) 555-0142", "id": 1})),
    "XML": (ANN, "<id>12</id><Phone>&#43;1&#32;801&#45;555&#45;0142</Phone>"),
    "JSON of PHP": (GERMAN, '{"phone":"0172\\/1234567"}'),
    "blanks that JSON escapes": (ANN, '{"phone":"801\\t555\\n0142"}'),
    "JSON within JSON": (ANN, json.dumps({"body": json.dumps({"phone": "801\u2011555\u20110142"})})),
    "JSON in a form": (ANN, urlencode({"rawRequest": json.dumps({"phone": "801\u2011555\u20110142"})})),
    "a form with a line break": (ANN, "phone=801%2D555%2D0142\r\n"),
    "a form with a blank": (ANN, "phone=%28801%29%20555%2D0142&note=x y"),
    "a form with a blank that ends its words": (ANN, "phone=%28801%29 555+0142"),
    "a form whose number begins with a blank": (ANN, "phone=+801+555+0142\n"),
    "a form whose number begins with a blank and a bracket": (ANN, "phone=+%28801%29+555-0142&x=y"),
    "a form that was encoded twice": (ANN, "phone=801%252D555%252D0142"),
    "an address within JSON": (ANN, json.dumps({"id": 1, "url": "https://x/?phone=%28801%29+555+0142&a=b c"})),
    "an address without a query": (ANN, '{"href": "tel:+1%20801%20555%200142"}'),
    "a form in other charsets": (ANN, "phone=801%A0555%A00142"),
    "references of HTML": (ANN, "801&nbsp;555&#x2013;0142"),
    "references within JSON": (ANN, '{"text": "call &lpar;801&rpar;&nbsp;555&hyphen;0142"}'),
    "XML in sections": (ANN, "<a><![CDATA[801]]><![CDATA[555]]>0142</a>"),
    "XML with a remark": (ANN, "<a>801<!-- home -->555<?x y?>0142</a>"),
    "base64": (ANN, "Content-Transfer-Encoding: base64\r\n\r\n" + MAIL),
    "base64 in JSON": (ANN, json.dumps({"data": MAIL.replace("\n", "")})),
    "blanks that do not break": (ANN, "801\u00a0555\u202f0142"),
    "signs that nobody sees": (ANN, "801\u200b555\u00ad0142\u202c"),
    "dots in the middle": (ANN, "801\u00b7555\u20220142"),
    "underscores": (ANN, "801_555_0142"),
    "much between": (ANN, "801  -  555 - 0142"),
    "letters of another charset between": (ANN, b"801\xa0555\xa00142".decode(errors="replace")),
    "a number before it": (ANN, "12 801-555-0142"),
    "within its country": (HARROD, "020 7946 0958"),
    "both ways": (HARROD, "+44 (0)20 7946 0958"),
    "from within Europe": (HARROD, "00442079460958"),
}
OTHER = {
    "one digit more": (ANN, "80155501420"),
    "one digit less": (ANN, "801555014"),
    "another country": (ANN, "+39 801 555 0142"),
    "another country in one": (ANN, "398015550142"),
    "another country from abroad": (ANN, "0039 801 555 0142"),
    "another country in a form": (ANN, urlencode({"phone": "+39 801 555 0142"})),
    "another country in JSON": (ANN, json.dumps({"q": "a=b", "phone": "+39 801 555 0142"})),
    "another country in a form with blanks": (ANN, "phone=%2B39+801+555+0142&note=x y"),
    "another country in a form of several parts": (
        ANN,
        '--b\r\nContent-Disposition: form-data; name="p"\r\n\r\n+39 801 555 0142',
    ),
    "another country with dashes in a form": (ANN, urlencode({"phone": "+39-801-555-0142"})),
    "another country that JSON escapes": (ANN, '{"phone": "\\u002b39-801-555-0142"}'),
    "another country in XML": (ANN, "<Phone>&#43;39 801-555-0142</Phone>"),
    "another country in a form that was encoded twice": (ANN, "phone=%252B39-801-555-0142"),
    "another country in a form written badly": (ANN, "https://x/?id=1&phone=+39%20801%20555%200142"),
    "another country in a link": (ANN, '{"href": "tel:+39%20801%20555%200142"}'),
    "another country in base64": (ANN, base64.b64encode(b"phone: +39 801 555 0142").decode()),
    "the middle of an id": (ANN, "77788015550142"),
    "another area": (HARROD, "+44 121 7946 0958"),
    "nothing": (ANN, ""),
}


@pytest.mark.parametrize(("number", "text"), SAME.values(), ids=SAME)
def test_it_is_found(number: Spelled, text: str) -> None:
    assert number.is_in(text)


@pytest.mark.parametrize(("number", "text"), OTHER.values(), ids=OTHER)
def test_another_one_is_not_taken_for_it(number: Spelled, text: str) -> None:
    assert not number.is_in(text)
    assert number.struck(text) == text


def test_it_is_struck_out_and_nothing_else_is() -> None:
    said = "no agent for (801) 555-0142, asked again: +18015550142; not +398015550142"
    assert ANN.struck(said) == "no agent for (****, asked again: +1****; not +398015550142"


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 250_000,
        "<?" * 500_000,
        "&#" * 500_000,
        "%25" * 300_000,
        "\\\\" * 500_000,
        "A" * 999_999 + "\n",
        "80155501" * 99_999,
    ],
    ids=lambda text: text[:4],
)
def test_a_text_made_to_hurt_is_looked_at_as_soon(text: str) -> None:
    begun = time.process_time()
    assert not ANN.is_in(text)
    assert time.process_time() - begun < 30  # quadratic work would take hours


def test_what_was_escaped_too_often_is_given_up() -> None:
    text = "801-555-0142"
    for _ in range(40):
        text = json.dumps(text)[1:-1].replace("-", "\\u002d").replace("\\", "\\u005c")[:200_000]
    assert not ANN.is_in(text)


@given(st.text(), st.text())
def test_no_text_is_too_strange_to_look_at(before: str, after: str) -> None:
    text = f"{before}\x008015550142\x00{after}"
    assert ANN.is_in(text)
    assert "8015550142" not in ANN.struck(text)
