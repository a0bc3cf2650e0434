"""Judge recorded requests without a server, with the code the server runs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from adapter import condition, signature, sources, wsgi
from adapter.cli.shown import plainly, print_json
from adapter.errors import SchemeError, SignatureError
from adapter.model import Received


@click.command()
@click.argument("file", type=click.File("rb"))
@plainly
def verify(file: Any) -> None:
    """Judge the signatures of recorded requests; exit code 0 when all are valid.

    FILE is one JSON object or a list of them, each with "id", "preset" or "verify", "secret", "method", "url",
    "headers", "body" (the text as sent) and "now" (seconds since 1970).

    Example: xima-adapter verify recorded.json
    """
    try:
        recorded = json.loads(file.read())
    except ValueError as exc:
        raise click.UsageError(f"the file is not JSON: {exc}") from exc
    verdicts = [judge(one) for one in (recorded if isinstance(recorded, list) else [recorded])]
    print_json(verdicts)
    if any(one["verdict"] != "valid" for one in verdicts):
        raise SystemExit(1)


def judge(recorded: Any) -> dict[str, Any]:
    """The verdict on one recorded request; raises `click.UsageError` when the record itself is unusable."""
    if not isinstance(recorded, Mapping):
        raise click.UsageError("a recorded request is a JSON object")
    name = recorded.get("id")
    try:
        scheme, secrets = _scheme(recorded), _secrets(recorded)
        signature.verify(scheme, secrets, _received(recorded), now=_now(recorded.get("now")))
    except (SignatureError, SchemeError) as exc:
        return {"id": name, "verdict": "invalid", "reason": exc.reason}
    return {"id": name, "verdict": "valid", "reason": ""}


def _scheme(recorded: Mapping[str, Any]) -> signature.Scheme:
    if isinstance(recorded.get("verify"), Mapping):
        return signature.scheme(recorded["verify"])
    preset = sources.presets().get(str(recorded.get("preset")))
    if preset is None:
        raise click.UsageError(f"{recorded.get('id')}: name a preset (xima-adapter presets) or write out verify")
    given = {
        one.sets: recorded[name] for name, one in preset.parameters.items() if name in recorded and one.sets != "secret"
    }
    return signature.scheme({**preset.verify, **given})


def _secrets(recorded: Mapping[str, Any]) -> list[str]:
    given = recorded.get("secret", recorded.get("secrets", []))
    return [str(secret) for secret in (given if isinstance(given, list) else [given])]


def _received(recorded: Mapping[str, Any]) -> Received:
    headers = recorded.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise click.UsageError(f"{recorded.get('id')}: headers is an object")
    return Received(
        method=str(recorded.get("method", "POST")).upper(),
        url=str(recorded.get("url", "")),
        headers={str(name).lower(): str(text) for name, text in headers.items()},
        body=_body(recorded),
    )


def _body(recorded: Mapping[str, Any]) -> bytes:
    if "body_base64" in recorded:
        try:
            return base64.b64decode(str(recorded["body_base64"]), validate=True)
        except binascii.Error as exc:
            raise click.UsageError(f"{recorded.get('id')}: body_base64 is not base64") from exc
    body = recorded.get("body") or ""
    if not isinstance(body, str):
        raise click.UsageError(f"{recorded.get('id')}: body is the text exactly as it was sent, not parsed JSON")
    return body.encode("utf-8", "surrogatepass")


def _now(given: Any) -> datetime:
    if given is None:
        return wsgi.clock()
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC)
    found = condition.moment(str(given))
    if found is None:
        raise click.UsageError(f"now is seconds since 1970 or an ISO 8601 time, not {given}")
    return found
