"""Carrying a delivery out: what is sent, what is kept of it, and who may, whatever happens meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from running import until
from sample import CALLBACK, CLICK, NOW, SECOND, SELECT, delivery

from adapter.dispatcher import Dispatcher, Loop, Timing, carrying, loop
from adapter.dispatcher.lines import Lines
from adapter.errors import StoreError
from adapter.model import Action, Delivery, Evidence, Outcome, State
from adapter.policy import Rate, Verdict
from adapter.store import Arrival, Entry, Store

ACCEPTED = Outcome(evidence=Evidence.ACCEPTED, phase="answered", status=204)
NOT_SENT = Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason="Xima could not be reached")
REFUSED = Outcome(evidence=Evidence.REFUSED, phase="answered", status=404, reason="404: not known")
UNKNOWN = Outcome(evidence=Evidence.UNKNOWN, phase="sent", reason="no answer")
IMPATIENT = Timing(patience=timedelta())


class Watch:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds * SECOND


def now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class Xima:
    """Stands for a tenant: gives the outcomes it was told to, one a call, and remembers what it was asked."""

    def __init__(self, *outcomes: Outcome | Exception, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.outcomes = list(outcomes) or [ACCEPTED]
        self.meanwhile = meanwhile
        self.asked: list[Action] = []

    def carry_out(self, action: Action) -> Outcome:
        self.asked.append(action)
        self.meanwhile()
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Flaky(Store):
    """A real store that fails as often as `failures` says before it works again."""

    failures = 0

    def _trip(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise StoreError("the disk is full")

    def save(self, *given: object, **more: object) -> bool:
        self._trip()
        return super().save(*given, **more)  # type: ignore[arg-type]  # handed on as it is

    def renew(self, *given: object, **more: object) -> set[tuple[str, int]]:
        self._trip()
        return super().renew(*given, **more)  # type: ignore[arg-type]  # handed on as it is

    def claim(self, *given: object, **more: object) -> tuple[list[Delivery], list[Delivery]]:
        self._trip()
        return super().claim(*given, **more)  # type: ignore[arg-type]  # handed on as it is


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whoever closes a dispatcher has all its threads back."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def flaky(store: Store) -> Iterator[Flaky]:
    """The store of the test, through a door that can be shut."""
    with closing(Flaky(str(store._database.engine.url))) as flaky:
        yield flaky


@pytest.fixture
def events() -> Iterator[list[logging.LogRecord]]:
    """What was logged."""
    found: list[logging.LogRecord] = []
    log = logging.getLogger("adapter")
    level = log.level
    log.setLevel(logging.INFO)

    def remember(record: logging.LogRecord) -> bool:
        found.append(record)
        return True

    log.addFilter(remember)
    yield found
    log.removeFilter(remember)
    log.setLevel(level)


def keep(store: Store, *many: Delivery) -> None:
    arrival = Arrival(
        id=f"of {many[0].id}",
        mapping="lead",
        version="v1",
        received_at=many[0].created_at,
        method="POST",
        url="/",
        headers={},
        body=b"",
    )
    store.add(arrival, [Entry(note={}, delivery=one, remember_until=NOW + 60 * SECOND) for one in many])


def stored(store: Store, delivery_id: str = "d1") -> Delivery:
    found = store.get(delivery_id)
    assert found is not None
    return found


@contextmanager
def dispatching(
    store: Store, xima: Xima, watch: Callable[[], datetime], *, owner: str = "one", timing: Timing = IMPATIENT
) -> Iterator[Dispatcher]:
    """A dispatcher, closed at the end."""
    with closing(Dispatcher(store, {"default": xima}, watch, owner=owner, timing=timing)) as dispatcher:
        yield dispatcher


# one delivery


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(ACCEPTED, "accepted"), (REFUSED, "refused"), (UNKNOWN, "unknown"), (NOT_SENT, "queued")],
    ids=["accepted", "refused", "unknown", "not sent"],
)
def test_what_is_given_back_is_what_the_store_holds(store: Store, watch: Watch, outcome: Outcome, state: State) -> None:
    keep(store, delivery(CALLBACK))
    with dispatching(store, Xima(outcome), watch) as dispatcher:
        done = dispatcher.step()
    assert done == stored(store)
    assert (done.state, done.reason, done.tries, done.lease_owner) == (state, outcome.reason, 1, None)
    (attempt,) = store.attempts("d1")
    assert (attempt.at, attempt.phase, attempt.status) == (NOW, outcome.phase, outcome.status)


def test_nothing_is_done_when_nothing_is_due(store: Store, watch: Watch) -> None:
    keep(store, delivery(CALLBACK, due_at=NOW + SECOND))
    with dispatching(store, Xima(), watch) as dispatcher:
        assert dispatcher.step() is None


def test_a_click_is_tried_again_for_a_moment_while_nothing_was_sent(store: Store, watch: Watch) -> None:
    xima = Xima(NOT_SENT, ACCEPTED)
    keep(store, delivery(CLICK))
    with dispatching(store, xima, watch, timing=Timing()) as dispatcher:
        done = dispatcher.step()
    assert done is not None
    assert (done.state, len(xima.asked)) == ("accepted", 2)
    assert [one.phase for one in store.attempts("d1")] == ["not_sent", "answered"]


def test_a_click_that_may_have_rung_is_not_tried_again(store: Store, watch: Watch) -> None:
    xima = Xima(UNKNOWN)
    keep(store, delivery(CLICK))
    with dispatching(store, xima, watch, timing=Timing()) as dispatcher:
        dispatcher.step()
    assert (stored(store).state, len(xima.asked)) == ("unknown", 1)


def test_a_callback_goes_back_to_the_queue_at_once(store: Store, watch: Watch) -> None:
    xima = Xima(NOT_SENT)
    keep(store, delivery(CALLBACK))
    with dispatching(store, xima, watch, timing=Timing()) as dispatcher:
        dispatcher.step()
    assert len(xima.asked) == 1
    assert NOW < stored(store).due_at < NOW + SECOND


def test_a_click_nobody_waits_for_any_more_fails(store: Store, watch: Watch) -> None:
    keep(store, delivery(CLICK, expires_at=NOW))
    with dispatching(store, Xima(NOT_SENT), watch) as dispatcher:
        dispatcher.step()
    assert (stored(store).state, stored(store).reason) == ("failed", "Xima could not be reached")


def test_a_tenant_that_is_not_configured_is_not_sent_to_and_told_once(
    store: Store, watch: Watch, events: list[logging.LogRecord]
) -> None:
    keep(store, delivery(CALLBACK, tenant="acme", expires_at=NOW + 600 * SECOND))
    with dispatching(store, Xima(), watch) as dispatcher:
        dispatcher.step()
        assert (stored(store).state, stored(store).reason) == ("queued", "there is no Xima tenant called acme")
        assert stored(store).due_at >= watch() + timedelta(minutes=1)
        watch.now = stored(store).due_at
        dispatcher.step()
    assert [one.phase for one in store.attempts("d1")] == ["not_sent", "not_sent"]
    assert [one.levelno for one in events if one.getMessage() == "tenant.missing"] == [logging.ERROR]


def test_a_dial_that_shows_the_nearest_number_of_a_tenant_that_is_gone_is_not_sent_either(
    store: Store, watch: Watch
) -> None:
    terms = {"fresh_for": 60.0, "nearest_to": ["+18015550142", "US"]}
    keep(store, delivery(CLICK, tenant="acme", deliver="queued", terms=terms))
    with dispatching(store, Xima(), watch) as dispatcher:
        dispatcher.step()
    assert (stored(store).state, stored(store).reason) == ("queued", "there is no Xima tenant called acme")


def test_what_became_too_old_on_its_way_here_is_not_sent(store: Store, watch: Watch) -> None:
    xima = Xima()
    keep(store, delivery(CLICK, expires_at=NOW + SECOND))
    with dispatching(store, xima, watch) as dispatcher:
        (taken,) = dispatcher.claim(1)
        watch.tick(1.5)
        done = dispatcher.carry_out(taken)
    assert (done.state, done.reason) == ("failed", "it became too old while it waited for its turn")
    assert xima.asked == []


def test_what_our_rules_stop_is_not_sent(store: Store, watch: Watch) -> None:
    xima = Xima()
    keep(store, delivery(CLICK, expires_at=NOW - SECOND))
    with dispatching(store, xima, watch) as dispatcher:
        assert dispatcher.step() is None
    assert (stored(store).state, xima.asked) == ("expired", [])


def test_a_delivery_given_back_waits_for_another_dispatcher(store: Store, watch: Watch) -> None:
    keep(store, delivery(CLICK))
    with dispatching(store, Xima(), watch) as dispatcher:
        (taken,) = dispatcher.claim(1)
        dispatcher.leases.hold(taken)
        back = dispatcher.give_back(taken, "every line was taken")
        assert not dispatcher.leases.has(taken)
    assert back == stored(store)
    assert (back.state, back.reason, back.tries, back.due_at) == ("queued", "every line was taken", 0, NOW)


# a store that fails after Xima has answered


def test_an_outcome_is_saved_again_until_the_store_takes_it(flaky: Flaky, watch: Watch) -> None:
    xima = Xima()
    keep(flaky, delivery(CALLBACK))
    with dispatching(flaky, xima, watch) as dispatcher:
        (taken,) = dispatcher.claim(1)
        flaky.failures = 2
        done = dispatcher.carry_out(taken)
    assert done == stored(flaky)
    assert (done.state, len(xima.asked), len(flaky.attempts("d1"))) == ("accepted", 1, 1)


def test_an_outcome_that_cannot_be_saved_ends_as_unknown_and_is_not_sent_again(
    flaky: Flaky, watch: Watch, monkeypatch: pytest.MonkeyPatch, events: list[logging.LogRecord]
) -> None:
    monkeypatch.setattr(carrying, "SAVE_TRIES", 2)
    xima = Xima()
    keep(flaky, delivery(CALLBACK))
    with dispatching(flaky, xima, watch) as dispatcher:
        (taken,) = dispatcher.claim(1)
        flaky.failures = 2
        assert dispatcher.carry_out(taken) == taken  # nobody is told more than the store knows
        assert not dispatcher.leases.has(taken)
        watch.tick(15.1)
        assert [one.state for one in dispatcher.sweep()] == ["unknown"]
        assert dispatcher.step() is None
    assert len(xima.asked) == 1
    lost = [one for one in events if one.getMessage() == "delivery.accepted"]
    assert [one.levelno for one in lost] == [logging.ERROR]  # the truth is in the log at least


# a tenant in trouble


def test_a_long_outage_is_met_by_one_probe_at_a_time_and_its_end_by_all(store: Store, watch: Watch) -> None:
    xima = Xima(NOT_SENT)
    wanted = NOW + timedelta(hours=1)
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}", expires_at=wanted) for n in range(50)))
    with dispatching(store, xima, watch) as dispatcher:
        for _ in range(300):
            while dispatcher.step():
                pass
            watch.tick(1)
        assert 90 <= len(xima.asked) <= 3 + 300 / 3
        xima.outcomes = [ACCEPTED]
        for _ in range(3):  # the next probe is due within three seconds, and opens the gate
            while dispatcher.step():
                pass
            watch.tick(1)
    assert store.counts() == {"accepted": 50}


@pytest.mark.parametrize(
    ("first", "comes_at", "accepted_from"),
    [
        (delivery(CLICK, deliver="queued", expires_at=NOW + 30 * SECOND), 5, 60),
        (delivery(CALLBACK, terms={"fresh_for": 600.0}, expires_at=NOW + 600 * SECOND), 593, 700),
    ],
    ids=["a click was refused", "the callback that tried is too old"],
)
def test_a_lead_that_comes_while_the_token_is_refused_is_sent_when_it_is_renewed_in_time(
    store: Store, watch: Watch, first: Delivery, comes_at: int, accepted_from: int
) -> None:
    unauthorized = Outcome(evidence=Evidence.UNAUTHORIZED, phase="answered", status=401, reason="401")
    xima = Xima(unauthorized)
    keep(store, first)
    with dispatching(store, xima, watch) as dispatcher:
        for second in range(accepted_from + 31):
            if second == comes_at:
                wanted = {"created_at": watch(), "due_at": watch(), "expires_at": watch() + 600 * SECOND}
                keep(store, delivery(CALLBACK, id="d2", key="k2", terms={"fresh_for": 600.0}, **wanted))
                assert stored(store, "d2").state == "held"
            if second == accepted_from:
                xima.outcomes = [ACCEPTED]
            while dispatcher.step():
                pass
            watch.tick(1)
    assert stored(store, "d2").state == "accepted"
    assert len(xima.asked) <= 2 + accepted_from / 30  # one tries every 30 seconds


def test_what_we_did_not_ask_says_nothing_about_the_tenant(store: Store, watch: Watch) -> None:
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}", tenant="acme") for n in range(5)))
    with dispatching(store, Xima(), watch) as dispatcher:
        while dispatcher.step():
            pass
    assert store.rules.gates() == []


@pytest.mark.parametrize("evidence", [Evidence.UNAUTHORIZED, Evidence.OVER_CAP])
def test_a_tenant_that_is_stopped_raises_an_alarm(
    store: Store, watch: Watch, events: list[logging.LogRecord], evidence: Evidence
) -> None:
    xima = Xima(Outcome(evidence=evidence, phase="answered", status=401, reason="no"))
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}") for n in range(3)))
    with dispatching(store, xima, watch) as dispatcher:
        while dispatcher.step():
            pass
    assert len(xima.asked) == 1
    assert [one.getMessage() for one in events if one.levelno == logging.ERROR] == ["tenant.stopped"]


@pytest.mark.parametrize("evidence", [Evidence.NOT_SENT, Evidence.LATER])
def test_an_outage_that_lasts_raises_one_alarm_and_its_end_none(
    store: Store, watch: Watch, events: list[logging.LogRecord], evidence: Evidence
) -> None:
    xima = Xima(Outcome(evidence=evidence, phase="not_sent", reason="certificate not accepted"))
    keep(store, delivery(CALLBACK, expires_at=NOW + 3600 * SECOND))
    with dispatching(store, xima, watch) as dispatcher:
        for _ in range(59):
            dispatcher.step()
            watch.tick(1)
        assert [one for one in events if one.levelno > logging.INFO] == []
        for _ in range(600):
            dispatcher.step()
            watch.tick(1)
        assert [one.getMessage() for one in events if one.levelno > logging.INFO] == ["tenant.away"]
        xima.outcomes = [ACCEPTED]
        for _ in range(600):
            dispatcher.step()
            watch.tick(1)
    assert stored(store).state == "accepted"
    assert [one.getMessage() for one in events][-1] == "tenant.back"


AWAY = Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason="connection refused")


@pytest.mark.parametrize(
    ("seconds", "outcomes", "said"),
    [
        pytest.param([60] * 6, [AWAY, AWAY, ACCEPTED] * 2, ["tenant.away", "tenant.back"] * 2, id="two outages"),
        pytest.param([59] * 4, [AWAY, AWAY, ACCEPTED, ACCEPTED], [], id="a blip"),
        pytest.param([3600] * 3, [AWAY] * 3, [], id="a blip an hour"),
        pytest.param([3600, 60, 60], [AWAY] * 3, ["tenant.away"], id="an outage an hour after a blip"),
    ],
)
def test_the_log_tells_of_an_outage_once_and_of_its_end(
    store: Store,
    watch: Watch,
    events: list[logging.LogRecord],
    seconds: list[int],
    outcomes: list[Outcome],
    said: list[str],
) -> None:
    """A click is sent, and so much time goes by."""
    with dispatching(store, Xima(*outcomes), watch) as dispatcher:
        for number, wait in enumerate(seconds):
            one = delivery(CLICK, id=f"d{number}", key=f"k{number}", created_at=watch(), due_at=watch())
            keep(store, replace(one, expires_at=watch() + SECOND, terms={"fresh_for": 1.0}))
            dispatcher.step()
            watch.tick(wait)
    assert [one.getMessage() for one in events if one.getMessage().startswith("tenant.")] == said


def test_an_agent_is_never_dialled_for_twice_at_once(store: Store, watch: Watch) -> None:
    """The second waits its turn, however many dispatchers there are."""
    keep(store, delivery(CLICK, deliver="queued"), delivery(CLICK, id="d2", key="k2", deliver="queued"))

    def look() -> None:
        with dispatching(store, Xima(), watch, owner="two") as other:
            assert other.step() is None

    xima = Xima(meanwhile=look)
    with dispatching(store, xima, watch) as dispatcher:
        dispatcher.step()
        assert len(xima.asked) == 1
        xima.meanwhile = lambda: None
        watch.tick(1)
        dispatcher.step()
    assert len(xima.asked) == 2


def test_late_callbacks_are_held_for_a_question_when_that_is_wished(
    store: Store, watch: Watch, events: list[logging.LogRecord]
) -> None:
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}", expires_at=NOW + timedelta(hours=1)) for n in range(3)))
    watch.tick(61)
    with dispatching(store, Xima(), watch, timing=Timing(ask=2)) as dispatcher:
        assert dispatcher.step() is None
        keep(store, delivery(CALLBACK, id="d9", key="k9", due_at=watch(), expires_at=watch() + SECOND))
        assert dispatcher.step() is not None  # who asks just now does not wait
    assert store.counts() == {"held": 3, "accepted": 1}
    assert [one.getMessage() for one in events if one.levelno == logging.ERROR] == ["backlog.held"]


def test_what_a_rate_delays_is_no_question_and_what_an_outage_delays_is(store: Store, watch: Watch) -> None:
    wanted = NOW + timedelta(hours=1)
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}", expires_at=wanted) for n in range(80)))
    rates = {"default": Rate(per_second=0.5, burst=1)}
    with closing(
        Dispatcher(store, {"default": Xima()}, watch, owner="one", timing=Timing(ask=5), rates=rates)
    ) as dispatcher:
        for _ in range(70):
            while dispatcher.step():
                pass
            watch.tick(1)
        assert store.counts() == {"accepted": 35, "queued": 45}
        watch.tick(120)  # nobody dispatches
        assert dispatcher.step() is None
    assert store.counts() == {"accepted": 35, "held": 45}


# leases


def test_a_lease_that_ran_out_before_the_request_left_means_nothing_is_sent(store: Store, watch: Watch) -> None:
    """Also not by a click's further tries: somebody else may have taken over."""
    xima = Xima()
    keep(store, delivery(CLICK))
    with (
        dispatching(store, xima, watch, timing=Timing(patience=SECOND)) as slow,
        dispatching(store, Xima(), watch, owner="two") as other,
    ):
        (taken,) = slow.claim(1)
        watch.tick(15.1)
        assert [one.id for one in other.sweep()] == ["d1"]
        done = slow.carry_out(taken)
    assert xima.asked == []
    assert done == stored(store)
    assert (done.state, done.tries) == ("unknown", 1)
    assert {one.phase for one in store.attempts("d1")[1:]} == {"not_sent"}


