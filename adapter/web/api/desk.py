"""What programs look at: deliveries and mappings; and cancelling."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request
from marshmallow import ValidationError

from adapter import receipt
from adapter.api.asked import DeliveriesQuery
from adapter.api.fields import no_zero
from adapter.errors import UnknownDelivery, Unusable
from adapter.model import Delivery
from adapter.sources import Broken
from adapter.web import deliveries
from adapter.web.api.guard import key, needs, secrecy
from adapter.web.api.reading import query
from adapter.web.parts import parts

blueprint = Blueprint("api_desk", __name__)
DELIVERIES = DeliveriesQuery()


@blueprint.get("/api/deliveries")
@needs("deliveries:read")
def list_() -> Response:
    """A page of deliveries, the newest first."""
    wanted = query(DELIVERIES)
    most, below = wanted.pop("limit"), _id_in(wanted.pop("cursor", ""))
    bound = key().tenant
    if bound and wanted.get("tenant", bound) != bound:
        return jsonify(deliveries=[], next=None)
    found = parts().store.newest(most=most + 1, below=below, **wanted | ({"tenant": bound} if bound else {}))
    shown = [receipt.of_delivery(one, _link) | secrecy() for one in found[:most]]
    return jsonify(deliveries=shown, next=_next(found[most - 1].id) if len(found) > most else None)


def _id_in(cursor: str) -> str:
    try:
        found = base64.b32hexdecode(cursor.upper() + "=" * (-len(cursor) % 8)).decode("ascii")
        no_zero(found)
    except (binascii.Error, UnicodeDecodeError, ValidationError) as exc:
        fault = {"parameter": "cursor", "detail": "take it from next; it is not made up"}
        raise Unusable("this is no cursor", errors=[fault]) from exc
    return found


def _next(last: str) -> str:
    cursor = base64.b32hexencode(last.encode()).decode().rstrip("=").lower()
    given = {name: request.args[name] for name in request.args if name != "cursor"}
    return f"{parts().settings.origin}/api/deliveries?{urlencode({**given, 'cursor': cursor})}"


def _link(delivery_id: str) -> str:
    return parts().links.status(delivery_id)


@blueprint.get("/api/deliveries/<delivery_id>")
@needs("deliveries:read")
def show(delivery_id: str) -> Response:
    """One delivery with every try at Xima."""
    return jsonify(_shown(_delivery(delivery_id)))


@blueprint.delete("/api/deliveries/<delivery_id>")
@needs("deliveries:cancel")
def cancel(delivery_id: str) -> Response:
    """Cancel while nothing was sent."""
    who = f"API key {key().name}"
    deliveries.cancelled(_delivery(delivery_id), who=who, reason=f"cancelled with the {who}")
    return jsonify(_shown(_delivery(delivery_id)))


def _delivery(delivery_id: str) -> Delivery:
    found = parts().store.get(delivery_id) if delivery_id.isalnum() else None
    if found is None or key().tenant not in ("", found.tenant):
        raise UnknownDelivery("there is no such delivery, or it is not kept any more")
    return found


def _shown(delivery: Delivery) -> dict[str, Any]:
    return deliveries.whole(delivery, _link) | secrecy()


@blueprint.get("/api/mappings")
@needs("mappings:read")
def mappings() -> Response:
    """Every mapping, and what is wrong with it."""
    sources, bound = parts().sources(), key().tenant
    in_trouble: dict[str, Broken] = {**sources.broken, **sources.waiting}
    shown = [_mapping(name, in_trouble.get(name)) for name in sorted({*sources.usable, *sources.broken})]
    return jsonify(mappings=[one for one in shown if bound in ("", one["tenant"])])


def _mapping(name: str, broken: Broken | None) -> dict[str, Any]:
    source = parts().sources().usable.get(name)
    return {
        "name": name,
        "version": source.mapping.version if source else None,
        "tenant": source.mapping.tenant if source else None,
        "since": receipt.instant(source.since) if source and source.since else None,
        "usable": source is not None,
        "problems": [*_first_lines(broken)] if broken else [],
        "url": f"{parts().settings.origin}/hooks/{name}",
    }


def _first_lines(broken: Broken) -> Iterator[str]:
    return (problem.splitlines()[0] for problem in broken.problems)
