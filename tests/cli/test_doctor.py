"""`doctor` and `check --live`: what the settings and mappings name, held against a real (pretend) Xima."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from freezegun import freeze_time
from running import SECRET as HOOK_SECRET

from adapter.sandbox import Sandbox
from adapter.store import Store
from cli.conftest import Run

ORIGIN = "https://127.0.0.1:1"
"""Where nobody listens."""
SCRIPT = """
token: the-token-of-the-tests
agents:
  - name: Pat
    extension: "0101"
    caller_ids: [{label: Main, outboundCallerId: "8015550100"}]
  - name: Lee
    extension: "0102"
    caller_ids: []
skills:
  - name: General Sales
  - name: Support
"""
NAMES = """\
format: 1
name: names
receive:
  from: github
  secrets: [HOOK_SECRET]
phones:
  region: US
tables:
  agents:
    Ann@Example.com: 0101
    bob@example.com: 0109
  spread:
    file: names.csv
    key: who
    value: extension
let:
  owner:
    lookup: agents
    key: ${owner}
    default: 101
rules:
  - name: dial
    when:
      - field: id
        is: 1
    click_to_dial:
      agent: ${let.owner}
      number_to_dial: ${phone}
      outbound_caller_id: 8015550199
  - name: select
    when:
      - field: id
        is: 2
    select_caller_id:
      agent: 0101
      label: Head office
      outbound_caller_id: 8015550100
  - name: spread
    when:
      - field: id
        is: 3
    click_to_dial:
      agent: {lookup: spread, key: "${who}"}
      number_to_dial: ${phone}
  - name: call
    callback:
      skill:
        choose:
          - when:
              - field: topic
                is: repair
            use: support
          - when:
              - field: topic
                is: buy
            use: Sales
          - use: ${skill}
      callback_number: ${phone}
lint:
  ignore: [no-hours, no-caller-id, no-example, whole-record]
"""
WRONG = [
    ("names.yaml:11:22", "Xima has no agent with the extension 0109", "did you mean 0102?"),
    ("names.yaml:13:5", "Xima has no agent with the extension 0777 (in the table spread, for 'bob')", ""),
    ("names.yaml:20:14", "Xima has no agent with the extension 101", "did you mean 0101?"),
    ("names.yaml:29:27", "agent 0101 may not show the caller id 8015550199", "lists for this agent: 8015550100"),
    ("names.yaml:36:14", "the caller id 8015550100 of agent 0101 has another label", "in Xima it is 'Main'"),
    ("names.yaml:52:18", "the skill 'support' differs only by case or blanks", "in Xima it is called 'Support'"),
    ("names.yaml:56:18", "Xima has no skill called 'Sales'", "General Sales"),
]


@pytest.fixture
def xima(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A pretend Xima that the settings name, and everything else in place."""
    with Sandbox.start(script=SCRIPT) as sandbox:
        monkeypatch.setenv("XIMA_HOST", sandbox.url)
        monkeypatch.setenv("XIMA_TOKEN", "the-token-of-the-tests")
        monkeypatch.setenv("ADAPTER_SECRET_KEY", HOOK_SECRET)
        monkeypatch.setenv("ADAPTER_PUBLIC_URL", ORIGIN)
        monkeypatch.setenv("ADAPTER_TRUSTED_PROXIES", "1")
        store = Store("sqlite:///adapter.db")
        store.upgrade()
        store.close()
        (home / "adapter.db").chmod(0o600)
        (home / "mappings/tenants.yaml").unlink()
        form = home / "mappings/form.yaml"
        form.write_text(
            form.read_text().replace("skill: Sales", "skill: Support").replace("{skill: Sales", "{skill: Support")
        )
        yield sandbox


@pytest.fixture
def names(home: Path) -> None:
    (home / "mappings/names.yaml").write_text(NAMES)
    (home / "mappings/names.csv").write_text("who,extension\nann,0101\nbob,0777\n")


@pytest.mark.usefixtures("xima")
def test_what_xima_has_is_good(run: Run) -> None:
    result = run("check", "--live")
    assert (result.exit_code, "good" in result.stdout) == (0, True), result.output


@pytest.mark.usefixtures("xima", "names")
def test_what_xima_does_not_have_is_told_with_its_place(run: Run) -> None:
    result = run("check", "--live", "mappings/names.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    told = [
        (line, lines[at + 3] if lines[at + 3].startswith(" " * 9 + "=") else "")
        for at, line in enumerate(lines[:-1])
        if line[:5] == "names"
    ]
    assert len(told) == len(WRONG), result.stdout
    for (said, hint), (place, wanted, remedy) in zip(told, WRONG, strict=True):
        assert said.startswith(f"{place}: {wanted}"), said
        assert remedy in hint