def test_a_holder_taken_for_dead_still_says_what_xima_answered(store: Store, watch: Watch) -> None:
    def be_slow() -> None:
        watch.tick(15.1)
        with dispatching(store, Xima(), watch, owner="two") as other:
            assert [one.state for one in other.sweep()] == ["unknown"]

    keep(store, delivery(CLICK))
    with dispatching(store, Xima(meanwhile=be_slow), watch) as dispatcher:
        done = dispatcher.step()
    assert done is not None
    assert done.state == stored(store).state == "accepted"
    assert [(one.phase, one.status) for one in store.attempts("d1")] == [("sent", None), ("answered", 204)]


def test_a_lease_is_renewed_while_xima_is_slow(store: Store, watch: Watch) -> None:
    """With a call that lasts six leases, as the clock goes on only when the lease was renewed."""
    lease = timedelta(seconds=0.2)
    keep(store, delivery(CALLBACK))
    with dispatching(store, Xima(), watch, owner="two") as other:
        swept: list[Delivery] = []

        def be_slow() -> None:
            for _ in range(12):
                watch.tick(0.1)
                until(lambda: stored(store).lease_until == watch() + lease)
                swept.extend(other.sweep())

        with dispatching(store, Xima(meanwhile=be_slow), watch, timing=Timing(lease=lease)) as dispatcher:
            dispatcher.step()
    assert (swept, stored(store).state) == ([], "accepted")


