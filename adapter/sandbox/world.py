"""What the pretend Xima remembers: its agents' phones, its callback queues, and every call it received."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from adapter.sandbox.script import Agent, CallerId, Fault, Script, Skill, parse

NO_FAULT = Fault()


def utc_now() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A phone that was made to ring; `caller_id` is empty where the trunk decides."""

    at: datetime
    number: str
    caller_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A callback in a skill's queue."""

    at: datetime
    number: str


@dataclass(kw_only=True, slots=True)
class Desk:
    """An agent at work."""

    agent: Agent
    selected: CallerId | None
    rings: deque[Ring] = field(default_factory=lambda: deque(maxlen=10))


@dataclass(kw_only=True, slots=True)
class Queue:
    """The callbacks a skill owes, in order."""

    skill: Skill
    waiting: list[Waiting] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Call:
    """One row of the ledger; what comes after `json` is filled in while the call is answered."""

    n: int
    at: datetime
    operation: str
    method: str
    path: str
    json: Any
    fault: str | None
    status: int | None = None
    effect: bool = False
    reason: str = ""
    duration_ms: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        row = {item.name: getattr(self, item.name) for item in fields(self)}
        return row | {"at": self.at.isoformat(timespec="milliseconds")}


@dataclass(kw_only=True, slots=True)
class Spell:
    """A fault and how often it came by."""

    fault: Fault
    seed: int
    seen: int = 0
    struck: int = 0

    def strikes(self, operation: str) -> bool:
        """Whether this fault takes the next call of `operation`; remembers that it was asked."""
        if self.fault.operation not in ("any", operation) or self.struck == self.fault.times:
            return False
        self.seen += 1
        hit = lot(self.seed, self.seen) < self.fault.share
        self.struck += hit
        return hit


def lot(seed: int, turn: int) -> float:
    """A number from 0 up to 1 that looks drawn, and is the same whenever it is drawn again."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{turn}".encode()).digest()[:6]) / 2**48


class World:
    """The state behind the pretend Xima; hold `lock` while reading or changing more than one thing of it."""

    def __init__(self, script: str | bytes | None = None, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.clock = clock
        self.calls: list[Call] = []
        self.in_flight = 0
        self.telling: list[threading.Thread] = []
        self._enter(Script())
        if script:
            self.load(script)

    def load(self, script: str | bytes) -> None:
        """Put a new script in force; raise `SettingsError` and keep the old one when it is wrong."""
        with self.lock:
            self._enter(parse(script, self.script), self.script)

    def _enter(self, script: Script, old: Script | None = None) -> None:
        """Whoever the script names anew starts afresh; the others keep their phones and queues."""
        self.script = script
        self.acted_at: datetime | None = None
        self.spells = [
            Spell(fault=fault, seed=script.seed if fault.seed is None else fault.seed) for fault in script.faults
        ]
        if old is None or script.agents is not old.agents:
            self.desks = {one.extension: Desk(agent=one, selected=one.selection) for one in script.agents}
        if old is None or script.skills is not old.skills:
            self.queues = {skill.name: Queue(skill=skill) for skill in script.skills}

    def receive(self, operation: str, method: str, path: str, json: Any) -> tuple[Call, Fault]:
        """A new row in the ledger, and the fault its call meets."""
        with self.lock:
            fault = next((one.fault for one in self.spells if one.strikes(operation)), NO_FAULT)
            call = Call(
                n=len(self.calls) + 1,
                at=self.clock(),
                operation=operation,
                method=method,
                path=path,
                json=json,
                fault=fault.word,
            )
            self.calls.append(call)
            self.in_flight += 1
            return call, fault

    def finish(self, call: Call, status: int | None, reason: str) -> None:
        """Write down how a call was answered; `status` is None when its connection was cut."""
        with self.lock:
            call.status = status
            call.reason = reason
            call.duration_ms = round((self.clock() - call.at) / timedelta(milliseconds=1))
            self.in_flight -= 1

    def pause(self, length: float) -> bool:
        """Let `length` seconds pass; false when the sandbox is stopped before they are over."""
        return not self.stopping.wait(length) if length else not self.stopping.is_set()

    def ledger(self) -> list[dict[str, Any]]:
        """Every call, in the order received."""
        with self.lock:
            return [call.as_dict() for call in self.calls]

    def clear(self) -> None:
        """Forget all calls, and with them the phones that rang and the callbacks that wait."""
        with self.lock:
            self.calls = []
            self.acted_at = None
            for desk in self.desks.values():
                desk.rings.clear()
            for queue in self.queues.values():
                queue.waiting.clear()
