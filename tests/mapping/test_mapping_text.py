"""Reading a YAML text: every scalar is the text typed, what YAML does with it elsewhere is refused, at its place."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.errors import MappingError
from adapter.mapping import complaints, text
from adapter.mapping.problems import Place, Problem, render


def refused(content: str) -> Problem:
    with pytest.raises(MappingError) as caught:
        text.read(content)
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    return problem


@pytest.mark.parametrize(
    ("typed", "key", "value"),
    [
        ("country: NO", "country", "NO"),
        ("on: yes", "on", "yes"),
        ("ext: 0101", "ext", "0101"),
        ("ext: 0089", "ext", "0089"),
        ("phone: 08005550142", "phone", "08005550142"),
        ("phone: +18005550142", "phone", "+18005550142"),
        ("time: 8:30", "time", "8:30"),
        ("time: 17:00", "time", "17:00"),
        ("ver: 1.10", "ver", "1.10"),
        ("date: 2026-11-22", "date", "2026-11-22"),
        ("about: null", "about", "null"),
        ("about: ~", "about", "~"),
        ("n: .inf", "n", ".inf"),
        ("n: 0x1F", "n", "0x1F"),
        ("n: 1_000", "n", "1_000"),
        ("text: a#b", "text", "a#b"),
        ("text: it's", "text", "it's"),
        ("text: 'it''s'", "text", "it's"),
        ('text: "*67"', "text", "*67"),
        ('text: "\\u00e9"', "text", "\u00e9"),
        ("text: x {{ y }}", "text", "x {{ y }}"),
        ("text: ${a}-${b}", "text", "${a}-${b}"),
        ("1: x", "1", "x"),
        ("text: |\n  a: b\n  c", "text", "a: b\nc"),
        ("text: >\n  a\n  b", "text", "a b"),
        ("text: ''", "text", ""),
    ],
)
def test_a_scalar_is_the_text_that_was_typed(typed: str, key: str, value: str) -> None:
    assert text.read(typed).data == {key: value}


@pytest.mark.parametrize("typed", ["a:", "a: # nothing", "a:\n\n", "{a}", "{a: }"])
def test_nothing_typed_is_nothing(typed: str) -> None:
    assert text.read(typed).data == {"a": None}


@pytest.mark.parametrize("typed", ["", "\n", "# only a comment", "---\n", "\ufeff"])
def test_a_text_without_content_has_none(typed: str) -> None:
    assert text.read(typed).data is None


def test_lists_and_groups_know_where_they_stand() -> None:
    data: Any = text.read("a:\n  - b: c\n  - [d, e]\n").data
    assert data == {"a": [{"b": "c"}, ["d", "e"]]}
    assert (data.where, data["a"].where, data["a"][0].where) == ((), ("a",), ("a", 0))
    assert (data["a"][0]["b"].where, data["a"][1][1].where) == (("a", 0, "b"), ("a", 1, 1))


POSITIONS = """\
# a comment with an emoji \U0001f600
a: b
é: "cd"
list:
  - one
  - {two: three}
block: |
  first
    second
folded: >
  first
odd: "x\\ty"
long: one
  two
