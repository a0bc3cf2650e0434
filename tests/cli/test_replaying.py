"""`deliveries replay --anew`: a mapping is mended, and what it had spoilt is done once as it should have been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import keeping, sources, written
from adapter.mapping import difference
from adapter.model import TRANSITIONS, Callback, Delivery, Received, State
from adapter.policy import Numbers
from adapter.store import Entry, Store
from cli.conftest import FORM, SECRET, Run

NOW = datetime.now(UTC)
KEY = f"{SECRET}-{SECRET}"
TYPO = FORM.replace("skill: Sales", "skill: Salse").replace("{skill: Sales,", "{skill: Salse,")
CLICKS = """
    click_to_dial:
      agent: "0101"
      number_to_dial: ${phone}
examples:
"""
REQUEST = Received(
    method="POST",
    url="/hooks/form",
    headers={"content-type": "application/x-www-form-urlencoded"},
    body=b"name=Ann&phone=801-555-0142&tag=a",
)
NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
"""Eleven in Denver: the form is open."""


@pytest.fixture
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("ADAPTER_SECRET_KEY", KEY)
    store = Store("sqlite:///adapter.db")
    store.upgrade()
    yield store
    store.close()


def in_force(store: Store, text: str, *, since: timedelta = timedelta()) -> Path:
    """Puts a text of the mapping `form` in force."""
    path = Path("mappings/form.yaml")
    path.write_text(text, encoding="utf-8")
    store.publish(written.in_file(path).version(path, since=NOON + since))
    return path


def spoilt(
    store: Store, state: State = "refused", *, text: str = TYPO, request: Received = REQUEST, **changed: Any
) -> Delivery:
    """A lead that came under the misspelled skill, and ended so."""
    path = in_force(store, text)
    source = sources.ready(sources.read(path), public_url="")
    ((result,),) = difference.made(source.mapping, request, now=NOON).values()
    made = keeping.entry(source, 0, result, "r1", Numbers([KEY]), now=NOON)
    assert made.delivery
    ended = replace(made, delivery=replace(made.delivery, state=state, **changed))
    store.add(keeping.arrival(source, request, "r1", now=NOON), [ended])
    return ended.delivery or made.delivery


@pytest.mark.parametrize("state", TRANSITIONS)
def test_only_what_certainly_did_not_happen_is_made_anew(run: Run, store: Store, state: State) -> None:
    before = spoilt(store, state)
    in_force(store, FORM, since=timedelta(hours=1))
    result = run("deliveries", "replay", before.id, "--anew", "--yes", "--reason", "the skill was misspelled")
    after = store.get(before.id)
    assert after
    if state in ("failed", "refused", "expired", "suppressed"):
        assert (result.exit_code, after.state) == (0, "queued")
        assert (after.action, after.key) == (Callback(skill="Sales", callback_number="8015550142"), before.key)
        assert after.version != before.version
        (act,) = store.acts(before.id)
        assert act["reason"] == f"the skill was misspelled (anew by version {after.version}: skill)"
    else:
        assert (result.exit_code, after, store.acts(before.id)) == (1, before, [])


def test_it_is_shown_first_and_done_with_yes_only(run: Run, store: Store) -> None:
    before = spoilt(store)
    in_force(store, FORM, since=timedelta(hours=1))
    result = run("deliveries", "replay", before.id, "--anew")
    assert "skill  Salse   Sales" in result.stdout
    assert result.stdout.endswith("Nothing was done yet: --yes does it.\n")
    assert (store.get(before.id), store.acts(before.id)) == (before, [])


def test_what_is_made_anew_is_wanted_from_now_on_and_all_limits_count(run: Run, store: Store) -> None:
    before = spoilt(store, "suppressed", terms={"fresh_for": 600, "released": True})
    in_force(store, FORM.replace("hours:", "fresh_for: 2h\nhours:"), since=timedelta(hours=1))
    assert "terms" in run("deliveries", "replay", before.id, "--anew", "--yes").stdout
    after = store.get(before.id)
    assert after
    assert after.expires_at - after.due_at == timedelta(hours=2)
    assert after.terms["numbers"] == Numbers([KEY]).hashes("+18015550142")
    assert "released" not in after.terms


def test_the_do_not_call_list_stops_it_still(run: Run, store: Store) -> None:
    before = spoilt(store, "suppressed")
    in_force(store, FORM, since=timedelta(hours=1))
    run("suppress", "add", "+18015550142", "--reason", "asked us to stop")
    result = run("deliveries", "replay", before.id, "--anew", "--yes")
    after = store.get(before.id)
    assert after
    assert (result.exit_code, after.state, after.policy) == (0, "suppressed", "do_not_call")


SPOILS = {
    "nothing comes of it now": (FORM.replace("- field: phone", "- field: mobile").partition("\nexamples:")[0], "makes"),
    "another kind of action": (FORM.partition("\n    callback:")[0] + CLICKS.partition("examples")[0], "click_to_dial"),
    "another event": (FORM.replace("hours:", "once: {key: '${name}'}\nhours:"), "gives it another key now"),
    "a body it cannot read": (FORM.replace("body: form", "body: json").partition("\nexamples:")[0], "cannot read"),
}


@pytest.mark.parametrize(("text", "said"), SPOILS.values(), ids=SPOILS)
def test_when_the_record_gives_something_else_nothing_is_done(run: Run, store: Store, text: str, said: str) -> None:
    before = spoilt(store)
    in_force(store, text, since=timedelta(hours=1))
    result = run("deliveries", "replay", before.id, "--anew", "--yes")
    assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
    assert (store.get(before.id), store.acts(before.id)) == (before, [])


def test_a_request_that_is_gone_or_a_mapping_that_ended_is_said_to_be(run: Run, store: Store) -> None:
    before = spoilt(store)
    in_force(store, FORM, since=timedelta(hours=1))
    store.publish(replace(store.in_force()["form"], version="", content="", beside={}, since=NOON + timedelta(hours=2)))
    assert "no mapping form is in force" in run("deliveries", "replay", before.id, "--anew").stderr
    source = sources.ready(sources.read(Path("mappings/form.yaml")), public_url="")
    other = replace(before, id="f" * 25, request_id="gone", key="another")
    arrival = keeping.arrival(source, REQUEST, "r2", now=NOON)
    store.add(arrival, [Entry(note={}, delivery=other, remember_until=NOON)])
    assert "its request is not kept any more" in run("deliveries", "replay", other.id, "--anew").stderr


def test_a_request_that_is_kept_without_its_secret_is_the_same_event_still(run: Run, store: Store) -> None:
    own = ("from: header-token\n  header: X-Form-Key", "from: body-token\n  field: authtoken")
    request = replace(REQUEST, body=REQUEST.body + f"&authtoken={SECRET}".encode())
    before = spoilt(store, text=TYPO.replace(*own), request=request)
    in_force(store, FORM.replace(*own), since=timedelta(hours=1))
    kept = store.request("r1")
    assert kept
    assert SECRET.encode() not in kept["body"]
    assert run("deliveries", "replay", before.id, "--anew", "--yes").exit_code == 0
    after = store.get(before.id)
    assert after
    assert (after.action, after.key) == (Callback(skill="Sales", callback_number="8015550142"), before.key)


def test_without_anew_it_says_that_it_is_sent_as_it_was(run: Run, store: Store) -> None:
    before = spoilt(store)
    in_force(store, FORM, since=timedelta(hours=1))
    result = run("deliveries", "replay", before.id)
    after = store.get(before.id)
    assert after
    assert (after.state, after.action) == ("queued", before.action)
    assert "sent as it was, whatever its mapping says today: --anew asks the mapping again" in result.stdout
    assert run("deliveries", "replay", before.id, "--yes").exit_code == 2


def test_a_mapping_that_still_says_the_same_is_told_to_do_so(run: Run, store: Store) -> None:
    before = spoilt(store)
    said = run("deliveries", "replay", before.id, "--anew").stdout.splitlines()[1:]
    assert said == ["it would be sent as it was", "Nothing was done yet: --yes does it."]
