"""A recorded request that is sent again: while its key is remembered it is a repeat, later it is a recording."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time
from sample import NOW, delivery
from web.front import Front, front

from adapter.store import Arrival, Entry, Store
from adapter.store.memory import REMEMBERED

LEAD = {"event_id": "1", "form_response": {"phone": "8015550142"}}
RULES = """
once: {for: 1h}
fresh_for: 900d
phones: {region: US}
quiet: {same_number: no}
rules:
  - callback: {skill: Sales, callback_number: "${form_response.phone}"}
"""
FILES = {
    "typeform": f"format: 1\nname: typeform\nreceive: {{from: typeform, secrets: [HOOK_SECRET]}}{RULES}",
    "alike": f"format: 1\nname: alike\nreceive: {{from: typeform, secrets: [HOOK_SECRET], unique_body: no}}{RULES}",
    "own": (
        "format: 1\nname: own\nreceive: {from: github, secrets: [HOOK_SECRET], body: json, unique_body: yes}" + RULES
    ),
}
START = datetime(2026, 1, 7, 17, tzinfo=UTC)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Front]:
    with front(tmp_path, FILES) as found:
        assert not found.sources.broken
        yield found


def after(made: Front, name: str, wait: timedelta) -> tuple[str, str]:
    """What becomes of a request, and of the same bytes after a while."""
    with freeze_time(START):
        first = made.receipt(name, LEAD)
        assert first["state"] == "queued"
    with freeze_time(START + wait):
        again = made.receipt(name, LEAD)
    return again["state"], "first" if again["id"] == first["id"] else again["reason"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("wait", [timedelta(), timedelta(minutes=59)])
def test_what_a_sender_repeats_is_answered_with_the_first_receipt(made: Front, name: str, wait: timedelta) -> None:
    assert after(made, name, wait) == ("queued", "first")


@pytest.mark.parametrize("name", ["typeform", "own"])
@pytest.mark.parametrize("wait", [timedelta(hours=1), timedelta(days=30), REMEMBERED - timedelta(seconds=1)])
def test_the_same_bytes_much_later_are_answered_and_not_done(made: Front, name: str, wait: timedelta) -> None:
    assert after(made, name, wait) == (
        "skip",
        "the very same request was received long ago: it is not done again",
    )
    assert len(made.rows("deliveries")) == 1


def test_a_sender_whose_events_may_be_alike_is_believed(made: Front) -> None:
    assert after(made, "alike", timedelta(hours=1)) == ("queued", "")
    assert made.rows("seen") == []


def test_another_body_is_another_event(made: Front) -> None:
    with freeze_time(START):
        made.receipt("typeform", LEAD)
        assert made.receipt("typeform", {**LEAD, "event_id": "2"})["state"] == "queued"
    assert len(made.rows("seen")) == 2


def test_what_was_refused_is_not_remembered(made: Front) -> None:
    assert made.client.post("/hooks/typeform", json=LEAD).status_code == 401
    assert made.rows("seen") == []


def arrival(at: datetime) -> Arrival:
    """A request that came at this time."""
    return Arrival(id=str(at), mapping="lead", version="1", received_at=at, method="POST", url="", headers={}, body=b"")


def test_the_first_time_counts_and_the_memory_ends(store: Store) -> None:
    for hours in (0, 1):
        store.add(arrival(NOW + timedelta(hours=hours)), [], fingerprint="f")
    assert store.first_seen("lead", "f") == NOW
    assert store.first_seen("other", "f") is None
    store.purge(before=NOW, now=NOW + REMEMBERED)
    assert store.first_seen("lead", "f") == NOW
    store.purge(before=NOW, now=NOW + REMEMBERED + timedelta(seconds=1))
    assert store.first_seen("lead", "f") is None


def test_a_request_that_is_not_kept_is_not_remembered(store: Store) -> None:
    entry = Entry(note={"broken": object()}, delivery=delivery(), remember_until=NOW)
    with pytest.raises(TypeError):
        store.add(arrival(NOW), [entry], fingerprint="f")
    assert store.first_seen("lead", "f") is None
