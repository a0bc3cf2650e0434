"""Commands that run something: the adapter, its halves, the sandbox; and what they need: settings, the store."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from adapter import sandbox as pretend
from adapter import server, wsgi
from adapter import settings as environment
from adapter.cli.shown import as_json, columns, plainly, print_json, setting
from adapter.errors import SettingsError
from adapter.settings import SETTINGS, Settings
from adapter.store import Store

bind_option = click.option("--bind", metavar="HOST:PORT", help="Where to listen (ADAPTER_BIND).")


def address(bind: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; raises `click.UsageError`."""
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"write HOST:PORT, like 127.0.0.1:8000, not {bind}")
    return host or "127.0.0.1", int(port)


def check_free(bind: str) -> None:
    """Raise `SettingsError` when nobody can listen there."""
    host, port = address(bind)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as exc:
            remedy = "stop what listens there, or choose another with --bind"
            raise SettingsError([f"cannot listen on {bind}: {exc.strerror}; {remedy}"]) from exc


def _prepared(bind: str | None) -> Settings:
    given = environment.load()
    return replace(given, bind=bind) if bind else given


def announce(given: Settings) -> None:
    """Say what is served and what is not; raises `SettingsError` when no mapping can be used at all."""
    found = wsgi.loaded(given)
    if not found.usable:
        problems = [problem for broken in found.broken.values() for problem in broken.problems]
        raise SettingsError(problems or [f"there is no mapping file in {given.mappings}"])
    origin = given.public_url or f"http://{given.bind}"
    for name in sorted(found.usable):
        click.echo(f"  {origin}/hooks/{name}")
    for broken in found.broken.values():
        click.echo("\n".join(("", *broken.problems)), err=True)
    if found.broken:
        click.echo(
            f"\n{len(found.broken)} mapping(s) cannot be used: their senders get 503 until that is mended.",
            err=True,
        )


@click.command()
@bind_option
@plainly
def serve(bind: str | None) -> None:
    """Run the adapter on this machine: web workers and the dispatcher, stopped together.

    Example: XIMA_HOST=acme.xima.cloud XIMA_TOKEN=... ADAPTER_SECRET_KEY=... xima-adapter serve
    """
    given = _prepared(bind)
    check_free(given.bind)
    store = Store(given.database_url)
    store.upgrade()
    store.close()
    click.echo(f"Serving on http://{given.bind}")
    announce(given)
    raise SystemExit(server.serve(given))


@click.command()
@bind_option
@plainly
def web(bind: str | None) -> None:
    """Run the web half only; the store must be up to date (db upgrade).

    Example: xima-adapter web --bind 0.0.0.0:8000
    """
    given = _prepared(bind)
    check_free(given.bind)
    _check_store(given)
    server.web(given)


@click.command()
@plainly
def dispatch() -> None:
    """Run the dispatcher only: it sends what is due.

    Example: xima-adapter dispatch
    """
    given = _prepared(None)
    _check_store(given)
    server.dispatch(given)


def _check_store(given: Settings) -> None:
    store = Store(given.database_url)
    store.check()
    store.close()


@click.command()
@click.option("--bind", default="127.0.0.1:8100", show_default=True, metavar="HOST:PORT", help="Where to listen.")
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Agents, skills and faults (YAML).",
)
@plainly
def sandbox(bind: str, script: Path | None) -> None:
    """Run the pretend Xima; its page shows phones ringing and the callback queue.

    Example: xima-adapter sandbox --bind 127.0.0.1:8100, then XIMA_HOST=http://127.0.0.1:8100
    """
    check_free(bind)
    host, port = address(bind)
    click.echo(f"Pretend Xima on http://{bind} (token: sandbox-token unless the script says otherwise)")
    pretend.run(host, port, script.read_text(encoding="utf-8") if script else None)


@click.group()
def db() -> None:
    """Create or migrate the store."""


@db.command()
@plainly
def upgrade() -> None:
    """Bring the tables to this version; safe to repeat.

    Example: xima-adapter db upgrade
    """
    url = setting("ADAPTER_DATABASE_URL")
    store = Store(url)
    store.upgrade()
    store.close()
    click.echo(f"The store {url} is up to date.")


@click.command()
@as_json
@click.option("--env", "as_env", is_flag=True, help="Print a file of settings to start from.")
def settings(as_json: bool, as_env: bool) -> None:
    """Show every setting with its value in force and where it came from.

    Example: xima-adapter settings
    """
    if as_env:
        click.echo(example_file(), nl=False)
        return
    found = environment.found()
    rows = [(one.setting.name, _shown(one), one.source, one.problem or one.setting.help) for one in found]
    if as_json:
        names = ("name", "value", "source", "note")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        columns([("NAME", "VALUE", "FROM", ""), *rows])
    if any(one.problem for one in found):
        raise SystemExit(1)


def _shown(one: environment.Found) -> Any:
    if one.value is None:
        return "-"
    return "(secret)" if one.setting.secret else str(one.value) or "(empty)"


def example_file() -> str:
    """The text of `deploy/adapter.env.example`, printed from the table."""
    lines = ["# Settings of the adapter. Copy to adapter.env and fill in; NAME_FILE=/path reads a value from a file."]
    for one in SETTINGS:
        lines += ["", f"# {one.help}" + (" (required)" if one.default is None else "")]
        lines.append(
            f"{one.name}={one.example}" if one.default is None else f"#{one.name}={one.default or one.example}"
        )
    return "\n".join(lines) + "\n"
