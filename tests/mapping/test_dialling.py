"""What a tenant's rules make of the numbers that its mappings would dial: the stricter of the two counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample import NOW

from adapter import sources
from adapter.errors import MappingError
from adapter.mapping import Mapping, render, results
from adapter.mapping.dialling import Dialling, problems

LEAD = """\
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
      number_to_dial: ${phone}
      external_prefix: 9
phones:
  region: US
"""
TENANTS = "acme:\n  host: acme.xima.cloud\n  token: ACME_TOKEN\n  phones: {%s}\n"
BRITISH = "+44 20 7946 0958 ext. 4"


def loaded(folder: Path, text: str, rules: str) -> Mapping:
    (folder / "tenants.yaml").write_text(TENANTS % rules, encoding="utf-8")
    file = folder / "lead.yaml"
    file.write_text(text, encoding="utf-8")
    return sources.read(file)


def outcome(mapping: Mapping, phone: str) -> str:
    """The number that would be dialled, or why none is."""
    (made,) = results(mapping, {"id": "1", "phone": phone}, {}, now=NOW)
    return made.reason or str(made.action.as_dict()["number_to_dial"] if made.action else "")


@pytest.mark.parametrize(
    ("mine", "theirs", "phone", "expected"),
    [
        ("", "", BRITISH, "011442079460958"),
        ("", "allow_regions: [US, CA]", "801-555-0142", "8015550142"),
        ("", "allow_regions: US", BRITISH, "region GB is not in allow_regions for the tenant acme (tenants.yaml)"),
        ("allow_regions: US", "allow_regions: [US, GB]", BRITISH, "region GB is not in allow_regions"),
        ("allow_regions: US", "", BRITISH, "region GB is not in allow_regions"),
        ("allow_regions: GB", "allow_regions: US", "8015550142", "region US is not in allow_regions"),
        (
            "reject_types: mobile",
            "reject_types: premium_rate",
            "900-222-3456",
            "premium rate numbers are not dialled (reject_types) for the tenant acme (tenants.yaml)",
        ),
        ("", "reject_types: mobile", "900-222-3456", "premium rate numbers are not dialled (reject_types)"),
        ("", "reject_types: toll_free", "800-234-5678", "(reject_types) for the tenant"),
        ("keep_extension: yes", "", BRITISH, "011442079460958;ext=4"),
        ("keep_extension: yes", "keep_extension: no", BRITISH, "011442079460958"),
        ("keep_extension: no", "keep_extension: yes", BRITISH, "011442079460958"),
        ("dial_as: e164", "dial_as: dialled", BRITISH, "011442079460958"),
        ("", "dial_as: e164_digits", BRITISH, "442079460958"),
        ("", "allow_regions: [US, BR], dial_as: as_given", "+55 11 96123-4567", "+5511961234567"),
        ("", "dial_as: e164_digits", "nonsense", "not a telephone number"),
    ],
)
def test_the_stricter_rule_counts_and_a_refusal_says_whose_it_is(
    tmp_path: Path, mine: str, theirs: str, phone: str, expected: str
) -> None:
    mapping = loaded(tmp_path, LEAD + (f"  {mine}\n" if mine else ""), theirs)
    assert expected in outcome(mapping, phone)
    assert ("tenant" in outcome(mapping, phone)) == ("for the tenant" in expected)


@pytest.mark.parametrize(
    ("number", "prefix", "phone"), [("${phone}", "9", "911"), ("'1'", "91", ""), ("${phone}", "9", "+55 11 96123-4567")]
)
def test_nothing_a_tenant_writes_lets_an_emergency_number_through(
    tmp_path: Path, number: str, prefix: str, phone: str
) -> None:
    """The last one is 11961234567 as its own country keys it, behind a 9 for the outside line."""
    text = LEAD.replace("${phone}", number).replace("prefix: 9", f"prefix: {prefix}").replace("n: US", "n: BR")
    mapping = loaded(
        tmp_path, text, "dial_as: dialled, internal_numbers: yes, allow_regions: [BR, US], prefixes: [9, 91]"
    )
    assert "emergency" in outcome(mapping, phone)


def test_the_rules_inside_a_phone_value_are_narrowed_too(tmp_path: Path) -> None:
    own = LEAD.replace("${phone}", "{field: phone, allow_regions: [GB], dial_as: e164}")
    assert outcome(loaded(tmp_path, own, "dial_as: e164_digits"), BRITISH) == "442079460958"
    assert "for the tenant acme" in outcome(loaded(tmp_path, own, "allow_regions: US"), BRITISH)


@pytest.mark.parametrize(
    ("number", "rules", "expected"),
    [
        ("0102", "", "0102"),
        ("0102", "internal_numbers: no", "internal numbers are not dialled (internal_numbers) for the tenant acme"),
        ("'*67'", "internal_numbers: no", "internal numbers are not dialled"),
        ("'*67'", "allow_regions: US", "*67"),
        (
            "'*679005551234'",
            "allow_regions: US",
            "a star code goes into external_prefix, without a number behind it",
        ),
        ("'*678015550142'", "", "*678015550142"),
        ("801-555-0142", "internal_numbers: no", "8015550142"),
    ],
)
def test_an_internal_number_of_the_mapping_is_dialled_if_the_tenant_lets_it(
    tmp_path: Path, number: str, rules: str, expected: str
) -> None:
    assert expected in outcome(loaded(tmp_path, LEAD.replace("${phone}", number), rules), "")


def test_without_rules_of_its_tenant_a_mapping_is_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text("acme: {host: acme.xima.cloud, token: T}", encoding="utf-8")
    file = tmp_path / "lead.yaml"
    file.write_text(LEAD, encoding="utf-8")
    assert sources.read(file).phones.written is None
    assert list(problems(sources.read(file))) == []


ABROAD = """\
  allow_regions: [US, GB]
