"""The request that Xima makes when a call is over, as far as its pages tell.

https://guide.xima.cloud/docs/webservice-api
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import requests

from adapter.logs import event
from adapter.sandbox.script import Agent, CallEnded
from adapter.sandbox.world import World

PATIENCE_SECONDS = 5


def begin(world: World, agent: Agent, number: str) -> None:
    """A call to `number` begins; its end is told in time, if the script says where."""
    told = world.script.call_ended
    if told is None:
        return
    world.telling = [one for one in world.telling if one.is_alive()]
    thread = threading.Thread(target=_end, args=(world, told, agent, number), name="call", daemon=True)
    world.telling.append(thread)
    thread.start()


def _end(world: World, told: CallEnded, agent: Agent, number: str) -> None:
    """Let the call last, then tell of its end once; one that is cut off by the end of the sandbox is told of nobody."""
    if not world.pause(told.after):
        return
    given = parameters(world, told, agent, number)
    query, form = (given, None) if told.method == "GET" else (None, given)
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                told.method, told.url, params=query, data=form, timeout=PATIENCE_SECONDS, allow_redirects=False
            )
    except requests.RequestException as exc:
        event("sandbox.call_ended", level=logging.WARNING, reason=f"no answer ({type(exc).__name__})")
    else:
        event("sandbox.call_ended", status=answer.status_code)


def parameters(world: World, told: CallEnded, agent: Agent, number: str) -> dict[str, str]:
    """What is told of a call; Xima writes national numbers with eleven digits."""
    ended = world.clock()
    return {
        "agent": f"{agent.name}({agent.extension})",
        "extension": agent.extension,
        "number": f"1{number}" if len(number) == len("8015550142") else number,
        "direction": "Outbound",
        "result": told.outcome,
        "seconds": str(timedelta(seconds=told.after) // timedelta(seconds=1)),
        "ended": ended.isoformat(timespec="seconds"),
    }
