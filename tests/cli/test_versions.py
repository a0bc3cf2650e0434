"""`mappings` and `backtest`: what an admin sees before and after a change counts, and the way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from running import CLICK

from adapter import written
from adapter.store import Arrival, Store, Trial, Version

from .conftest import FORM, Run

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BETTER = FORM.replace("name: form\n", "name: form\nabout: better\n", 1)
WORSE = FORM.replace("callback_number: 8015550142", "callback_number: 1")
AGENTS = "name,extension\nann,0101\n"
TABLE = """\
format: 1
name: table
receive: {from: github, secrets: [HOOK_SECRET], body: json}
phones: {region: US}
tables:
  agents: {file: agents.csv, key: name, value: extension}
rules:
  - click_to_dial:
      agent: {lookup: agents, key: "${who}"}
      number_to_dial: 801-555-0142
"""


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The store that the settings name, next to the mappings."""
    store = Store("sqlite:///adapter.db")
    store.upgrade()
    yield store
    store.close()


@pytest.fixture
def form(home: Path, store: Store) -> Path:
    """The mapping `form`, in force since ten o'clock."""
    publish(store, home / "mappings/form.yaml")
    return home / "mappings/form.yaml"


def publish(store: Store, file: Path, *, minutes: int = 0) -> Version:
    """What is in a file comes into force."""
    return store.publish(written.in_file(file).version(file, since=NOW + timedelta(minutes=minutes)))


def change(store: Store, file: Path, text: str, *, minutes: int = 1) -> Version:
    file.write_text(text, encoding="utf-8")
    return publish(store, file, minutes=minutes)


# list


def test_the_list_says_which_version_is_in_force_and_how_its_file_stands(run: Run, form: Path, store: Store) -> None:
    (form.parent / "form.shadow.yaml").write_text(BETTER, encoding="utf-8")
    store.publish(Version(mapping="old", version="", since=NOW, file="old.yaml"))
    away = Version(mapping="away", version="abcdef123456", since=NOW, file="away.yaml")
    store.publish(away)
    version = store.in_force()["form"].version
    told = run("mappings").output.splitlines()
    assert told[0].split() == ["NAME", "VERSION", "IN", "FORCE", "SINCE", "FILE"]
    rows = {line.split()[0]: line.split(maxsplit=3) for line in told[1:]}
    since = "2026-11-22T10:00:00.000Z"
    assert rows["form"] == ["form", version, since, "mappings/form.yaml"]
    assert rows["click"][:3] == ["click", "-", "-"]
    assert "it counts within two seconds where the adapter runs, if its secrets are set there" in rows["click"][3]
    assert rows["form.shadow"][3] == "runs beside form and does nothing (mappings shadow form)"
    assert rows["old"] == ["old", "removed", since, "removed"]
    assert rows["away"] == ["away", "abcdef123456", since, "the file is not there"]


def test_the_list_names_the_first_mistake_of_a_file_that_is_not_used(run: Run, form: Path) -> None:
    form.write_text(WORSE, encoding="utf-8")
    (one,) = [one for one in json.loads(run("mappings", "list", "--json").output) if one["name"] == "form"]
    assert one["version"]
    assert one["file"].startswith("cannot be used: form.yaml:")


def test_without_any_mapping_the_list_says_so(run: Run, store: Store, home: Path) -> None:
    for file in (home / "mappings").glob("*.yaml"):
        file.unlink()
    assert run("mappings", "list").output == "There is no mapping yet.\n"


# log and diff


def test_the_log_has_every_version_the_latest_first(run: Run, form: Path, store: Store) -> None:
    first, second = store.in_force()["form"].version, change(store, form, BETTER).version
    store.publish(Version(mapping="form", version="", since=NOW + timedelta(minutes=2), file=str(form)))
    rows = [line.split()[:2] for line in run("mappings", "log", "form").output.splitlines()[1:]]
    assert rows == [["3", "removed"], ["2", second], ["1", first]]
    told = json.loads(run("mappings", "log", "form", "--json").output)
    assert [one["version"] for one in told] == [None, second, first]


@pytest.mark.parametrize("command", [("log", "nobody"), ("diff", "nobody"), ("restore", "nobody", "1")], ids=str)
def test_a_mapping_that_never_was_in_force_has_no_history(run: Run, form: Path, command: tuple[str, ...]) -> None:
    result = run("mappings", *command)
    assert result.exit_code == 2
    assert "no mapping called nobody was ever in force (known: form)" in result.output


