"""Is the process alive, and can it take work?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from adapter.errors import StoreError
from adapter.web.parts import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the process lives."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 only when the store can be written and every mapping is usable; 503 names what is not."""
    problems = []
    try:
        parts().store.check()
    except StoreError as exc:
        problems.append({"part": "store", "message": exc.reason})
    sources = parts().sources()
    problems += [
        {"part": f"mapping {name}", "message": broken.problems[0].splitlines()[0]}
        for name, broken in sources.broken.items()
    ]
    if not sources.usable and not sources.broken:
        problems.append({"part": "mappings", "message": "there is no mapping file in the folder"})
    response = jsonify(
        status="not ready" if problems else "ready", problems=problems, mappings=sorted(sources.usable)
    )
    response.status_code = 503 if problems else 200
    return response
