from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import path
from adapter.errors import TextError

RECORD: dict[str, Any] = {
    "vid": 123,
    "zero": 0,
    "no": False,
    "nothing": None,
    "properties": {"phone": {"value": "+1 202-555-0143"}},
    "hs lead source": "Web",
    "portal-id": 62515,
    "1": {"3": "by steps"},
    "1.3": "Ada",
    "contact[phone]": "555-0142",
    'say "hi"': "quoted",
    "Phone@type": "mobile",
    "urn:li/lead_1": "colon",
    "Straße": "letters",
    "let": {"x": "of the record"},
    "request": "of the record",
    "phones": [
        {"label": "work", "value": "1", "primary": False, "id": 7},
        {"label": " Mobile ", "value": "2", "primary": True, "id": Decimal("8.0")},
        {"label": "home", "value": "3", "tags": ["evening", "night"], "at": {"ref": "topic"}},
    ],
    "one": {"label": "work", "value": "1"},
    "text": "scalar",
    "empty": [],
}
PHONES = RECORD["phones"]


def follow(text: str, tree: Any = RECORD) -> Any:
    return path.get(path.compile(text), tree)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vid", 123),
        ("zero", 0),
        ("no", False),
        ("properties.phone.value", "+1 202-555-0143"),
        ("  properties.phone.value  ", "+1 202-555-0143"),
        ("hs lead source", "Web"),
        ("portal-id", 62515),
        ("Phone@type", "mobile"),
        ("urn:li/lead_1", "colon"),
        ("Straße", "letters"),
        ("1.3", "by steps"),
        ('$["1.3"]', "Ada"),
        ("$['1.3']", "Ada"),
        ('$[ "1.3" ]', "Ada"),
        ('$["contact[phone]"]', "555-0142"),
        ("$['say \"hi\"']", "quoted"),
        ('properties["phone"].value', "+1 202-555-0143"),
        ("$.vid", 123),
        ("$.let.x", "of the record"),
        ("$.request", "of the record"),
        ("$", RECORD),
        ("phones[0].value", "1"),
        ("phones[-1].value", "3"),
        ("phones[ 1 ].value", "2"),
        ("phones[label=mobile].value", "2"),
        ("phones[ label = MOBILE ].value", "2"),
        ('phones[label="mobile"].value', "2"),
        ("phones[primary=true].value", "2"),
        ("phones[id=7].value", "1"),
        ("phones[id=8].value", "2"),
        ("phones[at.ref=topic].value", "3"),
        ("phones[tags=evening].value", "3"),
        ("phones[label=home].tags[1]", "night"),
    ],
)
def test_a_path_leads_to_its_value(text: str, value: object) -> None:
    assert follow(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "nobody",
        "nothing",
        "nothing.at.all",
        "vid.deeper",
        "text.deeper",
        "properties.phone.value.deeper",
        "phones.value",
        "phones.0",
        "phones[3]",
        "phones[-4]",
        "phones[label=fax].value",
        "phones[nobody=x]",
        "phones[at=topic]",
        "empty[0]",
        "empty[-1]",
        "empty[a=b]",
        "nobody[0]",
        "nobody[a=b]",
        "text[1]",
        "text[a=b]",
    ],
)
def test_a_path_that_leads_nowhere_is_nothing(text: str) -> None:
    assert follow(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("one[0].value", "1"),
        ("one[-1].value", "1"),
        ("one[label=work].value", "1"),
        ("one[label=home].value", None),
        ("one[1].value", None),
        ("text[0]", "scalar"),
    ],
)
def test_what_is_no_list_counts_as_a_list_of_one(text: str, value: object) -> None:
    assert follow(text) == value


def test_the_record_may_be_a_list() -> None:
    assert follow("$[0].a", [{"a": 1}]) == 1
    assert follow("$[a=2].b", [{"a": 1}, {"a": 2, "b": 3}]) == 3
    assert follow("a", [{"a": 1}]) is None


@pytest.mark.parametrize(
    ("text", "root", "steps"),
    [
        ("a.b", "record", ("a", "b")),
        ("$", "record", ()),
        ("let.phone", "let", ("phone",)),
        ("let", "let", ()),
        ("let[0]", "let", (0,)),
        ("$.let.phone", "record", ("let", "phone")),
        ('$["let"]', "record", ("let",)),
        ("letter.x", "record", ("letter", "x")),
        ("request.body.a", "request", ("body", "a")),
        ("request.query.src", "request", ("query", "src")),
        ("request.query.Src", "request", ("query", "Src")),
        ("request.headers.X-Request-Id", "request", ("headers", "x-request-id")),
        ("request.headers[0]", "request", ("headers", 0)),
        ("request.headers", "request", ("headers",)),
        ("request", "request", ()),
        ("$.request.headers.X-Id", "record", ("request", "headers", "X-Id")),
    ],
)
def test_a_path_knows_which_tree_it_starts_in(text: str, root: str, steps: tuple[object, ...]) -> None:
    compiled = path.compile(text)
    assert (compiled.root, compiled.steps) == (root, steps)


