"""The do-not-call list, pauses and releases, as people use them; the pretend Xima says what was dialled."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from running import Adapter, running, until

from adapter.sandbox import Sandbox
from cli.conftest import Run

KEY = "k" * 40
A_CLICK = {"id": "1", "agent": "0101", "phone": "(801) 555-0142"}
A_LEAD = {"id": "2", "skill": "Sales", "phone": "801.555.0142"}


@pytest.fixture
def stored(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, with a store and a key."""
    monkeypatch.setenv("ADAPTER_SECRET_KEY", KEY)
    run("db", "upgrade")
    return run


def listed(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("suppress", "list", "--json").stdout)
    return found


@pytest.mark.parametrize(
    ("number", "words"),
    [("+1 801 555 0142", ()), ("(801) 555-0142", ("--region", "US")), ("0018015550142", ("--region", "GB"))],
)
def test_a_number_is_the_same_in_any_spelling(stored: Run, number: str, words: tuple[str, ...]) -> None:
    assert stored("suppress", "add", number, *words, "--reason", "asked", "--by", "Pat").stdout == (
        "1 number added, 0 were on the list already.\n"
    )
    again = stored("suppress", "add", "+18015550142", "--reason", "asked").stdout
    assert again == "0 numbers added, 1 were on the list already.\n"
    assert stored("suppress", "remove", "801-555-0142", "--region", "US").stdout == "It may be called again.\n"
    gone = stored("suppress", "remove", "+18015550142")
    assert (gone.exit_code, gone.stdout) == (1, "It was not on the list.\n")


@pytest.mark.parametrize(
    "words",
    [
        ("pause", "--reason", "caf\udce9"),
        ("suppress", "add", "+18015550142", "--reason", "asked", "--by", "Ren\udce9"),
        ("deliveries", "list", "--mapping", "caf\udce9"),
        ("deliveries", "show", "caf\udce9"),
    ],
    ids=lambda words: str(words[0]),
)
def test_what_is_not_utf_8_does_nothing_and_is_told(stored: Run, words: tuple[str, ...]) -> None:
    result = stored(*words)
    assert (result.exit_code, "does not speak UTF-8" in result.stderr) == (2, True)
    assert listed(stored) == []
    assert stored("resume").stdout == "Dialling goes on; 0 deliveries looked at again.\n"


def test_the_list_says_who_and_why_and_no_number(stored: Run) -> None:
    stored("suppress", "add", "+18015550142", "--reason", "asked us to stop", "--by", "Pat")
    shown = stored("suppress", "list").stdout
    assert "Pat" in shown
    assert shown.endswith("asked us to stop\n1 number\n")
    assert "0142" not in shown
    assert [(one["who"], one["reason"]) for one in listed(stored)] == [("Pat", "asked us to stop")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2025550113",), "this number cannot be read: no country: a number without + needs --region\n"),
        (("0142",), "needs --region"),
        (("hello", "--region", "US"), "this number cannot be read: not a telephone number"),
        (("801-555-0142", "--region", "USA"), "did you mean US?"),
    ],
)
def test_what_is_no_number_is_said_to_be_none(stored: Run, words: tuple[str, ...], said: str) -> None:
    result = stored("suppress", "add", *words, "--reason", "asked")
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert listed(stored) == []


