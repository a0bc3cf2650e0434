"""The web application: webhooks in, receipts out."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g
from flask.json.provider import DefaultJSONProvider

from adapter.dispatcher import Clock, Dispatcher
from adapter.intake import Intake
from adapter.limits import Limit
from adapter.logs import event
from adapter.policy import Numbers
from adapter.settings import Settings
from adapter.shadow import Shadow
from adapter.sources import Sources
from adapter.store import Store
from adapter.tenants import Tenants
from adapter.web import api, deliveries, errors, handshakes, health, hooks, metered, protection
from adapter.web.hints import Hints
from adapter.web.links import Links
from adapter.web.parts import Parts, parts


class Json(DefaultJSONProvider):
    """Keys in the order they were written."""

    sort_keys = False


class Web(Flask):
    """Flask; a bug is logged as an event like any other, with its traceback and nothing of the request but its id."""

    json_provider_class = Json

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Called by Flask for each function of ours at each request: none is a coroutine, so it need not look."""
        return func

    def log_exception(self, exc_info: Any) -> None:
        """Called by Flask for every exception that no handler knows."""
        event("request.crashed", level=logging.ERROR, failure=True, request=g.get("request_id"))


def create_app(
    settings: Settings,
    sources: Callable[[], Sources],
    store: Store,
    dispatcher: Dispatcher,
    clock: Clock,
    served: Tenants | None = None,
) -> Flask:
    """The application made of its parts; `sources` gives the mappings in force at each request, `served` dial rules."""
    app = Web("adapter.web")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body + 1  # see hooks
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a sender that is redirected counts it as a failure
    pool = metered.Pool(dispatcher.timing.lines, thread_name_prefix="click")
    shadow = Shadow(sources, store)
    intake = Intake(
        sources,
        store,
        dispatcher,
        pool=pool,
        wait=settings.wait,
        explain=Hints(),
        shadow=shadow,
        numbers=Numbers(settings.secret_keys),
        limit=Limit(settings.mapping_limit),
    )
    links = Links(settings.secret_keys, settings.origin)
    app.extensions["shadow"], app.extensions["dispatcher"] = shadow, dispatcher
    app.extensions["adapter"] = Parts(
        settings=settings, sources=sources, store=store, intake=intake, links=links, clock=clock
    )
    app.before_request(_begin)
    app.after_request(_finish)
    for part in (hooks, handshakes, deliveries, health):
        app.register_blueprint(part.blueprint)
    api.init_app(app, served)
    for guard in (errors, metered, protection):
        guard.init_app(app)
    return app


def _begin() -> None:
    g.now = parts().clock()
    g.request_id = secrets.token_hex(8)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "-")
    return response
