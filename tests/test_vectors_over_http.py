"""Every recorded vector through a running server: over a socket, at its own time, at its own public URL."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import make_server

from adapter import payload, settings, sources
from adapter.dispatcher import Dispatcher
from adapter.errors import PayloadError
from adapter.store import Store
from adapter.web import create_app

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data/vectors.json").read_text())
PARAMETERS = {"salesforce-outbound": "organization"}
"""Presets whose identifier, which the vector calls its secret, stands in the mapping."""
MAPPING = """
format: 1
name: vector
receive:
  from: {preset}
{proof}
rules:
  - callback: {{skill: Sales, callback_number: 2025550143}}
"""
OWN = "  secrets: [HOOK_SECRET]"
ALSO = "  {key}: {secret}\n  also: {{header_token: X-Also, secrets: [ALSO_SECRET]}}"


def mapping(vector: dict[str, Any]) -> str:
    """A mapping of the vector's sender."""
    key = PARAMETERS.get(vector["preset"])
    proof = ALSO.format(key=key, secret=vector["secret"]) if key else OWN
    return MAPPING.format(preset=vector["preset"], proof=proof)


@contextmanager
def serving(home: Path, vector: dict[str, Any]) -> Iterator[int]:
    """A server whose clock stands at the vector's time; every path leads to its mapping, the raw target stays."""
    (home / "mappings").mkdir()
    (home / "mappings/vector.yaml").write_text(mapping(vector), encoding="utf-8")
    address = urlsplit(vector["url"])
    given = settings.load(
        {
            "XIMA_HOST": "xima.invalid",
            "XIMA_TOKEN": "a-token-of-the-tests",
            "ADAPTER_SECRET_KEY": "a key for the status links of the tests",
            "ADAPTER_PUBLIC_URL": f"{address.scheme}://{address.netloc}",
        }
    )
    environ = {"HOOK_SECRET": vector["secret"] or "not yet known", "ALSO_SECRET": "also"}
    found = sources.load(home / "mappings", public_url=given.public_url, environ=environ)
    assert not found.broken, found.broken
    store = Store(f"sqlite:///{home / 'adapter.db'}")
    store.upgrade()
    now = datetime.fromtimestamp(vector["now"], UTC)
    dispatcher = Dispatcher(store, {}, lambda: now, owner="tests")
    app = create_app(given, lambda: found, store, dispatcher, lambda: now)

    def led(environ: dict[str, Any], start: Any) -> Any:
        return app({**environ, "PATH_INFO": "/hooks/vector"}, start)

    server = make_server("127.0.0.1", 0, led)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["adapter"].intake._pool.shutdown()
        dispatcher.close()
        store.close()


def ask(port: int, vector: dict[str, Any]) -> tuple[HTTPResponse, str]:
    """Send the vector byte for byte."""
    address = urlsplit(vector["url"])
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    target = address.path + (f"?{address.query}" if address.query else "")
    connection.request(vector["method"], target, vector["body"].encode(), {**vector["headers"], "X-Also": "also"})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response, text


def wanted(vector: dict[str, Any]) -> int:
    """The status the vector has to get."""
    if vector["method"] == "GET" and vector["scheme"] != "handshake":
        return 405  # HubSpot signs cards that it fetches; a webhook is a POST
    if vector["expected"] == "invalid":
        return 401
    kind = sources.presets()[vector["preset"]].body or payload.kind_of(vector["headers"].get("Content-Type", ""))
    if kind is None:
        return 415
    try:
        payload.parse(kind, vector["body"].encode())
    except PayloadError:
        return 200 if vector["scheme"] == "handshake" else 400
    return 200


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_vector_is_answered_as_its_vendor_would_want(tmp_path: Path, vector: dict[str, Any]) -> None:
    with serving(tmp_path, vector) as port:
        response, text = ask(port, vector)
        assert response.status == wanted(vector), text
        if answer := vector.get("response"):
            assert {"status": response.status, "content_type": response.headers["Content-Type"], "body": text} == answer


def test_most_of_them_are_answered_with_200() -> None:
    statuses = [wanted(vector) for vector in VECTORS]
    assert {status: statuses.count(status) for status in set(statuses)} == {200: 35, 401: 24, 400: 3, 405: 2, 415: 1}
