"""The routes of the JSON API, for programs that can call an API and cannot sign."""

from __future__ import annotations

from flask import Flask

from adapter.tenants import Tenants
from adapter.web.api import calling, described, desk, reach


def init_app(app: Flask, served: Tenants | None) -> None:
    """Serve the API; `served` are the tenants with their dial rules."""
    app.extensions["api"] = reach.of(app, served)
    for part in (desk, calling, described):
        app.register_blueprint(part.blueprint)
