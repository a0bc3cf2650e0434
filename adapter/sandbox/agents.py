"""Agents, and the caller ids they may show."""

from __future__ import annotations

from adapter.sandbox.rules import Ask, Verdict, done, refusal
from adapter.sandbox.script import CallerId
from adapter.sandbox.world import Desk, World


def list_agents(world: World, ask: Ask) -> Verdict:
    """Every agent as `Name(extension)`, with the kind of phone."""
    agents = [desk.agent for desk in world.desks.values()]
    rows = [{"agent": f"{agent.name}({agent.extension})", "type": agent.type} for agent in agents]
    return Verdict(status=200, body={"agents": rows})


def list_caller_ids(world: World, ask: Ask) -> Verdict:
    """The caller ids of an agent, and the one that is selected."""
    desk, switches = world.desks[ask.extension], world.script.switches
    body = {"outboundCallerIds": [listed(world, one) for one in desk.agent.caller_ids]}
    if desk.selected is not None:
        return Verdict(status=200, body={"selectedOutboundCallerId": listed(world, desk.selected), **body})
    if switches.no_selection == "missing":
        return Verdict(status=200, body=body)
    empty: dict[str, str] | None = {} if switches.no_selection == "empty" else None
    return Verdict(status=200, body={"selectedOutboundCallerId": empty, **body})


def select_caller_id(world: World, ask: Ask) -> Verdict:
    """Select the caller id with the number and, where several have it, the label."""
    desk = world.desks[ask.extension]
    numbered = with_number(world, desk, ask.json["outboundCallerId"])
    desk.selected = next((one for one in numbered if one.label == ask.json["label"]), numbered[0])
    return done(world)


def knows_agent(world: World, ask: Ask) -> Verdict | None:
    """The agent exists, and the token may use it."""
    switches = world.script.switches
    if ask.extension in switches.forbidden_agents:
        return refusal("403", "the token has no access to this agent")
    return None if ask.extension in world.desks else refusal(switches.unknown_extension, "no such agent")


def has_caller_id(world: World, ask: Ask) -> Verdict | None:
    """The number, where one is named, is among the agent's caller ids."""
    number = ask.json.get("outboundCallerId")
    if not number or with_number(world, world.desks[ask.extension], number):
        return None
    return refusal(world.script.switches.bad_caller_id, "not a caller id of this agent")


def fits_label(world: World, ask: Ask) -> Verdict | None:
    """The label belongs to the number."""
    numbered = with_number(world, world.desks[ask.extension], ask.json["outboundCallerId"])
    if not numbered:
        return refusal("204-silent", "not a caller id of this agent")
    if ask.json["label"] in [one.label for one in numbered]:
        return None
    return refusal(world.script.switches.label_mismatch, "label and number do not belong together")


def is_ready(world: World, ask: Ask) -> Verdict | None:
    """The agent is logged in and free."""
    agent, switches = world.desks[ask.extension].agent, world.script.switches
    if not agent.logged_in:
        return refusal(switches.agent_offline, "the agent is not logged in")
    return refusal(switches.agent_busy, "the agent is busy") if agent.busy else None


def with_number(world: World, desk: Desk, number: str) -> list[CallerId]:
    """The agent's caller ids with this number, in the form of the script or as a GET shows it."""
    own = desk.agent.caller_ids
    return [one for one in own if number in (one.number, listed(world, one)["outboundCallerId"])]


def listed(world: World, caller_id: CallerId) -> dict[str, str]:
    """A caller id as a GET shows it."""
    number = caller_id.number
    if world.script.switches.caller_id_format == "plus":
        number = f"+1{number}" if len(number) == 10 else f"+{number}"
    return {"label": caller_id.label, "outboundCallerId": number}