def test_a_spreadsheet_is_read_and_its_bad_lines_are_named(stored: Run, home: Path) -> None:
    (home / "list.csv").write_text("name,phone\nAnn,801-555-0142\nBob,nothing\n\nCy,+18015550143\nAnn,8015550142\n")
    result = stored("suppress", "import", "list.csv", "--column", "phone", "--region", "US")
    assert (result.exit_code, result.stdout) == (1, "2 numbers added, 0 were on the list already.\n")
    assert result.stderr == "list.csv:3: not a telephone number\n"
    (home / "bare.csv").write_text("+18015550142\n+18015550199\n")
    result = stored("suppress", "import", "bare.csv")
    assert (result.exit_code, result.stdout) == (0, "1 number added, 1 were on the list already.\n")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("name;phone\r\nAnn;801-555-0142\r\nBob;(801) 555-0143\r\n", id="semicolons"),
        pytest.param("sep=;\nname;phone\nAnn;801-555-0142\nBob;801-555-0143\n", id="semicolons that are announced"),
        pytest.param("name\tphone\nAnn\t801-555-0142\nBob\t801-555-0143\n", id="tabs"),
        pytest.param('name,phone\n"Ann\nSmith",801-555-0142\nBob,801-555-0143\n', id="a cell of two lines"),
    ],
)
def test_a_list_may_be_one_that_a_spreadsheet_saved(stored: Run, content: str) -> None:
    Path("list.csv").write_text(content, encoding="utf-8-sig", newline="")
    result = stored("suppress", "import", "list.csv", "--column", "phone", "--region", "US")
    assert (result.exit_code, result.stdout) == (0, "2 numbers added, 0 were on the list already.\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"name\nAnn\n", "has no column 'phone' (it has: name)"), (b"\xff\xfe", "is not UTF-8 text")],
)
def test_a_spreadsheet_that_cannot_be_used_is_refused(stored: Run, home: Path, content: bytes, said: str) -> None:
    (home / "list.csv").write_bytes(content)
    result = stored("suppress", "import", "list.csv", "--column", "phone")
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_number_can_be_on_one_tenants_list(stored: Run) -> None:
    words = ("+18015550142", "--tenant", "acme")
    assert stored("suppress", "add", *words, "--reason", "asked", "--by", "Pat").stdout.startswith("1 number added")
    assert [(one["tenant"], one["who"]) for one in listed(stored)] == [("acme", "Pat")]
    gone = stored("suppress", "remove", "+18015550142")
    assert (gone.exit_code, gone.stdout) == (1, "It was not on the list.\nIt is still on the list of: acme\n")
    stored("suppress", "add", "+18015550142", "--reason", "asked")
    assert stored("suppress", "remove", *words).stdout == "It was taken off.\nIt is still on the list of: all tenants\n"
    assert stored("suppress", "remove", *words).stdout.startswith("It was not on the list for acme.\n")
    assert stored("suppress", "remove", "+18015550142").stdout == "It may be called again.\n"


def test_a_tenant_nobody_described_has_no_list(stored: Run) -> None:
    """Else a number would be called though somebody thinks that it is not."""
    result = stored("suppress", "add", "+18015550142", "--tenant", "acmee", "--reason", "asked")
    assert (result.exit_code, listed(stored)) == (2, [])
    assert "there is no tenant 'acmee': known are acme, default" in result.stderr