def test_a_lease_that_nobody_can_keep_is_not_held_for_ever(
    store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the machine lets a process have no more threads for a moment."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    keep(store, delivery(CALLBACK))
    with dispatching(store, Xima(), watch) as dispatcher:
        (taken,) = dispatcher.claim(1)
        with monkeypatch.context() as full:
            full.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError):
                dispatcher.carry_out(taken)
        watch.tick(15.1)
        assert [one.state for one in dispatcher.sweep()] == ["unknown"]
        keep(store, delivery(CALLBACK, id="d2", key="k2", due_at=watch(), expires_at=watch() + SECOND))
        done = dispatcher.step()
    assert done is not None
    assert (done.id, done.state) == ("d2", "accepted")


def test_only_what_is_still_held_is_renewed(store: Store, watch: Watch) -> None:
    keep(store, delivery(CALLBACK), delivery(CALLBACK, id="d2", key="k2"))
    with dispatching(store, Xima(), watch) as dispatcher:
        lost, kept = dispatcher.claim(2)
        dispatcher.leases.hold(lost)
        dispatcher.leases.hold(kept)
        store.save(lost, Verdict(state="unknown", reason="", due_at=NOW, expires_at=NOW), [], now=NOW)
        watch.tick(10)
        dispatcher.leases.renew()
        watch.tick(10)
        assert (dispatcher.leases.has_lost(lost, watch()), dispatcher.leases.has_lost(kept, watch())) == (True, False)
        dispatcher.leases.let_go(lost)
        dispatcher.leases.let_go(kept)
        dispatcher.leases.renew()
    assert stored(store, kept.id).lease_until == NOW + 25 * SECOND


