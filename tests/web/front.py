"""The web application in this process: real mappings, a real store, and a Xima that says what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient
from running import SECRET
from sqlalchemy import text
from werkzeug.test import TestResponse

from adapter import settings, signature, sources
from adapter.dispatcher import Dispatcher
from adapter.model import Action, Evidence, Outcome, Received
from adapter.settings import Settings
from adapter.store import Store
from adapter.web import create_app
from adapter.wsgi import clock, known

KEY = "a key for the status links of the tests"
ORIGIN = "https://hooks.example.com"
JSON = {"Content-Type": "application/json"}
WORK = """
format: 1
name: work
receive:
  from: github
  secrets: [HOOK_SECRET]
  body: json
phones:
  region: US
once:
  key: ${id}
quiet:
  same_number: no
rules:
  - name: click
    when:
      - field: agent
        present: yes
    click_to_dial:
      agent: ${agent}
      number_to_dial: ${phone}
  - name: lead <script>alert(1)</script>
    when:
      - field: skill
        present: yes
    callback:
      skill: ${skill}
      callback_number: ${phone}
"""
CLICK = {"id": "1", "agent": "0101", "phone": "8015550142"}
LEAD = {"id": "2", "skill": "Sales", "phone": "8015550143"}
ACCEPTED = Outcome(evidence=Evidence.ACCEPTED, phase="answered", status=204)


def outcome(evidence: Evidence, **said: Any) -> Outcome:
    """What an exchange with Xima proved."""
    return Outcome(evidence=evidence, phase="answered", **said)


@dataclass
class Xima:
    """Gives the outcomes it was told, then accepts; waits while it is told to."""

    outcomes: list[Outcome] = field(default_factory=list)
    asked: list[Action] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.free.set()

    def carry_out(self, action: Action) -> Outcome:
        """Ask once."""
        assert self.free.wait(60)
        self.asked.append(action)
        return self.outcomes.pop(0) if self.outcomes else ACCEPTED


@dataclass
class Front:
    """The application and everything behind it."""

    given: Settings
    client: FlaskClient
    store: Store
    xima: Xima
    sources: sources.Sources

    def post(
        self, name: str, body: Any, *, headers: Mapping[str, str] = JSON, target: str | None = None
    ) -> TestResponse:
        """A request signed as the mapping's sender would sign it; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else self.client.application.json.dumps(body).encode()
        target = target or f"/hooks/{name}"
        sent = {key.lower(): value for key, value in headers.items()}
        request = Received(method="POST", url=ORIGIN + target, headers=sent, body=raw)
        for proof in self.sources.usable[name].proofs:
            request = signature.sign(proof.scheme, "".join(proof.secrets[:1]), request, now=datetime.now(UTC))
        return self.client.post(request.url.removeprefix(ORIGIN), data=raw, headers=dict(request.headers))

    def receipt(self, name: str, body: Any) -> dict[str, Any]:
        """The only receipt of a signed request."""
        answer = self.post(name, body)
        assert answer.status_code == 200, answer.text
        (receipt,) = answer.get_json()["receipts"]
        assert isinstance(receipt, dict)
        return receipt

    def stop_clocks(self) -> None:
        """Let no time go by for what is limited to so many a second, however slow the machine is."""
        extensions = self.client.application.extensions
        for limit in (extensions["addresses"], extensions["adapter"].intake._limit, extensions["api"].limit):
            limit._clock = lambda: 1000.0

    def refusals(self) -> list[Mapping[str, Any]]:
        """Counted refusals, those included that were only counted yet."""
        self.client.application.extensions["adapter"].intake.refusals.write()
        return self.store.refusals()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What is in a table, and what was only counted yet."""
        self.client.application.extensions["adapter"].intake.refusals.write()
        with self.store._database.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(text(f"select * from {table}"))]

    def run(self, statement: str) -> None:
        """Do something to the store behind its back."""
        with self.store._database.writing() as connection:
            connection.execute(text(statement))


@cache
def migrated() -> bytes:
    """A store with today's tables, as the bytes of its file: migrating takes longer than most of these tests."""
    with TemporaryDirectory() as home:
        store = Store(f"sqlite:///{home}/adapter.db")
        store.upgrade()
        store.close()
        return Path(home, "adapter.db").read_bytes()


@contextmanager
def front(home: Path, files: Mapping[str, str], **environ: str) -> Iterator[Front]:
    """The application over these files (mappings, where they name no kind), in a folder of its own."""
    folder = home / "mappings"
    folder.mkdir()
    for name, content in files.items():
        (folder / (name if "." in name else f"{name}.yaml")).write_text(content, encoding="utf-8")
    given = settings.load(
        {
            "XIMA_HOST": "xima.invalid",
            "XIMA_TOKEN": "a-token-of-the-tests",
            "ADAPTER_MAPPINGS": str(folder),
            "ADAPTER_DATABASE_URL": f"sqlite:///{home / 'adapter.db'}",
            "ADAPTER_SECRET_KEY": KEY,
            "ADAPTER_PUBLIC_URL": ORIGIN,
            "ADAPTER_THREADS": "2",
            **environ,
        }
    )
    found = sources.load(
        folder, public_url=given.public_url, trusted_proxies=given.trusted_proxies, environ={"HOOK_SECRET": SECRET}
    )
    (home / "adapter.db").write_bytes(migrated())
    store = Store(given.database_url)
    xima = Xima()
    dispatcher = Dispatcher(store, {"default": xima}, clock, owner="tests")
    app = create_app(given, lambda: found, store, dispatcher, clock, known(given))
    try:
        yield Front(given, app.test_client(), store, xima, found)
    finally:
        xima.free.set()
        app.extensions["adapter"].intake._pool.shutdown()
        app.extensions["adapter"].intake.refusals.write()  # so that no timer does in the midst of another test
        dispatcher.close()
        store.close()
