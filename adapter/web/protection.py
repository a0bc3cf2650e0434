"""What protects the front: headers of every answer, and an end to addresses that are refused again and again."""

from __future__ import annotations

import logging
from functools import lru_cache
from ipaddress import ip_address

from flask import Flask, Response, current_app, g, request

from adapter.errors import TooMany
from adapter.limits import Limit, neighbourhood
from adapter.logs import event
from adapter.web.hooks import client
from adapter.web.parts import parts

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
REFUSED = "too many requests from this address were refused (ADAPTER_ADDRESS_LIMIT)"
BLAMED = frozenset(range(400, 500)) - {409, 422, 429}
UNGUARDED = ("health", "metrics")


def init_app(app: Flask) -> None:
    """Guard every route but those that watchdogs ask."""
    app.extensions["addresses"] = Limit(app.extensions["adapter"].settings.address_limit)
    app.before_request(_admit)
    app.after_request(_count)
    app.after_request(_protected)


def _admit() -> None:
    wait = _addresses().wait(_address())
    if wait and request.blueprint not in UNGUARDED:
        exc = TooMany(REFUSED, retry_after=wait)
        parts().intake.refusals.count(mapping="", code=exc.code, reason=exc.reason, now=g.now)
        raise exc


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


@lru_cache(maxsize=4096)
def blamed(address: str, is_known: bool) -> str:
    """Whom to blame; nobody when it may well be a proxy that ADAPTER_TRUSTED_PROXIES does not count."""
    try:
        own = ip_address(address).is_private and not is_known
    except ValueError:
        return ""
    return "" if own else neighbourhood(address)


def _protected(response: Response) -> Response:
    there = {name.lower() for name, _ in response.headers}  # asked one by one, it reads them all each time
    wanted = HEADERS | TLS if parts().settings.public_url.startswith("https:") else HEADERS
    for name, text in wanted.items():
        if name.lower() not in there:
            response.headers.add(name, text)
    return response
