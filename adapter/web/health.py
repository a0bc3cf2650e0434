"""Is the process alive, and can it take work?"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify

from adapter.errors import StoreError
from adapter.policy import Numbers
from adapter.policy.gate import TROUBLES
from adapter.sources import Sources
from adapter.web.parts import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the process lives."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 only when the store can be written and every mapping is usable; 503 names what is not.

    `alarms` want a person too, but would not go away if the web did: pauses, tenants in trouble, a missing key.
    The dispatcher has no say in it: without one, events are still kept, and taking the web away would lose them.
    """
    sources = parts().sources()
    problems = [*_of_the_store(), *_of_the_mappings(sources)]
    alarms = [] if problems else list(_alarms())
    response = jsonify(status="not ready" if problems else "ready", problems=problems, alarms=alarms)
    response.status_code = 503 if problems else 200
    return response


def _of_the_store() -> Iterator[dict[str, str]]:
    try:
        parts().store.check()
    except StoreError as exc:
        yield {"part": "store", "message": exc.reason}


def _of_the_mappings(sources: Sources) -> Iterator[dict[str, str]]:
    for name, broken in sources.broken.items():
        yield {"part": f"mapping {name}", "message": broken.problems[0].splitlines()[0]}
    if not sources.usable and not sources.broken:
        yield {"part": "mappings", "message": "there is no mapping file in the folder"}


def _alarms() -> Iterator[dict[str, str]]:
    rules = parts().store.rules
    for gate in rules.gates():
        name = f"tenant {gate.tenant}" if gate.tenant else "all tenants"
        if gate.paused:
            yield {"part": name, "message": f"dialling is paused {gate.paused}"}
        if gate.trouble:
            yield {"part": name, "message": f"{TROUBLES[gate.trouble]}; since {gate.since}"}
    lost = rules.unreadable(Numbers(parts().settings.secret_keys).key_ids())
    if lost:
        said = f"{lost} numbers were added with a key that is not in ADAPTER_SECRET_KEY: put it back at its end"
        yield {"part": "do-not-call list", "message": said}
