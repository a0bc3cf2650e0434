"""`GET /metrics` tells what was done, in labels that no stranger chooses, to those who may look."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from freezegun import freeze_time
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.middleware.proxy_fix import ProxyFix

from adapter import metrics
from adapter.metrics import Measured, Stopwatch
from adapter.model import ClickToDial, Evidence, Outcome
from adapter.store import gates
from web.front import ACCEPTED, CLICK, LEAD, WORK, Front, Xima, front, outcome

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Numbers:
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(text)
    return {
        (one.name.removeprefix("xima_adapter_"), frozenset(one.labels.items())): one.value
        for family in families
        for one in family.samples
    }


def scrape(one: Front) -> Numbers:
    answer = one.client.get("/metrics")
    assert answer.status_code == 200
    return read(answer.text)


def number(found: Numbers, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


def added(one: Front, before: Numbers, name: str, **labels: str) -> float:
    """By how much a counter of this process has grown."""
    return number(scrape(one), name, **labels) - number(before, name, **labels)


@pytest.fixture
def begun(work: Front) -> tuple[Front, Numbers]:
    """The application, and its numbers before anything was done: other tests of this process have counted too."""
    return work, scrape(work)


def test_requests_and_records_are_counted_by_mapping(begun: tuple[Front, Numbers]) -> None:
    work, before = begun
    work.post("work", CLICK)
    work.post("work", CLICK)
    work.post("work", LEAD)
    work.post("work", {"id": "9"})
    assert added(work, before, "requests_total", mapping="work", status="200") == 4
    for result in ("accepted", "duplicate", "queued", "skip"):
        assert added(work, before, "records_total", mapping="work", result=result) == 1
    assert added(work, before, "overhead_seconds_count", mapping="work") == 4


def test_refusals_are_counted_by_reason(begun: tuple[Front, Numbers]) -> None:
    work, before = begun
    work.client.post("/hooks/work", json=LEAD)
    labels = {"mapping": "work", "code": "unauthorized"}
    assert added(work, before, "refusals_total", **labels, reason="missing header X-Hub-Signature-256") == 1
    assert added(work, before, "requests_total", mapping="work", status="401") == 1


def test_strangers_choose_no_labels(begun: tuple[Front, Numbers]) -> None:
    work, before = begun
    for name in ("wp-admin", "8015550142"):
        work.client.post(f"/hooks/{name}", json=LEAD)
    assert added(work, before, "requests_total", mapping="", status="404") == 2
    assert "wp-admin" not in work.client.get("/metrics").text


def test_what_waits_is_told_with_its_age(work: Front) -> None:
    work.post("work", LEAD)
    work.run("update deliveries set due_at = due_at - 90000000")
    found = scrape(work)
    assert (number(found, "deliveries", state="queued"), number(found, "deliveries", state="unknown")) == (1, 0)
    assert number(found, "queue_depth") == 1
    assert 90 <= number(found, "queue_age_seconds") < 120


def test_an_empty_queue_has_no_age(work: Front) -> None:
    found = scrape(work)
    assert (number(found, "queue_depth"), number(found, "queue_age_seconds"), number(found, "store_up")) == (0, 0, 1)


def stopped(one: Front) -> set[tuple[str, str]]:
    """The tenants that send nothing, and why."""
    rows = [(dict(labels), value) for (name, labels), value in scrape(one).items() if name == "tenant_stopped"]
    assert "default" in {labels["tenant"] for labels, _ in rows}
    return {(labels["tenant"], labels["why"]) for labels, value in rows if value}


def test_what_stops_a_tenant_is_told_while_it_does(work: Front) -> None:
    assert stopped(work) == set()
    now = datetime.now(UTC)
    work.store.rules.pause("acme", said="by Pat", now=now)
    assert stopped(work) == {("acme", "pause")}
    work.store.rules.pause("", said="by Pat", now=now)
    assert stopped(work) == {("acme", "pause"), ("default", "pause")}
    for tenant in ("acme", ""):
        work.store.rules.resume(tenant, now=now)
    assert stopped(work) == set()


@pytest.mark.parametrize(
    ("evidence", "why"), [(Evidence.UNAUTHORIZED, "token"), (Evidence.OVER_CAP, "egress_cap")], ids=["token", "cap"]
)
def test_a_tenant_that_xima_refuses_is_told_until_it_is_taken_again(work: Front, evidence: Evidence, why: str) -> None:
    work.xima.outcomes.append(outcome(evidence))
    work.post("work", CLICK)
    assert stopped(work) == {("default", why)}
    with work.store._database.writing() as connection:
        gates.settle(connection, "default", Evidence.ACCEPTED, now=datetime.now(UTC))
    assert stopped(work) == set()


def test_a_xima_that_is_away_is_told(work: Front) -> None:
    for _ in range(3):
        with work.store._database.writing() as connection:
            gates.settle(connection, "default", Evidence.NOT_SENT, now=datetime.now(UTC))
    assert stopped(work) == {("default", "away")}


def test_without_a_store_the_rest_is_told(work: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    work.store.close()
    Path(work.given.database_url.removeprefix("sqlite:///")).write_bytes(b"no database at all" * 100)
    found = scrape(work)
    assert number(found, "store_up") == 0
    assert ("queue_depth", frozenset()) not in found
    version = work.sources.usable["work"].mapping.version
    assert number(found, "mapping_version", mapping="work", version=version) == 1


def test_a_broken_file_is_a_number(work: Front) -> None:
    assert number(scrape(work), "mapping_broken", mapping="broken", served="no") == 1


def test_a_file_that_was_removed_is_none_that_wants_mending(work: Front) -> None:
    extensions = work.client.application.extensions
    gone = replace(work.sources.broken["broken"], removed=True)
    extensions["adapter"] = replace(extensions["adapter"], sources=lambda: replace(work.sources, broken={"gone": gone}))
    found = scrape(work)
    assert number(found, "mapping_broken", mapping="gone", served="removed") == 1
    assert {key for key in found if key[0] == "mapping_broken"} == {
        ("mapping_broken", frozenset({"mapping": "gone", "served": "removed"}.items()))
    }


@pytest.mark.parametrize(
    ("said", "labels", "timed"),
    [
        (ACCEPTED, {"outcome": "accepted", "status": "204"}, 1),
        (outcome(Evidence.REFUSED, status=404), {"outcome": "refused", "status": "404"}, 1),
        (Outcome(evidence=Evidence.NOT_SENT, phase="not_sent"), {"outcome": "not_sent", "status": ""}, 0),
    ],
    ids=["accepted", "refused", "not sent"],
)
def test_attempts_are_counted_by_what_they_proved(
    begun: tuple[Front, Numbers], said: Outcome, labels: dict[str, str], timed: int
) -> None:
    work, before = begun
    Measured("acme", Xima(outcomes=[said])).carry_out(ClickToDial(agent="0101", number_to_dial="8015550142"))
    where = {"tenant": "acme", "action": "click_to_dial"}
    assert added(work, before, "attempts_total", **where, **labels) == 1
    assert added(work, before, "xima_seconds_count", **where) == timed


def test_what_xima_answered_is_known_though_it_cannot_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(metrics.XIMA, "labels", full)
    asked = Measured("acme", Xima()).carry_out(ClickToDial(agent="0101", number_to_dial="8015550142"))
    assert asked == ACCEPTED


def test_the_time_at_xima_is_not_ours(begun: tuple[Front, Numbers], monkeypatch: pytest.MonkeyPatch) -> None:
    work, before = begun
    monkeypatch.setattr(Stopwatch, "seconds", lambda self: -1000.0)
    work.post("work", CLICK)
    assert added(work, before, "overhead_seconds_sum", mapping="work") > 1000


def test_a_stopwatch_counts_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([1.0, 4.0, 10.0, 12.0])
    monkeypatch.setattr("adapter.metrics.time", SimpleNamespace(perf_counter=lambda: next(now)))  # not other threads'
    watch = Stopwatch()
    watch.start()
    assert watch.stop() == 3
    watch.start()
    assert watch.seconds() == 5


def test_the_skew_of_a_senders_clock_is_measured(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK.replace("from: github", "from: hubspot-v3")}) as work:
        before = scrape(work)
        with freeze_time("2026-11-22 12:00:00"):
            assert work.post("work", LEAD).status_code == 200
        assert added(work, before, "signature_skew_seconds_bucket", mapping="work", le="2.0") == 1


# who may look


@pytest.mark.parametrize(
    ("address", "allow", "proxies", "headers", "status"),
    [
        ("127.0.0.1", "private", "0", {}, 200),
        ("10.2.3.4", "private", "0", {}, 200),
        ("::ffff:10.2.3.4", "private", "0", {}, 200),
        ("203.0.113.9", "private", "0", {}, 404),
        ("203.0.113.9", "all", "0", {}, 200),
        ("203.0.113.9", "203.0.113.0/24", "0", {}, 200),
        ("127.0.0.1", "none", "0", {}, 404),
        ("127.0.0.1", "private", "0", {"X-Forwarded-For": "203.0.113.9"}, 404),
        ("127.0.0.1", "all", "0", {"Via": "1.1 proxy"}, 404),
        ("127.0.0.1", "private", "1", {"X-Forwarded-For": "127.0.0.1"}, 200),
        ("", "private", "0", {}, 404),
    ],
)
def test_only_those_who_may_look_see_that_it_is_there(
    tmp_path: Path, address: str, allow: str, proxies: str, headers: dict[str, str], status: int
) -> None:
    given = {"ADAPTER_METRICS_ALLOW": allow, "ADAPTER_TRUSTED_PROXIES": proxies}
    with front(tmp_path, {"work": WORK}, **given) as work:
        answer = work.client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == status


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.1", 200), ("203.0.113.9", 404)], ids=["a proxy", "past it"])
def test_who_comes_past_the_proxy_cannot_call_itself_a_neighbour(tmp_path: Path, peer: str, status: int) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_TRUSTED_PROXIES="1") as work:
        app = work.client.application
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)  # type: ignore[method-assign] # as `wsgi.create` does
        headers = {"X-Forwarded-For": "127.0.0.1"}
        answer = work.client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": peer})
        assert answer.status_code == status
