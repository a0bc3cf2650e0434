"""What programs are answered: schemas for the description; tests hold real answers to them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from adapter.api.fields import nullable, sure
from adapter.model import ACTIONS, TRANSITIONS

STATES = (*TRANSITIONS, "skip", "reject", "noted")
PHASES = ("not_sent", "sent", "answered")


def _word(words: tuple[str, ...], about: str) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(words), metadata={"description": about})


def _many(schema: type[Schema], about: str) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, metadata={"description": about})


def _texts(about: str) -> fields.List[Any]:
    return fields.List(fields.String(), required=True, metadata={"description": about})


class ReceiptSchema(Schema):
    """What became of one record."""

    id = nullable(fields.String, "of the delivery; null when there is none")
    state = _word(STATES, "docs/deliveries.md says what each means")
    action = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(tuple(ACTIONS)),
        metadata={"description": "what is done"},
    )
    reason = sure(fields.String, "why it is in this state, in few words; may be empty")
    policy = nullable(fields.String, "the rule of ours that decided")
    message = sure(fields.String, "one sentence for a person")
    mapping = sure(fields.String, "the mapping; `api` for what came through the API")
    version = sure(fields.String, "of the mapping")
    rule = nullable(fields.String, "of the mapping")
    created_at = sure(fields.AwareDateTime, "when it was received")
    updated_at = sure(fields.AwareDateTime, "when it came into this state")
    status_url = nullable(fields.String, "a link that needs no key and can cancel; null for keys that cannot")
    duplicate_of = nullable(fields.String, "the id again when this was received before and is done once only")


class AttemptSchema(Schema):
    """One try at Xima."""

    at = sure(fields.AwareDateTime, "when")
    phase = _word(PHASES, "how far it came")
    status = nullable(fields.Integer, "Xima's HTTP status")
    reason = sure(fields.String, "in words")
    duration_ms = sure(fields.Integer, "how long it took")


class ActSchema(Schema):
    """What somebody did to a delivery."""

    at = sure(fields.AwareDateTime, "when")
    who = sure(fields.String, "by name")
    old = _word(tuple(TRANSITIONS), "the state before")
    new = _word(tuple(TRANSITIONS), "the state after")
    reason = sure(fields.String, "why")


class DeliverySchema(ReceiptSchema):
    """A receipt with how the call ended, every try at Xima, and what people did."""

    outcome = nullable(fields.String, "how the call ended, as Xima told afterwards; null while nobody has")
    duration_seconds = nullable(fields.Integer, "how long the call was")
    ended_at = nullable(fields.AwareDateTime, "when it was over")
    outcome_told_at = nullable(fields.AwareDateTime, "when we were told")
    outcome_matched_by = nullable(fields.String, "how it was found that this was the call")
    attempts = _many(AttemptSchema, "the oldest first")
    acts = _many(ActSchema, "the oldest first")


class ReceiptsSchema(Schema):
    """One receipt for each record of a webhook, in their order."""

    receipts = _many(ReceiptSchema, "in the order of the records")


class DeliveriesSchema(Schema):
    """A page of deliveries."""

    deliveries = _many(ReceiptSchema, "the newest first")
    next = nullable(fields.String, "where the next page is; null on the last")


class MappingSchema(Schema):
    """A mapping, and whether it can be used."""

    name = sure(fields.String, "of the mapping")
    version = nullable(fields.String, "the version in force; null when none is")
    tenant = nullable(fields.String, "the Xima tenant it dials for")
    since = nullable(fields.AwareDateTime, "when this version came into force")
    usable = sure(fields.Boolean, "whether webhooks are taken")
    problems = _texts("what is wrong with its file, as file:line:column: message")
    url = sure(fields.String, "where its sender posts")


class MappingsSchema(Schema):
    """Every mapping."""

    mappings = _many(MappingSchema, "by name")


class CallerIdPair(Schema):
    """A caller id, byte for byte as Xima lists it."""

    label = sure(fields.String, "its label in Xima")
    number = sure(fields.String, "the number that is shown")


class CallerIdsSchema(Schema):
    """The caller ids of an agent."""

    selected = fields.Nested(
        CallerIdPair, required=True, allow_none=True, metadata={"description": "what the agent shows now"}
    )
    available = _many(CallerIdPair, "what the agent may show")


class PartSchema(Schema):
    """Something that is wrong."""

    part = sure(fields.String, "where")
    message = sure(fields.String, "what")


class ReadySchema(Schema):
    """Whether the adapter can take work."""

    status = _word(("ready", "not ready"), "in a word")
    problems = _many(PartSchema, "why it cannot")
    warnings = _many(PartSchema, "what is wrong and does not stop it")
    alarms = _many(PartSchema, "what wants a person")


class AliveSchema(Schema):
    """The process lives."""

    status = _word(("ok",), "always")


class FaultSchema(Schema):
    """What is wrong with one part of a request; one of the first two names it."""

    pointer = fields.String(metadata={"description": "JSON pointer into the body, as a fragment: #/number"})
    parameter = fields.String(metadata={"description": "name of a parameter or header"})
    detail = sure(fields.String, "what is wrong with it")


class ProblemSchema(Schema):
    """An error below /api (RFC 9457)."""

    type = sure(fields.String, "tells kinds of problems apart", format="uri")
    title = sure(fields.String, "the status in words")
    status = sure(fields.Integer, "the HTTP status")
    detail = sure(fields.String, "what is wrong, and what to do")
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "each part of the request that is wrong"})
    state = fields.String(metadata={"description": "of a delivery that is past cancelling (409)"})
    scope = fields.String(metadata={"description": "what the key lacks (403)"})
    xima_status = fields.Integer(metadata={"description": "what Xima answered when it was asked for a list (503)"})


class ErrorSchema(Schema):
    """The code and the message of an error."""

    code = sure(fields.String, "for programs")
    message = sure(fields.String, "for people")


class ErrorAnswer(Schema):
    """An error of all other routes."""

    error = fields.Nested(ErrorSchema, required=True)
    state = fields.String(metadata={"description": "of a delivery that is past cancelling (409)"})


def shown(pair: Any) -> dict[str, str]:
    """A caller id of Xima's as it is answered."""
    return {"label": pair.label, "number": pair.outbound_caller_id}
