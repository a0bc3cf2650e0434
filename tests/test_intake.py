"""A request on its way in: what is kept, what is done at once, what is left to the queue, what is refused."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from running import until
from sample import CALLBACK, CLICK, NOW, SECOND
from sqlalchemy import delete

from adapter import sources
from adapter.dispatcher import Dispatcher, Timing, carrying
from adapter.dispatcher.lines import Lines
from adapter.errors import AdapterError, PayloadError, SignatureError, StoreError, Unavailable, UnknownMapping
from adapter.intake import Came, Intake
from adapter.keeping import new_id
from adapter.model import Action, Delivery, Evidence, Outcome, Received
from adapter.sources import Broken, Sources
from adapter.store import Arrival, Kept, Store
from adapter.store.tables import deliveries

ACCEPTED = Outcome(evidence=Evidence.ACCEPTED, phase="answered", status=204)
MAPPING = """
format: 1
name: lead
receive:
  from: query-token
  query: key
  secrets: [HOOK_SECRET]
  body: json
  records: records
sent_at: at
fresh_for: 60s
phones:
  region: US
once:
  key: ${id}
  for: 1h
limits:
  per_minute: 5
hours:
  zone: America/Denver
  open: {mon-fri: 08:00-18:00}
  outside: hold
rules:
  - name: lead
    when:
      - field: skill
        present: yes
    callback:
      skill: ${skill}
      callback_number: ${phone}
  - name: click
    when:
      - field: agent
        present: yes
    click_to_dial:
      agent: ${agent}
      number_to_dial: ${phone}
"""
A_MOMENT = 0.5
"""Seconds in which a line that is free begins with a click, also on a busy machine."""
A_CLICK = {"id": "1", "agent": "0101", "phone": "(801) 555-0142"}
A_LEAD = {"id": "2", "skill": "Sales", "phone": "(801) 555-0142"}


class Xima:
    """Stands for the tenant: accepts everything, as slowly as it is told to."""

    def __init__(self) -> None:
        self.asked: list[Action] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def carry_out(self, action: Action) -> Outcome:
        self.asked.append(action)
        self.meanwhile()
        return ACCEPTED


class Flaky(Store):
    """A real store; the methods named in `broken` fail."""

    broken: tuple[str, ...] = ()

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise StoreError("the disk is full")

    def add(self, arrival: Arrival, entries: Any, **more: Any) -> list[Kept | None]:
        self._check("add")
        return super().add(arrival, entries, **more)

    def save(self, *given: Any, **more: Any) -> bool:
        self._check("save")
        return super().save(*given, **more)

    def get(self, delivery_id: str) -> Delivery | None:
        self._check("get")
        return super().get(delivery_id)

    def count_refusal(self, **more: Any) -> None:
        self._check("count_refusal")
        super().count_refusal(**more)


class Desk:
    """An intake with everything around it, and a clock that stands still."""

    def __init__(self, store: Flaky, found: Sources, pool: ThreadPoolExecutor) -> None:
        self.store, self.xima, self.pool, self.now = store, Xima(), pool, NOW
        timing = Timing(patience=timedelta())
        self.dispatcher = Dispatcher(store, {"default": self.xima}, lambda: self.now, owner="web", timing=timing)
        self.intake = Intake(lambda: found, store, self.dispatcher, pool=pool, wait=timedelta(seconds=60))
        self.requests = 0

    def wait_at_most(self, seconds: float) -> None:
        self.intake._wait = timedelta(seconds=seconds)

    def share_lines(self, *, tenants: int) -> None:
        self.dispatcher.lines = Lines(2, tenants=tenants)

    def take(self, *records: dict[str, Any]) -> tuple[Came, ...]:
        return self.receive(json.dumps({"records": records, "secret": "s"}).encode())

    def receive(
        self, body: bytes, *, name: str = "lead", key: str = "s3cr3t", at: datetime | None = None
    ) -> tuple[Came, ...]:
        self.requests += 1
        received = Received(method="POST", url=f"/hooks/{name}?key={key}&a=1", headers={"cookie": "c"}, body=body)
        request_id = f"r{self.requests}"
        return self.intake.take(name, received, request_id=request_id, now=at or self.now).came

    def states(self) -> list[str]:
        return sorted(one.state for one in self.store.newest())


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Lines to Xima: two at a time."""
    with ThreadPoolExecutor(2, "click") as pool:
        yield pool


