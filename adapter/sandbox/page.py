"""What the page of the sandbox shows, as plain values for its template."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from adapter.sandbox.world import Call, Desk, Queue, Ring, World

RINGING = timedelta(seconds=30)
LAST_CALLS = 20
STRATEGIES = {
    "reserve_agent": "Reserve Agent: the customer is called once an agent is ready and reserved",
    "wait_in_queue": "Wait in Queue: the customer is called when first in line, agent or not",
    "disabled": "Queue callback is disabled",
}


def snapshot(world: World) -> dict[str, Any]:
    """The world as it is now."""
    now = world.clock()
    with world.lock:
        return {
            "agents": [_agent(desk, now) for desk in world.desks.values()],
            "queues": [_queue(queue) for queue in world.queues.values()],
            "calls": [_call(call) for call in reversed(world.calls[-LAST_CALLS:])],
            "received": len(world.calls),
            "faults": [f"{fault.word} on {fault.operation}" for fault in world.script.faults],
        }


def _clock_time(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"


def _agent(desk: Desk, now: datetime) -> dict[str, Any]:
    agent, selected = desk.agent, desk.selected
    absent = "" if agent.logged_in else "logged out"
    return {
        "name": agent.name,
        "extension": agent.extension,
        "desk_phone": agent.has_desk_phone,
        "state": absent or ("busy" if agent.busy else ""),
        "selected": f"{selected.label} {selected.number}" if selected else "none",
        "ringing": [_ring(ring, now) for ring in reversed(desk.rings) if now - ring.at < RINGING],
        "last": _ring(desk.rings[-1], now) if desk.rings else None,
    }


def _ring(ring: Ring, now: datetime) -> dict[str, Any]:
    return {
        "number": ring.number,
        "caller_id": ring.caller_id or "the trunk's",
        "since": _clock_time(ring.at),
        "seconds": int((now - ring.at).total_seconds()),
    }


def _queue(queue: Queue) -> dict[str, Any]:
    rows = [{"number": one.number, "since": _clock_time(one.at)} for one in queue.waiting]
    return {"name": queue.skill.name, "strategy": STRATEGIES[queue.skill.strategy], "waiting": rows}


def _call(call: Call) -> dict[str, Any]:
    cut = "cut" if call.duration_ms is not None else "…"
    return {
        "n": call.n,
        "at": _clock_time(call.at),
        "operation": call.operation,
        "path": f"{call.method} {call.path}",
        "status": call.status or cut,
        "good": call.status is not None and call.status < 300,
        "effect": call.effect,
        "reason": call.reason,
        "fault": call.fault,
    }
