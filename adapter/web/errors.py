"""One shape for every error: `{"error": {"code", "message"}}`; below /api that of RFC 9457."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Flask, Response, g, jsonify
from werkzeug.exceptions import HTTPException

from adapter.errors import AdapterError, SignatureError, StoreError
from adapter.logs import event, masked
from adapter.web import problems
from adapter.web.answers import fault, for_soap

UNAUTHORIZED = "The request was not signed as this mapping demands. The operator finds the reason in the log."
STORE = "The store cannot be used at this moment. Try again; the operator finds the reason in the log."
CRASHED = "Something is wrong in the adapter itself. The operator finds it in the log by the X-Request-Id."


def init_app(app: Flask) -> None:
    """Answer our own errors and Flask's in the same shape."""
    app.register_error_handler(AdapterError, ours)
    app.register_error_handler(HTTPException, theirs)


def ours(exc: AdapterError) -> Response:
    """The answer for one of our errors; a signature's reason stays in the log."""
    if isinstance(exc, StoreError):
        event("store.failed", level=logging.ERROR, request=g.request_id, reason=exc.reason)
    response = _in_its_shape(exc, _told(exc))
    if exc.retry_after:
        response.headers["Retry-After"] = str(exc.retry_after)
    return response


def _told(exc: AdapterError) -> str:
    """What a stranger may read: no signature's reason, and no words of a database, which tell where it is."""
    if isinstance(exc, StoreError):
        return STORE
    message = UNAUTHORIZED if isinstance(exc, SignatureError) else masked(exc.reason)
    return message[:1].upper() + message[1:]


def theirs(exc: HTTPException) -> Response:
    """The answer for an error of HTTP itself, and for a bug."""
    status = exc.code or 500
    shape = problems.problem if problems.is_wanted() else shaped
    if status == AdapterError.status:
        return shape(status, AdapterError.code, CRASHED)
    response = shape(status, re.sub("[^a-z]+", "_", exc.name.lower()), exc.description or exc.name)
    if allowed := getattr(exc, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _in_its_shape(exc: AdapterError, message: str) -> Response:
    if problems.is_wanted():
        return problems.of(exc, message if isinstance(exc, StoreError) else masked(exc.reason))
    return fault(exc.status, message) if for_soap() else shaped(exc.status, exc.code, message, **exc.more)


def shaped(status: int, code: str, message: str, **more: Any) -> Response:
    """An error answer; `more` stands beside the error."""
    response = jsonify(error={"code": code, "message": message}, **more)
    response.status_code = status
    return response