examples:
  - name: from abroad
    body: |
      {"id": "1", "phone": "+44 20 7946 0958"}
    expect:
      - click_to_dial: {agent: 0101, number_to_dial: 011442079460958, external_prefix: 9}
"""


def test_an_example_that_the_tenant_refuses_is_a_warning_and_breaks_nothing(tmp_path: Path) -> None:
    mapping = loaded(tmp_path, LEAD + ABROAD, "allow_regions: US")
    shown = "\n".join(render("lead.yaml", (LEAD + ABROAD).splitlines(), one) for one in problems(mapping))
    assert (
        "lead.yaml:23:9: warning: example 'from abroad': expected click_to_dial, but the mapping gives reject" in shown
    )
    assert "region GB is not in allow_regions for the tenant acme (tenants.yaml)) [tenant-rules]" in shown
    assert "lead.yaml:17:18: warning: the tenant acme does not dial GB [tenant-rules]" in shown
    ignored = loaded(tmp_path, f"{LEAD}{ABROAD}lint: {{ignore: [tenant-rules]}}\n", "allow_regions: US")
    assert list(problems(ignored)) == []


def test_a_file_of_tenants_that_cannot_be_used_lets_no_mapping_dial(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        loaded(tmp_path, LEAD, "allow_region: US")
    (said,) = sources.rendered(tmp_path / "lead.yaml", caught.value)
    assert "tenants.yaml cannot be used, so nobody knows what this mapping may dial" in said
    assert "= tenants.yaml:4:12: unknown key 'allow_region'" in said


def test_rules_are_what_the_file_says(tmp_path: Path) -> None:
    text = "default:\n  phones: {dial_as: e164, allow_regions: [US], reject_types: [mobile], internal_numbers: no}\n"
    (tmp_path / "tenants.yaml").write_text(text, encoding="utf-8")
    rules = sources.known_tenants(tmp_path)["default"]
    assert rules == Dialling(
        dial_as="e164",
        allow_regions=frozenset({"US"}),
        reject_types=frozenset({"mobile"}),
        internal_numbers=False,
    )
