"""A store that fails once, before or behind any statement or commit: nothing is doubled, lost or told wrongly."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import psycopg
import pytest
from sample import SECOND
from sqlalchemy import Connection, event

from adapter.dispatcher import carrying
from adapter.errors import StoreError
from adapter.model import Delivery, State
from adapter.policy import Verdict
from adapter.sandbox import Sandbox
from adapter.store import statements

from .conftest import effects
from .desk import Desk, check_told

HOUR = 3600 * SECOND


class Failing:
    """A store that fails at the moment of a number, and at no other until it is told the next."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error
        self.left = 0

    def moment(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise self._error("the store failed")


class Driver:
    """A driver's connection that may fail before a statement, or when it has done it."""

    def __init__(self, own: Any, failing: Failing) -> None:
        self._own, self._failing = own, failing

    def execute(self, *given: Any) -> Any:
        self._failing.moment()
        done = self._own.execute(*given)
        self._failing.moment()
        return done


@pytest.fixture
def failing(desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Failing]:
    """What makes the store of the desk fail."""
    failing = Failing(psycopg.OperationalError if kind == "postgres" else sqlite3.OperationalError)
    own, driver = desk.store._database.own, statements._driver
    writing = own.writing

    @contextmanager
    def failing_writing(*, at_once: bool = True) -> Iterator[Connection]:
        with writing(at_once=at_once) as connection:
            yield connection
            failing.moment()
        failing.moment()

    monkeypatch.setattr(own, "writing", failing_writing)
    monkeypatch.setattr(statements, "_driver", lambda connection: Driver(driver(connection), failing))
    monkeypatch.setattr(carrying, "SAVE_PAUSE_SECONDS", 0.0)
    for name in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(own.engine, name, failing.moment)
    yield failing
    for name in ("before_cursor_execute", "after_cursor_execute"):
        event.remove(own.engine, name, failing.moment)


def sent(desk: Desk, do: str) -> Delivery:
    """What a sender is told in the end: after 503 it sends its event again."""
    with suppress(StoreError):
        return desk.receive(do)
    return desk.receive(do)


def dispatched(desk: Desk, do: str) -> Delivery:
    one = sent(desk, do)
    for _ in range(3):
        with suppress(StoreError):
            desk.dispatcher.step()
    return one


def told(desk: Desk, one: Delivery, old: State, new: State) -> None:
    """A person looks and moves it if it is there, and does so again after an error."""
    again = Verdict(state=new, reason="by a person", due_at=desk.now, expires_at=desk.now + 600 * SECOND)
    for _ in range(2):
        with suppress(StoreError):
            found = desk.store.get(one.id)
            if found and found.state == old:
                desk.store.act(found, again, who="Pat", now=desk.now)


def cancelled(desk: Desk, _: Sandbox) -> Delivery:
    one = sent(desk, "lead")
    told(desk, one, "queued", "cancelled")
    return one


def replayed(desk: Desk, office: Sandbox) -> Delivery:
    office.world.load("faults: [{operation: callback, status: 404, times: 1}]")
    one = dispatched(desk, "lead")
    told(desk, one, "refused", "queued")
    return one


WAYS: Mapping[str, Callable[[Desk, Sandbox], Delivery]] = {
    "click": lambda desk, _: sent(desk, "click"),
    "lead": lambda desk, _: dispatched(desk, "lead"),
    "select": lambda desk, _: dispatched(desk, "select"),
    "lead, cancelled": cancelled,
    "lead, refused and replayed": replayed,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_store_that_fails_once_doubles_and_loses_nothing(
    desk: Desk, office: Sandbox, failing: Failing, way: str
) -> None:
    for number in count(1):
        office.world.load("")
        office.world.clear()
        desk.event += 1
        desk.now += HOUR
        failing.left = number
        one = WAYS[way](desk, office)
        failed, failing.left = failing.left <= 0, 0
        check_the_end(desk, office, one, way.partition(",")[0])
        if not failed:
            break
    assert number > 20


def check_the_end(desk: Desk, office: Sandbox, one: Delivery, do: str) -> None:
    """Once time has gone by, a delivery says what happened, and a repeat of its event changes nothing."""
    for _ in range(4):
        desk.now += 20 * SECOND
        desk.dispatcher.sweep()
        while desk.dispatcher.step():
            pass
    found = desk.store.get(one.id)
    assert found is not None
    check_told(found)
    happened = len(effects(office))
    assert (found.state, happened) in {("accepted", 1), ("unknown", 0), ("unknown", 1), ("cancelled", 0)}
    answered = [tried.status for tried in desk.store.attempts(one.id) if tried.phase == "answered"]
    assert answered == [call["status"] for call in office.world.ledger()]
    assert not desk.dispatcher.leases._held
    again = desk.receive(do)
    assert (again.id, again.state, len(effects(office))) == (one.id, found.state, happened)
