"""The description of the API, for programs; it tells no secret and needs no key."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify

from adapter.api import description
from adapter.web.parts import parts

blueprint = Blueprint("api_described", __name__)


@blueprint.get("/api/openapi.json")
def openapi() -> Response:
    """OpenAPI 3.1 of all JSON routes."""
    return jsonify(_document(parts().settings.origin))


@cache
def _document(origin: str) -> dict[str, Any]:
    return description.document(origin)