@pytest.fixture
def desk(store: Store, pool: ThreadPoolExecutor, tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "lead.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    lead = sources.ready(sources.read(path), public_url="", environ={"HOOK_SECRET": "s3cr3t"})
    found = Sources(usable={"lead": lead}, broken={"wrong": Broken(file="wrong.yaml", problems=("no",))})
    with closing(Flaky(str(store._database.engine.url))) as flaky:
        desk = Desk(flaky, found, pool)
        yield desk
        pool.shutdown()
        desk.dispatcher.close()


@pytest.fixture
def events() -> Iterator[list[str]]:
    """The names of what was logged, each with its fields."""
    found: list[str] = []
    log = logging.getLogger("adapter")
    level = log.level
    log.setLevel(logging.INFO)

    def remember(record: logging.LogRecord) -> bool:
        found.append(f"{record.getMessage()} {record.__dict__['fields']}")
        return True

    log.addFilter(remember)
    yield found
    log.removeFilter(remember)
    log.setLevel(level)


def delivered(came: Came) -> Delivery:
    assert came.delivery is not None
    return came.delivery


# what becomes of a record


def test_a_single_click_is_carried_out_before_the_answer(desk: Desk) -> None:
    (came,) = desk.take(A_CLICK)
    one = delivered(came)
    assert (one.state, one.action, came.duplicate) == ("accepted", CLICK, False)
    assert one == desk.store.get(one.id)
    assert desk.xima.asked == [CLICK]
    assert not desk.dispatcher.leases.has(one)


def test_a_lead_is_left_to_the_queue(desk: Desk) -> None:
    (came,) = desk.take(A_LEAD)
    one = delivered(came)
    assert (one.state, one.action, one.deliver) == ("queued", CALLBACK, "queued")
    assert one == desk.store.get(one.id)
    assert desk.xima.asked == []
    done = desk.dispatcher.step()
    assert done is not None
    assert done.state == "accepted"


def test_a_click_is_written_down_as_being_sent_before_it_is_sent(desk: Desk) -> None:
    seen: list[str] = []
    desk.xima.meanwhile = lambda: seen.extend(desk.states())
    desk.take(A_CLICK)
    assert seen == ["sending"]


def test_a_repeated_event_is_answered_with_the_first_and_done_once(desk: Desk) -> None:
    (first,) = desk.take(A_CLICK)
    (again,) = desk.take(A_CLICK)
    assert again.duplicate
    assert delivered(again) == delivered(first)
    assert desk.xima.asked == [CLICK]


def test_a_repeat_whose_first_is_not_kept_any_more_is_not_done_again(desk: Desk) -> None:
    """A purge on a machine whose clock goes before, or a row that somebody removed by hand."""
    (first,) = desk.take(A_CLICK)
    with desk.store._database.writing() as connection:
        connection.execute(delete(deliveries).where(deliveries.c.id == delivered(first).id))
    (again,) = desk.take(A_CLICK)
    assert (again.delivery, again.result.kind) == (None, "skip")
    assert "received before, and what became of it is not kept" in again.result.reason
    assert desk.xima.asked == [CLICK]


def test_a_repeat_that_comes_while_the_first_is_being_sent_waits_for_nobody(desk: Desk) -> None:
    repeats: list[Came] = []
    desk.xima.meanwhile = lambda: repeats.extend(desk.take(A_CLICK))
    (first,) = desk.take(A_CLICK)
    (again,) = repeats
    assert (again.duplicate, delivered(again).id, delivered(again).state) == (True, delivered(first).id, "sending")
    assert desk.xima.asked == [CLICK]


def test_several_clicks_in_one_request_go_through_the_queue(desk: Desk) -> None:
    came = desk.take(A_CLICK, {**A_CLICK, "id": "9"})
    assert [(delivered(one).state, delivered(one).deliver) for one in came] == [("queued", "queued")] * 2
    assert desk.xima.asked == []


def test_the_records_of_a_request_are_done_in_its_order(desk: Desk) -> None:
    numbers = [f"80155501{number}" for number in (44, 42, 49, 41)]
    desk.take(*({**A_LEAD, "id": number, "phone": number} for number in numbers))
    while desk.dispatcher.step():
        pass
    assert [getattr(action, "callback_number", "") for action in desk.xima.asked] == numbers
    assert all(one.due_at <= NOW for one in desk.store.newest())


def test_one_click_among_records_that_do_nothing_is_carried_out_at_once(desk: Desk) -> None:
    skipped, click, rejected = desk.take({"id": "3"}, A_CLICK, {**A_CLICK, "phone": "none"})
    assert [skipped.result.kind, rejected.result.kind] == ["skip", "reject"]
    assert (skipped.delivery, rejected.delivery) == (None, None)
    assert delivered(click).state == "accepted"
    kept = desk.store.request("r1")
    assert kept is not None
    assert [(note["record"], note["kind"]) for note in kept["results"]] == [(0, "skip"), (1, "action"), (2, "reject")]
    assert kept["results"][2]["field"] == "number_to_dial"
    assert kept["results"][1]["delivery"] == delivered(click).id


def test_the_same_event_twice_in_one_request_is_done_once(desk: Desk) -> None:
    first, second = desk.take(A_LEAD, A_LEAD)
    assert (first.duplicate, second.duplicate) == (False, True)
    assert delivered(first).id == delivered(second).id


def test_what_the_sender_calls_old_has_expired_when_it_comes(desk: Desk) -> None:
    (came,) = desk.take({**A_CLICK, "at": (NOW - 61 * SECOND).isoformat()})
    assert delivered(came).state == "expired"
    assert delivered(came).reason == "older than 1 minute, so it is not wanted any more (fresh_for)"
    assert desk.xima.asked == []
    (again,) = desk.take(A_CLICK)
    assert again.duplicate  # it is an event like any other


@pytest.mark.parametrize(
    ("at", "left"),
    [
        pytest.param((NOW - 20 * SECOND).isoformat(), 40, id="counts from the sender's own time"),
        pytest.param((NOW + 20 * SECOND).isoformat(), 60, id="which never lies in the future"),
        pytest.param("yesterday", 60, id="or from its coming"),
        pytest.param("2001-01-01T00:00:00Z", None, id="however long ago"),
    ],
)
def test_freshness(desk: Desk, at: str, left: int | None) -> None:
    (came,) = desk.take({**A_LEAD, "at": at})
    if left is None:
        assert delivered(came).state == "expired"
    else:
        assert delivered(came).expires_at == NOW + left * SECOND


def test_out_of_hours_it_is_held_and_sent_when_they_open(desk: Desk) -> None:
    opens = NOW - timedelta(hours=2)
    desk.now = opens - timedelta(hours=4)
    (came,) = desk.take(A_CLICK)
    held = delivered(came)
    assert (held.state, held.due_at, held.expires_at) == ("held", opens, opens + 60 * SECOND)
    assert desk.dispatcher.step() is None
    desk.now = opens
    done = desk.dispatcher.step()
    assert done is not None
    assert (done.id, done.state) == (held.id, "accepted")


def test_an_event_that_waits_is_remembered_whatever_the_mapping_says(desk: Desk) -> None:
    opens = NOW - timedelta(hours=2)
    desk.now = opens - timedelta(hours=4)
    (first,) = desk.take(A_LEAD)
    desk.now = opens  # the mapping forgets after an hour
    assert desk.store.purge(before=desk.now - timedelta(days=1), now=desk.now) == 0
    (again,) = desk.take(A_LEAD)
    assert (delivered(again).id, again.duplicate) == (delivered(first).id, True)
    assert desk.dispatcher.step() is not None
    assert len(desk.take(A_LEAD)) == 1
    assert desk.store.counts() == {"accepted": 1, "suppressed": 1}


# waiting for Xima


def test_a_click_that_takes_longer_than_the_wait_is_answered_as_being_sent(desk: Desk) -> None:
    answer = threading.Event()
    desk.xima.meanwhile = lambda: answer.wait(60)
    desk.wait_at_most(A_MOMENT)
    (came,) = desk.take(A_CLICK)
    one = delivered(came)
    assert (one.state, desk.dispatcher.leases.has(one)) == ("sending", True)
    answer.set()
    until(lambda: desk.states() == ["accepted"])
    assert desk.xima.asked == [CLICK]


def test_a_click_that_finds_every_line_taken_is_left_to_the_dispatcher(desk: Desk) -> None:
    """It was certainly not sent, so nothing is left behind that looks as if it might have been."""
    answer = threading.Event()
    desk.xima.meanwhile = lambda: answer.wait(60)
    desk.wait_at_most(A_MOMENT)
    came = [desk.take({**A_CLICK, "id": str(number), "agent": f"010{number}"})[0] for number in range(3)]
    assert [delivered(one).state for one in came] == ["sending", "sending", "queued"]
    left = delivered(came[2])
    assert (left.reason, left.tries, left.lease_owner) == ("every line to Xima was taken", 0, None)
    assert not desk.dispatcher.leases.has(left)
    answer.set()
    done = desk.dispatcher.step()
    assert done is not None
    assert (done.id, done.state) == (left.id, "accepted")
    until(lambda: desk.states() == ["accepted"] * 3)
    assert len(desk.xima.asked) == 3


def test_a_click_past_its_tenant_s_share_of_the_lines_is_left_to_the_dispatcher_at_once(desk: Desk) -> None:
    answer = threading.Event()
    desk.xima.meanwhile = lambda: answer.wait(60)
    desk.share_lines(tenants=2)
    desk.wait_at_most(A_MOMENT)
    held = delivered(desk.take(A_CLICK)[0])
    desk.wait_at_most(3600)  # for which nobody waits
    left = delivered(desk.take({**A_CLICK, "id": "2", "agent": "0102"})[0])
    assert (held.state, left.state, left.reason) == ("sending", "queued", "every line to Xima was taken")
    answer.set()
    until(lambda: sorted(desk.states()) == ["accepted", "queued"])
    until(lambda: desk.dispatcher.lines.room("default") == 1)
    (third,) = desk.take({**A_CLICK, "id": "3", "agent": "0103"})
    assert delivered(third).state == "accepted"


def test_a_click_that_meets_the_end_of_its_process_is_left_to_the_dispatcher(desk: Desk) -> None:
    desk.pool.shutdown()
    (came,) = desk.take(A_CLICK)
    left = delivered(came)
    assert (left.state, left.reason) == ("queued", "the adapter was being stopped")
    assert (desk.xima.asked, desk.dispatcher.leases.has(left)) == ([], False)


def test_the_lease_is_kept_while_a_click_waits_for_a_line(desk: Desk) -> None:
    answer = threading.Event()
    desk.xima.meanwhile = lambda: answer.wait(60)
    desk.wait_at_most(60)
    with ThreadPoolExecutor(3) as senders:
        takes: list[Future[tuple[Came, ...]]] = [
            senders.submit(desk.take, {**A_CLICK, "id": str(number), "agent": f"010{number}"}) for number in range(3)
        ]
        until(lambda: desk.states() == ["sending"] * 3)
        until(lambda: all(desk.dispatcher.leases.has(one) for one in desk.store.newest()))
        desk.now += 10 * SECOND
        desk.dispatcher.leases.renew()
        desk.now += 10 * SECOND
        assert desk.store.abandoned(now=desk.now) == []
        answer.set()
    assert [delivered(one.result()[0]).state for one in takes] == ["accepted"] * 3


def test_a_flood_is_warned_of(desk: Desk, events: list[str]) -> None:
    for number in range(6):
        desk.take({**A_LEAD, "id": str(number), "phone": f"801555010{number}"})
    assert desk.states() == ["held", *["queued"] * 5]
    assert [one.split()[0] for one in events if "flood" in one] == ["request.flood"]


# what is refused


@pytest.mark.parametrize(
    ("asked", "error", "mapping", "code"),
    [
        pytest.param({"name": "other"}, UnknownMapping, "", "not_found", id="no such mapping"),
        pytest.param({"name": "wrong"}, Unavailable, "wrong", "unavailable", id="a mapping that is broken"),
        pytest.param({"key": "guessed"}, SignatureError, "lead", "unauthorized", id="the wrong secret"),
        pytest.param({"body": b"{"}, PayloadError, "lead", "bad_request", id="no JSON"),
        pytest.param({"body": b"{}"}, PayloadError, "lead", "bad_request", id="no records"),
    ],
)
def test_what_is_refused_is_counted_and_leaves_nothing_else(
    desk: Desk, asked: dict[str, Any], error: type[AdapterError], mapping: str, code: str
) -> None:
    with pytest.raises(error):
        desk.receive(**{"body": b'{"records": []}', **asked})
    (counted,) = desk.store.refusals()
    assert (counted["mapping"], counted["code"], counted["count"]) == (mapping, code, 1)
    assert (desk.store.request("r1"), desk.store.newest()) == (None, [])


def test_the_sender_is_checked_before_its_body_is_read(desk: Desk) -> None:
    with pytest.raises(SignatureError):
        desk.receive(b"{", key="guessed")


def test_a_refusal_that_cannot_be_counted_is_still_a_refusal(desk: Desk, events: list[str]) -> None:
    desk.store.broken = ("count_refusal",)
    with pytest.raises(SignatureError):
        desk.receive(b"{}", key="guessed")
    assert [one.split()[0] for one in events] == ["request.refused", "refusal.not_counted"]


# a store that fails


def test_without_a_store_nothing_is_sent_and_nothing_is_kept(desk: Desk) -> None:
    desk.store.broken = ("add",)
    with pytest.raises(StoreError):
        desk.take(A_CLICK)
    assert (desk.xima.asked, desk.store.newest(), desk.store.refusals()) == ([], [], [])
    desk.store.broken = ()
    (came,) = desk.take(A_CLICK)  # the sender tries again
    assert (delivered(came).state, came.duplicate) == ("accepted", False)


def test_a_store_that_fails_after_xima_answered_says_no_more_than_it_holds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "SAVE_TRIES", 1)
    desk.store.broken = ("save", "get")
    (came,) = desk.take(A_CLICK)
    assert (delivered(came).state, desk.xima.asked) == ("sending", [CLICK])
    desk.store.broken = ()
    desk.now += 16 * SECOND
    assert [one.state for one in desk.dispatcher.sweep()] == ["unknown"]


