"""The command that lists the senders, describes one, and gives the mapping to start from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from adapter import sources
from adapter.cli import words
from adapter.cli.shown import as_json, plainly, print_json, setting
from adapter.mapping.preset import Preset
from adapter.mapping.problems import beginning
from adapter.units import spoken

WIDTH = 100
GROUPS = {
    "crm": "CRMs, help desks and shops",
    "form": "Forms and lead ads",
    "generic": "Any other sender, by the way it proves who it is",
}
BODIES = {
    "json": "JSON",
    "form": "a web form",
    "soap": "SOAP",
    "xml": "XML",
    "parameters": "parameters of the URL, of a web form or of JSON; GET and POST",
    None: "as its content type says",
}
ANSWERS = {
    "receipts": "200 and a receipt for every record, as JSON",
    "soap_ack": "200 and a SOAP acknowledgement",
    "empty_object": "200 and {}",
    "empty": "200 and nothing",
}


@click.command()
@click.argument("name", required=False)
@click.option("--starter", "only_starter", is_flag=True, help="Print only the mapping to start from.")
@as_json
@plainly
def presets(name: str | None, only_starter: bool, as_json: bool) -> None:
    """List the senders that are known, or describe one.

    The description ends with a mapping to start from; --starter prints it alone, to be written into a file of that
    name with "> mappings/zendesk.yaml" behind the command. Its examples are what the sender sends.

    \b
    Example:
      xima-adapter presets zendesk --starter
    """
    known = sources.presets()
    if name is not None and name not in known:
        hint = beginning(name, known) or f"known: {', '.join(known)}"
        raise click.UsageError(f"there is no preset called {name}; {hint}")
    if only_starter:
        click.echo(_wanted_starter(name), nl=False)
    elif as_json:
        print_json([_plain(known[one]) for one in ([name] if name else known)])
    else:
        lines = _described(known[name]) if name else _listed(list(known.values()))
        click.echo("\n".join(lines))


def starter(name: str) -> Path | None:
    """The file of the mapping to start from with this sender, or None."""
    path = Path(str(files("adapter") / "starters")) / f"{name}.yaml"
    return path if path.is_file() else None


def _wanted_starter(name: str | None) -> str:
    if name is None:
        raise click.UsageError("name the sender whose mapping is wanted: xima-adapter presets NAME --starter")
    path = starter(name)
    if path is None:
        raise click.UsageError(f"there is no mapping to start from for {name}: copy that of header-token")
    return path.read_text(encoding="utf-8")


def _secrets(path: Path) -> list[str]:
    """The variables that hold the secrets of a starter."""
    return [name for proof in sources.read(path, try_examples=False).receive.proofs for name in proof.secrets]


def _plain(preset: Preset) -> dict[str, Any]:
    path = starter(preset.name)
    return {
        "name": preset.name,
        "title": preset.title,
        "group": preset.group,
        "about": preset.about,
        "setup": preset.setup,
        "parameters": {name: {"help": one.help, "required": one.required} for name, one in preset.parameters.items()},
        "verify": preset.verify,
        "facts": dict(_facts(preset)),
        "secrets": _secrets(path) if path else [],
        "starter": path.read_text(encoding="utf-8") if path else None,
    }


def _listed(known: list[Preset]) -> Iterator[str]:
    width = max(len(one.name) for one in known)
    for group, title in GROUPS.items():
        yield f"{title}:"
        yield from (f"  {one.name.ljust(width)}  {one.title}" for one in known if one.group == group)
        yield ""
    yield "xima-adapter presets NAME says where to click and what to write."


def _described(preset: Preset) -> Iterator[str]:
    path = starter(preset.name)
    url = f"{setting('ADAPTER_PUBLIC_URL') or 'https://YOUR-HOST'}/hooks/NAME-OF-YOUR-MAPPING"
    yield from (f"{preset.name}: {preset.title}", "", *wrap(preset.about, WIDTH), "")
    for fact, said in _facts(preset):
        yield from wrap(f"{fact}: {said}", WIDTH, subsequent_indent="  ", break_long_words=False)
    yield from ("", f"At the sender (the URL is {url}):")
    yield from (f"  {number}. {step}" for number, step in enumerate(preset.setup, 1))
    if preset.parameters:
        yield from ("", "Beside from, in the mapping:")
    for name, one in preset.parameters.items():
        yield f"  {name}: {one.help}" + ("" if one.required else " (may be left out)")
    if path:
        yield from ("", *_start(preset, path))


def _start(preset: Preset, path: Path) -> Iterator[str]:
    """The mapping to start from, and what to know before."""
    of = sources.read(path, try_examples=False).receive
    if of.preset != preset.name:
        yield f"What {preset.name} itself sends holds no number, so the mapping takes another way: {of.preset}."
    for name in _secrets(path):
        yield f"The secret goes into the variable {name}, or into a file that {name}_FILE names."
    yield f"The mapping to start from (xima-adapter presets {preset.name} --starter > mappings/{preset.name}.yaml):"
    yield from ("", path.read_text(encoding="utf-8").rstrip("\n"))


def _facts(preset: Preset) -> Iterator[tuple[str, str]]:
    """What an author has to know of a sender: a word and its sentence."""
    yield "Proof", words.proof(preset.verify)
    if preset.handshake:
        yield "First", words.handshake(preset.handshake)
    where = f"a list of records at {preset.records}" if preset.records else "one record, or a list of them"
    yield "Body", f"{BODIES[preset.body]}; {where}"
    same = f"with the same {preset.key.text}" if preset.key else "that are the same in everything"
    better = "" if preset.key else "; write once: with key: where something in them is unique"
    yield "Once", f"two records {same} are one event{better}"
    since = f"from {preset.sent_at.path}" if preset.sent_at else "from its arrival: the sender does not tell its time"
    yield "Time", f"the age of an event counts {since}"
    if preset.drop or preset.drop_query:
        yield "Never kept", ", ".join((*preset.drop, *(f"?{name}=" for name in preset.drop_query)))
    tests = (
        f"call nobody: {words.conditions(preset.test_when)}"
        if preset.test_when
        else "look like any other request and count as one"
    )
    yield "Test deliveries", tests
    if preset.thin:
        when = f"when {words.conditions(preset.thin.when)}, " if preset.thin.when else ""
        yield "No number", when + preset.thin.instead
    within = f"; it hangs up after {spoken(preset.answer_within)}" if preset.answer_within else ""
    yield "Answer", ANSWERS[preset.answer] + within
