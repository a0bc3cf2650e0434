"""What programs have done: dial, callback, caller id; each is a delivery like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, g, jsonify
from marshmallow import ValidationError

from adapter import hours
from adapter.api import answered, asked, builtin
from adapter.errors import PayloadError, TextError, Unusable
from adapter.intake import Taken
from adapter.logs import event
from adapter.mapping import Result
from adapter.mapping.dialling import Dialling
from adapter.model import Received
from adapter.sources import Source
from adapter.web import hooks, metered
from adapter.web.api.guard import key, needs, secrecy, tenant
from adapter.web.api.reach import reach
from adapter.web.api.reading import body, idempotency_key, query
from adapter.web.parts import parts
from adapter.xima import CallerIds

blueprint = Blueprint("api_calling", __name__)
DIAL, CALLBACK, CALLER_ID = asked.DialSchema(), asked.CallbackSchema(), asked.CallerIdSchema()
TENANT = asked.TenantQuery()


@blueprint.post("/api/dial")
@needs("dial")
def dial() -> Response:
    """Ring an agent and connect a number."""
    raw, given = body(DIAL)
    selected = given.get("use_selected_caller_id", False)
    if selected and (at_odds := [name for name in ("caller_id", "prefix") if name in given]):
        faults = [{"pointer": f"#/{name}", "detail": "use_selected_caller_id excludes it"} for name in at_odds]
        raise Unusable("the agent's selected caller id excludes one that is named here", errors=faults)
    return _done(raw, "dial", given, {**given, "do": "dial_selected" if selected else "dial"})


@blueprint.post("/api/callback")
@needs("callback")
def callback() -> Response:
    """Put a number into a skill's callback queue."""
    raw, given = body(CALLBACK)
    return _done(raw, "callback", given, {**given, "do": "callback"})


@blueprint.get("/api/agents/<extension>/caller-ids")
@needs("agents:read")
def caller_ids(extension: str) -> Response:
    """The caller ids of an agent, as Xima lists them at this moment."""
    _check(extension)
    found = _listed(tenant(query(TENANT).get("tenant")), extension)
    selected = answered.shown(found.selected) if found.selected else None
    return jsonify(selected=selected, available=[answered.shown(one) for one in found.available])


@blueprint.post("/api/agents/<extension>/selected-caller-id")
@needs("caller-id")
def select(extension: str) -> Response:
    """Change the caller id an agent has selected, to one that Xima lists for them."""
    _check(extension)
    raw, given = body(CALLER_ID)
    listed = _listed(tenant(given.get("tenant")), extension).available
    named = [one for one in listed if one.outbound_caller_id == given["number"]]
    found = [one for one in named if given.get("label", one.label) == one.label]
    if len(found) != 1:
        said = (
            "the number is listed under several labels: name one" if found else "Xima does not list it for this agent"
        )
        fault = {"pointer": "#/label" if named else "#/number", "detail": said}
        raise Unusable("this is none of the agent's caller ids", errors=[fault])
    record = {"do": "caller_id", "agent": extension, "label": found[0].label, "caller_id": found[0].outbound_caller_id}
    return _done(raw, f"caller-id {extension}", given, record)


def _check(extension: str) -> None:
    try:
        asked.EXTENSION.deserialize(extension)
    except ValidationError as exc:
        fault = {"parameter": "extension", "detail": "an extension is digits only"}
        raise PayloadError("this is no extension", errors=[fault]) from exc


def _listed(of: str, extension: str) -> CallerIds:
    with reach().line():
        return reach().presence.ask(of, extension)


def _done(raw: bytes, operation: str, given: Mapping[str, Any], record: Mapping[str, Any]) -> Response:
    """Have a record of the built-in mapping done; the answer is its receipt."""
    source, received = _source(given), _received(raw)
    named = idempotency_key()
    once = f"{key().name} {named}" if named else g.request_id
    result = builtin.result(source, received, {**record, "once": once}, now=g.now)
    if result.kind == "reject":
        raise _unusable(result)
    if named:
        _claim(once, asked.fingerprint(operation, given), source)
    taken = parts().intake.keep(source, received, [(0, result)], request_id=g.request_id, now=g.now)
    event("api.asked", request=g.request_id, key=key().name, operation=operation)
    metered.count(taken, received)
    return _answer(taken)


def _source(given: Mapping[str, Any]) -> Source:
    """The built-in mapping as this request wants it."""
    named = tenant(given.get("tenant"))
    dialling = reach().phones.get(named, Dialling())
    source = builtin.source(named, dialling, given.get("region"), remember=parts().settings.retention)
    fresh_for = timedelta(seconds=given["fresh_for"]) if "fresh_for" in given else None
    return replace(source, mapping=replace(source.mapping, fresh_for=fresh_for, hours=_hours(given.get("hours"))))


def _hours(given: Mapping[str, Any] | None) -> hours.Hours | None:
    if given is None:
        return None
    try:
        if problem := hours.zone_problem(given["zone"]):
            raise TextError(problem)
        return hours.from_dict(given)
    except TextError as exc:
        fault = {"pointer": "#/hours", "detail": exc.reason}
        raise Unusable("these are no calling hours", errors=[fault]) from exc


def _received(raw: bytes) -> Received:
    """The request as it is kept: the name of its key for the key."""
    url = parts().settings.public_url + hooks.raw_target()
    headers = {**hooks.headers(), "x-api-key-name": key().name}
    return Received(method="POST", url=url, headers=headers, body=raw, address=hooks.client())


def _unusable(result: Result) -> Unusable:
    name = builtin.FIELDS.get(result.field, result.field)
    reason = result.reason.removeprefix(f"{result.field}: ").replace(result.field, name)
    reason = reason.replace("in the mapping or in tenants.yaml", "in tenants.yaml")
    if "phones.region" in reason:
        reason = (
            "nobody knows from which country it is dialled: give region, or the tenant phones.region in tenants.yaml"
        )
    return Unusable(f"{name}: {reason}", errors=[{"pointer": f"#/{name}", "detail": reason}])


def _claim(once: str, mark: str, source: Source) -> None:
    until = g.now + source.mapping.once.remember
    if not parts().store.keys.is_first(once, mark, now=g.now, until=until):
        fault = {"parameter": "Idempotency-Key", "detail": "it stands for another request: use a new one"}
        raise Unusable("this idempotency key was used for another request", errors=[fault])


def _answer(taken: Taken) -> Response:
    (came,) = taken.came
    return jsonify(hooks.shown(taken, came) | secrecy())
