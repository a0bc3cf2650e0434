"""`doctor` on where the adapter lives: its store, its secrets and the way that senders take; a line each."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from running import Adapter, until
from sample import CALLBACK, delivery
from sqlalchemy import text
from store.contract import keep

from adapter.cli import premises
from adapter.model import State
from adapter.store import Arrival, Store, health
from adapter.store.engine import Database
from cli.conftest import Run

KEY = "k7Qm2xV9" * 4


@pytest.fixture
def looked(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `doctor` with a store that is there and good secrets."""
    for name, value in {
        "XIMA_HOST": "http://127.0.0.1:1",
        "XIMA_TOKEN": "a-token-of-the-tests",
        "ADAPTER_SECRET_KEY": KEY,
        "ADAPTER_PUBLIC_URL": "https://127.0.0.1:1",
        "ADAPTER_TRUSTED_PROXIES": "1",
    }.items():
        monkeypatch.setenv(name, value)
    run("db", "upgrade")
    (home / "adapter.db").chmod(0o600)
    return run


def lines(run: Run, subject: str) -> list[str]:
    """What is said about something, with its remedy behind it."""
    said = run("doctor").stdout.replace("\n       = ", " = ").splitlines()
    return [line for line in said if line[7:].startswith(f"{subject}: ")]


# the store


def test_a_store_that_everybody_can_read_is_told(looked: Run, home: Path) -> None:
    assert lines(looked, "files") == []
    (home / "adapter.db").chmod(0o644)
    assert lines(looked, "files") == [
        "WRONG  files: everybody on this machine has access to the store (mode 644) = chmod o= adapter.db"
    ]


def test_a_disk_that_is_nearly_full_is_told(looked: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=512 * 1024**2))
    assert lines(looked, "disk") == [
        "WRONG  disk: 0.5 GB are free where the store is = make room: on a full disk senders get 503"
    ]


