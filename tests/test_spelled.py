"""A number is found in whatever spelling, and another one is not taken for it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.policy.spelled import Spelled

ANN = Spelled("+18015550142")
HARROD = Spelled("+442079460958")

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


@given(st.text(), st.text())
def test_no_text_is_too_strange_to_look_at(before: str, after: str) -> None:
    text = f"{before}\x008015550142\x00{after}"
    assert ANN.is_in(text)
    assert "8015550142" not in ANN.struck(text)
