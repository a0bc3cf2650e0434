"""The status of one delivery, for whoever holds its link: JSON, or a page for a browser; and its cancelling."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request

from adapter import receipt
from adapter.errors import Conflict, UnknownDelivery
from adapter.model import WAITING, Delivery
from adapter.policy import Verdict
from adapter.web.parts import parts

blueprint = Blueprint("deliveries", __name__)


@blueprint.get("/deliveries/<delivery_id>")
def status(delivery_id: str) -> Response:
    """The receipt with every try at Xima."""
    shown = _shown(_delivery(delivery_id))
    if request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html":
        return _page(shown)
    return jsonify(shown)


@blueprint.delete("/deliveries/<delivery_id>")
def cancel(delivery_id: str) -> Response:
    """Cancel while nothing was sent: 200; 409 with the state when it is too late."""
    delivery = _delivery(delivery_id)
    if delivery.state not in WAITING:
        raise Conflict(f"too late: the delivery is {delivery.state}")
    reason = "cancelled through its status link"
    verdict = Verdict(state="cancelled", reason=reason, due_at=g.now, expires_at=delivery.expires_at)
    parts().store.act(delivery, verdict, who="status link", now=g.now)
    return jsonify(_shown(_delivery(delivery_id)))


def _delivery(delivery_id: str) -> Delivery:
    parts().links.check(delivery_id, request.args.get("token", ""))
    delivery = parts().store.get(delivery_id)
    if delivery is None:
        raise UnknownDelivery("this delivery is not kept any more")
    return delivery


def _shown(delivery: Delivery) -> dict[str, Any]:
    made = [receipt.of_attempt(one) for one in parts().store.attempts(delivery.id)]
    return {**receipt.of_delivery(delivery, parts().links.status), "attempts": made}


def _page(shown: dict[str, Any]) -> Response:
    nonce = secrets.token_urlsafe(16)
    waiting = shown["state"] in (*WAITING, "sending")
    response = make_response(
        render_template(
            "status.html", receipt=shown, nonce=nonce, waiting=waiting, can_cancel=shown["state"] in WAITING
        )
    )
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response