def test_what_should_be_gone_is_told(looked: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    old = datetime.now(UTC) - timedelta(days=3)
    with closing(Store("sqlite:///adapter.db")) as store:
        at = Arrival(id="r", mapping="m", version="1", received_at=old, method="POST", url="/", headers={}, body=b"")
        store.add(at, [])
    assert lines(looked, "retention")[0].startswith("ok ")
    monkeypatch.setenv("ADAPTER_RETENTION", "1d")
    assert lines(looked, "retention") == [
        "WRONG  retention: there is a request from 3 days ago, and ADAPTER_RETENTION is 1 day"
        " = let the dispatcher run: it removes what is older"
    ]


def test_numbers_that_no_key_recognises_are_told(looked: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked("suppress", "add", "+18015550142", "--reason", "asked")
    assert lines(looked, "do-not-call list") == []
    monkeypatch.setenv("ADAPTER_SECRET_KEY", KEY[::-1])
    assert lines(looked, "do-not-call list") == [
        "WRONG  do-not-call list: 1 entry made with a key that is not in ADAPTER_SECRET_KEY, so that nobody is"
        " recognised by it = put that key back at the end of ADAPTER_SECRET_KEY"
    ]


def test_what_waits_for_a_tenant_that_was_removed_is_told(looked: Run, home: Path) -> None:
    (home / "mappings").mkdir(exist_ok=True)
    (home / "mappings/tenants.yaml").write_text("acme:\n  host: acme.xima.cloud\n  token: ACME_TOKEN\n")
    of: list[tuple[str, State]] = [
        ("gone", "queued"),
        ("gone", "held"),
        ("old", "accepted"),
        ("acme", "queued"),
        ("default", "queued"),
    ]
    with closing(Store("sqlite:///adapter.db")) as store:
        many = [delivery(CALLBACK, id=f"d{place}", key=f"k{place}", tenant=one) for place, (one, _) in enumerate(of)]
        keep(store, *(replace(made, state=state) for made, (_, state) in zip(many, of, strict=True)))
    assert lines(looked, "waiting") == [
        "WRONG  waiting: 2 deliveries of gone wait, which is no tenant"
        " = put it back into tenants.yaml and restart, or xima-adapter deliveries cancel ID"
    ]


def test_a_file_that_is_not_written_ahead_is_not_safe(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Database("sqlite:///other.db")) as database, database.reading() as connection:
        assert database.own.unsafe(connection) == []
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
        assert database.own.unsafe(connection) == ["journal_mode is wal, synchronous 1"]


def test_a_server_that_forgets_at_a_power_cut_is_told(
    looked: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests' own server does, to be quick."""
    monkeypatch.setenv("ADAPTER_DATABASE_URL", postgres_url)
    looked("db", "upgrade")
    assert [line.partition(" at")[0] for line in lines(looked, "durability")] == [
        "WRONG  durability: fsync is off",
        "WRONG  durability: full_page_writes is off",
    ]
    assert lines(looked, "disk") == []
    with closing(Database(postgres_url)) as database, database.reading() as connection:
        connection.execute(text("SET synchronous_commit = off"))
        assert database.own.unsafe(connection)[-1] == "synchronous_commit is off"
    assert health.look(postgres_url, []).oldest is None


# the secrets


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"HOOK_SECRET": "hush"}, "HOOK_SECRET can be guessed: 4 characters, 3 different ones"),
        ({"ADAPTER_SECRET_KEY": "a" * 40}, "ADAPTER_SECRET_KEY can be guessed: 40 characters, 1 different ones"),
        ({"ADAPTER_SECRET_KEY": f"{'a' * 40},{KEY}"}, "ADAPTER_SECRET_KEY can be guessed: 40 characters"),
        ({"XIMA_TOKEN": KEY}, "ADAPTER_SECRET_KEY and XIMA_TOKEN are the same = give Xima its own"),
        ({"HOOK_SECRET": KEY}, "ADAPTER_SECRET_KEY and HOOK_SECRET are the same = give click its own"),
        ({"ACME_TOKEN": KEY}, "ADAPTER_SECRET_KEY and ACME_TOKEN are the same"),
    ],
)
def test_a_secret_that_is_none_is_told(
    looked: Run, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    assert lines(looked, "secrets")[0].startswith("ok ")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = lines(looked, "secrets")
    assert any(line.startswith(f"WRONG  secrets: {said}") for line in found), found
    assert not any(line.startswith("ok") for line in found)
    assert KEY not in str(found)


def test_a_secret_that_can_be_guessed_stops_no_trial_on_one_machine(
    looked: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HOOK_SECRET", "hush")
    (said,) = lines(looked, "secrets")
    assert said.startswith("ok     secrets: HOOK_SECRET can be guessed")
    assert "does no harm while only this machine can call = make one" in said


def test_a_secret_that_a_mapping_has_under_two_names_is_none_too_many(
    looked: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET_OLD", "hush-hush-of-the-tests")
    file = home / "mappings/click.yaml"
    file.write_text(file.read_text().replace("[HOOK_SECRET]", "[HOOK_SECRET, HOOK_SECRET_OLD]"))
    (home / "mappings/form.yaml").unlink()
    assert lines(looked, "secrets")[0].startswith("ok ")


def test_a_secret_in_a_file_for_everybody_is_told(looked: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "token"
    file.write_text("another-token-of-the-tests")
    file.chmod(0o644)
    monkeypatch.delenv("XIMA_TOKEN")
    monkeypatch.setenv("XIMA_TOKEN_FILE", str(file))
    assert lines(looked, "files") == [
        f"WRONG  files: everybody on this machine has access to XIMA_TOKEN (mode 644) = chmod o= {file}"
    ]
    file.chmod(0o640)
    assert lines(looked, "files") == []
    monkeypatch.setenv("ACME_TOKEN", "")
    monkeypatch.setenv("ACME_TOKEN_FILE", str(home / "no-such-file"))
    assert lines(looked, "secrets")[0].startswith("ok ")  # that it cannot be read is said where it is needed


# the way in


@contextmanager
def another(status: int, **headers: str) -> Iterator[str]:
    """A server that is not ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_request(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_adapter_is_known_by_its_answer(looked: Run, adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", adapter.url)
    assert until(lambda: [f"ok     way in: {adapter.url} leads to an adapter"] == lines(looked, "way in"))


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (502, {}, "answers 502, and it is not the adapter that does = start the adapter"),
        (301, {"Location": "https://elsewhere.example.com/"}, "redirects, and senders do not follow = have the proxy"),
    ],
)
def test_what_else_answers_is_told(
    looked: Run, monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], said: str
) -> None:
    with another(status, **headers) as url:
        monkeypatch.setenv("ADAPTER_PUBLIC_URL", url)
        (line,) = lines(looked, "way in")
    assert line.startswith(f"WRONG  way in: {url} {said}")


def test_a_certificate_that_is_not_good_is_told(looked: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> requests.Response:
        raise requests.exceptions.SSLError("certificate verify failed")

    monkeypatch.setattr(premises, "_asked", refuse)
    (line,) = lines(looked, "way in")
    assert line.startswith("WRONG  way in: the certificate of https://127.0.0.1:1 is not good = renew it")


def test_https_without_a_proxy_cannot_be(looked: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(looked, "proxies") == []
    monkeypatch.setenv("ADAPTER_TRUSTED_PROXIES", "0")
    assert lines(looked, "proxies") == [
        "WRONG  proxies: ADAPTER_TRUSTED_PROXIES is 0, but https ends at a proxy: all senders seem to have its address"
        " = set it to the number of proxies in front"
    ]
