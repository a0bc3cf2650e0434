"""An action as the request Xima documents for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from adapter.model import Action, Callback, ClickToDial, SelectCallerId

ROOT = "/rest/api/v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What goes to Xima, but for the host and the token."""

    method: str
    path: str
    json: Mapping[str, str | bool] | None = None


def build(action: Action) -> Request:
    """The request that asks Xima for `action`; optional fields that are not set are left out, never empty."""
    match action:
        case ClickToDial():
            path = _agent(action.agent, "click-to-dial")
            return _post(path, numberToDial=action.number_to_dial, **_caller(action))
        case Callback():
            return _post(f"{ROOT}/callback", skill=action.skill, callbackNumber=action.callback_number)
        case SelectCallerId():
            path = _agent(action.agent, "selected-outbound-caller-id")
            return _post(path, label=action.label, outboundCallerId=action.outbound_caller_id)
    raise TypeError(f"Xima has no operation for {type(action).__name__}")


def caller_ids(extension: str) -> Request:
    """The request for the caller ids an agent may use."""
    return Request(method="GET", path=_agent(extension, "outbound-caller-ids"))


AGENTS = Request(method="GET", path=f"{ROOT}/agents")
SKILLS = Request(method="GET", path=f"{ROOT}/skills")


def _post(path: str, **fields: str | bool) -> Request:
    return Request(method="POST", path=path, json=fields)


def _agent(extension: str, operation: str) -> str:
    # Half a surrogate pair can come out of JSON; as a question mark it is an agent Xima does not know.
    return f"{ROOT}/agents/{quote(extension, safe='', errors='replace')}/{operation}"


def _caller(action: ClickToDial) -> dict[str, str | bool]:
    """Whom the called person sees: the two ways are documented apart, so they never mix."""
    if action.use_selected_caller_id:
        return {"useSelectedOutboundCallerId": True}
    fields = {"outboundCallerId": action.outbound_caller_id, "externalPrefix": action.external_prefix}
    return {name: value for name, value in fields.items() if value}