def test_a_key_that_was_taken_away_is_missed(stored: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("suppress", "add", "+18015550142", "--reason", "asked")
    monkeypatch.setenv("ADAPTER_SECRET_KEY", "n" * 40)
    result = stored("suppress", "list")
    assert (result.exit_code, "put it back at its end" in result.stderr) == (1, True)
    monkeypatch.setenv("ADAPTER_SECRET_KEY", f"{'n' * 40},{KEY}")
    assert stored("suppress", "list").exit_code == 0


def test_a_pause_and_its_end_are_said_in_words(stored: Run) -> None:
    said = stored("pause", "--tenant", "acme", "--reason", "new phones", "--by", "Pat").stdout
    assert said == "Dialling is paused for acme; 0 deliveries held.\n"
    stored("pause")
    assert stored("resume").stdout.splitlines() == [
        "Dialling goes on; 0 deliveries looked at again.",
        "Still paused: acme",
    ]
    assert stored("resume", "--tenant", "acme").stdout == "Dialling goes on for acme; 0 deliveries looked at again.\n"


def test_a_tenant_that_is_not_there_is_neither_paused_nor_resumed(stored: Run, home: Path) -> None:
    for command in ("pause", "resume"):
        result = stored(command, "--tenant", "acmee")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "there is no tenant 'acmee': known are acme, default" in result.stderr
    stored("pause", "--tenant", "acme")
    (home / "mappings/tenants.yaml").unlink()  # what was paused can always be resumed
    assert stored("resume", "--tenant", "acme").exit_code == 0
    assert stored("resume", "--tenant", "acme").exit_code == 2


# with a running adapter, in front of the pretend Xima


def post(adapter: Adapter, **fields: str) -> dict[str, Any]:
    (receipt,) = adapter.post("click", json.dumps(fields).encode()).json()["receipts"]
    assert isinstance(receipt, dict)
    return receipt


def reached(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.world.ledger() if call["effect"]]


@pytest.fixture
def served(tmp_path: Path, sandbox: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A running adapter, and the command line on its store."""
    with running(tmp_path, sandbox.url) as adapter:
        for name in ("ADAPTER_DATABASE_URL", "ADAPTER_SECRET_KEY"):
            monkeypatch.setenv(name, adapter.environ[name])
        yield adapter


def state(adapter: Adapter, delivery_id: str) -> Any:
    store = adapter.store()
    try:
        return store.get(delivery_id)
    finally:
        store.close()


def test_whoever_is_on_the_list_is_not_dialled_and_nobody_can_override_it(
    served: Adapter, run: Run, sandbox: Sandbox
) -> None:
    run("suppress", "add", "+18015550142", "--reason", "asked us to stop")
    for event in (A_CLICK, A_LEAD):
        receipt = post(served, **event)
        assert (receipt["state"], receipt["policy"]) == ("suppressed", "do_not_call")
        assert receipt["message"].endswith("on the do-not-call list: asked us to stop (do_not_call).")
        refused = run("deliveries", "release", receipt["id"], "--reason", "I want to")
        assert (refused.exit_code, "suppress remove" in refused.stderr) == (1, True)
    assert reached(sandbox) == []


def test_a_pause_holds_what_comes_and_a_resume_sends_it(served: Adapter, run: Run, sandbox: Sandbox) -> None:
    run("pause", "--reason", "new phones", "--by", "Pat")
    click, lead = post(served, **A_CLICK), post(served, **A_LEAD)
    assert [one["state"] for one in (click, lead)] == ["held", "held"]
    assert click["reason"] == "dialling is paused by Pat: new phones (pause)"
    assert reached(sandbox) == []
    assert run("resume").stdout == "Dialling goes on; 2 deliveries looked at again.\n"
    until(lambda: sorted(reached(sandbox)) == ["callback", "click_to_dial"])


def test_a_person_sends_what_a_rule_has_stopped_by_name_and_with_a_reason(
    served: Adapter, run: Run, sandbox: Sandbox
) -> None:
    served.write(
        "quiet",
        (served.mappings / "click.yaml")
        .read_text()
        .replace("same_number: no", "same_number: 1h")
        .replace("name: click\nreceive", "name: quiet\nreceive"),
    )
    served.stop()
    served.start()
    first, second = (
        served.post("quiet", json.dumps({**A_LEAD, "id": str(number)}).encode()).json()["receipts"][0]
        for number in (1, 2)
    )
    assert (first["state"], second["state"], second["policy"]) == ("queued", "suppressed", "quiet.same_number")
    until(lambda: reached(sandbox) == ["callback"])
    run("deliveries", "release", second["id"], "--reason", "she asked twice", "--by", "Pat")
    until(lambda: reached(sandbox) == ["callback", "callback"])
    shown = json.loads(run("deliveries", "show", second["id"], "--json").stdout)
    assert [(one["who"], one["old"], one["new"], one["reason"]) for one in shown["acts"]] == [
        ("Pat", "suppressed", "queued", "she asked twice")
    ]


def test_hours_do_not_count_for_what_a_person_released(served: Adapter, run: Run, sandbox: Sandbox) -> None:
    text = (served.mappings / "click.yaml").read_text().replace("name: click\nreceive", "name: shut\nreceive")
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).strftime("%a").lower()
    text = text.replace("rules:\n", f"hours:\n  zone: UTC\n  open:\n    {tomorrow}: 08:00-09:00\nrules:\n")
    served.write("shut", text.partition("examples:")[0])
    served.stop()
    served.start()
    (held,) = served.post("shut", json.dumps({**A_LEAD, "phone": "+44 20 7946 0958"}).encode()).json()["receipts"]
    assert (held["state"], held["policy"]) == ("held", "hours")
    run("deliveries", "release", held["id"], "--reason", "he waits")
    until(lambda: reached(sandbox) == ["callback"])
