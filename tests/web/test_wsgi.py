"""`gunicorn 'adapter.wsgi:create()'`: everything from the environment, for those who bring their own server."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from running import CLICK, SECRET, until
from werkzeug.middleware.proxy_fix import ProxyFix

from adapter import logs, wsgi
from adapter.errors import SettingsError
from web.front import KEY, migrated


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings of a process, with one mapping that can be used and one that cannot."""
    (tmp_path / "click.yaml").write_text(CLICK, encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("format: 1\n", encoding="utf-8")
    (tmp_path / "adapter.db").write_bytes(migrated())
    given = {
        "XIMA_HOST": "xima.invalid",
        "XIMA_TOKEN": "a-token-of-the-tests",
        "ADAPTER_MAPPINGS": str(tmp_path),
        "ADAPTER_DATABASE_URL": f"sqlite:///{tmp_path / 'adapter.db'}",
        "ADAPTER_SECRET_KEY": KEY,
        "ADAPTER_LOG": "text",
        "HOOK_SECRET": SECRET,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    loggers = [logs.log, *map(logging.getLogger, logs.OTHERS)]
    before = [(one, list(one.handlers), one.propagate, one.level) for one in loggers]
    applications: list[Flask] = []
    made = wsgi.create

    def create() -> Flask:
        applications.append(made())
        return applications[-1]

    monkeypatch.setattr(wsgi, "create", create)
    yield tmp_path
    for application in applications:
        application.extensions["mappings"].close()
        application.extensions["adapter"].intake.refusals.write()  # else its timer would, during another test
    for one, handlers, propagate, level in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def test_an_application_is_made_from_the_environment(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = wsgi.create()
    written = capsys.readouterr().err
    assert ' error mapping.broken problem="broken.yaml:1:1: ' in written
    assert app.test_client().get("/healthz").status_code == 200
    assert app.test_client().post("/hooks/click").status_code == 401
    assert app.test_client().post("/hooks/broken").status_code == 503


def test_no_secret_it_knows_can_reach_the_log(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wsgi.create()
    logs.event("x", reason=f"{KEY}, a-token-of-the-tests, {SECRET}")
    assert capsys.readouterr().err.splitlines()[-1].endswith('reason="***, ***, ***"')


def test_proxies_are_trusted_for_the_address_of_the_client_only(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not isinstance(wsgi.create().wsgi_app, ProxyFix)
    monkeypatch.setenv("ADAPTER_TRUSTED_PROXIES", "2")
    proxied = wsgi.create().wsgi_app
    assert isinstance(proxied, ProxyFix)
    assert (proxied.x_for, proxied.x_proto, proxied.x_host, proxied.x_port, proxied.x_prefix) == (2, 0, 0, 0, 0)


def test_wrong_settings_are_refused(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XIMA_TOKEN")
    with pytest.raises(SettingsError, match="XIMA_TOKEN is not set"):
        wsgi.create()


def test_new_mappings_count_without_a_restart_and_their_secrets_never_reach_the_log(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = wsgi.create()
    monkeypatch.setenv("OTHER_SECRET", "another secret of the tests")
    other = CLICK.replace("name: click", "name: other", 1).replace("HOOK_SECRET", "OTHER_SECRET")
    (environment / "other.yaml").write_text(other, encoding="utf-8")
    until(lambda: app.test_client().post("/hooks/other").status_code == 401)
    app.extensions["mappings"].close()  # what it found is told by now
    logs.event("x", reason="another secret of the tests")
    written = capsys.readouterr().err
    assert " info mapping.in_force mapping=other version=" in written
    assert written.splitlines()[-1].endswith(" x reason=***")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork there is nothing to survive")
def test_mappings_are_still_looked_after_in_a_process_that_was_forked(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapter.watching.LOOK_SECONDS", 3600)  # nobody is at work with the store at the fork
    app = wsgi.create()
    watching = app.extensions["mappings"]
    seen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            monkeypatch.setattr("adapter.watching.LOOK_SECONDS", 0.1)
            watching()
            until(lambda: "other" in watching().usable)
            os.write(tell, b"yes")
        finally:
            os._exit(0)
    (environment / "other.yaml").write_text(CLICK.replace("name: click", "name: other", 1), encoding="utf-8")
    os.close(tell)
    assert os.read(seen, 3) == b"yes"
    os.close(seen)
    os.waitpid(child, 0)


def test_a_bad_file_is_told_once_and_what_stays_in_force(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = wsgi.create()
    (environment / "click.yaml").write_text("format: 1\n", encoding="utf-8")
    warning = until(lambda: app.test_client().get("/readyz").get_json()["warnings"])
    app.extensions["mappings"].close()  # what it found is told by now
    app.extensions["mappings"].look()
    assert "click.yaml:1:1: " in warning[0]["message"]
    assert capsys.readouterr().err.count(" stays_in_force=") == len(
        app.extensions["mappings"]().waiting["click"].problems
    )


def test_after_it_was_closed_nothing_is_looked_at_any_more(environment: Path) -> None:
    watching = wsgi.create().extensions["mappings"]
    watching.close()
    watching.close()
    assert list(watching().usable) == ["click"]
    assert "mappings" not in {thread.name for thread in threading.enumerate()}


def test_it_is_looked_at_again_when_the_looking_died(environment: Path) -> None:
    watching = wsgi.create().extensions["mappings"]
    watching.close()
    watching._stop.clear()
    (environment / "other.yaml").write_text(CLICK.replace("name: click", "name: other", 1), encoding="utf-8")
    until(lambda: "other" in watching().usable)
    watching.start()
    assert [thread.name for thread in threading.enumerate()].count("mappings") == 1
