"""Calls out: click to dial, and callbacks in the queue of a skill."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapter.sandbox import ending
from adapter.sandbox.agents import with_number
from adapter.sandbox.rules import Ask, Check, Verdict, done, refusal
from adapter.sandbox.world import Desk, Ring, Waiting, World

NUMBERS: Mapping[str, str] = {
    "lax": r"(?s:.*\S.*)",
    "digits": "[0-9]+",
    "nanp10": "[2-9][0-9]{2}[2-9][0-9]{6}",
}


def click_to_dial(world: World, ask: Ask) -> Verdict:
    """Make the agent's phone ring: a softphone calls out at once, a desk phone once it is answered."""
    desk, switches = world.desks[ask.extension], world.script.switches
    ignored = ask.json.get("useSelectedOutboundCallerId") and switches.prefix_with_selected == "ignore"
    prefix = "" if ignored else ask.json.get("externalPrefix") or ""
    number = prefix + ask.json["numberToDial"]
    desk.rings.append(Ring(at=world.clock(), number=number, caller_id=shown_caller_id(world, desk, ask)))
    ending.begin(world, desk.agent, number)
    return done(world, wait=switches.uc_wait if desk.agent.has_desk_phone else 0.0)


def shown_caller_id(world: World, desk: Desk, ask: Ask) -> str:
    """The number the called party sees; empty where the trunk decides."""
    switches = world.script.switches
    explicit = ask.json.get("outboundCallerId")
    selected = ask.json.get("useSelectedOutboundCallerId")
    if explicit and not (selected and switches.both_caller_ids == "selected"):
        return explicit if with_number(world, desk, explicit) else ""
    if selected or switches.default_caller_id == "selected":
        return desk.selected.number if desk.selected else ""
    first = desk.agent.caller_ids[0].number if desk.agent.caller_ids else ""
    return first if switches.default_caller_id == "first" else ""


def fits_variant(world: World, ask: Ask) -> Verdict | None:
    """The two ways to choose a caller id, of which only one has a prefix, are not mixed."""
    switches = world.script.switches
    if not ask.json.get("useSelectedOutboundCallerId"):
        return None
    if ask.json.get("externalPrefix") and switches.prefix_with_selected == "400":
        return refusal("400", "externalPrefix does not go with the selected caller id")
    both = ask.json.get("outboundCallerId")
    return refusal(switches.both_caller_ids, "two caller ids are asked for") if both else None


def fits_number_policy(key: str) -> Check:
    """A check of the number in the field `key`; an agent may also be dialled by extension."""

    def check(world: World, ask: Ask) -> Verdict | None:
        number = ask.json[key]
        policy = NUMBERS[world.script.switches.number_policy]
        internal = key == "numberToDial" and number in world.desks
        return None if internal or re.fullmatch(policy, number) else refusal("400", "not a number to call")

    return check


def request_callback(world: World, ask: Ask) -> Verdict:
    """Put the number into the queue of the skill, at once."""
    waiting = Waiting(at=world.clock(), number=ask.json["callbackNumber"])
    world.queues[ask.json["skill"]].waiting.append(waiting)
    return done(world)


def knows_skill(world: World, ask: Ask) -> Verdict | None:
    """The skill exists under exactly this name, and takes callbacks."""
    queue, switches = world.queues.get(ask.json["skill"]), world.script.switches
    if queue is None:
        return refusal(switches.unknown_skill, "no such skill")
    disabled = queue.skill.strategy == "disabled"
    return refusal(switches.skill_callback_disabled, "callbacks are switched off") if disabled else None


def is_new(world: World, ask: Ask) -> Verdict | None:
    """The number does not wait in this queue yet, where that matters."""
    policy = world.script.switches.duplicate_callback
    if policy == "enqueue" or all(
        one.number != ask.json["callbackNumber"] for one in world.queues[ask.json["skill"]].waiting
    ):
        return None
    return refusal("204-silent" if policy == "merge" else policy, "this callback is already in the queue")


def list_skills(world: World, ask: Ask) -> Verdict:
    """Every skill by name."""
    return Verdict(status=200, body={"skills": [{"name": name} for name in world.queues]})