def test_a_diff_shows_what_publishing_would_change(run: Run, form: Path, store: Store) -> None:
    assert run("mappings", "diff", "form").output == "There is no difference.\n"
    form.write_text(BETTER, encoding="utf-8")
    lines = run("mappings", "diff", "form").output.splitlines()
    assert lines[:2] == [f"--- form.yaml ({store.in_force()['form'].version})", "+++ form.yaml (on disk)"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["+about: better"]


def test_a_diff_compares_two_versions_or_one_with_what_is_in_force(run: Run, form: Path, store: Store) -> None:
    second = change(store, form, BETTER).version
    third = change(store, form, BETTER.replace("better", "best"), minutes=2).version
    between = run("mappings", "diff", "form", "1", second[:6]).output
    assert f"+++ form.yaml ({second})" in between
    assert "+about: better" in between
    to_now = run("mappings", "diff", "form", "2").output
    assert f"+++ form.yaml ({third})" in to_now
    assert "-about: better\n+about: best" in to_now


def test_a_diff_of_a_file_that_cannot_be_read_says_why(run: Run, form: Path) -> None:
    form.unlink()
    result = run("mappings", "diff", "form")
    assert result.exit_code == 1
    assert "form.yaml:1:1: the file cannot be read" in result.output


def test_a_version_that_is_not_there_is_wrong_use(run: Run, form: Path) -> None:
    for given in ("9", "ffffffff", "f"):
        result = run("mappings", "diff", "form", given)
        assert (result.exit_code, f"there is no version {given}" in result.output) == (2, True)


# restore


def test_restore_writes_an_earlier_version_back(run: Run, form: Path, store: Store) -> None:
    form.chmod(0o640)
    change(store, form, BETTER)
    result = run("mappings", "restore", "form", "1")
    assert (result.exit_code, form.read_text(encoding="utf-8")) == (0, FORM)
    assert "is as it was since 2026-11-22T10:00:00.000Z" in result.output
    assert form.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in form.parent.glob(".*")] == []


@pytest.mark.parametrize("text", [BETTER, WORSE, "", "format: ["], ids=["good", "bad", "empty", "not YAML"])
def test_restore_refuses_to_lose_what_never_was_in_force_unless_forced(run: Run, form: Path, text: str) -> None:
    form.write_text(text, encoding="utf-8")
    result = run("mappings", "restore", "form", "1")
    assert (result.exit_code, form.read_text(encoding="utf-8")) == (1, text)
    assert "has changes that never were in force" in result.output
    assert run("mappings", "restore", "form", "1", "--force").exit_code == 0
    assert form.read_text(encoding="utf-8") == FORM


def test_restore_brings_a_removed_file_back(run: Run, form: Path) -> None:
    form.unlink()
    assert run("mappings", "restore", "form", "1").exit_code == 0
    assert form.read_text(encoding="utf-8") == FORM


def test_restore_writes_the_tables_too(run: Run, home: Path, store: Store) -> None:
    file, agents = home / "mappings/table.yaml", home / "mappings/agents.csv"
    agents.write_text(AGENTS, encoding="utf-8")
    change(store, file, TABLE)
    agents.write_text(AGENTS.replace("0101", "0102"), encoding="utf-8")
    publish(store, file, minutes=2)
    assert "-ann,0101\n+ann,0102" in run("mappings", "diff", "table", "1", "2").output
    result = run("mappings", "restore", "table", "1")
    assert (result.exit_code, agents.read_text(encoding="utf-8")) == (0, AGENTS)
    assert [Path(line.split()[0]).name for line in result.output.splitlines()] == ["agents.csv", "table.yaml"]
    agents.write_text("something else\n", encoding="utf-8")
    assert "agents.csv has changes that never were in force" in run("mappings", "restore", "table", "2").output
    agents.unlink()
    assert run("mappings", "restore", "table", "2").exit_code == 0
    assert "0102" in agents.read_text(encoding="utf-8")


def test_restore_writes_through_a_link(run: Run, form: Path, home: Path, store: Store) -> None:
    change(store, form, BETTER)
    target = form.rename(home / "kept-elsewhere.yaml")
    form.symlink_to(target)
    assert run("mappings", "restore", "form", "1").exit_code == 0
    assert (form.is_symlink(), target.read_text(encoding="utf-8")) == (True, FORM)


def test_restore_says_when_a_file_cannot_be_written(run: Run, form: Path) -> None:
    text = form.read_text(encoding="utf-8")
    (form.parent / ".form.yaml.new").mkdir()
    result = run("mappings", "restore", "form", "1")
    assert (result.exit_code, form.read_text(encoding="utf-8")) == (1, text)
    assert "form.yaml cannot be written: " in result.output


# shadow


def test_the_shadow_shows_counts_and_first_examples(run: Run, store: Store) -> None:
    assert "Nothing was counted: save a draft as form.shadow.yaml" in run("mappings", "shadow", "form").output
    same: dict[str, Any] = {"mapping": "form", "shadow": "s1", "version": "v1", "at": NOW}
    example = {"received_at": "2026-11-22T10:00:00.000Z", "request": "abc", "said": "this -> that"}
    store.count_trials([Trial(kind="same", **same), Trial(kind="other skill", example=example, **same)])
    lines = run("mappings", "shadow", "form").output.splitlines()
    assert lines[1].split(maxsplit=3) == ["s1", "v1", "1", "other skill"]
    assert lines[-1] == "other skill: 2026-11-22T10:00:00.000Z abc: this -> that"
    assert json.loads(run("mappings", "shadow", "form", "--json").output)[0]["count"] == 1


