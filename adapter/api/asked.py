"""What programs ask for: the schemas that check bodies and queries, from which the description is made too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from adapter.api.fields import Strict, Whole, YesNo, text
from adapter.model import ACTIONS, TRANSITIONS

EXTENSION = text(
    "the agent's extension", shape="[0-9]{1,20}", most=20, required=True, error="an extension is digits only"
)
TENANT = text("the Xima tenant, where there are several", most=60)
NUMBER = "a telephone number in any usual spelling; without + it is one of `region`, or of the tenant's own country"
REGION = "the number's country, two capital letters; without `phones.region` in tenants.yaml that which Xima dials from"
PREFIX = "what the agent dials for an outside line: one digit, or what `phones.prefixes` in tenants.yaml lists"
LONGEST_WAIT = 7 * 24 * 3600


def _region() -> fields.String:
    said = "a country is two capital letters, like US"
    return text(REGION, shape="[A-Z]{2}", most=2, error=said, metadata={"example": "US"})


def _number() -> fields.String:
    return text(NUMBER, most=60, required=True, metadata={"example": "+1 801 555 0142"})


class DialSchema(Strict):
    """A click to dial: the agent's phone rings, then the number is called."""

    agent = EXTENSION
    number = _number()
    region = _region()
    caller_id = text("the number to show, one of the agent's caller ids")
    prefix = text(PREFIX, shape="[0-9*#]{1,8}", most=8, error="up to eight digits")
    use_selected_caller_id = YesNo(metadata={"description": "show what the agent has selected; excludes the two above"})
    tenant = TENANT


class HoursSchema(Strict):
    """Calling hours on the clock of the called number."""

    zone = text("the time zone where the number tells none", required=True, metadata={"example": "America/Denver"})
    open = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "days and times", "example": {"mon-fri": "08:00-18:00", "sat": "09:00-12:00"}},
    )
    closed_on = fields.List(fields.String(), metadata={"description": "days on which nobody calls, like 2026-12-25"})
    outside = fields.String(
        validate=validate.OneOf(("hold", "skip")), metadata={"description": "wait until they open, or call never"}
    )


class CallbackSchema(Strict):
    """A callback: the number joins the queue of a skill."""

    skill = text("the skill's name, as it stands in Xima", required=True)
    number = _number()
    region = _region()
    fresh_for = Whole(
        validate=validate.Range(1, LONGEST_WAIT),
        metadata={"description": "seconds for which it is wanted; later it expires (without: 600)"},
    )
    hours = fields.Nested(HoursSchema, metadata={"description": "call within these hours only (without: at any time)"})
    tenant = TENANT


class CallerIdSchema(Strict):
    """The caller id an agent is to show from now on."""

    number = text("the number, as GET .../caller-ids lists it", required=True)
    label = text("its label there, where the number is listed under several", least=0)
    tenant = TENANT


class TenantQuery(Strict):
    """Which tenant."""

    tenant = TENANT


class DeliveriesQuery(Strict):
    """Which deliveries, and how many at a time; all filters must agree."""

    state = fields.String(validate=validate.OneOf(tuple(TRANSITIONS)), metadata={"description": "in this state"})
    mapping = text("of this mapping; those of the API itself are `api`", most=100)
    tenant = text("of this Xima tenant", most=60)
    action = fields.String(validate=validate.OneOf(tuple(ACTIONS)), metadata={"description": "of this kind"})
    agent = text("of this extension", shape="[0-9]{1,20}", most=20, error="an extension is digits only")
    since = fields.AwareDateTime(format="iso", metadata={"description": "received then or later"})
    until = fields.AwareDateTime(format="iso", metadata={"description": "received earlier than that"})
    limit = fields.Integer(
        load_default=50, validate=validate.Range(1, 200), metadata={"description": "how many on a page"}
    )
    cursor = text(
        "where a page begins: taken from `next`, not made up", shape="[0-9a-z]{1,64}", most=64, error="no cursor"
    )


class LinkQuery(Strict):
    """The token of a status link."""

    token = text("the signature in the link", shape="[!-~]{1,300}", most=300, required=True)


def fingerprint(operation: str, body: Mapping[str, Any]) -> str:
    """What tells two requests apart, whatever the order of their keys."""
    plain = json.dumps([operation, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