@pytest.mark.usefixtures("names")
def test_nothing_is_done_at_xima(run: Run, xima: Sandbox) -> None:
    run("check", "--live")
    run("doctor")
    assert {call.method for call in xima.world.calls} == {"GET"}


@pytest.mark.usefixtures("names")
def test_caller_ids_that_cannot_be_read_hide_nothing_else(run: Run, xima: Sandbox) -> None:
    xima.world.load(SCRIPT + "faults:\n  - {operation: outbound_caller_ids, status: 404}\n")
    result = run("check", "--live", "mappings/names.yaml")
    assert "names.yaml:29:27: the caller ids of agent 0101 cannot be read" in result.stdout
    assert "= 404: " in result.stdout
    assert "Xima has no skill called 'Sales'" in result.stdout


@pytest.mark.usefixtures("xima")
def test_the_token_must_be_right(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIMA_TOKEN", "another-token")
    result = run("check", "--live")
    assert (result.exit_code, "token" in result.stderr) == (1, True), result.output
    result = run("doctor")
    assert (result.exit_code, "WRONG  Xima: " in result.stdout) == (1, True), result.output


ACME = """\
format: 1
name: acme
tenant: acme
receive: {from: header-token, header: X-Form-Key, secrets: [HOOK_SECRET], body: form}
phones: {region: US}
rules: [{name: call, callback: {skill: Night Desk, callback_number: "${phone}"}}]
"""


@pytest.fixture
def acme(home: Path) -> Iterator[Sandbox]:
    """A mapping that dials at a tenant of its own, whose Xima has other names."""
    with Sandbox.start(script="{token: token-of-acme, agents: [], skills: [Night Desk]}") as sandbox:
        (home / "mappings/tenants.yaml").write_text(f"acme:\n  host: {sandbox.url}\n  token: ACME_TOKEN\n")
        (home / "mappings/acme.yaml").write_text(ACME)
        yield sandbox


@pytest.mark.usefixtures("xima", "acme")
def test_a_mapping_is_held_against_the_tenant_at_which_it_dials(run: Run) -> None:
    result = run("check", "--live")
    assert (result.exit_code, "does not have" in result.stdout) == (0, False), result.output
    shown = run("doctor").stdout
    assert "ok     Xima of acme: answers and takes the token: 0 agents, 1 skill\n" in shown
    assert "ok     names: acme.yaml: Xima has every" in shown
    assert "ok     names: form.yaml: Xima has every" in shown


@pytest.mark.usefixtures("xima", "acme")
def test_trouble_with_one_tenant_hides_no_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_TOKEN")
    shown = run("doctor").stdout
    assert "ok     names: form.yaml: Xima has every" in shown
    assert "WRONG  Xima of acme: ACME_TOKEN is not set\n       = tenants.yaml names it for the tenant acme\n" in shown
    assert run("check", "--live", "mappings/form.yaml").exit_code == 0
    assert "ACME_TOKEN is not set: tenants.yaml names it" in run("check", "--live", "mappings/acme.yaml").stderr


@pytest.mark.usefixtures("xima")
def test_a_tenant_that_cannot_be_asked_hides_no_other(run: Run, acme: Sandbox) -> None:
    acme.world.load("token: renewed")
    said = run("doctor").stdout
    assert "ok     Xima: answers" in said
    assert "WRONG  Xima of acme: 401: " in said
    assert "into the variable that tenants.yaml names for acme, then restart" in said


@pytest.mark.usefixtures("xima")
def test_what_to_do_about_a_xima_that_does_not_answer_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIMA_HOST", "http://127.0.0.1:1")
    said = run("doctor").stdout
    assert "WRONG  Xima: Xima could not be reached: connection refused\n" in said
    assert "= look whether XIMA_HOST is your Xima, and whether this machine may connect" in said


@pytest.mark.usefixtures("xima")
def test_a_proxy_that_is_not_used_is_named_where_it_would_be_needed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert "ok     Xima: answers" in run("doctor").output
    monkeypatch.setenv("XIMA_HOST", ORIGIN)
    assert "may connect to it without a proxy: that of the environment is not used\n" in run("doctor").output


@pytest.mark.usefixtures("xima")
def test_a_healthy_house_is_told_line_by_line(run: Run) -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    shown = [re.sub(r"[0-9.]+ GB", "9 GB", line) for line in result.stdout.splitlines()]
    assert shown == [
        "ok     settings: all 19 can be used",
        "ok     disk: 9 GB are free where the store is",
        "ok     store: reachable and up to date",
        "ok     durability: what is taken has reached the disk before a sender hears 200",
        "ok     retention: no request is older than 30 days",
        "ok     secrets: long enough, each for itself, and their files are not for everybody",
        f"ok     public URL: {ORIGIN}",
        "ok     way in: nobody can tell from here (ConnectionError);"
        f" look from elsewhere: curl -I {ORIGIN}/api/openapi.json",
        "ok     mapping click: good, 2 examples",
        "ok     mapping form: good, 1 example",
        "ok     Xima: answers and takes the token: 2 agents, 2 skills",
        "ok     clock: agrees with Xima's",
        "ok     names: click.yaml: Xima has every agent, skill and caller id it names",
        "ok     names: form.yaml: Xima has every agent, skill and caller id it names",
        "ok     callbacks: look in Xima that Support reserve an agent first (Reserve Agent), else a customer may be"
        " called while nobody is free",
    ]


@pytest.mark.usefixtures("xima", "names")
def test_what_is_wrong_has_its_remedy_and_the_exit_code_is_1(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_WORKERS", "0")
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "")
    (home / "adapter.db").unlink()
    (home / "mappings/bad.yaml").write_text("format: 2\n")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    wrong = {one["subject"]: one for one in json.loads(result.stdout) if not one["well"]}
    assert list(wrong) == ["settings", "store", "public URL", "mapping bad", "names"]
    assert all(one["remedy"] for one in wrong.values() if one["subject"] != "names")
    assert wrong["mapping bad"]["remedy"] == "xima-adapter check mappings/bad.yaml"
    shown = run("doctor").stdout
    assert "WRONG  public URL: not set" in shown
    assert "       = set ADAPTER_PUBLIC_URL" in shown


@pytest.mark.usefixtures("xima")
def test_a_secret_that_is_not_set_is_not_sent_to_check_which_would_find_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    wrong = {one["subject"]: one for one in json.loads(run("doctor", "--json").stdout) if not one["well"]}
    assert wrong["mapping form"]["said"] == "form.yaml: HOOK_SECRET is not set: form checks its sender with it"
    assert wrong["mapping form"]["remedy"] == "set it where the adapter starts, then restart it"
    monkeypatch.setenv("HOOK_SECRET_FILE", "/nowhere")
    assert "set it where the adapter starts" in run("doctor").stdout


def test_what_is_wrong_with_a_setting_is_told_in_whole_sentences(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", "10")
    monkeypatch.setenv("ADAPTER_MAX_BODY_FILE", "/nowhere")
    lines = run("doctor").stdout.splitlines()
    told = dict(pairwise(lines))
    said = "       = write the token alone, as Xima showed it: no blanks, no line breaks, no Bearer"
    assert told["WRONG  settings: XIMA_TOKEN is not set (the token of the tenant's API Service User)"] == said
    assert told["WRONG  settings: ADAPTER_WAIT cannot be used"].startswith("       = a duration needs its unit: write")
    unread = "WRONG  settings: ADAPTER_MAX_BODY_FILE: /nowhere cannot be read: No such file or directory"
    assert told[unread] == "       = let ADAPTER_MAX_BODY_FILE name a file that can be read"


@pytest.mark.usefixtures("xima")
def test_a_clock_that_is_wrong_is_told(run: Run) -> None:
    with freeze_time("2001-01-01", ignore=["adapter.sandbox", "http.server", "email.utils"]):
        shown = run("doctor").stdout
    assert "WRONG  clock: " in shown


def test_without_settings_only_what_can_be_looked_at_is(run: Run, home: Path) -> None:
    for file in (home / "mappings").glob("*.yaml"):
        file.unlink()
    result = run("doctor")
    assert result.exit_code == 1
    assert "WRONG  settings: XIMA_HOST is not set" in result.stdout
    assert "WRONG  mappings: there is none in mappings" in result.stdout
    assert "Xima: answers" not in result.stdout


@pytest.mark.usefixtures("xima")
def test_an_origin_without_encryption_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "http://hooks.example.com")
    assert "WRONG  public URL: http://hooks.example.com is not encrypted" in run("doctor").stdout


def test_a_token_that_leaves_this_machine_in_clear_is_wrong(
    run: Run, xima: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = xima.url.replace("127.0.0.1", "0.0.0.0")  # Linux takes it for itself, doctor for another
    monkeypatch.setenv("XIMA_HOST", elsewhere)
    assert f"WRONG  Xima: {elsewhere} is not encrypted, so the token can be read on the way" in run("doctor").stdout


@pytest.mark.usefixtures("xima")
@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_a_trial_on_one_machine_needs_no_encryption(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", url)
    assert f"ok     public URL: {url}: only programs on this machine can call it" in run("doctor").stdout
