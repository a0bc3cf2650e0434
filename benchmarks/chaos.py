"""`python -m benchmarks.chaos`: SIGKILL to random processes under load; what the pretend Xima heard is the judge.

Two web processes and two dispatchers share a store. Senders repeat what was not answered, as CRMs do. In the end
every answered event must be in the store, as accepted and happened once, or as unknown (a person decides).
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from adapter.cli import main as command_line
from adapter.store import Store
from benchmarks import bodies, postgres, stage
from benchmarks.bodies import Kind
from benchmarks.ports import free_port
from benchmarks.stage import Shape

FORKS = multiprocessing.get_context("forkserver")
SENDERS = 48
MOST_EVENTS = 20_000
REST_SECONDS = 60.0
"""How long may pass in the end until every lease has run out and every delivery is settled."""


@dataclass(kw_only=True)
class Half:
    """One process of the adapter, which is begun again whenever it was killed."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    home: Path
    process: BaseProcess | None = None

    @property
    def name(self) -> str:
        return self.arguments[0]

    def begin(self) -> None:
        """Start it."""
        log = self.home / f"{self.name}.log"
        self.process = FORKS.Process(target=_run, args=(self.arguments, dict(self.environ), log), daemon=True)
        self.process.start()

    def kill(self) -> None:
        """SIGKILL, to its children as well."""
        assert self.process
        assert self.process.pid
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has only just begun, and leads no group yet
            self.process.kill()
        self.process.join()


def _run(arguments: tuple[str, ...], environ: dict[str, str], log: Path) -> None:
    os.setpgid(0, 0)
    os.environ.update(environ)
    with log.open("ab") as target:
        os.dup2(target.fileno(), 1)
        os.dup2(target.fileno(), 2)
    command_line(arguments)


@dataclass(kw_only=True)
class Senders:
    """Whoever sends events, half of them clicks, until each was answered; `answered` holds the receipts' ids."""

    ports: tuple[int, ...]
    rate: float
    sent: int = 0
    answered: dict[int, str] = field(default_factory=dict)
    repeats: int = 0
    done: bool = False

    def run(self) -> None:
        """Send at the rate until `done`, and wait for what is not answered yet."""
        with ThreadPoolExecutor(SENDERS) as pool:
            due = time.monotonic()
            while not self.done:
                self.sent += 1
                pool.submit(self._send, self.sent)
                due += 1 / self.rate
                time.sleep(max(0.0, due - time.monotonic()))

    def _send(self, number: int) -> None:
        turn = number // 2  # which of the ports is asked first is chance for clicks and leads alike
        while number not in self.answered:
            found = self._ask(self.ports[turn % len(self.ports)], number)
            if found:
                self.answered[number] = found
            else:
                turn += 1
                self.repeats += 1
                time.sleep(0.1)

    @staticmethod
    def _ask(port: int, number: int) -> str:
        content = bodies.body(kind(number), number)
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": bodies.signature(content)}
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            line.request("POST", "/hooks/bench", content, headers)
            answer = line.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            line.close()
        return str(told["receipts"][0]["id"]) if answer.status == 200 else ""


def _slow_xima() -> str:
    """The script of a Xima that takes its time, with an agent for each click, for an agent has one dial at a time."""
    agents = ", ".join(f"{{extension: '{number}', name: Pat}}" for number in range(1, MOST_EVENTS, 2))
    return f"switches: {{delay_before_204: 20ms}}\nagents: [{agents}]\n"


def kind(number: int) -> Kind:
    """Every other event is a click."""
    return "click" if number % 2 else "lead"


def heard(port: int) -> Counter[str]:
    """How often each telephone number's event really happened at the pretend Xima."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", "/_sandbox/calls")
    calls = json.loads(line.getresponse().read())["calls"]
    line.close()
    happened = [call["json"] for call in calls if call["effect"]]
    return Counter(one.get("numberToDial") or one.get("callbackNumber") for one in happened)


def judge(url: str, senders: Senders, happened: Counter[str]) -> dict[str, int]:
    """What became of the answered events, counted."""
    found: Counter[str] = Counter(answered=len(senders.answered), lost=0, doubled=0)
    with closing(Store(url)) as store:
        for number, delivery_id in senders.answered.items():
            delivery, times = store.get(delivery_id), happened[bodies.phone(number)]
            state = delivery.state if delivery else "not in the store"
            found[f"{state}, happened {min(times, 2)} time(s)"] += 1
            found["lost"] += (state, times) not in (("accepted", 1), ("unknown", 0), ("unknown", 1)) and times < 2
            found["doubled"] += times > 1
    return dict(found)


def carry_out(home: Path, shape: Shape, *, kills: int, rate: float, pause: float) -> dict[str, int]:
    """Begin everything, kill, let everything come to rest, judge."""
    xima, ports = free_port(), (free_port(), free_port())
    script = home / "script.yaml"
    script.write_text(_slow_xima())
    environ = stage.prepared(home, xima, shape)
    office = Half(arguments=("sandbox", "--bind", f"127.0.0.1:{xima}", "--script", str(script)), environ={}, home=home)
    webs = [Half(arguments=("web", "--bind", f"127.0.0.1:{port}"), environ=environ, home=home) for port in ports]
    halves = [*webs, *(Half(arguments=("dispatch",), environ=environ, home=home) for _ in range(2))]
    senders = Senders(ports=ports, rate=rate)
    for one in (office, *halves):
        one.begin()
    try:
        stage.until(lambda: stage.answers(xima, "/_sandbox/calls") == 200)
        stage.until(lambda: all(stage.answers(port, "/readyz") == 200 for port in ports))
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(senders.run)
            killed = _kill(halves, kills, pause)
            senders.done = True
            sending.result()
        _wait_for_rest(environ["ADAPTER_DATABASE_URL"])
        return {**killed, "repeats": senders.repeats, **judge(environ["ADAPTER_DATABASE_URL"], senders, heard(xima))}
    finally:
        for one in (office, *halves):
            one.kill()


def _kill(halves: list[Half], kills: int, pause: float) -> dict[str, int]:
    done: Counter[str] = Counter()
    for _ in range(kills):
        time.sleep(random.uniform(0.2, 1.8) * pause)
        one = random.choice(halves)
        one.kill()
        one.begin()
        done[f"kills of {one.name}"] += 1
    return dict(done)


def _wait_for_rest(url: str) -> None:
    deadline = time.monotonic() + REST_SECONDS
    with closing(Store(url)) as store:
        while {"queued", "sending"} & set(store.counts()) and time.monotonic() < deadline:
            time.sleep(0.5)


def main() -> int:
    """Print what was counted; 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite", help="(%(default)s)")
    parser.add_argument("--kills", type=int, default=100, help="how many processes are killed (%(default)s)")
    parser.add_argument("--rate", type=float, default=50.0, help="events a second (%(default)s)")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between kills, on average (%(default)s)")
    asked = parser.parse_args()
    FORKS.set_forkserver_preload(["__main__", "adapter.cli"])
    server = postgres.running(options=()) if asked.store == "postgres" else nullcontext()
    with server as found, stage.folder() as home:
        shape = Shape(workers=1, threads=16, server=found)
        told = carry_out(home, shape, kills=asked.kills, rate=asked.rate, pause=asked.pause)
    for name, count in told.items():
        print(f"{count:8,}  {name}")
    return 1 if told["lost"] or told["doubled"] else 0


if __name__ == "__main__":
    sys.exit(main())
