"""Reports: a real receiver that judges them with its own library, and everything that can be wrong with one."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from receiver import CERTIFICATE, WHSEC, Receiver, receiving
from running import free_port, until
from sample import CALLBACK, NOW, SECOND, delivery
from standardwebhooks.webhooks import WebhookVerificationError

from adapter.hosts import origins
from adapter.model import Delivery, State
from adapter.policy import Verdict
from adapter.reporting import Poster, Reporter
from adapter.store import Arrival, Entry, Store

ENDS = ["accepted", "refused", "unknown", "failed", "expired", "suppressed", "cancelled"]
OLDER = "whsec_" + "b2xkZXIgb2xkZXIgb2xkZXIgb2xk"
PATIENT = (60.0, 60.0)
"""Seconds to connect and to answer: a receiver of this process may be slow."""
ENVIRON = {"NEWER": WHSEC, "OLDER": OLDER, "ODD": "whsec_***", "SHORT": "whsec_MfKQ"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything at once."""
    with receiving() as receiver:
        yield receiver


def asked(to: str, number: int = 1, *, secrets: tuple[str, ...] = ("NEWER",), **changes: Any) -> Delivery:
    report = {"to": to, "secrets": list(secrets), "when": ENDS, "include": {"contact": "42", "owner": None}}
    terms = {"fresh_for": 60.0, "report": report}
    return delivery(CALLBACK, **{"id": f"d{number}", "key": f"k{number}", "terms": terms, **changes})


def keep(store: Store, *many: Delivery) -> None:
    request = Arrival(
        id=f"of {many[0].id}",
        mapping="lead",
        version="v1",
        received_at=NOW,
        method="POST",
        url="/hooks/lead",
        headers={},
        body=b"",
    )
    store.add(request, [Entry(note={}, delivery=one, remember_until=NOW + 60 * SECOND) for one in many])


def expired(store: Store, *to: str, **given: Any) -> None:
    """Keep a delivery for each URL that has come to its end."""
    keep(store, *(asked(url, number, state="expired", reason="too old", **given) for number, url in enumerate(to)))


def by_hand(store: Store, state: State) -> None:
    """Move the delivery d1 as a person would."""
    found = store.get("d1")
    assert found
    verdict = Verdict(state=state, reason="by hand", due_at=NOW, expires_at=NOW + 60 * SECOND)
    store.act(found, verdict, who="ann", now=NOW)


def true_time() -> datetime:
    return datetime.now(UTC)


@dataclass
class Bench:
    """A reporter with the clock in hand; signatures bear the true time, which a receiver's library looks at."""

    store: Store
    hosts: str
    now: datetime = NOW
    timeouts: tuple[float, float] = PATIENT
    link: Any = "https://x/{}".format
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        poster = Poster(origins(self.hosts), true_time, environ=ENVIRON, timeouts=self.timeouts)
        self.reporter = Reporter(self.store.reports, poster, lambda: self.now, link=self.link, **self.more)

    def step(self, seconds: float = 0) -> list[str]:
        """Send what is due so many seconds later; gives the ids."""
        self.now += timedelta(seconds=seconds)
        return [one.id for one in self.reporter.step()]

    def row(self, number: int = 0) -> dict[str, Any]:
        return dict(self.store.reports.of(f"d{number}")[-1])


