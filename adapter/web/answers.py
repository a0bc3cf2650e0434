"""Answers that are no receipts: what a handshake wants to hear, and how a SOAP sender is told of a failure."""

from __future__ import annotations

from xml.sax.saxutils import escape

from flask import Response, request

from adapter.handshake import Reply
from adapter.sources import Sources
from adapter.web.parts import parts

SOAP = "text/xml; charset=utf-8"
SOAP_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    "<soapenv:Fault><faultcode>soapenv:{code}</faultcode><faultstring>{message}</faultstring></soapenv:Fault>"
    "</soapenv:Body></soapenv:Envelope>"
)


def replied(reply: Reply) -> Response:
    """The answer to a handshake."""
    return Response(reply.body, reply.status, headers=dict(reply.headers), content_type=reply.content_type)


def for_soap() -> bool:
    """Whether this request is for a mapping whose sender reads SOAP."""
    return is_soap((request.view_args or {}).get("name", ""), parts().sources())


def is_soap(name: str, sources: Sources) -> bool:
    """Whether the sender of the mapping with this name reads SOAP."""
    source = sources.usable.get(name)
    return source is not None and source.mapping.receive.answer == "soap_ack"


def fault(status: int, message: str) -> Response:
    """A SOAP 1.1 fault; the sender keeps its message and tries again later, whatever the status."""
    code = "Server" if status >= 500 else "Client"
    return Response(SOAP_FAULT.format(code=code, message=escape(message)), status, content_type=SOAP)
