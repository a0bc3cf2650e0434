"""The WSGI door: `gunicorn 'adapter.wsgi:create()'` or `xima-adapter web`; everything is made from the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from adapter import logs, metrics, settings, tenants, tracing, xima
from adapter.dispatcher import Clock, Dispatcher, Presence, Timing
from adapter.inforce import InForce
from adapter.reporting import Poster, Reporter
from adapter.settings import Settings
from adapter.sources import Sources
from adapter.store import Store
from adapter.tenants import Tenants
from adapter.watching import Watching, tell
from adapter.web import create_app
from adapter.web.links import Links


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


def dispatcher(found: Tenants, store: Store, clock: Clock, role: str, *, lines: int, ask: int = 0) -> Dispatcher:
    """What carries deliveries out in this process, with a client for every tenant; `lines` and `ask` as in `Timing`."""
    clients = {name: xima.Client(tenant) for name, tenant in found.known.items()}
    made = tracing.kinds()
    return made.dispatcher(
        store,
        made.carriers(metrics.measured(clients)),
        clock,
        owner=owner(role),
        timing=Timing(lines=lines, ask=ask),
        rates=found.rates,
        presence=Presence({name: client.caller_ids for name, client in clients.items()}, clock),
    )


def reporter(given: Settings, store: Store, clock: Clock) -> Reporter:
    """What tells senders what became of their deliveries."""
    links = Links(given.secret_keys, given.origin)
    return Reporter(store.reports, Poster(given.report_hosts, clock), clock, link=links.status)


def in_force(given: Settings, store: Store, expected: Collection[str] | None = None) -> InForce:
    """The mappings in force, from their files and from what the store remembers."""
    found = InForce(
        given.mappings,
        store,
        clock,
        public_url=given.public_url,
        trusted_proxies=given.trusted_proxies,
        expected=expected,
    )
    found.begin()
    return found


def create(given: Settings | None = None, expected: Collection[str] | None = None) -> Flask:
    """The application with all its parts; without `expected`, mappings that cannot be used have not been told yet."""
    given = given or settings.load()
    served = known(given)
    secret = (*served.tokens, *given.secrets)
    logs.set_up(secret, form=given.log)
    store = tracing.kinds().store(given.database_url)
    shared = store.clock(clock)
    found = in_force(given, store, expected)
    logs.set_up((*secret, *_secrets(found.found)), form=given.log)
    if expected is None:
        tell(Sources(usable={}, broken={}), found.found)
    watching = Watching(found, lambda changed: logs.set_up((*secret, *_secrets(changed)), form=given.log))
    watching.start()
    sending = dispatcher(served, store, shared, "web", lines=given.threads * 2)
    app = create_app(given, watching, store, sending, shared, served)
    app.extensions["mappings"] = watching
    if given.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=given.trusted_proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    app.wsgi_app = tracing.kinds().around(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _secrets(found: Sources) -> Iterator[str]:
    """What senders prove themselves with, so that no log line can show it."""
    for source in found.usable.values():
        for proof in source.proofs:
            yield from proof.secrets
        yield from source.handshake_secrets
