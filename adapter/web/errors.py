"""One shape for every error: `{"error": {"code", "message"}}`."""

from __future__ import annotations

import re

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from adapter.errors import AdapterError, SignatureError, Unavailable

RETRY_AFTER_SECONDS = 5
UNAUTHORIZED = "The request was not signed as this mapping demands. The operator finds the reason in the log."


def init_app(app: Flask) -> None:
    """Answer our own errors and Flask's in the same shape."""
    app.register_error_handler(AdapterError, ours)
    app.register_error_handler(HTTPException, theirs)


def ours(exc: AdapterError) -> Response:
    """The answer for one of our errors; a signature's reason stays in the log."""
    message = UNAUTHORIZED if isinstance(exc, SignatureError) and exc.code == "unauthorized" else exc.reason
    response = shaped(exc.status, exc.code, message[:1].upper() + message[1:])
    if isinstance(exc, Unavailable):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def theirs(exc: HTTPException) -> Response:
    """The answer for an error of HTTP itself."""
    status = exc.code or 500
    response = shaped(status, re.sub("[^a-z]+", "_", exc.name.lower()), exc.description or exc.name)
    if allowed := getattr(exc, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def shaped(status: int, code: str, message: str) -> Response:
    """An error answer."""
    response = jsonify(error={"code": code, "message": message})
    response.status_code = status
    return response
