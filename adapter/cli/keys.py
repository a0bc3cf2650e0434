"""Keys for the API: `keys add`, `keys list`, `keys revoke`; and its description."""

from __future__ import annotations

import re
from datetime import datetime

import click

from adapter import receipt, wsgi
from adapter.api import description, tokens
from adapter.cli import known
from adapter.cli.shown import as_json, columns, opened, plainly, print_json, setting
from adapter.errors import TextError
from adapter.store import Key
from adapter.units import duration

SCOPES = "\b\n" + "\n".join(f"  {name:<18} {about}" for name, about in tokens.SCOPES.items())


@click.group()
def keys() -> None:
    """Keys with which programs may ask the API.

    \b
    Example:
      xima-adapter keys add crm --scope dial --scope deliveries:read --expires 365d
    """


@keys.command(epilog=f"Scopes:\n\n{SCOPES}")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(list(tokens.SCOPES)), metavar="SCOPE"
)
@click.option("--tenant", default="", help="Only for this Xima tenant (default: all).")
@click.option("--expires", metavar="TIME", help="After how long it ends, like 90d (default: never).")
@plainly
def add(name: str, scopes: tuple[str, ...], tenant: str, expires: str | None) -> None:
    """Make a key and show its token, this once.

    NAME says who has it: it stands in the log, and beside what is cancelled. Give each program a key of its own.

    \b
    Example:
      xima-adapter keys add crm --scope dial --scope deliveries:read --expires 365d
    """
    if not re.fullmatch(r"[\w.@-]{1,100}", name):
        raise click.UsageError(f"'{name}' cannot be the name of a key: letters, digits, . @ _ and - only")
    known.check_tenant(tenant)
    token, now = tokens.new_token(), wsgi.clock()
    made = Key(
        digest=tokens.digest(token),
        name=name,
        scopes=sorted(set(scopes)),
        tenant=tenant,
        created_at=now,
        expires_at=_end(expires, now),
    )
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        store.keys.add(made)
    click.echo(token)
    click.echo("This is shown once: put it where the program finds its secrets. It counts at once.", err=True)


def _end(expires: str | None, now: datetime) -> datetime | None:
    try:
        end = now + duration(expires) if expires else None
    except TextError as exc:
        raise click.UsageError(f"--expires: {exc.reason}") from exc
    if end == now:
        raise click.UsageError("--expires: such a key would be over at once; leave it out for one that never ends")
    return end


@keys.command("list")
@as_json
@plainly
def list_(as_json: bool) -> None:
    """The keys, what they are let do, and when they were used last.

    \b
    Example:
      xima-adapter keys list
    """
    now = wsgi.clock()
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        found = [_plain(one, now) for one in store.keys.all()]
    if as_json:
        print_json(found)
    elif found:
        head = ("NAME", "STATE", "USED", "EXPIRES", "TENANT", "SCOPES")
        columns([head, *(_row(one) for one in found)])
    else:
        click.echo("No keys yet: xima-adapter keys add NAME --scope SCOPE")


def _plain(one: Key, now: datetime) -> dict[str, object]:
    ended = "expired" if one.expires_at and one.expires_at <= now else "in force"
    return {
        "name": one.name,
        "state": "revoked" if one.revoked_at else ended,
        "scopes": one.scopes,
        "tenant": one.tenant or None,
        "created_at": receipt.instant(one.created_at),
        "expires_at": receipt.instant(one.expires_at) if one.expires_at else None,
        "revoked_at": receipt.instant(one.revoked_at) if one.revoked_at else None,
        "used_on": one.used_on or None,
    }


def _row(one: dict[str, object]) -> tuple[object, ...]:
    scopes = one["scopes"]
    assert isinstance(scopes, list)
    return one["name"], one["state"], one["used_on"], one["expires_at"], one["tenant"], " ".join(scopes)


@keys.command()
@click.argument("name")
@plainly
def revoke(name: str) -> None:
    """End a key at once, on every machine.

    \b
    Example:
      xima-adapter keys revoke crm
    """
    with opened(setting("ADAPTER_DATABASE_URL")) as store:
        gone = store.keys.revoke(name, now=wsgi.clock())
    click.echo(f"{name} is not let in any more." if gone else f"No key called {name} is in force.")
    if not gone:
        raise SystemExit(1)


@click.command()
@plainly
def openapi() -> None:
    """Print the description of the HTTP interface.

    It is OpenAPI 3.1, as GET /api/openapi.json answers it.

    \b
    Example:
      xima-adapter openapi > openapi.json
    """
    print_json(description.document(setting("ADAPTER_PUBLIC_URL") or f"http://{setting('ADAPTER_BIND')}"))