@contextmanager
def reporting(bench: Bench) -> Iterator[None]:
    """The reporter at work on threads of its own, until the block ends."""
    stopping = threading.Event()
    thread = threading.Thread(target=bench.reporter.run, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


# what a receiver gets


def test_a_receivers_own_library_takes_it_and_it_holds_the_receipt(store: Store, receiver: Receiver) -> None:
    keep(store, asked(f"{receiver.origin}/hooks/xima?x=1"))
    (taken,), _ = store.claim(lambda _: None, owner="o", now=NOW, lease_until=NOW + 15 * SECOND, most=1)
    end = Verdict(state="accepted", reason="", due_at=NOW, expires_at=taken.expires_at)
    assert store.save(taken, end, [], now=NOW + SECOND)
    assert Bench(store, receiver.origin).step(1) == ["d1-1"]
    (told,) = receiver.verified()
    assert (told["type"], told["timestamp"]) == ("delivery.accepted", "2026-01-07T17:00:01.000Z")
    data = told["data"]
    assert (data["id"], data["state"], data["status_url"]) == ("d1", "accepted", "https://x/d1")
    assert data["message"] == "Xima accepted the callback to …0142 for the skill Sales."
    assert data["include"] == {"contact": "42", "owner": None}
    ((headers, body),) = receiver.heard
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert b"8015550142" not in body


def test_it_is_signed_with_every_secret(store: Store, receiver: Receiver) -> None:
    expired(store, receiver.origin, secrets=("NEWER", "OLDER"))
    Bench(store, receiver.origin).step()
    assert receiver.verified(WHSEC) == receiver.verified(OLDER) != []
    with pytest.raises(WebhookVerificationError):
        receiver.verified("whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==")


def test_the_end_after_an_end_is_told_too(store: Store, receiver: Receiver) -> None:
    keep(store, asked(receiver.origin, state="expired"))
    bench = Bench(store, receiver.origin)
    bench.step()
    by_hand(store, "queued")
    by_hand(store, "cancelled")
    bench.step()
    assert [one["data"]["state"] for one in receiver.verified()] == ["expired", "cancelled"]
    assert receiver.ids == ["d1-1", "d1-2"]


# when it does not work


def test_it_is_tried_again_with_the_same_id_until_it_is_taken(store: Store, receiver: Receiver) -> None:
    receiver.statuses = [500, 502]
    expired(store, receiver.origin)
    bench = Bench(store, receiver.origin)
    assert bench.step() == ["d0-1"]
    assert (bench.row()["said"], bench.row()["result"]) == ("answered 500", "pending")
    assert (bench.step(4), bench.step(3), bench.step(29), bench.step(9)) == ([], ["d0-1"], [], ["d0-1"])
    assert (receiver.ids, bench.row()["result"], bench.row()["tries"]) == (["d0-1"] * 3, "sent", 3)
    assert bench.step(100_000) == []
    assert len(receiver.verified()) == 3


def test_who_cannot_be_reached_is_tried_for_two_days(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    expired(store, origin)
    bench = Bench(store, origin)
    hours = 0
    with caplog.at_level(logging.INFO, "adapter"):
        bench.step()
        while bench.row()["result"] == "pending":
            hours += 1
            bench.step(3600)
    assert 42 <= hours <= 48
    assert 12 <= bench.row()["tries"] <= 20
    assert bench.row()["said"] == "connection refused"
    assert [record.levelname for record in caplog.records][-2:] == ["WARNING", "ERROR"]
    assert caplog.messages[-1] == "report.given_up"
    assert [record.levelname for record in caplog.records][:3] == ["INFO", "INFO", "WARNING"]  # it may only restart


def test_a_receiver_that_is_gone_for_good_is_left_in_peace(store: Store, receiver: Receiver) -> None:
    receiver.statuses = [410]
    expired(store, receiver.origin)
    bench = Bench(store, receiver.origin)
    bench.step()
    assert (bench.row()["result"], bench.row()["status"]) == ("given up", 410)
    assert bench.step(100_000) == []


@pytest.mark.parametrize(
    ("status", "asks", "waits"),
    [(429, "600", 600), (503, "600", 600), (503, "999999", 3600), (500, "600", 5), (429, "soon", 5)],
    ids=str,
)
def test_a_receiver_may_say_how_long_it_wants_to_be_left_alone(
    store: Store, receiver: Receiver, status: int, asks: str, waits: int
) -> None:
    receiver.statuses, receiver.headers = [status], {"Retry-After": asks}
    expired(store, receiver.origin)
    bench = Bench(store, receiver.origin)
    bench.step()
    wait = bench.row()["due_at"] - NOW
    assert timedelta(seconds=waits) <= wait <= timedelta(seconds=waits * 1.25)


def test_it_is_posted_over_tls(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.utils.DEFAULT_CA_BUNDLE_PATH", str(CERTIFICATE))
    with receiving(tls=True) as receiver:
        expired(store, f"{receiver.origin}/hooks")
        Bench(store, receiver.origin).step()
        assert len(receiver.verified()) == 1


def test_nobody_hears_a_report_whose_certificate_is_not_trusted(store: Store) -> None:
    with receiving(tls=True) as receiver:
        expired(store, receiver.origin)
        bench = Bench(store, receiver.origin)
        bench.step()
        assert bench.row()["said"] == "certificate not accepted (self-signed certificate)"
        assert receiver.heard == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(store: Store, receiver: Receiver, status: int) -> None:
    with receiving() as elsewhere:
        receiver.statuses, receiver.headers = [status], {"Location": f"{elsewhere.origin}/"}
        expired(store, receiver.origin)
        bench = Bench(store, f"{receiver.origin}, {elsewhere.origin}")
        bench.step()
        assert (bench.row()["said"], elsewhere.heard) == (f"answered {status}", [])


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("https://other.example.com/x", "ADAPTER_REPORT_HOSTS does not allow other.example.com"),
        ("https://crm.example.com:8443/", "ADAPTER_REPORT_HOSTS does not allow crm.example.com:8443"),
        ("http://127.0.0.1:9/", "ADAPTER_REPORT_HOSTS does not allow http://127.0.0.1:9"),
        ("http://crm.example.com/", "write https: http is for this machine only, like http://127.0.0.1:9000"),
        (
            "https://crm.example.com@other.example.com/",
            "write a whole URL, like https://crm.example.com/hooks/calls, with no user and no #",
        ),
    ],
    ids=["host", "port", "loopback", "http", "user"],
)
def test_nothing_is_sent_to_where_the_operator_does_not_allow_it(store: Store, to: str, said: str) -> None:
    answer = Poster(origins("crm.example.com"), lambda: NOW, environ=ENVIRON).post(
        to, ["NEWER"], message_id="m-1", content=b"{}"
    )
    assert (answer.status, answer.said) == (None, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NONE", "NONE is not set: reports are signed with it"),
        ("ODD", "ODD cannot sign reports: make one with  echo whsec_$(openssl rand -base64 32)"),
        ("SHORT", "SHORT cannot sign reports: make one with  echo whsec_$(openssl rand -base64 32)"),
    ],
)
def test_nothing_is_sent_that_cannot_be_signed(store: Store, receiver: Receiver, name: str, said: str) -> None:
    expired(store, receiver.origin, secrets=("NEWER", name))
    bench = Bench(store, receiver.origin)
    bench.step()
    assert (bench.row()["said"], bench.row()["result"], receiver.heard) == (said, "pending", [])


