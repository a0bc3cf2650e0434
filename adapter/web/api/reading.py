"""Read what a program sends: its body and its query, by their schemas; raises problems with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from adapter import payload
from adapter.errors import PayloadError, UnsupportedBody
from adapter.web import hooks

IDEMPOTENCY_KEY = re.compile("[!-~]{1,200}")


def body(schema: Schema) -> tuple[bytes, dict[str, Any]]:
    """The body as it came and as the schema understands it."""
    if request.mimetype != "application/json":
        raise UnsupportedBody("the body must be JSON: send Content-Type: application/json")
    raw = hooks.body()
    document = payload.parse("json", raw, content_type=request.headers["Content-Type"])
    try:
        loaded: dict[str, Any] = schema.load(document)
    except ValidationError as exc:
        faults = [{"pointer": f"#{pointer}", "detail": said} for pointer, said in _flat(exc.messages)]
        raise PayloadError("the body is not what is expected here", errors=faults) from exc
    return raw, loaded


def query(schema: Schema) -> dict[str, Any]:
    """The parameters of the URL as the schema understands them."""
    try:
        loaded: dict[str, Any] = schema.load({name: request.args[name] for name in request.args})
    except ValidationError as exc:
        faults = [{"parameter": pointer.removeprefix("/"), "detail": said} for pointer, said in _flat(exc.messages)]
        raise PayloadError("the parameters are not what is expected here", errors=faults) from exc
    return loaded


def idempotency_key() -> str | None:
    """The header Idempotency-Key, if it was sent."""
    found = request.headers.get("Idempotency-Key")
    if found is not None and not IDEMPOTENCY_KEY.fullmatch(found):
        fault = {"parameter": "Idempotency-Key", "detail": "1 to 200 visible ASCII characters"}
        raise PayloadError("this is no idempotency key", errors=[fault])
    return found


def _flat(messages: Mapping[str, Any] | list[Any], pointer: str = "") -> Iterator[tuple[str, str]]:
    """marshmallow's nested messages as JSON pointers (RFC 6901) and what is wrong there."""
    if isinstance(messages, Mapping):
        for step, below in messages.items():
            further = "" if step == "_schema" else "/" + str(step).replace("~", "~0").replace("/", "~1")
            yield from _flat(below, pointer + further)
    else:
        for said in messages:
            yield pointer, str(said)