# backtest


def arrive(store: Store, number: int, body: str, *, version: str) -> None:
    values: dict[str, Any] = {"mapping": "form", "version": version, "method": "POST", "url": "/hooks/form"}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    at = NOW + timedelta(minutes=number)
    note = {"record": 0, "kind": "skip", "rule": "", "reason": "no rule matched"}
    arrival = Arrival(id=f"r{number}", received_at=at, headers=headers, body=body.encode(), **values)
    store.add(arrival, [])
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE requests SET results = ?", (json.dumps([note]),))


@pytest.fixture
def draft(form: Path, store: Store) -> Path:
    """A draft that calls another number, and five requests that came."""
    version = store.in_force()["form"].version
    for number in range(4):
        arrive(store, number, f"phone=801-555-014{number}&mobile=801-555-0199", version=version)
    arrive(store, 4, "phone=801-555-0144", version=version)
    path = form.parent / "form.draft.yaml"
    path.write_text(FORM.replace("callback_number: ${phone}", "callback_number: ${mobile}").partition("examples:")[0])
    return path


def test_a_backtest_shows_what_would_have_come_out_otherwise(run: Run, draft: Path) -> None:
    result = run("backtest", str(draft))
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "form.draft.yaml beside what was in force, over 5 requests of form"
    assert lines[1] == "from 2026-11-22T10:00:00.000Z to 2026-11-22T10:04:00.000Z:"
    assert [line.split(maxsplit=1) for line in lines[4:7]] == [
        ["0", "same"],
        ["4", "other number"],
        ["1", "newly rejected"],
    ]
    assert "other number:" in lines
    said = "r3: the callback to …0143 for the skill Sales: callback_number …0143 -> …0199"
    assert f"  2026-11-22T10:03:00.000Z {said}" in lines
    assert "  and 1 more (--json has them all)" in lines
    assert lines[-1] == "Nothing was sent, dialled or stored."
    assert "8015550143" not in result.output
    assert "8015550143" in run("backtest", str(draft), "--full").output


def test_a_record_that_changes_in_two_ways_is_shown_once(run: Run, draft: Path) -> None:
    draft.write_text(draft.read_text().replace("skill: Sales", "skill: Support"), encoding="utf-8")
    output = run("backtest", str(draft), "--last", "3").output
    assert "\nother skill: the records above\n" in output
    assert output.count(" r3: ") == 1


def test_a_strict_backtest_fails_when_anything_changed(run: Run, draft: Path) -> None:
    assert run("backtest", str(draft), "--strict").exit_code == 1
    assert run("backtest", str(draft.with_name("form.yaml")), "--strict").exit_code == 0


def test_a_strict_backtest_fails_when_senders_would_be_refused(run: Run, draft: Path) -> None:
    draft.write_text(FORM.replace("X-Form-Key", "X-Other-Key"), encoding="utf-8")
    result = run("backtest", str(draft), "--strict")
    assert (result.exit_code, "as they sign today they may get 401" in result.output) == (1, True)


def test_a_backtest_for_programs_has_every_change(run: Run, draft: Path) -> None:
    told = json.loads(run("backtest", str(draft), "--last", "3", "--json").output)
    assert (told["mapping"], told["requests"], told["noted"]) == ("form", 3, 0)
    assert told["counts"]["other number"] == 2
    assert [one["request"] for one in told["changed"]] == ["r4", "r3", "r2"]
    assert told["changed"][1]["kinds"] == ["other number"]


def test_a_backtest_says_what_it_could_only_compare_with_notes(run: Run, draft: Path, store: Store) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM mapping_versions")
    lines = run("backtest", str(draft)).output.splitlines()
    assert "Of 5 requests the history does not hold the version" in lines[-3]
    assert ["4", "newly accepted"] in [line.split(maxsplit=1) for line in lines]


def test_a_backtest_without_requests_says_so(run: Run, store: Store, home: Path) -> None:
    (home / "anything.yaml").write_text(CLICK, encoding="utf-8")
    told = run("backtest", "anything.yaml", "--strict")
    assert (told.exit_code, told.output) == (0, "No request of click is kept yet, so there is nothing to compare.\n")
    assert json.loads(run("backtest", "anything.yaml", "--json").output)["first"] is None


def test_a_draft_with_mistakes_is_told_as_check_tells_it(run: Run, form: Path) -> None:
    form.write_text(WORSE, encoding="utf-8")
    result = run("backtest", str(form))
    assert result.exit_code == 1
    assert "form.yaml:" in result.output
    assert "expected callback.callback_number: 1" in result.output
