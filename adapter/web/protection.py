"""What protects the front: headers of every answer, and an end to addresses that are refused again and again."""

from __future__ import annotations

import logging

from flask import Flask, Response, current_app, g

from adapter.limits import Limit
from adapter.logs import event
from adapter.settings import Settings
from adapter.web.hooks import client
from adapter.web.parts import parts
from adapter.web.shut import ShutOut, blamed

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # status links carry their token in the URL
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}
"""Of every answer, unless it says otherwise itself."""
TLS = {"Strict-Transport-Security": "max-age=31536000"}
"""When ADAPTER_PUBLIC_URL begins with https."""
BLAMED = frozenset(range(400, 500)) - {409, 422, 429}


def init_app(app: Flask) -> None:
    """Guard every route that is there by now, but for those that watchdogs ask."""
    settings: Settings = app.extensions["adapter"].settings
    limit = app.extensions["addresses"] = Limit(settings.address_limit)
    app.after_request(_count)
    app.after_request(_protected)
    app.wsgi_app = ShutOut(app, limit, _wanted(settings))  # type: ignore[method-assign]


def _wanted(settings: Settings) -> dict[str, str]:
    return HEADERS | TLS if settings.public_url.startswith("https:") else HEADERS


def _count(response: Response) -> Response:
    """Only what is refused counts: a true sender may send as much as it likes, and so may its neighbours."""
    if (address := _address()) and response.status_code in BLAMED:
        before = _addresses().wait(address)
        _addresses().count(address)
        if _addresses().wait(address) and not before:
            event("address.limited", level=logging.WARNING, request=g.request_id, address=address)
    return response


def _addresses() -> Limit:
    limit: Limit = current_app.extensions["addresses"]
    return limit


def _address() -> str:
    return blamed(client(), parts().settings.trusted_proxies > 0)


def _protected(response: Response) -> Response:
    there = {name.lower() for name, _ in response.headers}  # asked one by one, it reads them all each time
    for name, text in _wanted(parts().settings).items():
        if name.lower() not in there:
            response.headers.add(name, text)
    return response