def test_a_receiver_that_says_nothing_is_not_waited_for(store: Store, receiver: Receiver) -> None:
    receiver.hangs = True
    expired(store, receiver.origin)
    bench = Bench(store, receiver.origin, timeouts=(60, 0.5))
    bench.step()
    assert bench.row()["said"] == "no answer in time"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "the connection broke off"),
        (b"nonsense\r\n\r\n", "the connection broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx", ""),
    ],
    ids=["nothing", "no HTTP", "a body that never ends"],
)
def test_odd_answers_are_judged_by_their_status(store: Store, answer: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        origin = f"http://127.0.0.1:{server.getsockname()[1]}"

        def speak() -> None:
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):
                connection.recv(65536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # closed with something unread, it would be reset
                    pass

        thread = threading.Thread(target=speak)
        thread.start()
        expired(store, origin)
        bench = Bench(store, origin)
        bench.step()
        thread.join()
    assert (bench.row()["said"], bench.row()["result"]) == (said, "pending" if said else "sent")


def broken_link(delivery_id: str) -> str:
    raise KeyError(delivery_id)


def test_a_report_that_cannot_be_made_fails_like_any_other(
    store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    expired(store, receiver.origin)
    bench = Bench(store, receiver.origin, link=broken_link)
    bench.step()
    assert bench.row()["said"] == "it could not be made: see the log of the adapter"
    assert bench.row()["result"] == "pending"
    assert "report.crashed" in caplog.messages


def test_a_store_that_is_away_is_waited_for(store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    expired(store, receiver.origin)
    bench = Bench(store, receiver.origin)
    (due,) = store.reports.claim(now=NOW, until=NOW + SECOND, most=1, busy={}, each=1)
    with store._database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE reports RENAME TO elsewhere")
    bench.reporter._one(due)
    assert bench.step(60) == []
    with store._database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO reports")
    assert caplog.messages.count("report.store") == 2
    assert bench.step() == ["d0-1"]  # it is told twice rather than not at all, and has the same id
    assert receiver.ids == ["d0-1", "d0-1"]


# many at once


def test_no_more_posts_are_under_way_than_there_are_lines(store: Store) -> None:
    with receiving(hangs=True) as slow, receiving(hangs=True) as other:
        expired(store, slow.origin, other.origin)
        more = {"lines": 1, "each": 4}
        bench = Bench(store, f"{slow.origin}, {other.origin}", more=more)
        with reporting(bench):
            until(lambda: slow.heard or other.heard)
            assert bench.step() == []
            assert len(slow.heard + other.heard) == 1
            slow.stopping.set()
            other.stopping.set()
            until(lambda: slow.heard and other.heard)


def test_a_slow_host_delays_no_other(store: Store, receiver: Receiver) -> None:
    with receiving(hangs=True) as slow:
        expired(store, *[slow.origin] * 30, *[receiver.origin] * 30)
        bench = Bench(store, f"{slow.origin}, {receiver.origin}", more={"lines": 6, "each": 2})
        with reporting(bench):
            until(lambda: len(receiver.heard) == 30)
            assert len(slow.heard) == 2
            slow.stopping.set()
    assert len(set(receiver.ids)) == 30
    assert json.loads(receiver.heard[0][1])["type"] == "delivery.expired"
