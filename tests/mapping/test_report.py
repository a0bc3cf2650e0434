"""The key `report`: what it may say, and what a delivery carries because of it."""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from running import CLICK

from adapter import allowed, sources
from adapter.errors import MappingError, SettingsError, TextError
from adapter.hosts import origin, origins
from adapter.mapping import Mapping, lint, results, uses
from adapter.mapping.terms import terms

NOW = datetime(2026, 1, 7, 17, 0, tzinfo=UTC)
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REPORT = """
let:
  contact: ${contact}
report:
  to: https://crm.example.com/hooks/xima?x=1
  secrets: [REPORT_SECRET]
  include:
    contact_id: ${let.contact}
    stage: {choose: [{when: [{field: skill, present: yes}], use: lead}, {use: click}]}
"""
ENVIRON = {"HOOK_SECRET": "s" * 20, "REPORT_SECRET": WHSEC, "ADAPTER_REPORT_HOSTS": "crm.example.com"}
RECORD = {"id": "1", "agent": "0101", "phone": "8015550142", "contact": "c-7"}


def loaded(text: str = REPORT) -> Mapping:
    def nothing(_: str) -> str:
        raise FileNotFoundError

    return sources.compiled(CLICK + text, name="click", read_file=nothing)


def carried(record: dict[str, Any], text: str = REPORT) -> Any:
    mapping = loaded(text)
    (result,) = results(mapping, record, {"body": record}, now=NOW)
    return terms(mapping, result, hashes=[]).get("report")


def test_a_delivery_carries_what_is_needed_to_report_it() -> None:
    assert carried(RECORD) == {
        "to": "https://crm.example.com/hooks/xima?x=1",
        "secrets": ["REPORT_SECRET"],
        "when": ["accepted", "refused", "unknown", "failed", "expired", "suppressed", "cancelled"],
        "include": {"contact_id": "c-7", "stage": "click"},
    }


def test_a_value_that_is_not_there_is_null_and_a_long_one_is_cut() -> None:
    assert carried({**RECORD, "contact": ""})["include"]["contact_id"] is None
    assert carried({**RECORD, "contact": "x" * 900})["include"]["contact_id"] == "x" * 500


def test_the_ends_that_are_told_can_be_chosen() -> None:
    assert carried(RECORD, REPORT + "  when: [refused, failed]\n")["when"] == ["refused", "failed"]


def test_without_the_key_a_delivery_carries_nothing_more() -> None:
    assert carried(RECORD, "") is None


