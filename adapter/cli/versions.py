"""`mappings`: which version is in force, every one that was, what changed between them, and back to one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adapter import receipt
from adapter.cli import standing
from adapter.cli.shown import as_json, columns, opened, plainly, print_json, say, setting
from adapter.errors import Conflict
from adapter.store import Store, Version


@click.group(invoke_without_command=True)
@click.pass_context
def mappings(context: click.Context) -> None:
    """See which versions are in force, and go back to one.

    Without a further word it lists them.

    \b
    Example:
      xima-adapter mappings list
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@mappings.command("list")
@as_json
@plainly
def list_(as_json: bool) -> None:
    """Every mapping, its version in force and its file.

    \b
    Example:
      xima-adapter mappings list --json
    """
    with _store() as store:
        found = standing.of_folder(setting("ADAPTER_MAPPINGS"), store.in_force())
    if as_json:
        print_json([one.plain() for one in found])
        return
    if not found:
        click.echo("There is no mapping yet.")
        return
    columns([("NAME", "VERSION", "IN FORCE SINCE", "FILE"), *(one.row() for one in found)])


@mappings.command()
@click.argument("name")
@as_json
@plainly
def log(name: str, as_json: bool) -> None:
    """Every version of a mapping that was in force, the latest first.

    \b
    Example:
      xima-adapter mappings log callback
    """
    with _store() as store:
        found = _history(store, name)
    if as_json:
        print_json([_plain(one) for one in found])
        return
    rows = [(one.number, one.version or "removed", receipt.instant(one.since), one.file) for one in found]
    columns([("NUMBER", "VERSION", "IN FORCE SINCE", "FILE"), *rows])


@mappings.command()
@click.argument("name")
@click.argument("a", required=False)
@click.argument("b", required=False)
@plainly
def diff(name: str, a: str | None, b: str | None) -> None:
    """What differs between two versions.

    A and B are versions, or their numbers in the log. Without B, A is compared with the version in force; without
    both, the version in force with the file as it is now.

    \b
    Example:
      xima-adapter mappings diff callback 1 2
    """
    with _store() as store:
        found = _history(store, name)
    one = _chosen(found, a) if a else _last(found)
    other = _chosen(found, b) if b else _last(found) if a else standing.on_disk(_file(name), one)
    lines = standing.difference(one, other)
    click.echo("\n".join(lines) or "There is no difference.")


@mappings.command()
@click.argument("name")
@click.argument("version")
@click.option("--force", is_flag=True, help="Overwrite changes that never were in force.")
@plainly
def restore(name: str, version: str, force: bool) -> None:
    """Write an earlier version back to its file.

    VERSION is a version or its number in the log. A running adapter takes it over within two seconds. It is refused
    when the file has changes that never were in force.

    \b
    Example:
      xima-adapter mappings restore callback 3
    """
    with _store() as store:
        found = _history(store, name)
    wanted, file = _chosen(found, version), _file(name)
    if not force and (said := standing.unpublished(file, found)):
        raise Conflict(f"{said}; look at them with: mappings diff {name}. --force overwrites them")
    for path in standing.write_back(wanted, file):
        click.echo(f"{path} is as it was since {receipt.instant(wanted.since)} (version {wanted.version})")


@mappings.command()
@click.argument("name")
@as_json
@plainly
def shadow(name: str, as_json: bool) -> None:
    """What a shadow would have done otherwise.

    The file NAME.shadow.yaml runs beside the mapping NAME on every request, and does nothing.

    \b
    Example:
      xima-adapter mappings shadow callback
    """
    with _store() as store:
        counted = store.trials(name)
    if as_json:
        print_json(counted)
        return
    if not counted:
        click.echo(
            f"Nothing was counted: save a draft as {name}.shadow.yaml beside {name}.yaml, and let requests come."
        )
        return
    rows = [(one["shadow"], one["version"], one["count"], one["kind"]) for one in counted]
    columns([("SHADOW", "IN FORCE", "RECORDS", "WITH THE SHADOW"), *rows])
    for one in counted:
        for example in one["examples"][:3]:
            say(f"{one['kind']}: {example['received_at']} {example['request']}: {example['said']}")


def _store() -> Any:
    return opened(setting("ADAPTER_DATABASE_URL"))


def _file(name: str) -> Path:
    folder: Path = setting("ADAPTER_MAPPINGS")
    return folder / f"{name}.yaml"


def _history(store: Store, name: str) -> list[Version]:
    found = store.history(name)
    if not found:
        names = ", ".join(sorted(store.in_force())) or "none"
        raise click.UsageError(f"no mapping called {name} was ever in force (known: {names})")
    return found


def _last(found: list[Version]) -> Version:
    """The latest version that is one, also when the mapping was removed since."""
    return next(one for one in found if one.version)


def _chosen(found: list[Version], given: str) -> Version:
    """The version that is meant by its number or by the beginning of its name."""
    for one in found:
        if one.version and (str(one.number) == given or (len(given) >= 4 and one.version.startswith(given))):
            return one
    raise click.UsageError(f"there is no version {given} (mappings log {found[0].mapping} lists them)")


def _plain(one: Version) -> dict[str, Any]:
    return {
        "number": one.number,
        "version": one.version or None,
        "since": receipt.instant(one.since),
        "file": one.file,
        "tables": sorted(one.beside),
    }
