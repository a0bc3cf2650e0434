"""`new`: a mapping to start from, under a name of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import click

from adapter import sources
from adapter.cli import senders
from adapter.cli.shown import plainly, setting
from adapter.errors import SettingsError
from adapter.mapping.problems import beginning
from adapter.proofs import names_of

SCHEMA = "mapping.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA}\n"


@click.command()
@click.argument("name")
@click.option("--from", "preset", required=True, metavar="PRESET", help="The sender, as xima-adapter presets calls it.")
@plainly
def new(name: str, preset: str) -> None:
    """Write a commented mapping to start from.

    It stands in ADAPTER_MAPPINGS as NAME.yaml, for /hooks/NAME; the server uses it once it has the secret it names.
    A file that is there is never written over.

    \b
    Example:
      xima-adapter new support-calls --from zendesk
    """
    if problem := _unfit(name):
        raise click.UsageError(f"'{name}' cannot be the name of a mapping: {problem}")
    starter = senders.starter(preset) if preset in sources.presets() else None
    if starter is None:
        raise click.UsageError(f"nothing to start from is called {preset}; {_known(preset)}")
    folder: Path = setting("ADAPTER_MAPPINGS")
    file, text = folder / f"{name}.yaml", _named(starter.read_text(encoding="utf-8"), preset, name)
    _write(file, (MODELINE if (folder / SCHEMA).is_file() else "") + text)
    secrets = " and ".join(dict.fromkeys(names_of(sources.read(file, try_examples=False))))
    click.echo(f"{file} is written. It answers POST {setting('ADAPTER_PUBLIC_URL')}/hooks/{name}. Next:")
    click.echo(f"  set {secrets} where the adapter starts, and restart it")
    click.echo(f"  xima-adapter presets {preset}   (what to click at the sender)")
    click.echo(f"  xima-adapter check {file}   (when you have changed it)")


def _unfit(name: str) -> str:
    """Why a mapping cannot be called so; nothing when it can."""
    if f"{name}.yaml" in sources.NOT_MAPPINGS or name in sources.RESERVED:
        return "the adapter uses this name for something else"
    if re.fullmatch(r"\w[\w-]*", name):
        return ""
    bare = "-".join(re.findall(r"\w+", name)).lower()
    return "it becomes part of a URL, so only letters, digits, - and _" + (f", like {bare}" if bare else "")


def _known(preset: str) -> str:
    return beginning(preset, sources.presets()) or "xima-adapter presets lists what there is"


def _named(text: str, preset: str, name: str) -> str:
    """The starter under another name; its examples stay as their sender sends them."""
    text = re.sub(rf"^name: {re.escape(preset)}$", f"name: {name}", text, count=1, flags=re.MULTILINE)
    return re.sub(rf"^(#.*/hooks/){re.escape(preset)}\b", rf"\g<1>{name}", text, count=1, flags=re.MULTILINE)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except FileExistsError as exc:
        raise SettingsError([f"{file} is there already: choose another name, or remove it"]) from exc
    except OSError as exc:
        raise SettingsError([f"{file} cannot be written: {exc.strerror}"]) from exc
