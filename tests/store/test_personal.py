"""A telephone number is found, and removed, wherever a store has it; in both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sample import CALLBACK, CLICK, NOW, SECOND, delivery
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.event import listen

from adapter.errors import Conflict
from adapter.model import Attempt, Callback, Delivery
from adapter.policy import Numbers
from adapter.policy.spelled import GONE, Spelled
from adapter.store import Arrival, Entry, Held, Store, Trial
from adapter.store.engine import Database
from adapter.store.tables import attempts, deliveries, marks, once, outcomes, reports, requests, shadow_counts

from .contract import claim, keep, to

ANN, BOB = Spelled("+18015550142"), Spelled("+18015550199")
NUMBERS = Numbers(["a key of the tests"])
OF_ANN = NUMBERS.hashes(ANN.e164)
TO_BOB = Callback(skill="Sales", callback_number="8015550199")


@pytest.fixture
def store(any_url: str) -> Iterator[Store]:
    """A store with today's tables."""
    with closing(Store(any_url)) as store:
        store.upgrade()
        yield store


@pytest.fixture
def database(store: Store, any_url: str) -> Iterator[Database]:
    """The same, to look into."""
    with closing(Database(any_url)) as database:
        yield database


def limited(one: Spelled) -> dict[str, object]:
    return {"fresh_for": 60.0, "numbers": NUMBERS.hashes(one.e164), "quiet": 600.0, "number_per_day": 10}


def came(store: Store, request_id: str, body: str, *made: Delivery, url: str = "/hooks/lead", note: str = "") -> None:
    at = Arrival(
        id=request_id,
        mapping="lead",
        version="v1",
        received_at=NOW,
        method="POST",
        url=url,
        headers={},
        body=body.encode(),
    )
    entries = [Entry(note={"record": 0}, delivery=one, remember_until=NOW + 60 * SECOND) for one in made]
    store.add(at, entries or [Entry(note={"record": 0, "kind": "reject", "reason": note})])


def held(store: Store) -> Held:
    return store.personal.held(ANN, OF_ANN)


def forget(store: Store) -> dict[str, int]:
    return store.personal.forget(held(store), ANN, OF_ANN, who="Pat", now=NOW)


def everything(database: Database) -> str:
    """All that stands in the tables, but for the keys that are kept."""
    with database.reading() as connection:
        tables = (requests, deliveries, attempts, reports, outcomes, marks, shadow_counts)
        return repr([connection.execute(select(table)).all() for table in tables])


def test_it_is_found_wherever_it_came_and_nobody_else_is(store: Store) -> None:
    came(store, "r1", '{"phone": "801-555-0142"}', delivery(CALLBACK, terms=limited(ANN), key="(801) 555-0142"))
    came(store, "r2", '{"phone": "801-555-0199"}', delivery(TO_BOB, id="d2", key="k2", terms=limited(BOB)))
    came(store, "r3", "{}", url="/hooks/lead?phone=%2B18015550142")
    came(store, "r4", "{}", note="801.555.0142 is not wanted")
    came(store, "r5", "no number in it", delivery(CLICK, id="d5", key="k5", request_id="r5"))
    store.rules.block(OF_ANN, key_id="k", reason="asked", who="Pat", now=NOW)
    found = held(store)
    assert [row["id"] for row in found.requests] == ["r1", "r3", "r4", "r5"]
    assert [one.id for one in found.deliveries] == ["d1", "d5"]
    assert [row["reason"] for row in found.blocked] == ["asked"]
    assert [row["key"] for row in found.keys] == ["(801) 555-0142"]


