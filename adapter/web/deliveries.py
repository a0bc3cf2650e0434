"""The status of one delivery, for whoever holds its link: JSON, or a page for a browser; and its cancelling."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request

from adapter import receipt
from adapter.errors import AdapterError, Conflict, SignatureError, UnknownDelivery
from adapter.logs import event
from adapter.model import WAITING, Delivery, State
from adapter.policy import Verdict
from adapter.web.errors import shaped
from adapter.web.parts import parts
from adapter.web.shown import for_people

blueprint = Blueprint("deliveries", __name__)
blueprint.add_app_template_filter(for_people)

AGAIN_SECONDS: dict[State, int] = {"queued": 3, "sending": 3, "held": 60}
"""After how long the page of a delivery that is not at its end looks again."""
REFUSED = {
    SignatureError: "This status link is not valid, or it has expired.",
    UnknownDelivery: "This delivery is not kept any more.",
}


@blueprint.get("/deliveries/<delivery_id>")
def status(delivery_id: str) -> Response:
    """The receipt with every try at Xima."""
    delivery = _delivery(delivery_id)
    shown = _shown(delivery)
    if not _for_a_browser():
        return jsonify(shown)
    return _page(
        "status.html",
        receipt=shown,
        again_in=AGAIN_SECONDS.get(delivery.state),
        can_cancel=delivery.state in WAITING,
    )


@blueprint.delete("/deliveries/<delivery_id>")
def cancel(delivery_id: str) -> Response:
    """Cancel while nothing was sent: 200; 409 with the state when it is too late."""
    cancelled(_delivery(delivery_id), who="status link", reason="cancelled through its status link")
    return jsonify(_shown(_delivery(delivery_id)))


def cancelled(delivery: Delivery, *, who: str, reason: str) -> None:
    """Cancel a delivery, one that has just moved too; raises `Conflict` with its state when it is too late."""
    verdict = Verdict(state="cancelled", reason=reason, due_at=g.now, expires_at=delivery.expires_at)
    try:
        parts().store.act(delivery, verdict, who=who, now=g.now)
    except Conflict as exc:
        found = parts().store.get(delivery.id) or delivery
        if found.state not in WAITING or found == delivery:
            raise Conflict(f"it cannot be cancelled any more: it is {found.state}", state=found.state) from exc
        cancelled(found, who=who, reason=reason)


@blueprint.errorhandler(SignatureError)
@blueprint.errorhandler(UnknownDelivery)
def refuse(exc: AdapterError) -> Response:
    """A link that leads nowhere (any more), in words for whoever followed it."""
    event("link.refused", request=g.request_id, reason=exc.reason)
    message = REFUSED[type(exc)]
    response = _page("sorry.html", message=message) if _for_a_browser() else shaped(exc.status, exc.code, message)
    response.status_code = exc.status
    return response


def _delivery(delivery_id: str) -> Delivery:
    parts().links.check(delivery_id, request.args.get("token", ""))
    delivery = parts().store.get(delivery_id)
    if delivery is None:
        raise UnknownDelivery("this delivery is not kept any more")
    return delivery


def _shown(delivery: Delivery) -> dict[str, Any]:
    same = parts().links.with_token(delivery.id, request.args["token"])
    return whole(delivery, lambda _: same)


def whole(delivery: Delivery, link: receipt.Link) -> dict[str, Any]:
    """The receipt with how the call ended, every try at Xima, and what people did."""
    return {
        **receipt.with_end(receipt.of_delivery(delivery, link), parts().store.outcomes.of(delivery.id)),
        "attempts": [receipt.of_attempt(one) for one in parts().store.attempts(delivery.id)],
        "acts": [receipt.of_act(one) for one in parts().store.acts(delivery.id)],
    }


def _for_a_browser() -> bool:
    """Whether the caller would rather see a page: browsers say text/html, programs */* or nothing."""
    wanted = request.accept_mimetypes.best_match(("application/json", "text/html"))
    return request.method == "GET" and wanted == "text/html"


def _page(template: str, **shown: Any) -> Response:
    nonce = secrets.token_urlsafe(16)
    response = make_response(render_template(template, nonce=nonce, **shown))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response
