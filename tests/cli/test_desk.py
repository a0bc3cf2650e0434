"""`deliveries`: what became of requests, and what a person may do about it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import policy
from adapter.model import TRANSITIONS, Attempt, Callback, ClickToDial, Delivery, State
from adapter.policy import Verdict
from adapter.store import Arrival, Entry, Store
from cli.conftest import Run

NOW = datetime.now(UTC)
FRESH = timedelta(minutes=10)
CALLBACK = Callback(skill="Sales", callback_number="8015550143")
Put = Callable[..., Delivery]


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The store the commands find by their settings."""
    store = Store("sqlite:///adapter.db")
    store.upgrade()
    yield store
    store.close()


@pytest.fixture
def put(store: Store) -> Put:
    """Keeps a delivery in any state."""

    def put(state: State = "queued", *, number: int = 1, **fields: Any) -> Delivery:
        delivery = Delivery(
            id=f"{number:025x}",
            request_id=f"r{number}",
            mapping="click",
            version="abc",
            rule="click",
            tenant="default",
            action=ClickToDial(agent="0101", number_to_dial="8015550142"),
            key=f"key-{number}",
            state="queued",
            reason="",
            deliver="queued",
            if_unknown="ask",
            terms=policy.terms(fresh_for=FRESH, open_hours=None, zones=()),
            created_at=NOW,
            updated_at=NOW,
            due_at=NOW,
            expires_at=NOW + FRESH,
        )
        delivery = replace(delivery, state=state, **fields)
        arrival = Arrival(
            id=delivery.request_id,
            mapping=delivery.mapping,
            version="abc",
            received_at=NOW,
            method="POST",
            url="/hooks/click",
            headers={},
            body=b"{}",
        )
        store.add(arrival, [Entry(note={}, delivery=delivery, remember_until=NOW + FRESH)])
        return delivery

    return put


# looking


def test_no_deliveries_yet(run: Run, store: Store) -> None:
    assert run("deliveries").stdout == "No deliveries yet.\n"


def test_the_list_shows_the_latest_first_and_how_many_there_are(run: Run, put: Put) -> None:
    put("accepted", number=1)
    put("refused", number=2, action=CALLBACK, reason="no such skill", mapping="form")
    lines = run("deliveries").stdout.splitlines()
    assert lines[0].split() == ["ID", "STATE", "CREATED", "MAPPING", "WHAT", "REASON"]
    assert [line.split()[1] for line in lines[1:3]] == ["refused", "accepted"]
    assert "the callback to …0143 for the skill Sales" in lines[1]
    assert lines[1].endswith("no such skill")
    assert lines[-1] == "1 accepted, 1 refused"
    assert "8015550142" not in "".join(lines)
    assert lines == run("deliveries", "list").stdout.splitlines()


def test_the_list_is_cut_down_by_state_mapping_and_number(run: Run, put: Put) -> None:
    for number, state in enumerate(TRANSITIONS, 1):
        put(state, number=number, mapping="form" if state == "held" else "click")
    assert run("deliveries", "list", "--state", "unknown").stdout.count("extension 0101") == 1
    assert run("deliveries", "list", "--mapping", "form").stdout.count("extension 0101") == 1
    assert run("deliveries", "list", "--last", "3").stdout.count("extension 0101") == 3
    assert len(json.loads(run("deliveries", "list", "--json").stdout)) == len(TRANSITIONS)


def test_the_options_of_the_list_do_not_need_its_word(run: Run, put: Put) -> None:
    put("accepted", number=1)
    put("refused", number=2)
    assert run("deliveries", "--json").stdout == run("deliveries", "list", "--json").stdout
    assert [one["state"] for one in json.loads(run("deliveries", "--state", "refused", "--json").stdout)] == ["refused"]
    assert "Commands:" in run("deliveries", "--help").stdout


def test_refused_requests_are_counted_above_the_list(run: Run, store: Store) -> None:
    for mapping in ("click", "click", ""):
        store.count_refusal(mapping=mapping, code="unauthorized", reason="signature mismatch", now=NOW)
    said = run("deliveries").stdout
    assert f"{NOW.date()}: 2 requests to click refused: signature mismatch" in said
    assert f"{NOW.date()}: 1 request to no known mapping refused: signature mismatch" in said


def test_one_delivery_with_its_tries_and_what_people_did(run: Run, put: Put, store: Store) -> None:
    sending = put("sending", attempt=1, lease_owner="x", lease_until=NOW)
    attempt = Attempt(at=NOW, phase="sent", status=None, reason="the answer never came", duration_ms=45000)
    verdict = Verdict(state="unknown", reason="the answer never came", due_at=NOW, expires_at=NOW)
    assert store.save(sending, verdict, [attempt], now=NOW)
    run("deliveries", "settle", sending.id, "--as", "gave-up", "--reason", "rang by hand")
    said = run("deliveries", "show", sending.id).stdout
    assert said.startswith("The call from extension 0101 to …0142 was not made and will not be: rang by hand.\n")
    assert "key         key-1" in said
    assert "Tries at Xima:" in said
    assert "sent   -       the answer never came  45000\n" in said
    assert "What people did:" in said
    assert f"{getpass.getuser()}  unknown  failed  rang by hand" in said
    shown = json.loads(run("deliveries", "show", sending.id, "--json").stdout)
    assert shown["state"] == "failed"
    assert shown["status_url"] is None
    assert [one["duration_ms"] for one in shown["attempts"]] == [45000]
    assert [(one["who"], one["old"], one["new"]) for one in shown["acts"]] == [(getpass.getuser(), "unknown", "failed")]
    assert shown["acts"][0]["at"].endswith("Z")


