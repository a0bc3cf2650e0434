"""How a call to the pretend Xima is read from HTTP, and how its verdict is written, or the connection cut."""

from __future__ import annotations

import html
import json
import math
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from adapter.sandbox.operations import find
from adapter.sandbox.rules import Ask, Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY = 64 * 1024
MAX_BRACKETS = 100
"""More opening brackets than a documented body has by far, and too few to exhaust the stack."""


def read(request: Request) -> Ask:
    """The call as it was understood; a body that could not be read is described, never raised."""
    operation, extension = find(request.path)
    unread, drained = None, True
    try:
        value = parse(take_in(request) or b"null")
    except HTTPException as exc:
        value, drained = None, False
        unread = Verdict(status=exc.code, reason="the body is too large or broken off")
    except ValueError:
        value, unread = None, Verdict(status=400, reason="the body is not JSON")
    return Ask(
        operation=operation,
        extension=extension,
        method=request.method,
        authorization=request.headers.get("Authorization", ""),
        content_type=request.mimetype,
        json=value,
        unread=unread,
        drained=drained,
    )


def take_in(request: Request) -> bytes:
    """The body; raises `HTTPException` when it is too large or breaks off."""
    body = request.get_data()
    # Werkzeug stops reading chunks at its limit without a word, so its limit is one byte above ours.
    if len(body) > MAX_BODY:
        raise RequestEntityTooLarge
    return body


def parse(body: bytes) -> Any:
    """The JSON value in `body`; raises `ValueError` for anything that could not be written as JSON again."""
    if body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
        raise ValueError("nested too deeply")
    return json.loads(body.decode(), parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


class Cut(Response):
    """An answer that never comes: the connection is closed, reset, or filled with what is not HTTP."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Raise `ConnectionAbortedError`, whereupon the server closes the connection."""
        if self.how == "garbage":
            environ["werkzeug.socket"].sendall(b"\x15\x03\x01 this is not HTTP\r\n\r\n")
        if self.how == "reset":
            # Closed at once with nothing lingering it is reset; the server would shut it down first.
            connection: socket.socket = environ["werkzeug.socket"]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(connection.detach())
        raise ConnectionAbortedError(self.how)


def write(verdict: Verdict, ask: Ask, error_body: str) -> Response:
    """The verdict as an answer, with errors in the form the switch `error_body` asks for."""
    if verdict.cut:
        return Cut(verdict.cut)
    response = Response(status=verdict.status, headers=verdict.headers)
    del response.headers["Content-Type"]
    _fill(response, verdict, error_body)
    if 300 <= response.status_code < 400:
        # Whoever follows is seen in the ledger.
        response.headers["Location"] = "/redirected"
    if not ask.drained:
        response.headers["Connection"] = "close"
    return response


def _fill(response: Response, verdict: Verdict, error_body: str) -> None:
    if verdict.body is not None:
        response.data, response.mimetype = json.dumps(verdict.body), "application/json"
    elif response.status_code < 300:
        return
    elif error_body == "json":
        response.data, response.mimetype = json.dumps({"message": verdict.reason}), "application/json"
    elif error_body == "html":
        response.data = f"<!doctype html><title>Error</title><h1>{html.escape(verdict.reason)}</h1>"
        response.mimetype = "text/html"
