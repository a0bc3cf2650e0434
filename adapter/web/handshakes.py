"""`GET` and `HEAD /hooks/<mapping>`: what some senders ask before they send; nothing is kept of that."""

from __future__ import annotations

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from adapter.errors import AdapterError, PayloadError
from adapter.greeting import told
from adapter.handshake import PRESENT, Reply
from adapter.mapping.compiled import PARAMETERS
from adapter.model import Received
from adapter.sources import Source
from adapter.web.answers import replied
from adapter.web.hooks import client, headers, raw_target, receive
from adapter.web.parts import parts

blueprint = Blueprint("handshakes", __name__)


@blueprint.get("/hooks/<name>")
def greet(name: str) -> Response:
    """Answer a handshake; `HEAD` says that the mapping is here, `GET` is for those senders alone that ask this way."""
    source = parts().intake.source(name)
    if request.method == "HEAD":
        return replied(PRESENT)
    if source.mapping.receive.body == PARAMETERS:  # a GET is as good as a POST for what rings no phone
        return receive(name)
    handshake = source.mapping.receive.handshake
    if handshake is None or handshake.method != "GET":
        raise MethodNotAllowed(["HEAD", "OPTIONS", "POST"], "A webhook is sent with POST.")
    url = parts().settings.public_url + raw_target()
    received = Received(method="GET", url=url, headers=headers(), body=b"", address=client())
    return replied(told(source, _answer(source, received), g.request_id))


def _answer(source: Source, received: Received) -> Reply:
    try:
        if reply := source.greeting(received, now=g.now):
            return reply
        raise PayloadError("this is not what the sender asks before it sends")
    except AdapterError as exc:
        parts().intake.refuse(source.mapping.name, exc, request_id=g.request_id, now=g.now)
        raise
