"""`POST /hooks/<mapping>`: raw body first, then everything else."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from adapter import receipt
from adapter.errors import AdapterError, BodyTooLarge, PayloadError, UnsupportedBody
from adapter.intake import Came, Taken
from adapter.model import Received
from adapter.web import metered
from adapter.web.answers import replied
from adapter.web.parts import parts

blueprint = Blueprint("hooks", __name__)
JSON = "application/json"
_text = json.JSONEncoder(separators=(",", ":")).encode

SOAP_ACK = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
ANSWERS = {
    "soap_ack": (SOAP_ACK, "text/xml; charset=utf-8"),
    "empty_object": ("{}", JSON),
    "empty": ("", "text/plain"),
}
FAILED = {
    **dict.fromkeys(("refused", "failed", "expired", "suppressed", "cancelled", "reject"), 422),
    **dict.fromkeys(("unknown", "sending"), 504),
}
"""Statuses for senders that show them to a person (`answer: {failures: 4xx}`); a repeat gets its first one's."""


@blueprint.post("/hooks/<name>")
def receive(name: str) -> Response:
    """Take a webhook; the answer is what became of it, or what its sender wants to hear."""
    received = _received(name)
    taken = parts().intake.take(name, received, request_id=g.request_id, now=g.now)
    metered.count(taken, received)
    return _answer(taken)


def _received(name: str) -> Received:
    url = parts().settings.public_url + raw_target()
    try:
        return Received(method=request.method, url=url, headers=headers(), body=body(), address=client())
    except AdapterError as exc:
        parts().intake.refuse(metered.known(name), exc, request_id=g.request_id, now=g.now)
        raise


def headers() -> dict[str, str]:
    """What `request.headers` holds, read from where it takes it: that spares making each name twice."""
    given = request.environ
    found = {name[5:]: text for name, text in given.items() if name.startswith("HTTP_")}
    found |= {name: given[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if given.get(name)}
    return {name.replace("_", "-").lower(): text for name, text in found.items()}


def client() -> str:
    """The address of the client; with ADAPTER_TRUSTED_PROXIES the one that the outermost of them tells."""
    return request.remote_addr or ""


def body() -> bytes:
    """The raw body; raises `BodyTooLarge`, `UnsupportedBody` when it is compressed, `PayloadError` when it breaks off.

    Werkzeug cuts a chunked body off at MAX_CONTENT_LENGTH without a word: that limit is one byte more than ours.
    """
    most = parts().settings.max_body
    if request.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise UnsupportedBody("the body is compressed, and signatures cover the plain one: send no Content-Encoding")
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge as exc:
        raise BodyTooLarge(f"the body is larger than {most:,} bytes (ADAPTER_MAX_BODY)") from exc
    except (ClientDisconnected, ParseException) as exc:
        raise PayloadError("the body breaks off, or its chunks cannot be read") from exc
    if len(body) > most:
        raise BodyTooLarge(f"the body is larger than {most:,} bytes (ADAPTER_MAX_BODY)")
    if len(body) < (request.content_length or 0):
        raise PayloadError("the body breaks off: it is shorter than its Content-Length")
    return body


def raw_target() -> str:
    """The request's target byte for byte as it was received, which is what senders sign; never the Host header.

    Set by gunicorn (RAW_URI) and werkzeug's server (REQUEST_URI); put together again only without either.
    """
    given = request.environ
    target: str = given.get("RAW_URI") or given.get("REQUEST_URI") or request.full_path.rstrip("?")
    if target.startswith(("http://", "https://")):  # the absolute form that proxies use
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
    return target


def _answer(taken: Taken) -> Response:
    if taken.reply:
        return replied(taken.reply)
    wanted = taken.source.mapping.receive
    status = _status(taken) if wanted.failures else 200
    if wanted.answer_body is not None:
        return Response(wanted.answer_body, status, content_type=wanted.answer_type)
    if wanted.answer in ANSWERS:
        body, content_type = ANSWERS[wanted.answer]
        return Response(body, status, content_type=content_type)
    told = _text({"receipts": [_told(taken, one) for one in taken.came]})
    return Response(told + "\n", status, content_type=JSON)


def _told(taken: Taken, came: Came) -> dict[str, Any]:
    """The receipt of one record for its sender, who is not to cancel what stands for it of another mapping."""
    told = shown(taken, came)
    is_own = came.delivery is None or came.delivery.mapping == taken.source.mapping.name
    return told if is_own else {**told, "status_url": None}


def shown(taken: Taken, came: Came) -> dict[str, Any]:
    """The receipt of one record."""
    if came.delivery is not None:
        return receipt.of_delivery(came.delivery, parts().links.status, duplicate=came.duplicate)
    mapping = taken.source.mapping
    return receipt.of_result(came.result, mapping=mapping.name, version=mapping.version, now=g.now)


def _status(taken: Taken) -> int:
    if len(taken.came) != 1:
        return 200
    came = taken.came[0]
    return FAILED.get(came.delivery.state if came.delivery else came.result.kind, 200)