def test_leases_are_kept_even_after_the_store_failed(flaky: Flaky, events: list[logging.LogRecord]) -> None:
    keep(flaky, delivery(CALLBACK, due_at=now(), expires_at=now() + 60 * SECOND))
    with dispatching(flaky, Xima(), now, timing=Timing(lease=timedelta(seconds=0.15))) as dispatcher:
        (taken,) = dispatcher.claim(1)
        flaky.failures = 1
        dispatcher.leases.hold(taken)
        until(lambda: stored(flaky).lease_until != taken.lease_until)
    assert [one.getMessage() for one in events if one.levelno == logging.ERROR] == ["lease.not_renewed"]


@pytest.mark.parametrize(
    ("action", "if_unknown", "state"),
    [
        pytest.param(CLICK, "ask", "unknown", id="a dial is never sent again"),
        pytest.param(CALLBACK, "again", "unknown", id="nor is a callback"),
        pytest.param(SELECT, "again", "queued", id="a caller id may be selected again"),
    ],
)
def test_what_a_dead_process_was_sending(
    store: Store, watch: Watch, action: Action, if_unknown: str, state: State
) -> None:
    keep(store, delivery(action, if_unknown=if_unknown))
    with dispatching(store, Xima(), watch, owner="dead") as dead:
        dead.claim(1)
    with dispatching(store, Xima(), watch, owner="two") as dispatcher:
        watch.tick(15)
        assert dispatcher.sweep() == []  # it may still live
        watch.tick(0.1)
        (settled,) = dispatcher.sweep()
        assert settled == stored(store)
        assert dispatcher.sweep() == []
    assert (settled.state, settled.tries) == (state, 1)
    assert "so it may have happened" in settled.reason
    assert [(one.phase, one.status) for one in store.attempts("d1")] == [("sent", None)]


