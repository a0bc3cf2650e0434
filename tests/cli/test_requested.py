"""Stored requests: the latest of a mapping with what became of them, and the story of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import policy
from adapter.model import Callback, Delivery
from adapter.store import Arrival, Entry, Store
from cli.conftest import Run

EVENING = datetime(2026, 11, 25, 3, 15, tzinfo=UTC)
"""Twenty past eight in Denver: the form is closed."""
SKIPPED = {"record": 0, "kind": "skip", "rule": "", "reason": "no rule matched"}
REJECTED = {"record": 1, "kind": "reject", "rule": "", "reason": "not a number: 801-555-0142 x", "field": "phone"}
DONE = {"record": 0, "kind": "action", "rule": "wants a call", "reason": ""}


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The store the commands find by their settings."""
    store = Store("sqlite:///adapter.db")
    store.upgrade()
    yield store
    store.close()


def keep(store: Store, number: int, *entries: Entry, body: bytes = b"", mapping: str = "form") -> str:
    """Keeps a request that came so many minutes past the hour."""
    arrival = Arrival(
        id=f"r{number}",
        mapping=mapping,
        version="abc",
        received_at=EVENING + timedelta(minutes=number),
        method="POST",
        url=f"/hooks/{mapping}?from=page",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=body,
    )
    store.add(arrival, entries)
    return arrival.id


def queued(number: int) -> Entry:
    """A record that became a callback; all have one key."""
    delivery = Delivery(
        id=f"d{number}",
        request_id=f"r{number}",
        mapping="form",
        version="abc",
        rule="wants a call",
        tenant="default",
        action=Callback(skill="Sales", callback_number="8015550142"),
        key="one",
        state="held",
        reason="outside the hours",
        deliver="queued",
        if_unknown="ask",
        terms=policy.terms(fresh_for=timedelta(minutes=10), open_hours=None, zones=()),
        created_at=EVENING,
        updated_at=EVENING,
        due_at=EVENING,
        expires_at=EVENING,
    )
    return Entry(note=DONE, delivery=delivery, remember_until=EVENING + timedelta(days=1))


def records(told: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(one["request"], record["record"], record["state"]) for one in told for record in one["records"]]


def test_what_became_of_requests_shows_the_skipped_rejected_and_repeated_too(run: Run, store: Store) -> None:
    keep(store, 1, queued(1))
    keep(store, 2, queued(2))
    keep(store, 3, Entry(note=SKIPPED), Entry(note=REJECTED))
    keep(store, 4)
    keep(store, 5, Entry(note=SKIPPED), mapping="click")
    head, *lines = run("deliveries", "requests", "form").stdout.splitlines()
    assert head.split() == ["REQUEST", "RECEIVED", "RECORD", "STATE", "WHAT"]
    assert [" ".join(line.split()) for line in lines] == [
        "r4 2026-11-25T03:19:00.000Z - - there was no record in it",
        "r3 2026-11-25T03:18:00.000Z 1 skip nothing was done: no rule matched",
        "r3 2026-11-25T03:18:00.000Z 2 reject not usable: not a number: ***0142 x",
        "r2 2026-11-25T03:17:00.000Z 1 duplicate the callback to …0142 for the skill Sales (as d1, which came first)"
        ": outside the hours",
        "r1 2026-11-25T03:16:00.000Z 1 held the callback to …0142 for the skill Sales: outside the hours",
    ]
    told = json.loads(run("deliveries", "requests", "mappings/form.yaml", "--last", "3", "--json").stdout)
    assert records(told) == [("r3", 1, "skip"), ("r3", 2, "reject"), ("r2", 1, "duplicate")]
    assert told[0]["records"] == []
    assert told[2]["records"][0]["delivery"] == "d1"


def test_numbers_are_shown_in_full_when_asked_for(run: Run, store: Store) -> None:
    keep(store, 1, queued(1), Entry(note=REJECTED))
    masked, full = (run("deliveries", "requests", "form", *more).stdout for more in ((), ("--full",)))
    assert "555" not in masked
    assert "the callback to 8015550142" in full
    assert "801-555-0142 x" in full


