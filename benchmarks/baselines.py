"""The bare services: what a careful engineer writes in an hour, with nothing of the product.

Served as `gunicorn 'benchmarks.baselines:click()'` with the product's worker class, workers, threads and keep-alive.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import psycopg
import requests
from flask import Flask, Response, abort, jsonify, request

SECRET = os.environ["BENCH_SECRET"].encode()
URL = os.environ["BENCH_DATABASE"]


class PerThread(threading.local):
    """Whatever each thread needs one of: a kept-alive session for Xima, a connection to the store."""

    session: requests.Session | None = None
    database: sqlite3.Connection | psycopg.Connection[Any] | None = None


mine = PerThread()


def verified() -> dict[str, Any]:
    """The signed body as JSON; 401 unless its sender holds the secret."""
    expected = "sha256=" + hmac.digest(SECRET, request.get_data(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), request.headers.get("X-Hub-Signature-256", "").encode()):
        abort(401)
    found: dict[str, Any] = request.get_json()
    return found


def session() -> requests.Session:
    """This thread's session; it keeps its connection and does not look for proxies."""
    if mine.session is None:
        mine.session = requests.Session()
        mine.session.trust_env = False
        mine.session.headers["Authorization"] = f"Bearer {os.environ['XIMA_TOKEN']}"
    return mine.session


def post(path: str, body: dict[str, str]) -> bool:
    """Ask Xima; whether it accepted."""
    url = os.environ["XIMA_HOST"] + path
    return session().post(url, json=body, timeout=(3.05, 45), allow_redirects=False).status_code == 204


def click() -> Flask:
    """Verify, post, answer; nothing is kept."""
    app = Flask("bare")

    @app.post("/hooks/bench")
    def hook() -> Response:
        number = verified()["properties"]["phone"]["value"]
        accepted = post("/rest/api/v1/agents/0101/click-to-dial", {"numberToDial": number})
        return jsonify(state="accepted" if accepted else "refused")

    return app


def lead(*, sent: bool = False) -> Flask:
    """Verify, commit one row, answer; if `sent`, threads in the background post it."""
    app = Flask("bare")
    server = URL.startswith("postgresql:")
    insert = f"INSERT INTO leads (id, received_at, body) VALUES ({'%s, %s, %s' if server else '?, ?, ?'})"
    blob = "BYTEA" if server else "BLOB"
    database().execute(f"CREATE TABLE IF NOT EXISTS leads (id TEXT PRIMARY KEY, received_at REAL, body {blob})")
    turn = nullcontext() if server else threading.Lock()
    background = ThreadPoolExecutor(16)

    @app.post("/hooks/bench")
    def hook() -> Response:
        found = verified()
        with turn:
            database().execute(insert, (str(found["vid"]), time.time(), request.get_data()))
        if sent:
            number = found["properties"]["phone"]["value"]
            background.submit(post, "/rest/api/v1/callback", {"skill": "Sales", "callbackNumber": number})
        return jsonify(state="queued")

    return app


def database() -> Any:
    """This thread's connection to a store whose commits have reached the disk."""
    if mine.database is None and URL.startswith("postgresql:"):
        mine.database = psycopg.connect(URL, autocommit=True)
    elif mine.database is None:
        mine.database = sqlite3.connect(URL.removeprefix("sqlite:///"), timeout=5, isolation_level=None)
        mine.database.execute("PRAGMA journal_mode=WAL")
        mine.database.execute("PRAGMA synchronous=FULL")
    return mine.database
