"""An address that is over its limit is answered before Flask hears of it: a flood must not cost what requests cost."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from flask import Flask, Response

from adapter import metrics
from adapter.errors import TooMany
from adapter.limits import Limit, neighbourhood
from adapter.web.answers import fault, is_soap
from adapter.web.errors import shaped
from adapter.web.metered import listed
from adapter.web.parts import Parts
from adapter.web.problems import is_of_api, problem

REFUSED = "too many requests from this address were refused (ADAPTER_ADDRESS_LIMIT)"
UNGUARDED = ("health", "metrics")
"""What watchdogs ask, by the names of the blueprints."""
HOOKS = "/hooks/"


class ShutOut:
    """The application behind a door that an address over its limit does not pass; who does pays for a look.

    The body of who does not is never read: what little has come is thrown away by the server, for more it hangs up.
    """

    def __init__(self, app: Flask, limit: Limit, headers: Mapping[str, str]) -> None:
        self._app = app.wsgi_app
        self._limit = limit
        self._parts: Parts = app.extensions["adapter"]
        self._is_known = self._parts.settings.trusted_proxies > 0
        rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in UNGUARDED]
        self._free = {(rule.rule, method) for rule in rules for method in rule.methods or ()}
        with app.app_context():
            answers = {"hook": _for_hooks(), "api": _for_api(), "soap": _for_soap()}
        self._answers = {shape: _frozen(answer, headers) for shape, answer in answers.items()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Called by the server."""
        wait = self._limit.wait(blamed(environ.get("REMOTE_ADDR", ""), self._is_known))
        if not wait:
            return self._app(environ, start_response)
        path, method = "/" + environ["PATH_INFO"].strip("/"), environ["REQUEST_METHOD"]
        if (path, method) in self._free:
            return self._app(environ, start_response)
        self._parts.intake.refusals.count(mapping="", code=TooMany.code, reason=REFUSED, now=self._parts.clock())
        body, headers = self._answers[self._shape(path)]
        more = [("Retry-After", str(math.ceil(wait))), ("X-Request-Id", secrets.token_hex(8))]
        start_response(STATUS, headers + more)
        return [] if method == "HEAD" else [body]

    def _shape(self, path: str) -> str:
        """What the address reads there; webhooks and calls of the API are counted as everywhere."""
        if is_of_api(path):
            metrics.REQUESTS.labels("api", str(TooMany.status)).inc()
            return "api"
        if not path.startswith(HOOKS):
            return "hook"
        name, sources = path.removeprefix(HOOKS), self._parts.sources()
        metrics.REQUESTS.labels(listed(name, sources), str(TooMany.status)).inc()
        return "soap" if is_soap(name, sources) else "hook"


SAID = REFUSED[:1].upper() + REFUSED[1:]
STATUS = f"{TooMany.status} TOO MANY REQUESTS"


def _for_hooks() -> Response:
    return shaped(TooMany.status, TooMany.code, SAID)


def _for_api() -> Response:
    return problem(TooMany.status, TooMany.code, SAID)


def _for_soap() -> Response:
    return fault(TooMany.status, SAID)


def _frozen(answer: Response, headers: Mapping[str, str]) -> tuple[bytes, list[tuple[str, str]]]:
    """The body, and all headers that are the same each time."""
    return answer.get_data(), [*answer.headers.items(), *headers.items()]


@lru_cache(maxsize=4096)
def blamed(address: str, is_known: bool) -> str:
    """Whom to blame; nobody when it may well be a proxy that ADAPTER_TRUSTED_PROXIES does not count."""
    try:
        own = ip_address(address).is_private and not is_known
    except ValueError:
        return ""
    return "" if own else neighbourhood(address)