def test_what_only_a_person_says_is_not_said_of_xima(run: Run, put: Put) -> None:
    said = run("deliveries", "settle", put("unknown").id, "--as", "rang").stdout
    assert said == "The call from extension 0101 to …0142 counts as accepted: it rang.\n"


# acting

ALLOWED = {
    ("cancel",): ("held", "queued"),
    ("replay",): ("failed", "refused", "expired"),
    ("settle", "--as", "rang"): ("unknown",),
    ("settle", "--as", "not-rang"): ("unknown",),
    ("settle", "--as", "gave-up"): ("unknown",),
}
BECOMES = {"cancel": "cancelled", "replay": "queued", "rang": "accepted", "not-rang": "queued", "gave-up": "failed"}


@pytest.mark.parametrize("words", ALLOWED, ids=" ".join)
@pytest.mark.parametrize("state", TRANSITIONS)
def test_a_person_can_do_only_what_makes_sense_in_a_state(
    run: Run, put: Put, store: Store, words: tuple[str, ...], state: State
) -> None:
    delivery = put(state)
    command, *options = words
    result = run("deliveries", command, delivery.id, *options)
    after = store.get(delivery.id)
    assert after is not None
    if state in ALLOWED[words]:
        assert (result.exit_code, after.state) == (0, BECOMES[words[-1]])
        assert len(store.acts(delivery.id)) == 1
        assert result.stdout.strip()
    else:
        assert (result.exit_code, after, result.stdout) == (1, delivery, "")
        assert store.acts(delivery.id) == []
        assert result.stderr.strip()


def test_an_unknown_one_is_not_replayed_before_it_is_settled(run: Run, put: Put) -> None:
    result = run("deliveries", "replay", put("unknown").id)
    assert result.stderr == "nobody knows whether it rang: say so with settle --as rang or --as not-rang\n"


def test_what_is_sent_again_is_fresh_again(run: Run, put: Put, store: Store) -> None:
    old = put("expired", expires_at=NOW - timedelta(days=1), due_at=NOW - timedelta(days=1))
    assert run("deliveries", "replay", old.id).exit_code == 0
    after = store.get(old.id)
    assert after is not None
    assert after.expires_at - after.due_at == FRESH
    assert after.due_at >= NOW


def test_the_reason_of_a_person_is_kept_with_his_name(run: Run, put: Put, store: Store) -> None:
    delivery = put("held")
    run("deliveries", "cancel", delivery.id, "--reason", "called by hand")
    (act,) = store.acts(delivery.id)
    assert (act["who"], act["reason"]) == (getpass.getuser(), "called by hand")


def test_a_user_without_a_name_can_act_too(run: Run, put: Put, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    delivery = put("held")
    assert run("deliveries", "cancel", delivery.id).exit_code == 0
    assert store.acts(delivery.id)[0]["who"].startswith("user ")


# stupid mistakes


@pytest.mark.parametrize("words", [("show",), ("cancel",), ("replay",), ("settle", "--as", "rang")], ids=" ".join)
def test_an_id_nobody_has_is_said_to_be_one(run: Run, store: Store, words: tuple[str, ...]) -> None:
    command, *options = words
    result = run("deliveries", command, "019abc", *options)
    assert (result.exit_code, result.stderr) == (1, "there is no delivery 019abc\n")


@pytest.mark.parametrize(
    "words",
    ["list --state lost", "list --last 0", "settle x", "settle x --as maybe", "show", "cancel", "replay"],
)
def test_wrong_use_is_exit_code_2(run: Run, store: Store, words: str) -> None:
    assert run("deliveries", *words.split()).exit_code == 2


def test_looking_makes_no_store(run: Run, home: Path) -> None:
    result = run("deliveries")
    assert (result.exit_code, list(home.glob("*.db"))) == (1, [])
    assert result.stderr == (
        "there is no store adapter.db yet: start the adapter (serve), or run xima-adapter db upgrade\n"
    )


def test_a_store_that_was_never_migrated_is_said_to_be_one(run: Run, home: Path) -> None:
    (home / "adapter.db").write_bytes(b"")
    result = run("deliveries")
    assert result.exit_code == 1
    assert "run xima-adapter db upgrade" in result.stderr


def test_a_file_that_is_no_store_is_said_to_be_none(run: Run, home: Path) -> None:
    (home / "adapter.db").write_bytes(b"this is a text file and no database at all" * 50)
    for command in (["deliveries"], ["db", "upgrade"]):
        result = run(*command)
        assert (result.exit_code, result.stderr) == (1, "the store cannot be used: file is not a database\n")
