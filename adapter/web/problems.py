"""Errors of the API: problem details (RFC 9457), `application/problem+json`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request

from adapter.errors import AdapterError

TYPE = "urn:problem:"
"""What kinds of problems are called; their codes are those of `adapter.errors`."""
MEDIA_TYPE = "application/problem+json"


def is_wanted() -> bool:
    """Whether this request is one of the API."""
    return is_of_api(request.path)


def is_of_api(path: str) -> bool:
    """Whether the path is one of the API."""
    return path == "/api" or path.startswith("/api/")


def of(exc: AdapterError, detail: str) -> Response:
    """The answer for one of our errors."""
    more = dict(exc.more)
    challenge = more.pop("challenge", None)
    response = problem(exc.status, exc.code, detail, **more)
    if challenge:
        response.headers["WWW-Authenticate"] = challenge
    return response


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem; `more` stands beside what every problem has."""
    said = detail[:1].upper() + detail[1:]
    response = jsonify(type=TYPE + code, title=HTTPStatus(status).phrase, status=status, detail=said, **more)
    response.status_code = status
    response.content_type = MEDIA_TYPE
    return response
