"""A recorded request that is sent again: while its key is remembered it is a repeat, later it is a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sample import NOW, delivery
from web.front import ORIGIN, Front, front

from adapter import signature
from adapter.model import Received
from adapter.policy import Verdict
from adapter.replay import RENAMED
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
KIND = {"content-type": "application/json"}
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
    hour = timedelta(hours=1)
    assert after(made, "alike", hour) == ("queued", "first")  # which still waits
    (first,) = made.store.newest()
    done = Verdict(state="cancelled", reason="", due_at=START, expires_at=START)
    made.store.act(first, done, who="Pat", now=START)
    with freeze_time(START + hour):
        again = made.receipt("alike", LEAD)
    assert (again["state"], again["duplicate_of"]) == ("queued", None)
    assert made.rows("seen") == []


def test_another_body_is_another_event(made: Front) -> None:
    with freeze_time(START):
        made.receipt("typeform", LEAD)
        assert made.receipt("typeform", {**LEAD, "event_id": "2"})["state"] == "queued"
    assert len(made.rows("seen")) == 2


def test_what_was_refused_is_not_remembered(made: Front) -> None:
    assert made.client.post("/hooks/typeform", json=LEAD).status_code == 401
    assert made.rows("seen") == []


ZENDESK = f"format: 1\nname: zen\nreceive: {{from: zendesk, secrets: [HOOK_SECRET]}}{RULES}"
ID = "x-zendesk-webhook-invocation-id"
CUSTOM = """
format: 1
name: zen
receive:
  verify:
    scheme: hmac
    header: X-Sig
    algorithm: sha256
    encoding: hex
    content: "{timestamp}{method}{url}{header:X-Kind}{body}"
    timestamp: {header: X-Time, unit: s}
  secrets: [HOOK_SECRET]
  body: json
""" + RULES.replace("once: {for: 1h}", "once: {for: 1h, key: '${let.id}-${id}'}\nlet: {id: '${ID}'}")
APART = {
    "a preset": (ZENDESK, ID, "RENAMED"),
    "an id that is signed": (CUSTOM.replace("${ID}", "${request.headers.x-kind}"), "x-kind", "401"),
    "an id behind let": (CUSTOM.replace("${ID}", "${request.headers.x-id}"), "x-id", "RENAMED"),
    "no two bodies alike": (
        FILES["own"].replace("name: own", "name: zen").replace("for: 1h", "for: 1h, key: '${request.headers.x-id}'"),
        "x-id",
        "RENAMED",
    ),
    "bodies may be alike and no time is signed": (
        FILES["own"]
        .replace("name: own", "name: zen")
        .replace("for: 1h", "for: 1h, key: '${request.headers.x-id}'")
        .replace("unique_body: yes", "unique_body: no"),
        "x-id",
        "queued",
    ),
}


@pytest.mark.parametrize(("text", "header", "becomes"), APART.values(), ids=APART)
def test_a_recording_under_another_id_is_answered_and_not_done(
    tmp_path: Path, text: str, header: str, becomes: str
) -> None:
    with front(tmp_path, {"zen": text}) as made, freeze_time(START):
        assert not made.sources.broken
        sent = signed(made, {**LEAD, "id": 1}, {header: "A", "x-kind": "A"})
        first = posted(made, sent)
        assert posted(made, sent)["duplicate_of"] == first["id"], "a true resend"
        for _ in "12":  # what was refused is not remembered as an id
            answer = made.client.post("/hooks/zen", data=sent.body, headers={**sent.headers, header: "B"})
            if becomes == "401":
                assert answer.status_code == 401
            elif becomes == "RENAMED":
                (told,) = answer.get_json()["receipts"]
                assert (answer.status_code, told["state"], told["reason"]) == (200, "skip", RENAMED.reason)
        assert posted(made, sent)["duplicate_of"] == first["id"], "and once more"
        assert len(made.rows("deliveries")) == (2 if becomes == "queued" else 1)


def test_a_sender_that_signs_its_resend_anew_is_known_by_its_id(tmp_path: Path) -> None:
    with front(tmp_path, {"zen": ZENDESK}) as made:
        with freeze_time(START):
            first = posted(made, signed(made, LEAD, {ID: "A"}))
        with freeze_time(START + timedelta(seconds=30)):
            assert posted(made, signed(made, LEAD, {ID: "A"}))["duplicate_of"] == first["id"]
        with freeze_time(START + timedelta(seconds=31)):
            assert posted(made, signed(made, LEAD, {ID: "B"}))["state"] == "queued"
            assert posted(made, signed(made, {**LEAD, "event_id": "2"}, {ID: "C"}))["state"] == "queued"


def test_nothing_is_remembered_of_senders_that_sign_a_time_and_their_id(tmp_path: Path) -> None:
    text = CUSTOM.replace("${ID}", "${request.headers.x-kind}")
    with front(tmp_path, {"zen": text}) as made:
        posted(made, signed(made, {**LEAD, "id": 1}, {"x-kind": "A"}))
        assert made.rows("seen") == []


def signed(made: Front, body: dict[str, Any], headers: dict[str, str]) -> Received:
    """A request of the mapping's sender, with further headers."""
    raw = json.dumps(body).encode()
    sent = Received(method="POST", url=f"{ORIGIN}/hooks/zen", headers={**KIND, **headers}, body=raw)
    proof = made.sources.usable["zen"].proofs[0]
    return signature.sign(proof.scheme, proof.secrets[0], sent, now=datetime.now(UTC))


def posted(made: Front, sent: Received) -> dict[str, Any]:
    """The receipt of a request."""
    answer = made.client.post("/hooks/zen", data=sent.body, headers=dict(sent.headers))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["receipts"][0]
    return found


def arrival(at: datetime) -> Arrival:
    """A request that came at this time."""
    return Arrival(id=str(at), mapping="lead", version="1", received_at=at, method="POST", url="", headers={}, body=b"")


def test_the_first_time_counts_and_the_memory_ends(store: Store) -> None:
    for hours in (0, 1):
        store.add(arrival(NOW + timedelta(hours=hours)), [], fingerprints=["f"])
    assert store.first_seen("lead", "f") == NOW
    assert store.first_seen("other", "f") is None
    store.purge(before=NOW, now=NOW + REMEMBERED)
    assert store.first_seen("lead", "f") == NOW
    store.purge(before=NOW, now=NOW + REMEMBERED + timedelta(seconds=1))
    assert store.first_seen("lead", "f") is None


def test_a_request_that_is_not_kept_is_not_remembered(store: Store) -> None:
    entry = Entry(note={"broken": object()}, delivery=delivery(), remember_until=NOW)
    with pytest.raises(TypeError):
        store.add(arrival(NOW), [entry], fingerprints=["f"])
    assert store.first_seen("lead", "f") is None
