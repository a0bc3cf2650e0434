"""Judge recorded requests without a server, with the code the server runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from adapter import condition, handshake, signature, sources, wsgi
from adapter.cli.shown import plainly, print_json
from adapter.errors import PayloadError, SchemeError, SignatureError, TextError
from adapter.model import Received


@click.command()
@click.argument("file", type=click.File("rb"))
@plainly
def verify(file: Any) -> None:
    """Judge the signatures of recorded requests.

    Each verdict says why, with hints at what is probably wrong: another URL, a body that was rewritten, a secret that
    is read in the wrong way.

    FILE is one JSON object or a list of them (- reads it from standard input), each with "id", "preset" or "verify",
    "secret", "method", "url", "headers", "body" (the text as sent, or "body_base64") and "now" (seconds since 1970);
    what a preset asks for beside (header, query, organization) stands there too. A handshake's answer stands under
    "response". Exit code 0 when all are valid.

    \b
    Example:
      xima-adapter verify recorded.json
    """
    try:
        recorded = json.loads(file.read())
    except (ValueError, RecursionError) as exc:
        raise click.UsageError(f"the file is not JSON: {exc}") from exc
    verdicts = [judge(one) for one in (recorded if isinstance(recorded, list) else [recorded])]
    print_json(verdicts)
    if any(one["verdict"] != "valid" for one in verdicts):
        raise SystemExit(1)


def judge(recorded: Any) -> dict[str, Any]:
    """The verdict on one recorded request; a record that cannot be judged is invalid, and the reason says why."""
    name = recorded.get("id") if isinstance(recorded, Mapping) else None
    try:
        if not isinstance(recorded, Mapping):
            raise TextError("a recorded request is a JSON object")
        scheme, secrets = _scheme(recorded), _secrets(recorded)
        received, now = _received(recorded), _now(recorded.get("now"))
        asks = _handshake(recorded)
        if reply := _greeting(asks, received, secrets):
            return {"id": name, "verdict": "valid", "reason": "", "hints": [], "response": _response(reply)}
        verdict = _verdict(scheme, secrets, received, now=now)
        if asks and verdict["verdict"] == "valid" and (reply := asks.signed(received, secrets)):
            verdict["response"] = _response(reply)
    except (SchemeError, SignatureError, PayloadError, TextError) as exc:
        return {"id": name, "verdict": "invalid", "reason": exc.reason, "hints": []}
    return {"id": name, **verdict}


def _verdict(scheme: signature.Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> dict[str, Any]:
    try:
        signature.verify(scheme, secrets, received, now=now)
    except SignatureError as exc:
        hints = signature.explain(scheme, secrets, received, now=now)
        return {"verdict": "invalid", "reason": ": ".join((exc.reason, *hints[:1])), "hints": list(hints)}
    matching = signature.matching(scheme, secrets, received, now=now)
    return {"verdict": "valid", "reason": "", "hints": [matching] if matching else []}


def _greeting(asks: handshake.Handshake | None, received: Received, secrets: Sequence[str]) -> handshake.Reply | None:
    """What is answered to a question that is asked without a proof."""
    if received.method == "HEAD":
        return handshake.PRESENT
    return asks.greeting(received, secrets) if asks else None


def _handshake(recorded: Mapping[str, Any]) -> handshake.Handshake | None:
    """What the sender asks before it sends: that of the preset, or the one that is written out."""
    if isinstance(recorded.get("handshake"), Mapping):
        return handshake.read(recorded["handshake"])
    preset = sources.presets().get(str(recorded.get("preset")))
    return preset.handshake if preset else None


def _response(reply: handshake.Reply) -> dict[str, Any]:
    """What the server would answer."""
    told = {"status": reply.status, "content_type": reply.content_type, "body": reply.body}
    return {**told, "headers": dict(reply.headers)}


def _scheme(recorded: Mapping[str, Any]) -> signature.Scheme:
    if isinstance(recorded.get("verify"), Mapping):
        return signature.scheme(recorded["verify"])
    preset = sources.presets().get(str(recorded.get("preset")))
    if preset is None:
        raise TextError("name a preset (xima-adapter presets lists them), or write out verify")
    described = dict(preset.verify)
    for name, one in preset.parameters.items():
        if name in recorded and one.sets != "secret":
            described[one.sets] = recorded[name]
        elif one.required and one.sets != "secret":
            raise TextError(f"the preset {preset.name} needs {name} here: {one.help}")
    return signature.scheme(described)


def _secrets(recorded: Mapping[str, Any]) -> list[str]:
    """What may have signed; the identifier that a preset asks for (`organization`) counts as one."""
    given = recorded.get("secret", recorded.get("secrets", recorded.get("organization", _none_needed(recorded))))
    secrets = given if isinstance(given, list) else [given]
    if not secrets or not all(isinstance(secret, str) for secret in secrets):
        raise TextError("secret is a text, or a list of texts")
    return secrets


def _none_needed(recorded: Mapping[str, Any]) -> str | None:
    """What stands for the secret of a question that is asked before there is one (monday's challenge)."""
    asks = _handshake(recorded)
    unasked = str(recorded.get("method")).upper() == "HEAD"
    return "" if unasked or isinstance(asks, handshake.PostJsonEcho | handshake.PostByHand) else None


def _received(recorded: Mapping[str, Any]) -> Received:
    headers = recorded.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise TextError("headers is an object of names and texts")
    return Received(
        method=str(recorded.get("method", "POST")).upper(),
        url=str(recorded.get("url", "")),
        headers={str(name).lower(): _header(given) for name, given in headers.items()},
        body=_body(recorded),
    )


def _header(given: Any) -> str:
    """The text of a header; some recorders keep a list for each, and a server reads a repeated one joined."""
    return ",".join(map(str, given)) if isinstance(given, list) else str(given)


def _body(recorded: Mapping[str, Any]) -> bytes:
    if "body_base64" in recorded:
        try:
            return base64.b64decode(str(recorded["body_base64"]), validate=True)
        except ValueError as exc:
            raise TextError("body_base64 is not base64") from exc
    body = recorded.get("body")
    if not isinstance(body, str | None):
        raise TextError("body is the text exactly as it was sent, not parsed JSON")
    return (body or "").encode("utf-8", "surrogatepass")


def _now(given: Any) -> datetime:
    """The moment of the judgement: the one given, or the clock."""
    if given is None:
        return wsgi.clock()
    try:
        found = condition.moment(given) if isinstance(given, str) else datetime.fromtimestamp(given, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        found = None
    if found is None:
        raise TextError("now is seconds since 1970, or an ISO 8601 time")
    return found
