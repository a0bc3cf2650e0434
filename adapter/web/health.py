"""Is the process alive, and can it take work?"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify

from adapter.errors import StoreError
from adapter.policy import Numbers
from adapter.policy.gate import TROUBLES
from adapter.receipt import instant
from adapter.sources import Broken, Source, Sources
from adapter.web.parts import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the process lives."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 only when the store can be written and every mapping is usable; 503 names what is not.

    A newer file that is not used while the version before serves, and what somebody broke or removed while the server
    was running, are warnings: no edit of a mapping takes the others away. `alarms` want a person too, but would not go
    away if the web did: pauses, tenants in trouble, a missing key. The dispatcher has no say in it either: without one,
    events are still kept, and taking the web away would lose them.
    """
    sources = parts().sources()
    problems = [*_of_the_store(), *_of_the_mappings(sources)]
    warnings = [*_warnings(sources)]
    alarms = [] if problems else [*_alarms()]
    said = "not ready" if problems else "ready"
    response = jsonify(status=said, problems=problems, warnings=warnings, alarms=alarms)
    response.status_code = 503 if problems else 200
    return response


def _of_the_store() -> Iterator[dict[str, str]]:
    try:
        parts().store.check(really=True)
    except StoreError as exc:
        yield {"part": "store", "message": exc.reason}


def _of_the_mappings(sources: Sources) -> Iterator[dict[str, str]]:
    for name, broken in sources.broken.items():
        if broken.expected:
            yield _said(name, broken)
    if not sources.usable and not any(broken.expected for broken in sources.broken.values()):
        yield {"part": "mappings", "message": "there is no mapping file in the folder that can be used"}


def _warnings(sources: Sources) -> Iterator[dict[str, str]]:
    for name, broken in sources.broken.items():
        if not broken.expected:
            yield _said(name, broken)
    for name, broken in sources.waiting.items():
        source = sources.usable.get(name)
        yield _said(name, broken, _stays(source) if source else "")


def _stays(source: Source) -> str:
    since = f", in force since {instant(source.since)}," if source.since else ""
    return f"; version {source.mapping.version}{since} stays"


def _said(name: str, broken: Broken, more: str = "") -> dict[str, str]:
    return {"part": f"mapping {name}", "message": broken.problems[0].splitlines()[0] + more}


def _alarms() -> Iterator[dict[str, str]]:
    rules = parts().store.rules
    for gate in rules.gates():
        name = f"tenant {gate.tenant}" if gate.tenant else "all tenants"
        if gate.paused:
            yield {"part": name, "message": f"dialling is paused {gate.paused}"}
        if gate.trouble:
            since = f"; since {instant(gate.since)}" if gate.since else ""
            yield {"part": name, "message": TROUBLES[gate.trouble] + since}
    lost = rules.unreadable(Numbers(parts().settings.secret_keys).key_ids())
    if lost:
        said = f"{lost} numbers were added with a key that is not in ADAPTER_SECRET_KEY: put it back at its end"
        yield {"part": "do-not-call list", "message": said}