# what is kept of it


def test_a_request_is_kept_without_the_proofs_of_its_sender(desk: Desk) -> None:
    desk.take(A_LEAD)
    kept = desk.store.request("r1")
    assert kept is not None
    assert (kept["url"], kept["headers"]) == ("/hooks/lead?key=(removed)&a=1", {})
    assert json.loads(kept["body"])["records"] == [A_LEAD]


def test_a_request_is_logged_with_what_became_of_its_first_records(desk: Desk, events: list[str]) -> None:
    leads = ({**A_LEAD, "id": str(n // 2), "phone": f"80155501{20 + n // 2}"} for n in range(12))
    desk.take(*leads)
    (line,) = (one for one in events if one.startswith("request.kept"))
    assert (
        "'results': 'queued,duplicate,queued,duplicate,queued,duplicate,queued,duplicate,queued,duplicate,+2'" in line
    )


def test_why_records_made_no_delivery_is_logged_without_what_they_hold(desk: Desk, events: list[str]) -> None:
    desk.take({"id": "3"}, {"id": "4"}, {**A_CLICK, "phone": "call Ann"}, {**A_LEAD, "id": "5"})
    (line,) = (one for one in events if one.startswith("request.kept"))
    assert "'reason': 'no rule matched; number_to_dial cannot be used'" in line
    assert "Ann" not in line


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_id(NOW + number * timedelta(milliseconds=1)) for number in range(100)]
    assert ids == sorted(ids)
    assert len({new_id(NOW) for _ in range(1000)}) == 1000
    assert {len(one) for one in ids} == {25}


def test_a_request_without_records_is_kept_too(desk: Desk) -> None:
    assert desk.take() == ()
    kept = desk.store.request("r1")
    assert kept is not None
    assert kept["results"] == []