def test_a_path_keeps_its_text_and_can_be_a_key() -> None:
    one, same = path.compile(" a[b = 'C'].d "), path.compile("a[b = 'C'].d")
    assert str(one) == one.text == "a[b = 'C'].d"
    assert {one: 1}[same] == 1


@pytest.mark.parametrize(
    ("text", "offset", "remedy"),
    [
        ("", 0, "$ for the whole record"),
        ("   ", 0, "a path is missing"),
        ("a.", 1, "right after a dot comes a name"),
        ("a..b", 1, "right after a dot comes a name"),
        (".a", 0, "right after a dot comes a name"),
        ("  a..b", 3, "right after a dot comes a name"),
        ("a. b", 1, "right after a dot comes a name"),
        ("$a", 1, "a dot is missing before 'a'"),
        ("list[0]x", 7, "a dot is missing before 'x'"),
        ("${let.phone}", 1, "without braces: let.phone"),
        ("{{ let.phone }}", 0, "without braces: let.phone"),
        ("[0].a", 0, "$[0].a"),
        ("list[0", 4, "never closed"),
        ("contact[phone]", 7, '$["contact[phone]"]'),
        ("a[?type=='phone']", 1, "key=value"),
        ("a[x=]", 1, "key=value"),
        ("a[=x]", 1, "key=value"),
        ("a[]", 1, "key=value"),
        ("a[1.5]", 1, "key=value"),
        ("a['x]", 1, "key=value"),
        ("a[x='y]", 1, "key=value"),
        ("Phone*", 5, '$["Phone*"]'),
        ("a.Phone*.value", 7, 'quoted it can: a["Phone*"].value'),
        ("$.a.Phone*", 9, 'quoted it can: a["Phone*"]'),
        ("list[0].Phone*.value", 13, 'quoted it can: list[0]["Phone*"].value'),
        ("$[0].a*", 6, 'quoted it can: $[0]["a*"]'),
        ("a.q3[full].x", 4, 'a field called q3[full] is a["q3[full]"].x'),
        ("a[0].Your phone?.b", 15, '["Your phone?"]'),
        ('a"b', 1, "$['a\"b']"),
        ("a\tb", 1, "quoted"),
        ("a|b", 1, "quoted"),
    ],
)
def test_a_wrong_path_is_refused_with_its_place_and_a_remedy(text: str, offset: int, remedy: str) -> None:
    with pytest.raises(TextError) as refused:
        path.compile(text)
    assert refused.value.offset == offset
    assert remedy in refused.value.reason


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is ", "as it is "),
        ("", ""),
        ("0101", "0101"),
        (0, "0"),
        (8015550142, "8015550142"),
        (-5, "-5"),
        (Decimal("8015550142.0"), "8015550142"),
        (Decimal("8.015550142E9"), "8015550142"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.0"), "0"),
        (Decimal("1234567890123456789012345678901234567.0"), "1234567890123456789012345678901234567"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1.5E-7"), "0.00000015"),
        (Decimal("NaN"), None),
        (8015550142.0, "8015550142"),
        (0.1, "0.1"),
        (float("inf"), None),
        (True, "true"),
        (False, "false"),
        (None, None),
        (["a", "b"], "a"),
        ([[Decimal("2.0")]], "2"),
        ([None, "b"], None),
        ([], None),
        ([{"a": 1}], None),
        ({"a": 1}, None),
    ],
)
def test_text_of_is_what_a_text_place_wants(value: object, text: str | None) -> None:
    assert path.text_of(value) == text


NAMES = st.sampled_from(["a", "b", "let", "hs lead source", "1", "request"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.decimals(-100, 100, places=2), NAMES
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)
STEPS = st.one_of(
    NAMES.map(lambda name: f".{name}"),
    NAMES.map(lambda name: f"['{name}']"),
    st.integers(-3, 3).map(lambda index: f"[{index}]"),
    st.tuples(NAMES, NAMES).map(lambda pair: f"[{pair[0]}={pair[1]}]"),
    st.tuples(NAMES, NAMES).map(lambda pair: f"[{pair[0]}.a={pair[1]}]"),
)


@settings(max_examples=120)
@given(st.lists(STEPS, max_size=4), TREES)
def test_following_a_path_never_raises(steps: list[str], tree: Any) -> None:
    found = follow("$" + "".join(steps), tree)
    assert steps or found is tree
    path.text_of(found)


@settings(max_examples=120)
@given(st.text(alphabet="ab.[]$=\"' -10{}é*", max_size=12))
def test_a_text_is_a_path_or_is_refused_inside_itself(text: str) -> None:
    try:
        compiled, offset = path.compile(text), 0
    except TextError as refused:
        compiled, offset = None, refused.offset
    assert 0 <= offset <= len(text)
    assert compiled is None or path.compile(compiled.text) == compiled


def test_a_hostile_path_costs_nothing_to_refuse() -> None:
    with pytest.raises(TextError):
        path.compile("a" + " a" * 100_000 + "*")
    with pytest.raises(TextError):
        path.compile("a[" + "a." * 100_000)