def test_what_is_included_counts_as_used() -> None:
    mapping = loaded()
    assert "let.contact" in {str(use.path) for use in uses.paths(mapping)}
    assert "unused" not in " ".join(map(str, lint.problems(mapping, CLICK + REPORT)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("https://", "http://", "write https: http is for this machine only"),
        ("https://", "", "write a whole URL"),
        ("https://", "https://user@", "write a whole URL"),
        ("?x=1", "#x", "write a whole URL"),
        ("?x=1", "?x=${id}", "the URL is the same for every record"),
        ("  secrets: [REPORT_SECRET]\n", "", "secrets: this key is missing"),
        ("secrets: [REPORT_SECRET]", "secret: REPORT_SECRET", "write secrets: with the name of the variable"),
        ("  include:", "  when: [accepted, queued]\n  include:", "'queued' is not one of accepted, refused"),
        ("${let.contact}", "${let.contract}", "there is no let value called 'contract'"),
        ("${let.contact}", "{nearest_to: number}", "nearest_to belongs into outbound_caller_id"),
        ("    stage:", "".join(f"    v{n}: x\n" for n in range(20)) + "    stage:", "more than 20 values"),
    ],
    ids=["http", "no URL", "user", "fragment", "template", "no secret", "secret", "when", "let", "nearest", "many"],
)
def test_what_a_report_may_not_say(before: str, after: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        loaded(REPORT.replace(before, after))
    assert said in " ".join(f"{one} {getattr(one, 'hint', '')}" for one in refused.value.problems)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"ADAPTER_REPORT_HOSTS": ""},
            "ADAPTER_REPORT_HOSTS does not allow crm.example.com: add it there, for click reports to it",
        ),
        (
            {"ADAPTER_REPORT_HOSTS": "crm.example.com:8443, example.com"},
            "ADAPTER_REPORT_HOSTS does not allow crm.example.com: add it there, for click reports to it",
        ),
        ({"REPORT_SECRET": ""}, "REPORT_SECRET is not set: reports are signed with it"),
        (
            {"REPORT_SECRET": "hush hush"},
            "REPORT_SECRET cannot sign reports: make one with  echo whsec_$(openssl rand -base64 32)",
        ),
    ],
    ids=["none", "others", "no secret", "bad secret"],
)
def test_a_mapping_whose_reports_cannot_be_sent_does_not_load(changes: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        sources.ready(loaded(), public_url="", environ={**ENVIRON, **changes})
    assert refused.value.problems == [said]


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        sources.ready(loaded(), public_url="", environ={})
    assert [said.split(":")[0] for said in refused.value.problems] == [
        "HOOK_SECRET is not set",
        "ADAPTER_REPORT_HOSTS does not allow crm.example.com",
        "REPORT_SECRET is not set",
    ]


def test_a_mapping_whose_reports_can_be_sent_loads(tmp_path: Path) -> None:
    assert sources.ready(loaded(), public_url="", environ=ENVIRON).mapping.report
    (tmp_path / "secret").write_text(f"{WHSEC}\n")
    environ = {**ENVIRON, "REPORT_SECRET": "", "REPORT_SECRET_FILE": str(tmp_path / "secret")}
    assert allowed.keys(["REPORT_SECRET"], environ) == [WHSEC]
    assert allowed.problems(loaded(), environ) == []


def test_the_report_of_the_docs_is_one() -> None:
    page = (Path(__file__).parent.parent.parent / "docs/reports.md").read_text(encoding="utf-8")
    written = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert written
    report = loaded(textwrap.dedent(written[1].replace("${vid}", "${id}"))).report
    assert report
    assert (report.to, report.when) == ("https://crm.example.com/hooks/calls", ("refused", "unknown", "failed"))


# hosts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set()),
        ("crm.example.com", {"https://crm.example.com:443"}),
        ("CRM.example.com:8443 , https://b.example/", {"https://crm.example.com:8443", "https://b.example:443"}),
        ("http://127.0.0.1:9000, http://localhost", {"http://127.0.0.1:9000", "http://localhost:80"}),
        ("[2001:db8::1]:444, http://[::1]:9", {"https://[2001:db8::1]:444", "http://[::1]:9"}),
    ],
)
def test_hosts_are_origins_of_https(text: str, found: set[str]) -> None:
    assert origins(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("http://crm.example.com", "*.example.com", "crm.example.com/hooks", "a b", "user@crm.example.com"),
        *("crm.example.com:0", "crm.example.com:99999", "ftp://crm.example.com", "http://127.0.0.1.example.com"),
    ],
)
def test_other_texts_are_no_hosts(text: str) -> None:
    with pytest.raises(TextError):
        origins(text)


@pytest.mark.parametrize(
    "url",
    [
        *("https://good.example\\@bad.example/", "https://good.example@bad.example/", "https://good.example#@bad/"),
        *("https://good.example:443@bad.example", "//good.example/", "https:good.example", "https://good.example/\n"),
        *("https:///good.example", "https://good.éxample/", "https://good.example/a b", "https://good.example./"),
    ],
)
def test_a_url_that_could_be_read_in_two_ways_has_no_origin(url: str) -> None:
    with pytest.raises(TextError):
        origin(url)


@pytest.mark.parametrize(
    "url", ["https://good.example", "https://good.example?x=1", "HTTPS://GOOD.example:443/a/b?c=d@e"]
)
def test_an_origin_has_its_port(url: str) -> None:
    assert origin(url) == "https://good.example:443"
