"""Ended calls on the command line: what a request would tell, what it told, and drafts over those that came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample import CLICK, NOW, SECOND, delivery

from adapter.model import CallEnded
from adapter.policy.ended import Call
from adapter.store import Arrival, Entry, Store
from cli.conftest import Run

STARTER = (Path(__file__).parents[2] / "adapter/starters/xima-call-ended.yaml").read_text(encoding="utf-8")
ENDS = STARTER.replace("XIMA_CALL_ENDED_KEY", "HOOK_SECRET").replace("name: xima-call-ended", "name: ends", 1)
QUERY = "extension=0101&number=18015550142&direction=Outbound&result=Answered&seconds=60"
TOLD = CallEnded(agent="0101", number="18015550142", outcome="connected", duration="60")
UNMATCHED = "no dial to this number by this agent in that time"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The store the commands find, beside a mapping for the ends of calls: one request of it came as a GET."""
    Path("mappings/ends.yaml").write_text(ENDS, encoding="utf-8")
    store = Store("sqlite:///adapter.db")
    store.upgrade()
    note = {"record": 0, "kind": "skip", "rule": "an outbound call ended", "reason": UNMATCHED}
    arrival = Arrival(
        id="r7",
        mapping="ends",
        version="abc",
        received_at=NOW,
        method="GET",
        url=f"/hooks/ends?key=(removed)&{QUERY}",
        headers={},
        body=b"",
    )
    store.add(arrival, [Entry(note={**note, "call": TOLD.as_dict(), "key": "k"})])
    yield store
    store.close()


def test_explain_says_what_is_read_and_that_nothing_is_sent(run: Run, store: Store) -> None:
    result = run("explain", "ends", "--request", "r7")
    assert result.exit_code == 0, result.output
    assert "record 1: call_ended by rule 'an outbound call ended'" in result.output
    assert "would send nothing: the dial that this call was is looked for when the request comes" in result.output
    (told,) = json.loads(run("explain", "ends", "--request", "r7", "--json").output)["results"]
    assert (told["action"], told["request"]) == ("call_ended", None)


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ('{"extension": "0101", "number": 18015550142, "direction": "Outbound"}', ""),
        ("extension=0101&number=18015550142&direction=Outbound", ""),
        ("", QUERY),
        ("direction=Outbound", "extension=0101&number=18015550142"),
    ],
    ids=["json", "form", "url", "both"],
)
def test_explain_reads_parameters_wherever_they_stand(run: Run, store: Store, body: str, query: str) -> None:
    result = run("explain", "ends", "-", "--query", query, input=body)
    assert "record 1: call_ended" in result.output, result.output


def test_the_latest_requests_say_which_were_told_of_no_dial(run: Run, store: Store) -> None:
    assert f"nothing was done: {UNMATCHED}" in run("deliveries", "requests", "ends").output


@pytest.mark.parametrize(
    ("changed", "said"),
    [("", "same"), ("answered: connected\n", "other outcome"), ("${number}", "other number")],
    ids=["same", "outcome", "number"],
)
def test_a_draft_is_tried_on_the_calls_that_were_told(run: Run, store: Store, changed: str, said: str) -> None:
    other = {"": "", "answered: connected\n": "answered: talked\n", "${number}": "18015550199"}[changed]
    draft = ENDS.partition("\nexamples:")[0].replace(changed, other) if changed else ENDS
    Path("draft.yaml").write_text(draft, encoding="utf-8")
    told = json.loads(run("backtest", "draft.yaml", "--json").output)
    assert said in json.dumps(told)


def test_a_get_becomes_an_example_of_its_mapping(run: Run, store: Store) -> None:
    result = run("example", "add", "ends", "r7", "--name", "as a GET")
    assert result.exit_code == 0, result.output
    text = Path("mappings/ends.yaml").read_text(encoding="utf-8")
    assert "name: as a GET" in text
    assert "key=" not in text.partition("name: as a GET")[2]
    assert run("check", "mappings/ends.yaml").exit_code == 0


def test_a_delivery_shows_how_its_call_ended(run: Run, store: Store) -> None:
    store.add(
        Arrival(id="r1", mapping="lead", version="v1", received_at=NOW, method="POST", url="/", headers={}, body=b""),
        [Entry(note={"record": 0}, delivery=delivery(CLICK, state="accepted"), remember_until=NOW)],
    )
    assert json.loads(run("deliveries", "show", "d1", "--json").output)["outcome"] is None
    found = store.outcomes.settle(
        Call(
            tenant="default",
            agent="0101",
            number="18015550142",
            outcome="busy",
            key="k",
            own_key=True,
            told_at=NOW + 20 * SECOND,
            duration=0 * SECOND,
        )
    )
    assert found.kind == "matched"
    shown = json.loads(run("deliveries", "show", "d1", "--json").output)
    assert (shown["state"], shown["outcome"], shown["duration_seconds"]) == ("accepted", "busy", 0)
    said = run("deliveries", "show", "d1").output
    assert "The call ended after 0 s: busy (told by Xima afterwards, matched by number and time)." in said