def test_a_process_does_not_give_up_on_itself(store: Store, watch: Watch) -> None:
    """As after a store that could not be written for longer than a lease, or a clock that was set."""
    swept: list[Delivery] = []

    def be_set() -> None:
        watch.tick(3600)
        swept.extend(dispatcher.sweep())

    keep(store, delivery(CALLBACK))
    with dispatching(store, Xima(REFUSED, meanwhile=be_set), watch) as dispatcher:
        dispatcher.step()
    assert (swept, stored(store).state) == ([], "refused")


def test_a_clock_set_back_sends_nothing_twice(store: Store, watch: Watch) -> None:
    xima = Xima()
    keep(store, delivery(CALLBACK), delivery(CLICK, id="d2", key="k2"))
    with dispatching(store, xima, watch) as dispatcher:
        dispatcher.claim(1)
        watch.tick(-3600)
        assert dispatcher.sweep() == []
        assert dispatcher.step() is None  # not due yet
        watch.tick(3600)
        dispatcher.step()
        assert dispatcher.step() is None
    assert xima.asked == [CALLBACK]


# what is told


@pytest.mark.parametrize(
    ("outcome", "action", "level"),
    [
        pytest.param(ACCEPTED, CALLBACK, logging.INFO, id="accepted"),
        pytest.param(UNKNOWN, CALLBACK, logging.WARNING, id="unknown"),
        pytest.param(REFUSED, CALLBACK, logging.WARNING, id="a refused callback"),
        pytest.param(replace(REFUSED, reason="the token"), CLICK, logging.WARNING, id="refused for the token"),
        pytest.param(REFUSED, CLICK, logging.INFO, id="a refused click"),
    ],
)
def test_what_wants_a_person_is_logged_as_a_warning(
    store: Store, watch: Watch, events: list[logging.LogRecord], outcome: Outcome, action: Action, level: int
) -> None:
    keep(store, delivery(action))
    with dispatching(store, Xima(outcome), watch) as dispatcher:
        done = dispatcher.step()
    assert done is not None
    assert [(one.getMessage(), one.levelno) for one in events] == [(f"delivery.{done.state}", level)]


