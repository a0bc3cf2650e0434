"""The pretend Xima as a Flask app: every path is Xima's but `/` and `/_sandbox/…`."""

from __future__ import annotations

import json
import secrets
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from adapter.errors import SettingsError
from adapter.sandbox import wire
from adapter.sandbox.operations import judge
from adapter.sandbox.page import snapshot
from adapter.sandbox.rules import Ask, Verdict
from adapter.sandbox.script import Fault
from adapter.sandbox.world import Call, World

POLICY = (
    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(world: World) -> Flask:
    """The app over `world`; faults that cut a connection find it in `environ["werkzeug.socket"]`."""
    app = Flask(__name__, template_folder=".", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = wire.MAX_BODY + 1

    @app.before_request
    def xima() -> Response | None:
        if request.path == "/" or request.path.startswith("/_sandbox/"):
            wire.take_in(request)
            return None
        return _exchange(world)

    @app.get("/")
    def page() -> Response:
        return _page(world)

    @app.get("/_sandbox/calls")
    def calls() -> Response:
        return _json({"calls": world.ledger()})

    @app.delete("/_sandbox/calls")
    def clear() -> Response:
        world.clear()
        return Response(status=204)

    @app.get("/_sandbox/script")
    def script() -> Response:
        return _json(world.script.as_dict())

    @app.post("/_sandbox/script")
    def load() -> Response:
        world.load(wire.take_in(request))
        return _json(world.script.as_dict())

    app.register_error_handler(SettingsError, _wrong_script)
    app.register_error_handler(HTTPException, _refused)
    return app


def _exchange(world: World) -> Response:
    """Answer a call to Xima, and keep it in the ledger from the moment it was received."""
    ask = wire.read(request)
    call, fault = world.receive(ask.operation.name, ask.method, request.full_path.rstrip("?"), ask.json)
    verdict = _answer(world, ask, call, fault)
    world.finish(call, verdict.status, verdict.reason)
    return wire.write(verdict, ask, world.script.switches.error_body)


def _answer(world: World, ask: Ask, call: Call, fault: Fault) -> Verdict:
    """Carry out the call as far as its fault lets it; who is still being delayed at the end is cut off."""
    verdict = Verdict()
    if world.pause(fault.delay) and fault.acts:
        with world.lock:
            verdict = judge(world, ask)
            call.effect = verdict.effect
    if not world.pause(fault.delay_answer + verdict.wait):
        return Verdict(cut="stop", reason="the sandbox was stopped")
    return spoilt(fault, verdict)


def spoilt(fault: Fault, verdict: Verdict) -> Verdict:
    """The verdict that a fault puts in the place of `verdict`, if it does."""
    if not fault.ends:
        return verdict
    status = 429 if fault.rate_limit else fault.status
    headers = {} if fault.wait is None else {"Retry-After": str(fault.wait)}
    end = fault.ends[0]
    return Verdict(status=status, reason=f"fault: {end}", headers=headers, cut="" if status else end)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


def _wrong_script(exc: SettingsError) -> Response:
    return _json({"error": {"code": "bad_request", "message": exc.reason}}, 400)


def _refused(exc: HTTPException) -> Response:
    """An error of the sandbox's own pages; the rest of a body that was not read goes with its connection."""
    code = exc.name.lower().replace(" ", "_")
    response = _json({"error": {"code": code, "message": exc.description}}, exc.code or 500)
    response.headers["Connection"] = "close"
    return response


def _page(world: World) -> Response:
    nonce = secrets.token_urlsafe(16)
    page = render_template("page.html", nonce=nonce, **snapshot(world))
    # A number may hold half an emoji, which no encoding takes.
    response = Response(page.encode("utf-8", "replace"), mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY.format(nonce)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
