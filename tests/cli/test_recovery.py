"""After an outage: too many late callbacks are held, and a person says what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from running import Adapter, running, until
from sample import CALLBACK, CLICK, delivery

from adapter import policy
from adapter.errors import Conflict
from adapter.hours import Hours
from adapter.policy import Rate, Verdict
from adapter.sandbox import Sandbox
from adapter.store import Arrival, Entry, Store
from cli.conftest import Run

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SPAN = ((time(8), time(9)),)


@pytest.fixture
def adapter(tmp_path: Path, sandbox: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adapter]:
    """An adapter that was down, and the command line on its store."""
    with running(tmp_path, sandbox.url, start=False, ADAPTER_RECOVER_ASK="3") as adapter:
        monkeypatch.setenv("ADAPTER_DATABASE_URL", adapter.environ["ADAPTER_DATABASE_URL"])
        run("db", "upgrade")
        yield adapter


def leave(adapter: Adapter, count: int, *, expire_in: timedelta = 5 * MINUTE, first: int = 0, **changes: Any) -> None:
    """Leave callbacks waiting as a dispatcher that was down for five minutes finds them."""
    now = datetime.now(UTC)
    since = now - 5 * MINUTE
    store = adapter.store()
    for number in range(first, first + count):
        one = delivery(
            changes.get("action", CALLBACK),
            id=f"d{number}",
            key=f"k{number}",
            created_at=since,
            due_at=since,
            expires_at=now + expire_in,
            terms={"fresh_for": 600.0},
            **{name: value for name, value in changes.items() if name != "action"},
        )
        at = Arrival(
            id=f"r{number}",
            mapping="lead",
            version="1",
            received_at=since,
            method="POST",
            url="/",
            headers={},
            body=b"",
        )
        store.add(at, [Entry(note={}, delivery=one, remember_until=now)])
    store.close()


def counts(adapter: Adapter) -> dict[str, int]:
    store = adapter.store()
    try:
        return store.counts()
    finally:
        store.close()


def reached(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.world.ledger() if call["effect"]]


def test_a_few_late_callbacks_are_sent_without_a_question(adapter: Adapter, sandbox: Sandbox, run: Run) -> None:
    leave(adapter, 3)
    adapter.start("dispatch")
    until(lambda: counts(adapter) == {"accepted": 3})
    assert reached(sandbox) == ["callback"] * 3
    assert run("recover").stdout == "Nothing is held after an outage.\n"


def test_many_late_callbacks_wait_for_a_person_and_clicks_do_not(adapter: Adapter, sandbox: Sandbox, run: Run) -> None:
    leave(adapter, 5)
    leave(adapter, 2, expire_in=-MINUTE, first=5)
    leave(adapter, 1, first=9, action=CLICK)
    adapter.start("dispatch")
    until(lambda: counts(adapter) == {"held": 7, "accepted": 1})
    said = run("recover").stdout
    assert said.startswith("7 callbacks held, the oldest from ")
    assert "2 past their deadline, 0 out of hours: send 5, hold 0 until their hours open, expire 2." in said
    assert "Nothing was done yet" in said
    assert counts(adapter) == {"held": 7, "accepted": 1}
    assert run("recover", "--yes", "--by", "Pat").stdout.endswith("Done.\n")
    until(lambda: counts(adapter) == {"accepted": 6, "expired": 2})
    assert sorted(reached(sandbox)) == [*["callback"] * 5, "click_to_dial"]
    shown = json.loads(run("deliveries", "show", "d0", "--json").stdout)
    assert [(one["who"], one["old"], one["new"]) for one in shown["acts"]] == [("Pat", "held", "queued")]
    assert "backlog.held deliveries=7" in adapter.log()


def test_a_person_may_send_the_late_ones_too(adapter: Adapter, sandbox: Sandbox, run: Run) -> None:
    leave(adapter, 4, expire_in=-MINUTE)
    adapter.start("dispatch")
    until(lambda: counts(adapter) == {"held": 4})
    assert "send 4, hold 0 until their hours open, expire 0" in run("recover", "--late").stdout
    run("recover", "--late", "--yes")
    until(lambda: counts(adapter) == {"accepted": 4})


def test_what_is_held_on_purpose_and_what_nobody_could_send_is_no_question(store: Store) -> None:
    now = datetime.now(UTC)
    late = [
        delivery(CALLBACK, id=f"d{n}", key=f"k{n}", state="held", due_at=now - 5 * MINUTE, expires_at=now + MINUTE)
        for n in range(4)
    ]
    at = Arrival(id="r", mapping="lead", version="1", received_at=now, method="POST", url="/", headers={}, body=b"")
    store.add(at, [Entry(note={}, delivery=one, remember_until=now) for one in late])
    assert store.rules.hold_backlog(now=now, most=1) == 0
    slowly = {"default": Rate(per_second=1, burst=1)}
    store.claim(lambda _: None, owner="o", now=now, lease_until=now, most=1, rates=slowly)
    assert store.counts() == {"queued": 3, "sending": 1}
    assert store.rules.hold_backlog(now=now, most=1) == 0  # backlog that a rate lets out slowly
    store.rules.pause("", said="by Pat", now=now)
    assert store.rules.hold_backlog(now=now, most=1) == 0


def test_what_is_out_of_hours_is_sent_back_to_wait_for_them(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_DATABASE_URL", f"sqlite:///{tmp_path / 'store.db'}")
    now = datetime.now(UTC)
    tomorrow = Hours(open={(now + timedelta(days=2)).weekday(): SPAN}, closed_on=frozenset(), zone="UTC")
    terms = policy.terms(fresh_for=10 * MINUTE, open_hours=tomorrow, zones=())
    one = delivery(
        CALLBACK, state="held", policy="recover", terms=terms, created_at=now - MINUTE, expires_at=now + MINUTE
    )
    at = Arrival(id="r", mapping="lead", version="1", received_at=now, method="POST", url="/", headers={}, body=b"")
    store.add(at, [Entry(note={}, delivery=one, remember_until=now)])
    said = run("recover", "--yes").stdout
    assert "1 callback held" in said
    assert "0 past their deadline, 1 out of hours: send 0, hold 1 until their hours open, expire 0." in said
    later = datetime.now(UTC) + SECOND
    _, (held,) = store.claim(lambda d: policy.decide(d, now=later), owner="o", now=later, lease_until=later, most=1)
    assert (held.state, held.policy) == ("held", "hours")


def test_nothing_is_done_when_something_changed_meanwhile(store: Store) -> None:
    now = datetime.now(UTC)
    one = delivery(CALLBACK, state="held", policy="recover", expires_at=now + MINUTE)
    gone = Verdict(state="expired", reason="", due_at=now, expires_at=now)
    with pytest.raises(Conflict, match="changed at the same moment"):
        store.rules.recover([(one, gone)], who="Pat", now=now)