def test_nothing_of_it_is_left_and_everything_of_others_is(store: Store, database: Database) -> None:
    report = {"to": "https://crm.example.com/", "secrets": ["S"], "when": ["refused"], "include": {"tel": "8015550142"}}
    terms = {**limited(ANN), "nearest_to": ["+18015550142", "US"], "report": report}
    came(store, "r1", "8015550142", delivery(CALLBACK, state="refused", reason="400: 8015550142", terms=terms))
    came(store, "r2", "8015550199", delivery(TO_BOB, id="d2", key="k2", terms=limited(BOB)))
    with database.writing() as connection:
        values = {"delivery_id": "d1", "number": 1, "at": NOW, "phase": "answered", "duration_ms": 1}
        connection.execute(insert(attempts), {**values, "status": 400, "reason": "bad number +1 801 555 0142"})
        ended = {"delivery_id": "d1", "outcome": "busy", "told_at": NOW, "fits": 1}
        connection.execute(insert(outcomes), {**ended, "key": "a hash of the number"})
    for request in ("r1", "r2"):
        example = {"request": request, "said": "callback_number 8015550142" if request == "r1" else "another"}
        trial = Trial(mapping="lead", shadow="s", version="v1", kind="changed", at=NOW, example=example)
        store.count_trials([trial])
    gone = forget(store)
    beside = {"attempts": 1, "acts": 0, "reports": 1, "outcomes": 1, "api_asked": 0, "shadow_counts": 1}
    assert gone == {"deliveries": 1, "requests": 1, "marks": 2, **beside}
    left = everything(database)
    assert "0142" not in left
    assert OF_ANN[0] not in left
    assert "a hash of the number" not in left
    assert left.count("8015550199") == 2
    assert NUMBERS.hashes(BOB.e164)[0] in left
    assert held(store) == Held()
    assert store.attempts("d1")[0].reason == f"bad number +1 {GONE}"


def test_what_the_api_was_asked_for_is_forgotten_and_its_event_is_still_done_once(store: Store) -> None:
    later = NOW + timedelta(days=1)
    assert store.keys.is_first("crm c1", "a hash of the number", now=NOW, until=later)
    keep(store, delivery(CALLBACK, key="crm c1", terms=limited(ANN)))
    assert forget(store)["api_asked"] == 1
    assert store.keys.is_first("crm c1", "asked for again", now=NOW, until=later)
    (again,) = keep(store, delivery(CALLBACK, id="d2", key="crm c1", terms=limited(ANN)))
    assert (again.duplicate, again.delivery.id) == (True, "d1")
    assert again.delivery.action == replace(CALLBACK, callback_number=GONE)


def test_what_waits_is_cancelled_and_never_dialled(store: Store) -> None:
    keep(store, delivery(CALLBACK), delivery(CALLBACK, id="d2", key="k2", state="held"))
    forget(store)
    assert claim(store, now=NOW + 30 * SECOND) == []
    for one in ("d1", "d2"):
        now = store.get(one)
        assert now is not None
        assert (now.state, now.reason, now.action) == (
            "cancelled",
            "its number was forgotten",
            Callback(skill="Sales", callback_number=GONE),
        )
        assert [act["who"] for act in store.acts(one)] == ["Pat"]


def test_what_is_being_sent_is_waited_for(store: Store) -> None:
    keep(store, delivery(CALLBACK), delivery(CALLBACK, id="d0", key="k0"))
    (taken, _) = claim(store)
    with pytest.raises(Conflict, match="is being sent at this moment: nothing was removed; try again"):
        forget(store)
    assert len(held(store).deliveries) == 2
    for one in ("d0", "d1"):
        now = store.get(one)
        assert now
        assert store.save(now, to("accepted"), [], now=NOW)
    assert forget(store)["deliveries"] == 2
    assert taken.state == "sending"


def test_what_changed_since_it_was_found_is_looked_at_again(store: Store, database: Database) -> None:
    keep(store, delivery(CALLBACK, state="refused"), delivery(CALLBACK, id="d2", key="k2", state="accepted"))
    found = held(store)
    with database.writing() as connection:
        connection.execute(update(deliveries).where(deliveries.c.id == "d1").values(state="queued"))
    with pytest.raises(Conflict, match="changed at the same moment: nothing was removed"):
        store.personal.forget(found, ANN, OF_ANN, who="Pat", now=NOW)
    assert len(held(store).deliveries) == 2


def test_an_event_that_is_repeated_is_not_dialled_again(store: Store, database: Database) -> None:
    keep(store, delivery(CALLBACK, key="8015550142", state="accepted"))
    forget(store)
    with database.reading() as connection:
        assert connection.execute(select(once.c.key)).scalars().all() == ["8015550142"]
    (again,) = keep(store, delivery(CALLBACK, id="d9", key="8015550142"))
    assert (again.duplicate, again.delivery.id) == (True, "d1")


