"""What goes wrong on demand: every fault, for every action, and whether it happened all the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from adapter.sandbox import Sandbox, World
from adapter.sandbox.world import lot

from .caller import ACTIONS, DIAL, SKILLS, Caller, wait_until

ANSWERED = [
    ({"status": 503}, 503, None, False, "status"),
    ({"status": 503, "retry_after": 3}, 503, "3", False, "status"),
    ({"status": 500, "after_effect": "yes"}, 500, None, True, "status"),
    ({"status": 204}, 204, None, False, "status"),
    ({"status": 202, "after_effect": "yes"}, 202, None, True, "status"),
    ({"status": 302}, 302, None, False, "status"),
    ({"status": 304}, 304, None, False, "status"),
    ({"status": 509}, 509, None, False, "status"),
    ({"rate_limit": "yes"}, 429, "1", False, "rate_limit"),
    ({"status": 429}, 429, None, False, "status"),
    ({"rate_limit": "yes", "retry_after": 60}, 429, "60", False, "rate_limit"),
    ({"delay": "20ms"}, 204, None, True, "delay"),
    ({"delay_answer": "20ms"}, 204, None, True, "delay_answer"),
    ({"status": 500, "delay": "20ms"}, 500, None, False, "status"),
]
CUT = [
    ({"close_before_answer": "yes"}, False, "close_before_answer"),
    ({"drop_after_effect": "yes"}, True, "drop_after_effect"),
    ({"reset": "yes"}, False, "reset"),
    ({"reset": "after"}, True, "reset"),
    ({"garbage": "yes"}, False, "garbage"),
    ({"garbage": "yes", "after_effect": "yes"}, True, "garbage"),
    ({"drop_after_effect": "yes", "delay": "20ms", "delay_answer": "20ms"}, True, "drop_after_effect"),
]


def happened(world: World, action: str) -> bool:
    desk = world.desks["0101"]
    if action == "click_to_dial":
        return bool(desk.rings)
    if action == "callback":
        return bool(world.queues["Sales"].waiting)
    return desk.selected is not None and desk.selected.label == "Local"


def named(row: tuple[Any, ...]) -> str:
    return " ".join(f"{key}={value}" for key, value in row[0].items())


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "effect", "word"), ANSWERED, ids=[named(row) for row in ANSWERED]
)
def test_a_fault_may_answer(
    xima: Caller,
    action: str,
    fault: dict[str, Any],
    status: int,
    retry_after: str | None,
    effect: bool,
    word: str,
) -> None:
    xima.fault({"operation": action, **fault})
    response = xima.act(action)
    assert (response.status_code, response.headers.get("Retry-After")) == (status, retry_after)
    row = xima.last()
    assert (row["status"], row["effect"], row["fault"]) == (status, effect, word)
    assert happened(xima.sandbox.world, action) == effect


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("fault", "effect", "word"), CUT, ids=[named(row) for row in CUT])
def test_a_fault_may_cut_the_connection(
    xima: Caller, action: str, fault: dict[str, Any], effect: bool, word: str
) -> None:
    xima.fault({"operation": action, **fault})
    with pytest.raises(requests.ConnectionError):
        xima.act(action)
    row = xima.last()
    assert (row["status"], row["effect"], row["fault"]) == (None, effect, word)
    assert row["duration_ms"] is not None
    assert happened(xima.sandbox.world, action) == effect


@pytest.mark.parametrize("action", ACTIONS)
def test_after_a_fault_is_used_up_everything_works_again(xima: Caller, action: str) -> None:
    xima.fault({"status": 503, "times": 2}, {"reset": "yes", "times": 1})
    assert [xima.act(action).status_code for _ in range(2)] == [503, 503]
    with pytest.raises(requests.ConnectionError):
        xima.act(action)
    assert xima.act(action).status_code == 204


def test_a_fault_meets_only_its_operation_and_any_meets_all(xima: Caller) -> None:
    xima.fault({"operation": "click_to_dial", "status": 500}, {"operation": "any", "status": 503})
    assert xima.act("click_to_dial").status_code == 500
    assert xima.act("callback").status_code == 503
    assert xima.send("GET", SKILLS).status_code == 503
    assert xima.send("GET", "/nowhere").status_code == 503


def test_the_sandbox_itself_is_spared(xima: Caller) -> None:
    xima.fault({"reset": "yes"})
    assert xima.send("GET", "/").status_code == 200
    assert xima.calls() == []


def test_a_call_that_would_be_refused_has_no_effect_after_which_to_fail(xima: Caller) -> None:
    xima.fault({"status": 500, "after_effect": "yes"})
    assert xima.dial("999").status_code == 500
    assert xima.callback("Nope").status_code == 500
    assert not any(row["effect"] for row in xima.calls())


def exchange(sandbox: Sandbox, hears: Callable[[socket.socket], bytes]) -> bytes:
    port = urlsplit(sandbox.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(b"GET /rest/api/v1/skills HTTP/1.1\r\nHost: x\r\n\r\n")
        return hears(raw)


def test_close_is_the_end_of_the_stream(xima: Caller) -> None:
    xima.fault({"close_before_answer": "yes"})
    assert exchange(xima.sandbox, lambda raw: raw.recv(100)) == b""


def test_reset_is_a_reset(xima: Caller) -> None:
    xima.fault({"reset": "yes"})
    with pytest.raises(ConnectionResetError):
        exchange(xima.sandbox, lambda raw: raw.recv(100))


def test_garbage_is_not_http_and_then_the_end(xima: Caller) -> None:
    xima.fault({"garbage": "yes"})

    def everything(raw: socket.socket) -> bytes:
        return b"".join(iter(lambda: raw.recv(100), b""))

    heard = exchange(xima.sandbox, everything)
    assert heard
    assert b"HTTP/" not in heard


@pytest.mark.parametrize(("key", "effect"), [("delay", False), ("delay_answer", True)])
def test_a_delayed_call_is_in_the_ledger_from_the_moment_it_was_received(xima: Caller, key: str, effect: bool) -> None:
    xima.fault({"operation": "click_to_dial", key: "1h"})
    failures: list[Exception] = []

    def click() -> None:
        try:
            requests.post(
                xima.sandbox.url + DIAL,
                json=ACTIONS["click_to_dial"][1],
                headers={"Authorization": "Bearer sandbox-token"},
                timeout=30,
            )
        except requests.ConnectionError as exc:
            failures.append(exc)

    clicking = threading.Thread(target=click)
    clicking.start()
    wait_until(lambda: [row["effect"] for row in xima.calls()] == [effect])
    assert (xima.last()["status"], xima.last()["duration_ms"]) == (None, None)
    assert xima.act("callback").status_code == 204
    assert [row["operation"] for row in xima.calls()] == ["click_to_dial", "callback"]
    xima.sandbox.stop()
    clicking.join()
    assert len(failures) == 1
    assert happened(xima.sandbox.world, "click_to_dial") == effect


def test_a_delay_takes_its_time(xima: Caller) -> None:
    xima.fault({"delay": "60ms"})
    xima.act("callback")
    assert xima.last()["duration_ms"] >= 60


def hits(world: World, calls: int) -> list[bool]:
    return [world.receive("agents", "GET", "/", None)[1].status == 503 for _ in range(calls)]


def test_a_share_of_calls_is_met_the_same_ones_each_time() -> None:
    script = "faults: [{status: 503, share: 0.25, seed: 7}]"
    first = hits(World(script), 400)
    assert 70 < sum(first) < 130
    assert hits(World(script), 400) == first
    assert hits(World(script.replace("7", "8")), 400) != first


def test_a_seed_for_all_faults_serves_those_without_their_own() -> None:
    own = hits(World("faults: [{status: 503, share: 0.5, seed: 7}]"), 50)
    assert hits(World("{seed: 7, faults: [{status: 503, share: 0.5}]}"), 50) == own
    assert hits(World("{seed: 3, faults: [{status: 503, share: 0.5, seed: 7}]}"), 50) == own


def test_a_share_may_be_all_or_none_and_has_its_number_of_times() -> None:
    assert hits(World("faults: [{status: 503, share: 1}]"), 20) == [True] * 20
    assert hits(World("faults: [{status: 503, share: 0}]"), 20) == [False] * 20
    assert sum(hits(World("faults: [{status: 503, share: 0.5, times: 3}]"), 100)) == 3


def test_a_call_that_one_fault_spares_may_meet_the_next() -> None:
    world = World("faults: [{status: 503, share: 0}, {status: 500}]")
    assert world.receive("agents", "GET", "/", None)[1].status == 500


def test_lots_lie_between_0_and_1() -> None:
    assert all(0 <= lot(seed, turn) < 1 for seed in range(20) for turn in range(20))
