"""For authors of mappings: check, explain."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import FORM, Run

CLICK_BODY = b'{"id": "7", "agent": "0101", "phone": "(801) 555-0142"}'
TOLD = ("result", "rule", "action", "request", "provenance", "once", "hold_until", "reason", "trace")


def told(run: Run, *arguments: str, body: bytes) -> list[dict[str, Any]]:
    result = run("explain", *arguments, "-", "--json", input=body)
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert list(data) == ["results"]
    assert all(tuple(one) == TOLD for one in data["results"])
    found: list[dict[str, Any]] = data["results"]
    return found


# check


def test_good_mappings_are_said_to_be_good(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "mappings/click.yaml: good, 2 examples as expected",
        "mappings/form.yaml: good, 1 example as expected",
    ]


def test_only_what_is_named_is_checked(run: Run, home: Path) -> None:
    assert run("check", "mappings/form.yaml").stdout.startswith("mappings/form.yaml: good")
    (home / "other").mkdir()
    (home / "other/form.yaml").write_text(FORM)
    assert "click" not in run("check", "other").stdout
    assert run("check", "form").stdout.startswith("mappings/form.yaml: good")


def test_what_a_tenant_refuses_is_a_warning_and_a_mistake_in_their_file_is_everybodys_problem(
    run: Run, home: Path
) -> None:
    tenants = home / "mappings/tenants.yaml"
    tenants.write_text("default: {phones: {allow_regions: GB}}")
    result = run("check")
    assert result.exit_code == 0
    assert "region US is not in allow_regions for the tenant default (tenants.yaml)) [tenant-rules]" in result.stdout
    assert run("check", str(tenants)).stdout == f"{tenants}: good\n"
    tenants.write_text("default: {phones: {allow_regions: UK}}")
    said = "tenants.yaml:1:35: 'UK' is not a country code; did you mean GB? (in default.phones.allow_regions)"
    result = run("check")
    assert (result.exit_code, result.stdout.count(said)) == (1, 2)
    result = run("check", str(tenants))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, said)


def test_every_problem_has_its_place_and_the_exit_code_is_1(run: Run, home: Path) -> None:
    (home / "mappings/bad.yaml").write_text(
        FORM.replace("name: form", "name: bad").replace("skill: Sales", "skil: Sales", 1)
    )
    result = run("check")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(re.match(r"bad.yaml:22:\d+: skill: this key is missing", line) for line in lines)
    assert any(re.match(r"bad.yaml:2\d:\d+: unknown key 'skil'", line) for line in lines)
    assert "mappings/click.yaml: good, 2 examples as expected" in lines
    assert lines[-1].endswith("; the mapping in use stays as it was")


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"a: [", "odd.yaml:1:"), (b"\xff\xfe", "odd.yaml:1:1: "), (b"", "odd.yaml:1:1: "), (b"- a\n", "odd.yaml:1:1: ")],
    ids=["broken yaml", "no text", "empty", "a list"],
)
def test_a_file_that_is_no_mapping_is_a_problem_with_a_place(run: Run, home: Path, content: bytes, place: str) -> None:
    (home / "odd.yaml").write_bytes(content)
    result = run("check", "odd.yaml")
    assert (result.exit_code, result.stdout.splitlines()[0][: len(place)]) == (1, place)


def test_a_secret_that_is_not_set_is_a_warning_unless_it_is_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    result = run("check")
    assert result.exit_code == 0
    assert "form.yaml: warning: HOOK_SECRET is not set here" in result.stdout
    assert run("check", "--strict").exit_code == 1


def test_a_file_that_holds_no_secret_is_named(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    monkeypatch.setenv("HOOK_SECRET_FILE", "nope")
    assert "form.yaml: warning: HOOK_SECRET_FILE: nope cannot be read: No such file" in run("check").stdout
    (home / "nope").write_text("\n")
    assert "form.yaml: warning: HOOK_SECRET_FILE: nope is empty here; the server does not" in run("check").stdout


def test_json_for_a_mapping_that_reads_forms_is_explained_as_the_server_answers_it(run: Run, home: Path) -> None:
    (home / "body.json").write_text('{"phone": "801-555-0142"}')
    result = run("explain", "form", "body.json")
    assert (result.exit_code, result.stderr) == (1, "the content type says json, but this mapping reads form\n")


def test_a_public_url_that_is_not_set_is_a_warning_where_the_signature_covers_it(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = run("presets", "hubspot-v3", "--starter").stdout
    (home / "mappings/hubspot-v3.yaml").write_text(starter)
    said = "hubspot-v3.yaml: warning: ADAPTER_PUBLIC_URL is not set here; the server does not answer for hubspot-v3"
    assert said in run("check").stdout
    assert "form.yaml: warning: ADAPTER_PUBLIC_URL" not in run("check").stdout
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "https://hooks.example.com")
    assert said not in run("check").stdout


def test_check_speaks_json(run: Run, home: Path) -> None:
    (home / "mappings/bad.yaml").write_text("format: 2\n")
    result = run("check", "--json")
    assert result.exit_code == 1
    bad, good = json.loads(result.stdout)[:2]
    assert list(bad) == ["file", "problems", "missing", "warnings", "examples"]
    assert bad["problems"][0].startswith("bad.yaml:1:")
    assert (good["problems"], good["examples"]) == ([], 2)


def test_nothing_to_check_is_wrong_use(run: Run, home: Path) -> None:
    (home / "empty").mkdir()
    result = run("check", "empty")
    assert (result.exit_code, "there is no mapping file (*.yaml) in empty" in result.output) == (2, True)
    assert run("check", "nowhere.yaml").exit_code == 2


def test_a_folder_that_is_not_there_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_MAPPINGS", "nowhere")
    for command in (["check"], ["explain", "form", "-"], ["send", "form"]):
        result = run(*command)
        assert result.exit_code == 1
        assert result.stderr.startswith("ADAPTER_MAPPINGS: there is no folder nowhere: make it")


@pytest.mark.parametrize("name", ["form.yml", "form.yaml.txt", "FORM.YAML"])
def test_check_names_a_file_that_nobody_reads_because_of_its_ending(run: Run, home: Path, name: str) -> None:
    assert run("check").stderr == ""
    odd = home / "mappings" / name
    odd.write_text("format: 1\n", encoding="utf-8")
    for path in ("mappings", str(odd)):
        assert (
            f"{name}: warning: the server does not read this file: its name has to end in .yaml"
            in run("check", path).stderr
        )


@pytest.mark.parametrize(
    ("file", "remedy"), [("form-2", "write name: form-2"), ("my form", "rename the file to form.yaml")]
)
def test_a_file_of_another_name_is_given_one_that_can_be(run: Run, home: Path, file: str, remedy: str) -> None:
    (home / "mappings" / f"{file}.yaml").write_text(FORM)
    assert f"= {remedy}" in run("check", f"mappings/{file}.yaml").stdout


# explain


def test_explain_shows_the_request_exactly_as_it_would_be_sent(run: Run) -> None:
    (one,) = told(run, "click", body=CLICK_BODY)
    assert one["request"] == {
        "method": "POST",
        "path": "/rest/api/v1/agents/0101/click-to-dial",
        "json": {"numberToDial": "8015550142"},
    }
    assert (one["result"], one["action"], one["rule"], one["once"]) == ("action", "click_to_dial", "click", "7")
    assert one["hold_until"] is one["reason"] is None


def test_explain_tells_where_every_field_came_from(run: Run, home: Path) -> None:
    (one,) = told(run, "form", body=b"phone=801-555-0142")
    text = (home / "mappings/form.yaml").read_text().splitlines()
    line = 1 + next(number for number, line in enumerate(text) if "callback_number: ${phone}" in line)
    assert one["provenance"] == {
        "skill": {"line": line - 1, "path": None, "value": None},
        "callback_number": {"line": line, "path": "phone", "value": "801-555-0142"},
    }
    said = run("explain", "form", "-", input=b"phone=801-555-0142").stdout.splitlines()
    assert f"  callback_number 8015550142: line {line}, from phone, where '801-555-0142' stood" in said
    assert f"  skill Sales: line {line - 1}, from the mapping itself" in said


def test_explain_tells_the_number_and_the_hours_it_saw(run: Run) -> None:
    said = run("explain", "form", "-", "--at", "2026-11-24T20:15:00-07:00", input=b"phone=801-555-0142x7").stdout
    assert "'801-555-0142x7' is +18015550142 (US), without its extension 7" in said
    assert "the clock is the number's: America/Denver (tue 2026-11-24 20:15, open 08:00-18:00)" in said
    assert "condition 1 holds: phone is '801-555-0142x7'" in said


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [(b"name=Ann", "skip", "no rule matched"), (b"phone=12", "reject", "")],
    ids=["skip", "reject"],
)
def test_explain_says_why_nothing_would_be_sent(run: Run, body: bytes, kind: str, reason: str) -> None:
    (one,) = told(run, "form", body=body)
    assert (one["result"], one["action"], one["request"], one["once"]) == (kind, None, None, None)
    assert reason in str(one["reason"])
    assert one["trace"]
    said = run("explain", "form", "-", input=body).stdout
    assert said.startswith(f"record 1: {kind}")
    assert "would send" not in said


def test_explain_works_at_the_time_it_is_given(run: Run) -> None:
    body = b"phone=801-555-0142"
    (now,) = told(run, "form", "--at", "2026-11-24T10:15:00-07:00", body=body)
    (later,) = told(run, "form", "--at", "2026-11-24T20:15:00-07:00", body=body)
    assert now["hold_until"] is None
    assert later["hold_until"] == "2026-11-25T08:00:00-07:00"
    assert (
        "hold_until: 2026-11-25T08:00:00-07:00"
        in run("explain", "form", "-", "--at", "2026-11-24T20:15:00-07:00", input=body).stdout
    )


def test_explain_tells_one_story_a_record(run: Run, home: Path) -> None:
    (home / "body.json").write_bytes(
        b"[%s, %s]" % (CLICK_BODY, b'{"id": "8", "skill": "Sales", "phone": "8015550143"}')
    )
    said = run("explain", "click", "body.json").stdout.splitlines()
    assert [line for line in said if line.startswith("record")] == [
        "record 1: click_to_dial by rule 'click'",
        "record 2: callback by rule 'lead'",
    ]
    assert said[-1] == ('  would send: POST /rest/api/v1/callback {"skill": "Sales", "callbackNumber": "8015550143"}')
    assert any(line.startswith("  line ") for line in said)


def test_explain_of_no_record_says_so(run: Run) -> None:
    assert (
        run("explain", "click", "-", input="[]").stdout
        == "There is no record in this body, so nothing would be done.\n"
    )


def test_explain_takes_headers_and_a_query(run: Run, home: Path) -> None:
    mapping = FORM.replace("  body: form\n", "").replace("skill: Sales", "skill: ${request.query.skill}", 1)
    mapping = mapping[: mapping.index("examples:")]
    (home / "mappings/form.yaml").write_text(mapping)
    arguments = ["form", "--header", "Content-Type: application/json", "--query", "skill=Repair"]
    (one,) = told(run, *arguments, body=b'{"phone": "8015550142"}')
    assert one["request"]["json"]["skill"] == "Repair"


def test_explain_explains_a_mapping_whose_own_example_fails(run: Run, home: Path) -> None:
    path = home / "mappings/click.yaml"
    path.write_text(path.read_text().replace("number_to_dial: 8015550142}", "number_to_dial: 8015550199}"))
    assert run("check").exit_code == 1
    (one,) = told(run, "click", body=CLICK_BODY)
    assert one["request"]["json"] == {"numberToDial": "8015550142"}


def test_explain_stores_nothing_and_needs_no_settings(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    before = sorted(home.rglob("*"))
    assert run("explain", "click", "-", input=CLICK_BODY).exit_code == 0
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("name", ["click", "click.yaml", "mappings/click.yaml", "./mappings/click.yaml"])
def test_a_mapping_is_found_by_its_name_or_its_file(run: Run, name: str) -> None:
    assert run("explain", name, "-", input=CLICK_BODY).exit_code == 0


def test_an_unknown_mapping_is_wrong_use_and_the_known_ones_are_listed(run: Run) -> None:
    for command in (["explain", "nobody", "-"], ["send", "nobody"]):
        result = run(*command, input="{}")
        assert result.exit_code == 2
        assert "there is no mapping called nobody in mappings (it has: click, form)" in result.output


@pytest.mark.parametrize("name", ["drafts/click.yaml", "drafts/click", "/nowhere/click.yaml", "nobody.yaml", "x" * 300])
def test_a_file_that_is_not_there_is_not_another_of_the_same_name(run: Run, name: str) -> None:
    for command in (["check", name], ["explain", name, "-"], ["send", name]):
        result = run(*command, input="{}")
        assert (result.exit_code, "there is no mapping" in result.output, name in result.output) == (2, True, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["click", "nowhere.json"], 2, "nowhere.json"),
        (["click", "-", "--header", "no colon"], 2, "write a header as 'Name: value', not no colon"),
        (["click", "-", "--header", ": x"], 2, "write a header as 'Name: value'"),
        (["click", "-", "--at", "noon"], 2, "write a date and time like 2026-11-24T10:15:00-07:00, not noon"),
        (["click", "-", "--at", "9999-12-31"], 2, "write a date and time like"),
        (
            ["click", "-", "--header", "Content-Type: text/xml"],
            1,
            "the content type says xml, but this mapping reads json",
        ),
        (["click", "-"], 1, "the body is not JSON"),
        (["click"], 2, "give either BODYFILE, or --request"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_explain_cannot_use_is_said_in_one_sentence(run: Run, arguments: list[str], code: int, said: str) -> None:
    result = run("explain", *arguments, input="{no json")
    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_explain_of_a_broken_mapping_shows_what_check_shows(run: Run, home: Path) -> None:
    (home / "mappings/click.yaml").write_text("format: 1\nname: click\n")
    result = run("explain", "click", "-", input="{}")
    assert result.exit_code == 1
    assert result.stderr.startswith("click.yaml:1:1: ")