# the loop


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that looks after everything all the time."""
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(loop, "SWEEP_SECONDS", 0.01)


@contextmanager
def looping(store: Store, xima: Xima, watch: Watch, *, threads: int = 2) -> Iterator[Future[None]]:
    """A loop at work in another thread; it is stopped at the end, and what it raised is raised."""
    dispatcher = Dispatcher(store, {"default": xima}, watch, owner="loop", timing=IMPATIENT)
    working = Loop(dispatcher, threads=threads, retention=timedelta(days=30), clock=watch)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(working.run)
        try:
            yield running
        finally:
            working.stop()
        running.result(60)


def states(store: Store) -> dict[str, str]:
    return {one.id: one.state for one in store.newest()}


def test_other_work_of_the_process_ends_with_the_loop(store: Store, watch: Watch) -> None:
    begun, seen = threading.Event(), []

    def other(stopping: threading.Event) -> None:
        begun.set()
        seen.append(stopping.wait(60))

    dispatcher = Dispatcher(store, {"default": Xima()}, watch, owner="loop", timing=IMPATIENT)
    working = Loop(dispatcher, threads=1, retention=timedelta(days=30), clock=watch, besides=(other,))
    running = threading.Thread(target=working.run)
    running.start()
    assert begun.wait(60)
    working.stop()
    running.join(60)
    assert seen == [True]


def test_the_loop_ends_when_other_work_of_the_process_dies(store: Store, watch: Watch) -> None:
    def other(_: threading.Event) -> None:
        raise ZeroDivisionError

    dispatcher = Dispatcher(store, {"default": Xima()}, watch, owner="loop", timing=IMPATIENT)
    working = Loop(dispatcher, threads=1, retention=timedelta(days=30), clock=watch, besides=(other,))
    with pytest.raises(ZeroDivisionError):
        working.run()


@pytest.mark.usefixtures("brisk")
def test_the_loop_sends_what_is_due_on_its_threads(store: Store, watch: Watch) -> None:
    at_once = threading.Barrier(2, timeout=60)  # lets nobody pass alone, so two must be under way at a time
    xima = Xima(meanwhile=at_once.wait)
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}") for n in range(6)))
    with looping(store, xima, watch):
        until(lambda: set(states(store).values()) == {"accepted"})
    assert len(xima.asked) == 6


def test_the_loop_goes_through_what_is_too_old_without_a_pause(
    store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 600.0)
    old = {"due_at": NOW - 60 * SECOND, "expires_at": NOW - SECOND}
    keep(
        store,
        *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}", **old) for n in range(5)),
        delivery(CALLBACK, id="new", key="new"),
    )
    with looping(store, Xima(), watch, threads=1):
        until(lambda: states(store)["new"] == "accepted")
    assert sorted(states(store).values()) == ["accepted", *["expired"] * 5]


@pytest.mark.usefixtures("brisk")
def test_a_tenant_whose_xima_hangs_leaves_the_others_their_lines(store: Store, watch: Watch) -> None:
    answer = threading.Event()
    far, near = Xima(meanwhile=lambda: answer.wait(60)), Xima()
    keep(store, *(delivery(CALLBACK, id=f"far{n}", key=f"f{n}", tenant="far") for n in range(9)))
    timing = replace(IMPATIENT, lines=4)
    dispatcher = Dispatcher(store, {"far": far, "near": near}, watch, owner="loop", timing=timing)
    working = Loop(dispatcher, threads=4, retention=timedelta(days=30), clock=watch)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(working.run)
        try:
            until(lambda: len(far.asked) == 2)
            keep(store, *(delivery(CALLBACK, id=f"near{n}", key=f"n{n}", tenant="near") for n in range(9)))
            until(lambda: [states(store)[f"near{n}"] for n in range(9)] == ["accepted"] * 9)
            assert len(far.asked) == 2
            answer.set()
            until(lambda: set(states(store).values()) == {"accepted"})
        finally:
            answer.set()
            working.stop()
        running.result(60)


@pytest.mark.parametrize(
    ("most", "tenants", "share"),
    [(32, 2, 16), (32, 3, 10), (32, 4, 8), (32, 50, 8), (2, 50, 1)],
)
def test_every_tenant_has_its_share_of_the_lines(most: int, tenants: int, share: int) -> None:
    lines = Lines(most, tenants=tenants)
    assert [lines.take("a") for _ in range(share + 1)] == [True] * share + [False]
    assert (lines.room("a"), lines.room("b")) == (0, share)
    lines.leave("a")
    assert lines.take("a")


def test_a_tenant_that_is_alone_has_all_lines() -> None:
    lines = Lines(2, tenants=1)
    assert all(lines.take("a") for _ in range(100))


@pytest.mark.usefixtures("brisk")
def test_a_loop_can_be_stopped_by_a_signal_whatever_it_is_doing(store: Store, watch: Watch) -> None:
    dispatcher = Dispatcher(store, {"default": Xima()}, watch, owner="loop", timing=IMPATIENT)
    working = Loop(dispatcher, threads=1, retention=timedelta(days=30), clock=watch)
    with working._stop._cond:  # type: ignore[attr-defined]  # as the main thread does for a moment whenever it waits
        handler = threading.Thread(target=working.stop, daemon=True)
        handler.start()
        handler.join(60)
        assert not handler.is_alive()
    working.run()


def test_a_loop_that_is_stopped_finishes_what_is_under_way(store: Store, watch: Watch) -> None:
    sending, answer = threading.Event(), threading.Event()

    def wait() -> None:
        sending.set()
        answer.wait(60)

    xima = Xima(meanwhile=wait)
    keep(store, *(delivery(CALLBACK, id=f"d{n}", key=f"k{n}", due_at=NOW - n * SECOND) for n in range(3)))
    dispatcher = Dispatcher(store, {"default": xima}, watch, owner="loop", timing=IMPATIENT)
    working = Loop(dispatcher, threads=1, retention=timedelta(days=30), clock=watch)
    running = threading.Thread(target=working.run)
    running.start()
    assert sending.wait(60)
    working.stop()
    assert states(store) == {"d2": "sending", "d1": "queued", "d0": "queued"}
    answer.set()
    running.join(60)
    assert not running.is_alive()
    assert states(store) == {"d2": "accepted", "d1": "queued", "d0": "queued"}


@pytest.mark.usefixtures("brisk")
def test_a_bug_met_by_one_delivery_stops_no_other(store: Store, watch: Watch, events: list[logging.LogRecord]) -> None:
    xima = Xima(RuntimeError("a bug"), ACCEPTED)
    keep(store, delivery(CLICK, deliver="queued"), delivery(CALLBACK, id="d2", key="k2"))
    with looping(store, xima, watch, threads=1):
        until(lambda: states(store) == {"d1": "sending", "d2": "accepted"})
        watch.tick(15.1)
        until(lambda: states(store)["d1"] == "unknown")  # and it was not sent again
    assert len(xima.asked) == 2
    crashed = [one for one in events if one.getMessage() == "delivery.crashed"]
    assert [one.exc_info and str(one.exc_info[1]) for one in crashed] == ["a bug"]


@pytest.mark.usefixtures("brisk")
def test_a_store_that_fails_for_a_while_does_not_end_the_loop(
    flaky: Flaky, watch: Watch, events: list[logging.LogRecord]
) -> None:
    keep(flaky, delivery(CALLBACK))
    flaky.failures = 3
    with looping(flaky, Xima(), watch):
        until(lambda: states(flaky) == {"d1": "accepted"})
    assert [one.getMessage() for one in events if one.levelno == logging.ERROR] == ["dispatcher.store"]


def test_a_loop_asks_a_store_that_fails_no_more_often_than_it_looks_at_its_leases(
    flaky: Flaky, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.001)
    flaky.failures = 1_000_000
    begun = time.monotonic()
    with looping(flaky, Xima(), watch):
        until(lambda: flaky.failures <= 1_000_000 - 3)
    assert time.monotonic() - begun > 2


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("half", ["claim", "abandoned"])
def test_a_loop_never_lives_on_by_half(store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch, half: str) -> None:
    """Whoever started the process sees it end, and starts it again."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(store, half, broken)
    with pytest.raises(RuntimeError, match="a bug"), looping(store, Xima(), watch) as running:
        running.result(60)


@pytest.mark.usefixtures("brisk")
def test_the_loop_purges_in_bites_until_nothing_old_is_left(
    store: Store, watch: Watch, events: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PURGE_ROWS", 500)
    long_ago = NOW - timedelta(days=31)
    many = [delivery(state="accepted", id=f"d{n}", key=f"k{n}", updated_at=long_ago) for n in range(600)]
    keep(store, *many)
    watch.tick(61)  # their keys are forgotten
    with looping(store, Xima(), watch):
        until(lambda: states(store) == {})
        until(lambda: len([one for one in events if one.getMessage() == "store.purged"]) == 2)
