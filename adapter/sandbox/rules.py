"""What the pretend Xima checks of every call, whatever it asks: method, tenant, token, body and fields.

A check returns what it objects to, or None. Xima's pages fix no order of checks; the one here is method,
tenant, token, pace, body, fields, and then what the operation adds: names before state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.sandbox.world import World

TYPES: Mapping[type, str] = {str: "a string", bool: "true or false"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a call deserves: a status or a cut connection, and whether something happened."""

    status: int | None = None
    reason: str = ""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool = False
    wait: float = 0.0
    cut: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A call as it was understood: `unread` says why its body was not, `drained` whether it was taken in."""

    operation: Operation
    extension: str
    method: str
    authorization: str
    content_type: str
    json: Any
    unread: Verdict | None = None
    drained: bool = True


Check = Callable[[World, Ask], Verdict | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One thing Xima can be asked, with what it checks before it acts."""

    name: str
    method: str
    path: str
    act: Callable[[World, Ask], Verdict]
    checks: tuple[Check, ...] = ()
    required: Mapping[str, type] = field(default_factory=dict)
    optional: Mapping[str, type] = field(default_factory=dict)


def refusal(answer: str, reason: str) -> Verdict | None:
    """The verdict a switch asks for; None when it lets the call go on."""
    if answer.isdigit():
        return Verdict(status=int(answer), reason=reason)
    if answer in ("204-silent", "204-dropped"):
        return Verdict(status=204, reason=f"{reason}; nothing happened")
    return None


def done(world: World, *, wait: float = 0.0) -> Verdict:
    """The verdict of an action that had its effect, and how many seconds its answer takes."""
    switches = world.script.switches
    return Verdict(status=int(switches.odd_2xx), effect=True, wait=switches.delay_before_204 + wait)


def fits_method(world: World, ask: Ask) -> Verdict | None:
    """405 unless the method is the documented one, if any is."""
    method = ask.operation.method
    if method in ("", ask.method):
        return None
    return Verdict(status=405, reason=f"only {method} is allowed", headers={"Allow": method})


def has_tenant(world: World, ask: Ask) -> Verdict | None:
    """What befalls every call of a tenant, whoever makes it."""
    switches = world.script.switches
    if switches.egress_cap:
        return Verdict(status=509, reason="the tenant's bandwidth limit is exceeded")
    if 0 < switches.max_concurrency < world.in_flight:
        return Verdict(status=429, reason="too many calls at once")
    return refusal(switches.redirect, "moved")


def has_token(world: World, ask: Ask) -> Verdict | None:
    """401 unless the call bears one of the tokens."""
    script = world.script
    good = {f"Bearer {token}" for token in script.tokens}
    if ask.authorization in good and not script.switches.token_revoked:
        return None
    return Verdict(status=401, reason="the token is missing, expired or invalid")


def keeps_pace(world: World, ask: Ask) -> Verdict | None:
    """429 when the tenant's last action is less than `rate_limit` ago."""
    now, last = world.clock(), world.acted_at
    left = world.script.switches.rate_limit - (now - last).total_seconds() if last else 0
    if left > 0:
        headers = {"Retry-After": str(math.ceil(left))}
        return Verdict(status=429, reason="too many actions", headers=headers)
    world.acted_at = now
    return None


def is_json(world: World, ask: Ask) -> Verdict | None:
    """400 unless the body is, and says it is, a JSON object."""
    if ask.content_type != "application/json":
        return Verdict(status=400, reason="the content type is not application/json")
    if ask.unread is not None:
        return ask.unread
    return None if isinstance(ask.json, dict) else Verdict(status=400, reason="the body is not an object")


def fills_fields(world: World, ask: Ask) -> Verdict | None:
    """400 for the first field that is missing, empty or of another type."""
    required, known = ask.operation.required, {**ask.operation.required, **ask.operation.optional}
    for key, kind in known.items():
        value = ask.json.get(key)
        blank = value in (None, "")
        if blank and key in required:
            return Verdict(status=400, reason=f"{key} is required")
        if not blank and not isinstance(value, kind):
            return Verdict(status=400, reason=f"{key} must be {TYPES[kind]}")
        if blank and key in ask.json and world.script.switches.empty_optional == "400":
            return Verdict(status=400, reason=f"{key} must not be empty")
    if ask.json.keys() - known:
        return refusal(world.script.switches.extra_fields, "a field is not known")
    return None


EVERY_CALL: tuple[Check, ...] = (fits_method, has_tenant, has_token)
ACTION: tuple[Check, ...] = (keeps_pace, is_json, fills_fields)
