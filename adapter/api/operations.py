"""Every JSON route of the product, as data: what it takes, what it answers, what a key needs for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from adapter.api import answered, asked

PUBLIC = (429, 500, 503)
"""What any route may answer."""
KEYED = (401, 403, *PUBLIC)
WITH_BODY = (400, *KEYED, 413, 415, 422)
FORM, JSON, XML = "application/x-www-form-urlencoded", "application/json", "text/xml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One method of one path; `scope` is what a key needs, `refuses` the statuses of its errors.

    `also` are statuses that are answered with the same schema as 200, `forms` content types that stand beside JSON.
    """

    id: str
    path: str
    about: str
    more: str = ""
    method: str = "get"
    scope: str = ""
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    answer: type[Schema] | None = None
    refuses: tuple[int, ...] = PUBLIC
    also: tuple[int, ...] = ()
    forms: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "delivery_id": {"description": "the delivery's id, as its receipt says", "pattern": "^[0-9a-z]{1,64}$"},
    "extension": {"description": "the agent's extension", "pattern": "^[0-9]{1,20}$"},
    "mapping": {"description": "the mapping's name", "maxLength": 100},
}
"""What stands in paths."""

ONCE = (
    "Send an Idempotency-Key: with it a repeat is answered with the first receipt and done once only; "
    "without it every request is an event of its own."
)

OPERATIONS = (
    Operation(
        id="listDeliveries",
        path="/api/deliveries",
        about="Deliveries, the newest first",
        scope="deliveries:read",
        query=asked.DeliveriesQuery,
        answer=answered.DeliveriesSchema,
        refuses=(400, 422, *KEYED),
    ),
    Operation(
        id="showDelivery",
        path="/api/deliveries/{delivery_id}",
        about="One delivery with every try at Xima",
        scope="deliveries:read",
        answer=answered.DeliverySchema,
        refuses=(404, *KEYED),
    ),
    Operation(
        id="cancelDelivery",
        path="/api/deliveries/{delivery_id}",
        about="Cancel a delivery while nothing was sent",
        method="delete",
        scope="deliveries:cancel",
        answer=answered.DeliverySchema,
        refuses=(404, 409, *KEYED),
    ),
    Operation(
        id="listMappings",
        path="/api/mappings",
        about="The mappings, and what is wrong with them",
        scope="mappings:read",
        answer=answered.MappingsSchema,
        refuses=KEYED,
    ),
    Operation(
        id="listCallerIds",
        path="/api/agents/{extension}/caller-ids",
        about="The caller ids of an agent, as Xima lists them now",
        scope="agents:read",
        query=asked.TenantQuery,
        answer=answered.CallerIdsSchema,
        refuses=(400, 404, 422, *KEYED),
    ),
    Operation(
        id="selectCallerId",
        path="/api/agents/{extension}/selected-caller-id",
        about="Change the caller id an agent has selected",
        more=ONCE,
        method="post",
        scope="caller-id",
        body=asked.CallerIdSchema,
        answer=answered.ReceiptSchema,
        refuses=(404, *WITH_BODY),
    ),
    Operation(
        id="dial",
        path="/api/dial",
        about="Ring an agent and connect a number",
        more=f"Waits a moment for Xima's answer. {ONCE}",
        method="post",
        scope="dial",
        body=asked.DialSchema,
        answer=answered.ReceiptSchema,
        refuses=WITH_BODY,
    ),
    Operation(
        id="callback",
        path="/api/callback",
        about="Put a number into a skill's callback queue",
        more=ONCE,
        method="post",
        scope="callback",
        body=asked.CallbackSchema,
        answer=answered.ReceiptSchema,
        refuses=WITH_BODY,
    ),
    Operation(id="describe", path="/api/openapi.json", about="This description"),
    Operation(
        id="receiveWebhook",
        path="/hooks/{mapping}",
        about="Take a signed webhook",
        more="The body and its proof are what the mapping's sender sends; some senders want no receipts for an answer.",
        method="post",
        answer=answered.ReceiptsSchema,
        refuses=(400, 401, 404, 413, 415, *PUBLIC),
        also=(422, 504),
        forms=("text/xml", "text/plain"),
        takes=(JSON, FORM, XML, "multipart/form-data"),
    ),
    Operation(
        id="greetWebhook",
        path="/hooks/{mapping}",
        about="Answer what some senders ask before they send",
        more="Of a mapping with `body: parameters` a GET is a webhook as well, and is answered like one.",
        answer=answered.ReceiptsSchema,
        refuses=(400, 401, 404, 405, 413, 415, *PUBLIC),
        forms=("text/plain",),
    ),
    Operation(
        id="showStatus",
        path="/deliveries/{delivery_id}",
        about="One delivery, for whoever has its status link",
        query=asked.LinkQuery,
        answer=answered.DeliverySchema,
        refuses=(401, 404, *PUBLIC),
        forms=("text/html",),
    ),
    Operation(
        id="cancelByLink",
        path="/deliveries/{delivery_id}",
        about="Cancel a delivery by its status link",
        method="delete",
        query=asked.LinkQuery,
        answer=answered.DeliverySchema,
        refuses=(401, 404, 409, *PUBLIC),
    ),
    Operation(id="healthz", path="/healthz", about="Whether the process lives", answer=answered.AliveSchema),
    Operation(
        id="readyz",
        path="/readyz",
        about="Whether it can take work",
        answer=answered.ReadySchema,
        refuses=(429, 500),
        also=(503,),
    ),
)