@pytest.mark.parametrize("state", ["failed", "refused", "expired", "suppressed", "unknown"])
def test_a_number_that_was_forgotten_cannot_be_sent_again(store: Store, state: str) -> None:
    keep(store, delivery(CALLBACK, state=state))
    forget(store)
    one = store.get("d1")
    assert one is not None
    with pytest.raises(Conflict, match="its number was removed"):
        store.act(one, to("queued"), who="Pat", now=NOW)


WRITTEN = {
    "PHP": ("application/json", b'{"phone":"801\\/555\\/0142"}'),
    "a form with a line break": ("application/x-www-form-urlencoded", b"phone=801%2D555%2D0142\r\n"),
    "UTF-16": ("text/xml", '<?xml version="1.0" encoding="utf-16"?><p>8015550142</p>'.encode("utf-16")),
    "UTF-16 without a mark": ("application/json", '{"p": "8015550142"}'.encode("utf-16-be")),
    "a charset of Japan": ("multipart/form-data; charset=Shift_JIS; boundary=b", "\uff18015550142".encode("shift_jis")),
    "an encoding of XML": (
        "text/xml",
        '<?xml version="1.0" encoding="gbk"?><p>801\uff0d555\uff0d0142</p>'.encode("gbk"),
    ),
    "an unknown charset": ("text/plain; charset=rot13", b"8015550142"),
}


@pytest.mark.parametrize(("kind", "body"), WRITTEN.values(), ids=WRITTEN)
def test_a_body_is_read_as_it_was_written(store: Store, kind: str, body: bytes) -> None:
    arrival = Arrival(
        id="r1", mapping="lead", version="v1", received_at=NOW, method="POST", url="", headers={}, body=body
    )
    store.add(replace(arrival, headers={"content-type": kind}), [Entry(note={"kind": "reject"})])
    store.add(replace(arrival, id="r2", body=body.replace(b"4", b"5")), [Entry(note={"kind": "reject"})])
    assert [one["id"] for one in held(store).requests] == ["r1"]


def test_more_than_a_page_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.store.personal.PAGE", 2)
    for number in range(5):
        came(store, f"r{number}", "8015550142", delivery(CALLBACK, id=f"d{number}", key=f"k{number}"))
    found = held(store)
    assert (len(found.requests), len(found.deliveries)) == (5, 5)


def test_the_free_space_of_a_file_does_not_tell_it_either(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(Store(f"sqlite:///{file}")) as store:
        store.upgrade()
        came(store, "r1", "x" * 3000 + "8015550142", delivery(CALLBACK, key="k1"))
    assert b"8015550142" in file.read_bytes()
    with closing(Store(f"sqlite:///{file}")) as store:
        with store._database.writing() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete=OFF").close()  # Debian's SQLite begins with ON
        forget(store)
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"8015550142" not in file.read_bytes()


def test_a_try_is_part_of_what_is_known(store: Store) -> None:
    keep(store, delivery(CALLBACK))
    (taken,) = claim(store)
    tried = Attempt(at=NOW, phase="answered", status=204, reason="", duration_ms=3)
    store.save(taken, to("accepted"), [tried], now=NOW)
    assert store.attempts(held(store).deliveries[0].id) == [tried]


def test_whole_tables_are_looked_through_before_anything_is_locked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    came(store, "r1", ANN.e164, delivery(CLICK, terms=limited(ANN)))
    asked: list[str] = []
    listen(store._database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    begun: list[int] = []
    writing = store._database.writing

    @contextmanager
    def noted() -> Iterator[Connection]:
        with writing() as connection:
            begun.append(len(asked))
            yield connection

    monkeypatch.setattr(store._database, "writing", noted)
    assert store.personal.forget(store.personal.held(ANN, OF_ANN), ANN, OF_ANN, who="Pat", now=NOW)["marks"] > 0
    (start,) = begun
    assert any("LIKE" in one for one in asked[:start])
    assert not any("LIKE" in one for one in asked[start:])