nothing:
"""


@pytest.mark.parametrize(
    ("where", "of_key", "place"),
    [
        (("a",), False, Place(2, 4, inside=4)),
        (("a",), True, Place(2, 1, inside=1)),
        (("é",), False, Place(3, 4, inside=5)),
        (("list",), False, Place(5, 3)),
        (("list", 0), False, Place(5, 5, inside=5)),
        (("list", 1, "two"), False, Place(6, 11, inside=11)),
        (("list", 1, "two"), True, Place(6, 6, inside=6)),
        (("block",), False, Place(7, 8, block=3)),
        (("folded",), False, Place(10, 9)),
        (("odd",), False, Place(12, 6)),
        (("long",), False, Place(13, 7)),
        (("nothing",), False, Place(15, 9, inside=9)),
        (("list", 1, "two", "deeper", 7), False, Place(6, 11, inside=11)),
        (("unknown",), False, Place(2, 1)),
        (("unknown",), True, Place(2, 1)),
    ],
)
def test_a_place_points_at_the_text_that_was_typed(where: text.Where, of_key: bool, place: Place) -> None:
    assert text.read(POSITIONS).place(where, of_key=of_key) == place


def test_a_place_of_an_empty_text_is_its_beginning() -> None:
    assert text.read("").place(("a",)) == Place(1, 1)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_alike_however_they_end(ending: str) -> None:
    tree = text.read(ending.join(["a: b", "# c", "d: |", "  {", "   x", "e: f", ""]))
    assert tree.place(("e",)).line == 6
    assert tree.place(("d",)) == Place(3, 4, block=3)


def test_a_byte_order_mark_moves_nothing() -> None:
    assert text.read("\ufeffa: b").place(("a",)) == Place(1, 4, inside=4)


@pytest.mark.parametrize(
    ("place", "line", "column", "meant"),
    [
        (Place(7, 8, block=3), 2, 5, (9, 7)),
        (Place(3, 4, inside=5), 1, 2, (3, 6)),
        (Place(3, 4, inside=5), 2, 1, (3, 4)),
        (Place(10, 9), 1, 4, (10, 9)),
    ],
    ids=["block text", "one line", "no second line", "folded"],
)
def test_a_place_within_a_text_is_told_where_it_can_be(
    place: Place, line: int, column: int, meant: tuple[int, int]
) -> None:
    found = place.within(line, column)
    assert (found.line, found.column) == meant


@pytest.mark.parametrize(
    ("block", "margin"),
    [
        ("|\n\n   a\n", 4),
        ("|2\n     a\n", 3),
        ("|-\n  a", 3),
        ("| # comment\n  a\n", 3),
        ("|\n", None),
        (">\n  a\n", None),
    ],
)
def test_the_margin_of_a_block_text_is_where_its_lines_begin(block: str, margin: int | None) -> None:
    assert text.read(f"a: {block}").place(("a",)).block == margin


REFUSED = [
    ("an alias", "a: *67", (1, 4), "aliases are not read here", '"*67"'),
    ("an anchor", "a: &67", (1, 4), "anchors are not read here", '"&67"'),
    ("an anchor on a list", "a: &x [b]", (1, 4), "anchors are not read here", '"&x"'),
    ("a tag", "a: !x y", (1, 4), "tags are not read here", '"!x"'),
    ("a tag of python", "a: !!python/object:os.system x", (1, 4), "tags are not read here", "quotes"),
    ("a merge key", "a:\n  <<: b", (2, 3), "merge keys (<<) are not read here", "write the keys out"),
    ("a key twice", "a: 1\nb: 2\na: 3", (3, 1), "the key 'a' appears twice (first on line 1)", "remove one"),
    ("a key twice, quoted", "a: 1\n'a': 3", (2, 1), "the key 'a' appears twice (first on line 1)", "remove one"),
    ("braces", "a: {{ b }}", (1, 5), "a key must be plain text", "use ${field} instead of {{field}}"),
    ("a list as a key", "? [a]\n: b", (1, 3), "a key must be plain text", "a single word, a colon"),
    ("a question mark before a key", "a: b\n? c: d", (2, 3), "a key must be plain text", "a single word, a colon"),
    ("a question mark before a text", "a: ? b", (1, 4), "a text cannot begin with ?", "quotes"),
    ("an item behind its key", "a: - b", (1, 4), "a list cannot begin behind its key", "write [one, two]"),
    ("a tag with a handle", "a: !e!x y", (1, 4), "tags are not read here", "quotes"),
    ("a tag never closed", "a: !<x y", (1, 4), "tags are not read here", "quotes"),
    ("a tag of other signs", "a: !<%zz> y", (1, 4), "tags are not read here", "quotes"),
    ("a tag that goes on", "a: !x{b}", (1, 4), "tags are not read here", "quotes"),
    ("a tab in a block text", "a: |\n\t b", (2, 1), "a tab cannot stand here", "indent with blanks"),
    ("a block text indented by nothing", "a: |0\n b", (1, 4), "after | or > nothing else can stand", "quotes"),
    (
        "a block text below its key",
        "a:\n  b: |\n  {c}\n  d: e",
        (3, 3),
        "not part of the text after |",
        "further to the",
    ),
    ("a document in a quote", 'a: "b\n---\nc"', (1, 4), "a quote is opened here and never closed", "same sign"),
    ("a backslash and x", 'a: "\\xzz"', (1, 7), "a backslash has a meaning inside double quotes", "single quotes"),
    ("a backslash and U", 'a: "\\UFFFFFFFF"', (1, 7), "a backslash has a meaning inside", "single quotes"),
    ("a text after the end", "a: b\n...\nc: d", (3, 1), "what is above this is complete already", "key: value"),
    ("two texts", '"a" "b"', (1, 5), "what is above this is complete already", "key: value"),
    ("a second document", "a: b\n---\nc: d", (2, 1), "a second document begins here", "one file"),
    ("a directive", "%YAML 1.1\n---\na: b", (1, 1), "a line cannot begin with %", "quotes"),
    ("a NUL", "a: b\nc: \x00", (2, 4), "the character U+0000 cannot stand in a mapping", "remove it"),
    ("a control character", "a: \x1b[0m", (1, 4), "the character U+001B cannot stand in a mapping", "remove it"),
    ("half a surrogate pair", "a: \ud800", (1, 4), "the character U+D800 cannot stand in a mapping", "remove it"),
    ("a NUL by its number", 'a: b\nc: "x\\0"', (2, 4), "the character U+0000 cannot stand in a mapping", "remove it"),
    ("binary", "PK\x03\x04", (1, 3), "the character U+0003 cannot stand in a mapping", "remove it"),
    ("a bad character on a new line", "a: b\n\x7f", (2, 1), "the character U+007F cannot stand", "remove it"),
    ("a tab before a key", "a:\n\tb: c", (2, 1), "a tab cannot stand here", "indent with blanks"),
    ("a tab among blanks", "a: b\n  \tc: d", (2, 5), "a tab cannot stand here", "indent with blanks"),
    ("a tab deeper", "a:\n  - b: c\n\t  d: e", (3, 1), "a tab cannot stand here", "indent with blanks"),
    ("a quoted start", 'a: "b" c', (1, 8), "the text goes on after its closing quote", "like '\"b\" c'"),
    ("a quoted start in a list", "- 'b' c", (1, 7), "the text goes on after its closing quote", "the whole of it"),
    ("a bracket start", "a: [b] c", (1, 8), "the text goes on after its closing quote or bracket", "'[b] c'"),
    ("an apostrophe", "a: 'it's'", (1, 8), "the text goes on after its closing quote", "quotes"),
    ("a colon in a text", "a: call: now", (1, 8), "a second colon and blank on one line", "': '"),
    ("a line too deep", "a: 1\n  b: 2", (2, 4), "this line does not fit the one above it", "indentation"),
    ("a line not deep enough", "a:\n  b: 1\n c: 2", (3, 2), "this line fits none of those above it", "same column"),
    ("a key among items", "a:\n  - x\n  b: 1", (3, 3), "this line fits none of those above it", "same column"),
    ("a field in a flow list", "a: [${b}, c]", (1, 6), "braces inside [ ] or { } need quotes", '"${field}"'),
    ("a field in a flow group", "a: {b: ${c}}", (1, 9), "braces inside [ ] or { } need quotes", '"${field}"'),
    ("a list never closed", "a: [b, c\nd: e", (1, 4), "what is opened here is not closed", "close it with ] or }"),
    ("a list never closed at the end", "a: [b", (1, 4), "what is opened here is not closed", "close it with"),
    ("a quote never closed", 'a: "b\nc: d', (1, 4), "a quote is opened here and never closed", "same sign"),
    ("a backslash", 'a: "\\d"', (1, 5), "a backslash has a meaning inside double quotes", "single quotes"),
    ("an at sign", "a: @b", (1, 4), "a text cannot begin with @", "quotes"),
    ("a backtick", "a: `b`", (1, 4), "a text cannot begin with `", "quotes"),
    ("a percent sign", "a: %b", (1, 4), "a text cannot begin with %", "quotes"),
    ("a star alone", "a: * 67", (1, 4), "a text cannot begin with this sign", "quotes"),
    ("a comma", "a: , b", (1, 4), "a text cannot begin with this sign", "quotes"),
    ("a greater-than sign", "a: >500", (1, 4), "after | or > nothing else can stand on the line", "quotes"),
    ("no colon", "a: 1\nb\nc: 2", (2, 1), "a colon and a blank are missing after this", "key: value"),
    ("no blank after the last colon", "a: 1\nb:2\n", (2, 2), "a blank is missing after this colon", "key: value"),
    ("a pasted blank", "a:\n\xa0\xa0b: 1\n  c: 2", (2, 1), "a blank that is none stands here", ""),
    ("a pasted blank after a colon", "a: 1\nb:\xa02\nc: 3", (2, 3), "a blank that is none", ""),
    (
        "a dash of a word processor",
        "a:\n  \u2013 b: 1\n    c: 2",
        (2, 3),
        "not the - that begins an item",
        "write - and",
    ),
    ("no blank after a colon", "a:\n  b:1\n  c: 2", (2, 4), "a blank is missing after this colon", "key: value"),
    ("no key", ": b", (1, 1), "this line fits none of those above it", "same column"),
    ("a key after all is done", '"a": b\n"c"', (2, 1), "a colon and a blank are missing", "key: value"),
    ("a list only begun", "a:\n- [", (2, 4), "something is missing here", "close every [ with ]"),
]


@pytest.mark.parametrize(
    ("content", "at", "message", "hint"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_it_refuses_with_the_place_and_what_to_write(
    content: str, at: tuple[int, int], message: str, hint: str
) -> None:
    problem = refused(content)
    assert (problem.place.line, problem.place.column) == at
    assert message in problem.message
    assert hint in problem.hint


def test_a_complaint_that_nobody_foresaw_is_told_as_it_is() -> None:
    mark = yaml.Mark("", 0, 1, 2, None, 0)
    problem = complaints.problem("a: b\nc: d\n", yaml.scanner.ScannerError(None, None, "the moon is full", mark))
    assert (problem.place, problem.message) == (Place(2, 3), "the moon is full")
    assert "needs quotes" in problem.hint


NAMES = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=4)][:100_000]
BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise("abcdefghijk")
)
HOSTILE = {
    "two megabytes": ("a: b\n" * 400_000, "larger than 512 KB"),
    "100,000 keys": ("{" + ",".join(NAMES) + "}", "more than 50,000 values"),
    "100,000 lines": ("- a\n" * 100_000, "more than 50,000 values"),
    "100,000 lines of an old Mac": ("- a\r" * 100_000, "more than 50,000 values"),
    "lists nested 100,000 deep": ("[" * 100_000, "nested deeper than 30 levels"),
    "closed lists nested 100,000 deep": ("[" * 100_000 + "]" * 100_000, "nested deeper than 30 levels"),
    "groups nested 100,000 deep": ("{a: " * 100_000, "nested deeper than 30 levels"),
    "items nested 100,000 deep": ("- " * 100_000, "nested deeper than 30 levels"),
    "keys in keys 100,000 deep": ("? " * 100_000, "a key must be plain text"),
    "billion laughs": (BOMB, "anchors are not read here"),
    "100,000 tag directives": ("".join(f"%TAG !a{n}! x\n" for n in range(20_000)), "a line cannot begin with %"),
    "100,000 documents": ("--- a\n" * 40_000, "a second document begins here"),
    "a key of half a megabyte": ("x" * 500_000 + ": a: b", "this line does not fit"),
    "half a megabyte of colons": (":" * 500_000, "this line does not fit"),
    "half a megabyte of quotes": ("'" * 500_001, "a quote is opened here and never closed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused_with_bounded_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, message = HOSTILE[name]
    met = 0

    def parse(*args: Any, **kwargs: Any) -> Iterator[Any]:
        nonlocal met
        for event in yaml.parse(*args, **kwargs):
            met += 1
            yield event

    monkeypatch.setattr(text, "yaml", SimpleNamespace(**{**vars(yaml), "parse": parse}))
    assert message in refused(content).message
    assert met <= text.MOST_NODES + text.MOST_DEPTH  # `python -m benchmarks --only hostile` prints the seconds


def test_the_limits_are_what_the_documentation_says() -> None:
    assert (text.MOST_BYTES, text.MOST_DEPTH, text.MOST_NODES) == (512 * 1024, 30, 50_000)
    assert text.read("a: " + "x" * (512 * 1024 - 3)).data
    assert "larger than 512 KB" in refused("a: " + "ü" * (256 * 1024 - 1)).message
    assert text.read("[" * 30 + "]" * 30).data
    assert "nested deeper" in refused("[" * 31 + "x" + "]" * 31).message
    assert len(text.read("\n".join(f"{name}: x" for name in NAMES[:24_000])).data) == 24_000
    assert "50,000 values" in refused("{" + ",".join(NAMES[:25_001]) + "}").message


def check(content: str) -> None:
    try:
        tree = text.read(content)
    except MappingError as exc:
        (problem,) = exc.problems
        assert isinstance(problem, Problem)
        assert problem.message
        assert 1 <= problem.place.line <= len(f"{content}.".splitlines())
        assert problem.place.column >= 1
    else:
        for where in tree.values:
            place = tree.place(where)
            assert place.line <= len(tree.lines) + 1


@given(st.text())
@example("a: |")
@example("a: 'x\u2028y'")
@example("? a")
@example('"\\ud800"')
def test_any_text_is_read_or_refused(content: str) -> None:
    check(content)


@given(st.text(alphabet="ab01 \n\t:-?[]{},#&*!|>'\"%@`\\$.~<=\r\u2028\ufeff", max_size=60))
@settings(max_examples=160)
def test_any_text_of_signs_is_read_or_refused(content: str) -> None:
    check(content)


WORDS = st.text(alphabet="abcdefgh0123456789_", min_size=1, max_size=12)
STYLES: dict[str, Callable[[str], str]] = {
    "plain": lambda word: word,
    "in quotes": lambda word: f"'{word}'",
    "in double quotes": lambda word: f'"{word}"',
}
TREES: Any = st.recursive(
    st.tuples(st.sampled_from(sorted(STYLES)), WORDS),
    lambda below: st.lists(below, min_size=1, max_size=4) | st.dictionaries(WORDS, below, min_size=1, max_size=4),
    max_leaves=20,
)


def typed(tree: Any, indent: int) -> list[str]:
    """The lines of a tree as somebody might type it, each leaf in its style."""
    if isinstance(tree, tuple):
        return [" " * indent + STYLES[tree[0]](tree[1])]
    lines = []
    for key, below in tree.items() if isinstance(tree, dict) else enumerate(tree):
        head = f"{' ' * indent}{key}:" if isinstance(tree, dict) else f"{' ' * indent}-"
        if isinstance(below, tuple):
            lines.append(f"{head} {STYLES[below[0]](below[1])}  # {key}")
        else:
            lines += [head, *typed(below, indent + 2)]
    return lines


@given(st.dictionaries(WORDS, TREES, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_every_place_points_at_the_text_that_was_typed(meant: dict[str, Any], ending: str) -> None:
    tree = text.read(ending.join(typed(meant, 0)))
    for where, event in tree.values.items():
        place = tree.place(where)
        if isinstance(event, yaml.ScalarEvent):
            assert place.inside
            assert tree.lines[place.line - 1][place.inside - 1 :].startswith(event.value)
            assert place.inside - place.column == bool(event.style)
    for where in tree.keys:
        place = tree.place(where, of_key=True)
        assert tree.lines[place.line - 1][place.column - 1 :].startswith(f"{where[-1]}:")


SCALARS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


@given(st.lists(SCALARS, min_size=1, max_size=5))
def test_quoted_texts_come_back_and_their_places_hold_them(values: list[str]) -> None:
    content = "".join(f"- '{value.replace(chr(39), chr(39) * 2)}'\n" for value in values)
    tree = text.read(content)
    assert tree.data == values
    for number, value in enumerate(values):
        place = tree.place((number,))
        if "'" not in value:
            assert place.inside
            assert content.split("\n")[place.line - 1][place.inside - 1 :] == f"{value}'"


def test_a_sign_that_is_not_seen_is_named_under_any_line_that_is_shown() -> None:
    shown = render("x.yaml", ["region: US\u200b"], Problem(Place(1, 9), "'US' is not a country code"))
    assert shown.endswith(
        "= in column 11 stands a sign that is not seen (U+200B): type the line anew, with ordinary blanks"
    )
