"""Commands that run something: the adapter, its halves, the sandbox; and what they need: settings, the store."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from adapter import handed, server, wsgi
from adapter import sandbox as pretend
from adapter import settings as environment
from adapter.cli import lost, misspelt, printed
from adapter.cli.announcing import announce
from adapter.cli.shown import as_json, columns, opened, plainly, print_json, setting
from adapter.errors import SettingsError, TextError
from adapter.settings import Settings, address
from adapter.store import Store, location

F = TypeVar("F", bound=Callable[..., Any])


class Address(click.ParamType[str]):
    """`HOST:PORT`, as text."""

    name = "HOST:PORT"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, if it is one; called by click."""
        try:
            address(value, least=self.least)
        except TextError as exc:
            self.fail(f"{exc.reason}, not {value}", param, ctx)
        return str(value).strip()


def bind_option(command: F) -> F:
    """The option `--bind`, which wins over ADAPTER_BIND."""
    return click.option("--bind", type=Address(), help="Where to listen (default: ADAPTER_BIND).")(command)


def check_free(bind: str) -> None:
    """Raise `SettingsError` when nobody can listen there."""
    host, port = address(bind)
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError) as exc:
        reason = getattr(exc, "strerror", None) or "no such host"
        remedy = "stop what listens there, or choose another with --bind or ADAPTER_BIND"
        raise SettingsError([f"cannot listen on {bind}: {reason}; {remedy}"]) from exc


def _prepared(bind: str | None) -> Settings:
    """The settings; nothing is opened before they and the port are good."""
    given = environment.load()
    given = replace(given, bind=bind) if bind else given
    wsgi.known(given)
    if not handed.has_socket():
        check_free(given.bind)
    return given


@click.command()
@bind_option
@click.option("--parent", type=int, hidden=True)  # the process this one must not outlive
@plainly
def serve(bind: str | None, parent: int | None) -> None:
    """Run the adapter on this machine.

    The web workers and the dispatcher are started and stopped together; the store is created or migrated first.

    \b
    Example:
      xima-adapter serve --bind 0.0.0.0:8000
    """
    server.follow(parent)
    given = _prepared(bind)
    store = Store(given.database_url)
    store.upgrade()
    store.close()
    announce(given)
    raise SystemExit(server.serve(given))


@click.command()
@bind_option
@plainly
def web(bind: str | None) -> None:
    """Run the web half only: it takes webhooks.

    The store must be up to date (db upgrade).

    \b
    Example:
      xima-adapter web --bind 0.0.0.0:8000
    """
    given = _prepared(bind)
    with opened(given.database_url):
        pass
    announce(given)
    server.web(given)


@click.command()
@plainly
def dispatch() -> None:
    """Run the dispatcher only: it sends what is due.

    The store must be up to date (db upgrade).

    \b
    Example:
      xima-adapter dispatch
    """
    given = environment.load()
    with opened(given.database_url) as store:
        lost.tell(given, store)
    server.dispatch(given)


@click.command()
@click.option("--bind", type=Address(least=0), default="127.0.0.1:8100", show_default=True, help="Where to listen.")
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Agents, skills and faults (YAML).",
)
@plainly
def sandbox(bind: str, script: Path | None) -> None:
    """Run the pretend Xima; nobody is called.

    Its page shows phones ringing and the callback queue. For the adapter set XIMA_HOST to the URL it prints.
    What a script can say, with examples: docs/sandbox.md.

    \b
    Example:
      xima-adapter sandbox --bind 127.0.0.1:8100
    """
    pretend.run(
        *address(bind, least=0),
        script.read_bytes() if script else None,
        ready=lambda url: click.echo(f"Pretend Xima on {url} (token: sandbox-token, unless the script says otherwise)"),
    )


@click.group()
def db() -> None:
    """Create, migrate, back up or restore the store.

    \b
    Example:
      xima-adapter db upgrade
    """


@db.command()
@plainly
def upgrade() -> None:
    """Bring the tables to this version; safe to repeat.

    \b
    Example:
      xima-adapter db upgrade
    """
    url = setting("ADAPTER_DATABASE_URL")
    store = Store(url)
    store.upgrade()
    store.close()
    click.echo(f"The store {location.shown(url)} is up to date.")


@click.command()
@as_json
@click.option("--env", "as_env", is_flag=True, help="Print a file of settings to start from.")
def settings(as_json: bool, as_env: bool) -> None:
    """Show every setting, its value in force and where it came from.

    Exit code 1 when one is missing or wrong.

    \b
    Example:
      xima-adapter settings
    """
    if as_env:
        click.echo(printed.env_example(), nl=False)
        return
    found = environment.found()
    wrong = sum(bool(one.problem) for one in found)
    for warning in misspelt.warnings(os.environ):
        click.echo(warning, err=True)
    if as_json:
        print_json([_plain(one) for one in found])
    else:
        columns([("NAME", "VALUE", "FROM", "MEANING, OR WHAT IS WRONG"), *map(_row, found)])
        click.echo(f"\n{wrong} of these must be mended before the adapter starts." if wrong else "\nAll good.")
    if wrong:
        raise SystemExit(1)


def _row(one: environment.Found) -> tuple[str, ...]:
    note = f"! {one.problem}" if one.problem else one.setting.help
    return one.setting.name, _shown(one) or "-", one.source, note


def _plain(one: environment.Found) -> dict[str, str | None]:
    return {
        "name": one.setting.name,
        "value": _shown(one) or None,
        "source": one.source,
        "help": one.setting.help,
        "problem": one.problem or None,
    }


def _shown(one: environment.Found) -> str:
    return "(secret)" if one.setting.secret and one.text else one.setting.shown(one.text)
