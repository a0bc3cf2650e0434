"""What may stand before a number: a prefix opens an outside line and leads nowhere else, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample import NOW

from adapter import sources
from adapter.errors import MappingError
from adapter.mapping import Mapping, render, results
from adapter.mapping.dialling import problems

HEAD = """\
format: 1
name: lead
tenant: acme
receive:
  from: basic
  secrets: [NAME_AND_PASSWORD]
  body: json
once:
  key: ${id}
rules:
  - click_to_dial:
      agent: 0101
      number_to_dial: %s
      external_prefix: %s
phones:
  region: %s
%s
tables:
  lines: {south: 9, north: 91, code: '*67'}
"""
LOOKUP = "{lookup: lines, key: '${line}', default: '${line}'}"
CHOOSE = "{choose: [{when: [{field: line, is: x}], use: '**9'}, {use: '${line}'}]}"
NESTED = "{choose: [{when: [{field: line, is: south}], use: 9}, {use: {lookup: lines, key: '${line}', default: 0}}]}"

OWN = "phones.prefixes of the mapping does not list it"
ACME = "phones.prefixes does not list it for the tenant acme (tenants.yaml)"
LONG = "it is more than one digit, and phones.prefixes does not list it"
NOBODY = f"{LONG} (in the mapping or in tenants.yaml)"
LIMITED = f"{LONG} for the tenant acme (tenants.yaml)"
ANOTHER = "behind the prefix it is another number, and phones.prefixes does not list that"


def loaded(
    folder: Path, prefix: str, mine: str = "", theirs: str = "", *, number: str = "${phone}", home: str = "US"
) -> Mapping:
    rules = f"  phones: {{{theirs}}}\n" if theirs else ""
    (folder / "tenants.yaml").write_text(f"acme:\n  host: acme.xima.cloud\n  token: T\n{rules}", encoding="utf-8")
    file = folder / "lead.yaml"
    file.write_text(HEAD % (number, prefix, home, f"  {mine}" if mine else ""), encoding="utf-8")
    return sources.read(file)


def outcome(mapping: Mapping, line: str = "", phone: str = "801-555-0142") -> str:
    """The prefix and the number that would be dialled, or why none is."""
    (made,) = results(mapping, {"id": "1", "phone": phone, "line": line}, {}, now=NOW)
    if made.action is None:
        return made.reason
    sent = made.action.as_dict()
    return f"{sent.get('external_prefix', '')}|{sent['number_to_dial']}"


@pytest.mark.parametrize(
    ("prefix", "line", "mine", "theirs", "expected"),
    [
        # nobody lists any: one digit from the record, anything that is written out
        pytest.param("${line}", "9", "", "", "9|", id="a-digit-of-the-record"),
        pytest.param("${line}", "", "", "", "|", id="none"),
        pytest.param("${line}", "01144", "", "", NOBODY, id="abroad"),
        pytest.param("${line}", "1900", "", "", NOBODY, id="premium"),
        pytest.param("${line}", "*72", "", "", NOBODY, id="star-code"),
        pytest.param("${line}", "*", "", "", NOBODY, id="a-star"),
        pytest.param("${line}", "#", "", "", NOBODY, id="a-hash"),
        pytest.param("${line}", "99", "", "", NOBODY, id="two-digits"),
        pytest.param(
            "${line}", "９", "", "", "this is not an outside-line prefix: up to eight digits", id="wide-digit"
        ),
        pytest.param("'9${line}'", "1", "", "", NOBODY, id="partly-of-the-record"),
        pytest.param("{field: line, clean: digits}", "+01144", "", "", NOBODY, id="cleaned"),
        pytest.param("01144", "", "", "", "01144|", id="written-out"),
        pytest.param("'*67'", "", "", "", "*67|", id="star-code-written-out"),
        pytest.param("{field: line, default: '91'}", "", "", "", "91|", id="default"),
        pytest.param("{field: line, default: '91'}", "92", "", "", NOBODY, id="beside-a-default"),
        pytest.param("{field: line, default: '91'}", "91", "", "", "91|", id="like-the-default"),
        pytest.param("{first_of: [line, other]}", "91", "", "", NOBODY, id="first-of"),
        pytest.param(LOOKUP, "north", "", "", "91|", id="line-of-a-table"),
        pytest.param(LOOKUP, "01144", "", "", NOBODY, id="beside-the-table"),
        pytest.param(LOOKUP, "7", "", "", "7|", id="digit-beside-the-table"),
        pytest.param(CHOOSE, "x", "", "", "**9|", id="use"),
        pytest.param(CHOOSE, "01144", "", "", NOBODY, id="beside-a-use"),
        pytest.param(NESTED, "code", "", "", "*67|", id="table-in-a-choose"),
        pytest.param(NESTED, "south", "", "", "9|", id="use-beside-a-table"),
        # the mapping lists them
        pytest.param("${line}", "91", "prefixes: [9, 91]", "", "91|", id="listed"),
        pytest.param("${line}", "*67", "prefixes: '*67'", "", "*67|", id="the-only-one"),
        pytest.param("${line}", "01144", "prefixes: [01144]", "", "01144|", id="kept-as-text"),
        pytest.param("${line}", "1144", "prefixes: [01144]", "", OWN, id="no-number"),
        pytest.param("${line}", "8", "prefixes: [9, 91]", "", OWN, id="digit-that-is-not-listed"),
        pytest.param("${line}", "9", "prefixes: [91]", "", OWN, id="whole-only"),
        pytest.param("${line}", "911", "prefixes: [91]", "", OWN, id="no-longer-one"),
        pytest.param(LOOKUP, "code", "prefixes: [9, 91]", "", OWN, id="table-against-the-list"),
        # the tenant lists them
        pytest.param("${line}", "*67", "", "prefixes: [9, '*67']", "*67|", id="listed-by-the-tenant"),
        pytest.param("${line}", "8", "", "prefixes: [9, '*67']", ACME, id="digit-that-the-tenant-does-not-list"),
        pytest.param("91", "", "", "prefixes: 9", ACME, id="written-out-and-not-listed"),
        pytest.param("${line}", "91", "prefixes: [9, 91]", "prefixes: [8, 9]", ACME, id="listed-by-one"),
        pytest.param("${line}", "8", "prefixes: [9, 91]", "prefixes: [8, 9]", OWN, id="listed-by-the-other"),
        pytest.param("${line}", "9", "prefixes: [9, 91]", "prefixes: [8, 9]", "9|", id="listed-by-both"),
        pytest.param("${line}", "9", "prefixes: 9", "prefixes: 8", ACME, id="nothing-is-in-both"),
        pytest.param("91", "", "", "prefixes: 91, allow_regions: US", "91|", id="listed-with-countries"),
        # the tenant says who is called and lists none
        pytest.param("9", "", "", "allow_regions: US", "9|", id="a-digit-written-out"),
        pytest.param("01144", "", "", "allow_regions: US", LIMITED, id="abroad-written-out"),
        pytest.param("1900", "", "", "reject_types: premium_rate", LIMITED, id="premium-written-out"),
        pytest.param("'*72'", "", "", "internal_numbers: no", LIMITED, id="star-code-not-wanted"),
        pytest.param(LOOKUP, "north", "", "allow_regions: US", LIMITED, id="a-table-is-not-enough"),
        pytest.param("01144", "", "prefixes: 01144", "allow_regions: US", LIMITED, id="nor-the-mapping-s-list"),
        pytest.param("${line}", "01144", "", "allow_regions: US", LIMITED, id="abroad-from-the-record"),
        pytest.param("${line}", "9", "", "allow_regions: US", "9|", id="a-digit"),
        pytest.param("${line}", "91", "prefixes: [9, 91]", "dial_as: dialled", "91|", id="left-to-the-mapping"),
        # what says nothing of who is called changes nothing
        pytest.param("'*67'", "", "", "dial_as: dialled, region: US, keep_extension: no", "*67|", id="form-only"),
    ],
)
def test_a_prefix_is_dialled_or_refused(
    tmp_path: Path, prefix: str, line: str, mine: str, theirs: str, expected: str
) -> None:
    found = outcome(loaded(tmp_path, prefix, mine, theirs), line)
    assert found == (f"{expected}8015550142" if expected.endswith("|") else f"external_prefix: {expected}")


@pytest.mark.parametrize(
    ("prefix", "mine", "theirs", "why"),
    [
        pytest.param("${line}", "", "", " (in the mapping or in tenants.yaml)", id="of-the-record"),
        pytest.param("${line}", "prefixes: 0", "", "", id="listed"),
        pytest.param("0", "", "", "", id="written-out"),
        pytest.param("0", "", "dial_as: dialled", "", id="the-tenant-leaves-it-to-the-mapping"),
        pytest.param("0", "", "allow_regions: DE", " for the tenant acme (tenants.yaml)", id="the-tenant-does-not"),
        pytest.param("0", "prefixes: 0", "allow_regions: DE", " for the tenant acme (tenants.yaml)", id="both"),
        pytest.param("${line}", "", "allow_regions: DE, prefixes: [0]", "", id="listed-by-the-tenant"),
    ],
)
def test_a_digit_that_makes_another_number_must_be_listed(
    tmp_path: Path, prefix: str, mine: str, theirs: str, why: str
) -> None:
    """Where 0 opens no line, 0 and a German mobile are +1 512 345 6789."""
    mapping = loaded(tmp_path, prefix, mine, theirs, home="DE")
    expected = f"number_to_dial: {ANOTHER}{why}" if why else "0|015123456789"
    assert outcome(mapping, "0", "0151 23456789") == expected
    assert outcome(mapping, "0", "030 23125123") == "0|03023125123"


def test_no_list_opens_the_way_to_an_emergency_number(tmp_path: Path) -> None:
    mapping = loaded(tmp_path, "${line}", "prefixes: [9, 91]", "prefixes: [9, 91]", number="'1'")
    assert "emergency" in outcome(mapping, "91")


def test_a_list_inside_the_number_counts_for_its_prefix(tmp_path: Path) -> None:
    mapping = loaded(tmp_path, "${line}", "prefixes: 9", number="{field: phone, prefixes: [8, '*67']}")
    assert outcome(mapping, "*67") == "*67|8015550142"
    assert outcome(mapping, "9") == f"external_prefix: {OWN}"


@pytest.mark.parametrize(
    ("prefix", "mine", "said"),
    [
        pytest.param("91", "prefixes: [9]", ":14:24: phones.prefixes does not list 91", id="text"),
        pytest.param(
            "{field: line, default: '*67'}", "prefixes: [9]", "phones.prefixes does not list *67", id="default"
        ),
        pytest.param(CHOOSE, "prefixes: [9]", "phones.prefixes does not list **9", id="use"),
        pytest.param("9", "prefixes: [9a]", "a prefix is one to eight digits, * and #, like 9 or '*67'", id="letter"),
        pytest.param("9", "prefixes: ['123456789']", "a prefix is one to eight digits", id="nine-digits"),
        pytest.param("9", "prefixes: []", "this list is empty", id="none"),
    ],
)
def test_check_refuses_a_prefix_that_the_mapping_itself_forbids(
    tmp_path: Path, prefix: str, mine: str, said: str
) -> None:
    with pytest.raises(MappingError) as caught:
        loaded(tmp_path, prefix, mine)
    assert said in "\n".join(sources.rendered(tmp_path / "lead.yaml", caught.value))


@pytest.mark.parametrize(
    ("prefix", "theirs", "said"),
    [
        ("91", "prefixes: [9]", f"lead.yaml:14:24: warning: the prefix 91: {ACME} [tenant-rules]"),
        ("91", "allow_regions: US", f"lead.yaml:14:24: warning: the prefix 91: {LIMITED} [tenant-rules]"),
        ("{field: line, default: '91'}", "allow_regions: US", f"the prefix 91: {LIMITED} [tenant-rules]"),
        (CHOOSE, "allow_regions: US", f"warning: the prefix **9: {LIMITED} [tenant-rules]"),
        ("9", "allow_regions: US", ""),
        ("91", "prefixes: [91]", ""),
        ("'*67'", "dial_as: e164", ""),
    ],
)
def test_check_warns_of_a_prefix_that_the_tenant_forbids(tmp_path: Path, prefix: str, theirs: str, said: str) -> None:
    mapping = loaded(tmp_path, prefix, "", theirs)
    lines = (tmp_path / "lead.yaml").read_text(encoding="utf-8").splitlines()
    shown = "\n".join(render("lead.yaml", lines, one) for one in problems(mapping))
    assert said in shown
    assert bool(shown) == bool(said)
