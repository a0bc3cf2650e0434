"""Commands that are typed on a machine whose clock is wrong, for a store that has a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sample import CALLBACK, delivery

from adapter import wsgi
from adapter.model import Delivery, State
from adapter.store import Arrival, Entry, Store
from cli.conftest import Run

MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def store(run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that the commands find, on a machine whose clock goes twenty minutes fast."""
    monkeypatch.setenv("ADAPTER_DATABASE_URL", postgres_url)
    monkeypatch.setattr(wsgi, "clock", lambda: now() + 20 * MINUTE)
    with closing(Store(postgres_url)) as store:
        store.upgrade()
        yield store


def put(store: Store, state: State, policy: str = "") -> None:
    """A callback that is wanted for ten minutes."""
    at = now()
    wanted = {"created_at": at, "updated_at": at, "due_at": at + 10 * MINUTE, "expires_at": at + 10 * MINUTE}
    one = delivery(CALLBACK, state=state, policy=policy, terms={"fresh_for": 600.0}, **wanted)
    arrival = Arrival(
        id="r1", mapping="lead", version="v1", received_at=at, method="POST", url="/hooks/lead", headers={}, body=b""
    )
    store.add(arrival, [Entry(note={}, delivery=one, remember_until=at + MINUTE)])


def due(store: Store) -> list[Delivery]:
    taken, _ = store.claim(lambda _: None, owner="one", now=now(), lease_until=now() + MINUTE, most=9)
    return taken


@pytest.mark.parametrize(
    ("state", "policy", "command"),
    [
        pytest.param("held", "pause", "resume", id="resume"),
        pytest.param("held", "restored", "recover --yes", id="recover"),
        pytest.param("held", "hours", "deliveries release d1 --reason asked", id="release"),
        pytest.param("failed", "", "deliveries replay d1", id="replay"),
        pytest.param("unknown", "", "deliveries settle d1 --as not-rang", id="settle"),
    ],
)
def test_what_a_command_lets_go_is_sent_at_once(
    run: Run, store: Store, state: State, policy: str, command: str
) -> None:
    put(store, state, policy)
    assert run(*command.split()).exit_code == 0
    (taken,) = due(store)
    assert taken.expires_at > now()