def test_a_mapping_nobody_called_says_so(run: Run, store: Store) -> None:
    assert run("deliveries", "requests", "form").stdout == "No request to form is kept.\n"
    assert json.loads(run("deliveries", "requests", "form", "--json").stdout) == []


def test_a_mapping_that_is_not_there_is_said_not_to_be(run: Run, store: Store, home: Path) -> None:
    for command in (("requests", "fomr"), ("list", "--mapping", "fomr"), ("list", "--mapping", "fomr", "--json")):
        result = run("deliveries", *command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "there is no mapping called fomr; did you mean form?" in result.stderr
    assert "known are click, form" in run("deliveries", "requests", "nope").stderr
    for name in ("form", "api"):
        assert run("deliveries", "list", "--mapping", name).stdout == "No deliveries yet.\n"
    keep(store, 1, queued(1))
    (home / "mappings").rename(home / "elsewhere")
    assert run("deliveries", "requests", "form").exit_code == 0
    assert run("deliveries", "requests", "nope").exit_code == 2


def test_the_id_of_a_delivery_stands_for_its_request_and_the_other_way_it_is_recognised(run: Run, store: Store) -> None:
    keep(store, 1, queued(1), body=b"phone=801-555-0142")
    keep(store, 2, Entry(note=SKIPPED))
    assert run("explain", "form", "--request", "d1").stdout == run("explain", "form", "--request", "r1").stdout
    assert run("example", "add", "form", "d1").exit_code == 0
    told = run("deliveries", "show", "r1")
    why = "xima-adapter explain form --request r1 says why"
    assert (told.exit_code, told.stderr) == (1, f"r1 is the id of a request, of the deliveries d1: {why}\n")
    assert "r2 is the id of a request, that made no delivery: " in run("deliveries", "replay", "r2").stderr


def test_a_stored_request_is_explained_on_its_own_clock(run: Run, store: Store) -> None:
    came = keep(store, 5, body=b"phone=801-555-0142")
    told = json.loads(run("explain", "form", "--request", came, "--json").stdout)["results"]
    assert [(one["result"], one["hold_until"]) for one in told] == [("action", "2026-11-25T08:00:00-07:00")]
    at_noon = ("--at", "2026-11-24T12:00:00-07:00")
    assert (
        json.loads(run("explain", "form", "--request", came, *at_noon, "--json").stdout)["results"][0]["hold_until"]
        is None
    )


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_nothing_a_sender_wrote_moves_the_terminal(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ADAPTER_SECRET_KEY", "a key of these tests alone")
    evil = "\x1b]0;all is well\x07\x1b[2J\r\nd9 accepted\x9b31m\u202e"
    entry = queued(1)
    assert entry.delivery
    body = f"phone={evil}&{evil}=8015550142".encode()
    keep(store, 1, replace(entry, delivery=replace(entry.delivery, key=evil, reason=evil)), body=body)
    keep(store, 2, Entry(note={**REJECTED, "reason": evil}))
    shown = [
        run(*command, *more, color=True).stdout
        for command in (
            ("deliveries", "requests", "form"),
            ("deliveries", "show", "d1"),
            ("deliveries",),
            ("explain", "form", "--request", "r1"),
            ("export", "+18015550142"),
        )
    ]
    for text in shown:
        assert "all is well" in text
        lines = text.split("\n")
        assert all(map(str.isprintable, lines)), text
        assert not any(line.startswith("d9") for line in lines)
        assert not more or json.loads(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("form",), "give either BODYFILE, or --request", id="neither"),
        pytest.param(("form", "-", "--request", "r1"), "give either BODYFILE, or --request", id="both"),
        pytest.param(("form", "--request", "r1", "--query", "a=b"), "has its own headers and query", id="query"),
        pytest.param(("form", "--request", "r9"), "there is no request r9", id="unknown"),
        pytest.param(("click", "--request", "r1"), "came to form, not to click", id="of another mapping"),
    ],
)
def test_a_request_that_cannot_be_explained_is_named(
    run: Run, store: Store, arguments: tuple[str, ...], said: str
) -> None:
    keep(store, 1, body=b"phone=1")
    result = run("explain", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
