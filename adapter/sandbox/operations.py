"""What Xima can be asked, as a table: five actions (two of them one path), two reads.

https://guide.xima.cloud/docs/api-enablement-action-apis
https://guide.xima.cloud/docs/requesting-agent-and-skill-lists
"""

from __future__ import annotations

import re

from adapter.sandbox import agents, calls
from adapter.sandbox.rules import ACTION, EVERY_CALL, Ask, Operation, Verdict
from adapter.sandbox.world import World

_AGENT = "/rest/api/v1/agents/([^/]+)"
_CLICK_TO_DIAL = (
    *ACTION,
    calls.fits_variant,
    calls.fits_number_policy("numberToDial"),
    agents.knows_agent,
    agents.has_caller_id,
    agents.is_ready,
)
_SELECT_CALLER_ID = (*ACTION, agents.knows_agent, agents.has_caller_id, agents.fits_label)
_CALLBACK = (*ACTION, calls.fits_number_policy("callbackNumber"), calls.knows_skill, calls.is_new)

OPERATIONS = (
    Operation(
        name="click_to_dial",
        method="POST",
        path=f"{_AGENT}/click-to-dial",
        required={"numberToDial": str},
        optional={"outboundCallerId": str, "externalPrefix": str, "useSelectedOutboundCallerId": bool},
        checks=_CLICK_TO_DIAL,
        act=calls.click_to_dial,
    ),
    Operation(
        name="outbound_caller_ids",
        method="GET",
        path=f"{_AGENT}/outbound-caller-ids",
        checks=(agents.knows_agent,),
        act=agents.list_caller_ids,
    ),
    Operation(
        name="select_caller_id",
        method="POST",
        path=f"{_AGENT}/selected-outbound-caller-id",
        required={"label": str, "outboundCallerId": str},
        checks=_SELECT_CALLER_ID,
        act=agents.select_caller_id,
    ),
    Operation(
        name="callback",
        method="POST",
        path="/rest/api/v1/callback",
        required={"skill": str, "callbackNumber": str},
        checks=_CALLBACK,
        act=calls.request_callback,
    ),
    Operation(name="agents", method="GET", path="/rest/api/v1/agents", act=agents.list_agents),
    Operation(name="skills", method="GET", path="/rest/api/v1/skills", act=calls.list_skills),
)


def _nothing_there(world: World, ask: Ask) -> Verdict:
    return Verdict(status=404, reason="no such resource")


UNKNOWN = Operation(name="unknown", method="", path="", act=_nothing_there)


def find(path: str) -> tuple[Operation, str]:
    """The operation at a path, with the extension in it if there is one; UNKNOWN where there is none."""
    for operation in OPERATIONS:
        found = re.fullmatch(operation.path, path)
        if found:
            return operation, "".join(found.groups())
    return UNKNOWN, ""


def judge(world: World, ask: Ask) -> Verdict:
    """Carry a call out, or say why not: the first check that objects decides."""
    for check in (*EVERY_CALL, *ask.operation.checks):
        verdict = check(world, ask)
        if verdict is not None:
            return verdict
    return ask.operation.act(world, ask)
