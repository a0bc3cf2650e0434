"""Who may ask the API: a key that is in force, with the scope, for the tenant."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, cast

from flask import Response, g, request

from adapter.api import builtin, tokens
from adapter.errors import AdapterError, Forbidden, SignatureError, StoreError, Unusable
from adapter.store import Key
from adapter.web.api.reach import reach
from adapter.web.parts import parts

P = ParamSpec("P")
View = Callable[P, Response]

CHALLENGE = 'Bearer realm="api"'
NONE = "no API key was given: send it as Authorization: Bearer xca_..."
INVALID = "this API key is not valid: it is unknown, revoked or expired"


def needs(scope: str) -> Callable[[View[P]], View[P]]:
    """Let a view be asked only with a key that has this scope."""

    def guarded(view: View[P]) -> View[P]:
        @wraps(view)
        def run(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                g.api_key = _admitted(scope)
            except AdapterError as exc:
                parts().intake.refuse(builtin.NAME, exc, request_id=g.request_id, now=g.now)
                raise
            return view(*args, **kwargs)

        return run

    return guarded


def key() -> Key:
    """The key this request was made with."""
    return cast(Key, g.api_key)


def _admitted(scope: str) -> Key:
    """The key in the request; raises `SignatureError`, `Forbidden` or `TooMany`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise SignatureError(NONE, challenge=CHALLENGE)
    found = _found(token.strip())
    if found is None:
        raise SignatureError(INVALID, challenge=f'{CHALLENGE}, error="invalid_token"')
    if scope not in found.scopes:
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        raise Forbidden(f"this API key lacks the scope {scope}", scope=scope, challenge=challenge)
    reach().limit.take(found.name, "more requests than a key is let have (ADAPTER_MAPPING_LIMIT)")
    _note(found)
    return found


def _found(token: str) -> Key | None:
    """The key in force of a token; found by its hash, which tells nothing of the token, and compared once more."""
    if not tokens.is_token(token):
        return None
    wanted = tokens.digest(token)
    found = parts().store.keys.find(wanted)
    if found is None or not hmac.compare_digest(found.digest.encode(), wanted.encode()):
        return None
    return None if found.expires_at and found.expires_at <= g.now else found


def _note(found: Key) -> None:
    """Note the day; that it cannot be noted is no reason to refuse."""
    today = g.now.date().isoformat()
    if found.used_on != today:
        with suppress(StoreError):
            parts().store.keys.used(found.digest, today)


def secrecy() -> dict[str, None]:
    """A status link cancels: who may not do that does not get one."""
    return {} if "deliveries:cancel" in key().scopes else {"status_url": None}


def tenant(asked: str | None) -> str:
    """The tenant a request is for: the one it names, else that of its key, else `default`."""
    bound = key().tenant
    if asked and bound and asked != bound:
        challenge = f'{CHALLENGE}, error="insufficient_scope"'
        raise Forbidden(f"this API key is for the tenant {bound} only", challenge=challenge)
    found = asked or bound or "default"
    if found not in reach().tenants:
        fault = {"pointer": "#/tenant", "detail": "known are " + ", ".join(sorted(reach().tenants))}
        raise Unusable("there is no such Xima tenant", errors=[fault])
    return found
