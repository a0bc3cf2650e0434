"""`forget` and `export`: what is held about a number, while the adapter serves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Adapter, running, until

from adapter.sandbox import Sandbox
from cli.conftest import Run

A_CLICK = {"id": "1", "agent": "0101", "phone": "(801) 555-0142", "name": "Ann Bell"}
A_LEAD = {"id": "2", "skill": "Sales", "phone": "801.555.0142"}
OTHER = {"id": "3", "skill": "Sales", "phone": "8015550199"}


@pytest.fixture(params=["sqlite", "postgres"])
def served(
    request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Adapter]:
    """A running adapter with each kind of store, and the command line on it."""
    given = {"ADAPTER_DATABASE_URL": request.getfixturevalue("postgres_url")} if request.param == "postgres" else {}
    with running(tmp_path, sandbox.url, **given) as adapter:
        for name in ("ADAPTER_DATABASE_URL", "ADAPTER_SECRET_KEY"):
            monkeypatch.setenv(name, adapter.environ[name])
        yield adapter


def post(adapter: Adapter, fields: dict[str, str]) -> dict[str, Any]:
    (receipt,) = adapter.post("click", json.dumps(fields).encode()).json()["receipts"]
    assert isinstance(receipt, dict)
    return receipt


def reached(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.world.ledger() if call["effect"]]


def exported(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("export", "801-555-0142", "--region", "US", "--json").stdout)
    return found


def test_a_person_hears_everything_and_then_nothing_is_left(served: Adapter, run: Run, sandbox: Sandbox) -> None:
    click = post(served, A_CLICK)
    run("pause")
    lead, other = post(served, A_LEAD), post(served, OTHER)
    run("suppress", "add", "+18015550142", "--reason", "asked us to stop")

    told = exported(run)
    assert told["number"] == "+18015550142"
    assert [one["id"] for one in told["deliveries"]] == [click["id"], lead["id"]]
    assert [one["status"] for one in told["deliveries"][0]["attempts"]] == [204]
    assert [json.loads(one["body"]) for one in told["requests"]] == [A_CLICK, A_LEAD]
    assert [(one["ended"], one["reports"]) for one in told["deliveries"]] == [(None, []), (None, [])]
    assert [one["reason"] for one in told["do_not_call"]] == ["asked us to stop"]
    plain = run("export", "+18015550142").stdout
    assert "Ann Bell" in plain
    assert plain.startswith("requests: 2\n")

    asked = run("forget", "+1 (801) 555-0142")
    assert asked.stdout.startswith("2 requests and 2 deliveries hold it; 1 of these would be cancelled.\n")
    assert asked.stdout.endswith("Nothing was done yet: --yes does it.\n")
    assert exported(run) == told

    done = run("forget", "801 555 0142", "--region", "US", "--yes", "--by", "Pat")
    assert done.exit_code == 0, done.output
    assert [line.split() for line in done.stdout.splitlines()[1:8]] == [
        ["deliveries", "2", "blanked"],
        ["attempts", "0", "blanked"],
        ["acts", "0", "blanked"],
        ["reports", "0", "blanked"],
        ["outcomes", "0", "blanked"],
        ["api_asked", "0", "removed"],
        ["requests", "2", "removed"],
    ]
    assert "On the do-not-call list it stays" in done.stdout
    left = exported(run)
    assert (left["requests"], left["deliveries"], len(left["do_not_call"])) == ([], [], 1)

    assert post(served, A_CLICK)["duplicate_of"] == click["id"]
    run("resume")
    until(lambda: json.loads(run("deliveries", "show", other["id"], "--json").stdout)["state"] == "accepted")
    assert reached(sandbox) == ["click_to_dial", "callback"]
    assert post(served, {**A_LEAD, "id": "9"})["policy"] == "do_not_call"
    shown = json.loads(run("deliveries", "show", lead["id"], "--json").stdout)
    assert (shown["state"], shown["acts"][-1]["who"]) == ("cancelled", "Pat")
    assert "0142" not in re.sub("[0-9a-f]{16,}", "an id, which may hold any digits", json.dumps(shown))


def test_the_key_of_an_event_that_is_made_of_the_number_is_told_of(served: Adapter, run: Run) -> None:
    text = (served.mappings / "click.yaml").read_text().replace("key: ${id}", "key: ${phone}")
    served.write("typed", text.replace("name: click\nreceive", "name: typed\nreceive"))
    until(lambda: served.post("typed", json.dumps(A_LEAD).encode()).ok)
    until(lambda: exported(run)["deliveries"][0]["state"] == "accepted")
    done = run("forget", "+18015550142", "--yes").stdout
    assert "The key of an event of typed is made of it and is kept, so that a repeat is not dialled, until 20" in done
    assert "It is not on the do-not-call list: xima-adapter suppress add" in done
    assert [one["key"] for one in exported(run)["keys"]] == ["801.555.0142"]


@pytest.mark.parametrize("command", ["forget", "export"])
def test_a_number_nobody_has_heard_of_and_what_is_none(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("ADAPTER_SECRET_KEY", "k" * 40)
    run("db", "upgrade")
    found = run(command, "+18015550142")
    assert (found.exit_code, "0" in found.stdout) == (0, True), found.output
    wrong = run(command, "801-555-0142")
    assert (wrong.exit_code, "needs --region" in wrong.stderr) == (2, True), wrong.output
