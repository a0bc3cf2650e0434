"""The WSGI door: `gunicorn 'adapter.wsgi:create()'` or `xima-adapter web`; everything is made from the environment."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from adapter import logs, settings, sources, tenants, xima
from adapter.dispatcher import Dispatcher, Presence, Timing
from adapter.settings import Settings
from adapter.sources import Sources
from adapter.store import Store
from adapter.tenants import Tenants
from adapter.web import create_app


def clock() -> datetime:
    """The time, aware, in UTC: read by the doors only."""
    return datetime.now(UTC)


def owner(role: str) -> str:
    """A name for this process in the leases it holds."""
    return f"{role}-{os.getpid()}-{secrets.token_hex(4)}"


def known(given: Settings) -> Tenants:
    """The Xima tenants; raises `SettingsError` when their file cannot be used."""
    default = xima.Tenant(name=tenants.DEFAULT, base_url=given.xima_host, token=given.xima_token)
    return tenants.load(given.mappings, default)


def dispatcher(found: Tenants, store: Store, role: str, *, ask: int = 0) -> Dispatcher:
    """What carries deliveries out in this process, with a client for every tenant; `ask` as in `Timing`."""
    clients = {name: xima.Client(tenant) for name, tenant in found.known.items()}
    return Dispatcher(
        store,
        clients,
        clock,
        owner=owner(role),
        timing=Timing(ask=ask),
        rates=found.rates,
        presence=Presence({name: client.caller_ids for name, client in clients.items()}, clock),
    )


def loaded(given: Settings) -> Sources:
    """The mappings in force; those that cannot be used are logged with everything that is wrong."""
    found = sources.load(given.mappings, public_url=given.public_url)
    for broken in found.broken.values():
        for problem in broken.problems:
            logs.event("mapping.broken", level=logging.ERROR, problem=problem.splitlines()[0])
    return found


def create(given: Settings | None = None, found: Sources | None = None) -> Flask:
    """The application with all its parts."""
    given = given or settings.load()
    served = known(given)
    secret = (*served.tokens, *given.secret_keys)
    logs.set_up(secret)
    found = found or loaded(given)
    logs.set_up((*secret, *_secrets(found)))
    store = Store(given.database_url)
    app = create_app(given, lambda: found, store, dispatcher(served, store, "web"), clock)
    if given.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=given.trusted_proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    return app


def _secrets(found: Sources) -> Iterator[str]:
    """What senders prove themselves with, so that no log line can show it."""
    for source in found.usable.values():
        for proof in source.proofs:
            yield from proof.secrets
