"""Changes of a body on the command line: `--set` for fields that it has, `--add` for others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import click

from adapter import path
from adapter.errors import TextError
from adapter.mapping.problems import did_you_mean

SET, ADD = "--set", "--add"


def names(body: bytes) -> list[str]:
    """The names of an url-encoded form's fields."""
    return [name for name, _ in parse_qsl(body.decode().strip(), keep_blank_values=True)]


def changed(kind: str, body: bytes, changes: Sequence[str], added: Sequence[str] = ()) -> bytes:
    """The body with fields set to other values, and with further ones; raises `click.UsageError`."""
    pairs = [(SET, *_pair(one)) for one in changes] + [(ADD, *_pair(one)) for one in added]
    if not pairs:
        return body
    if kind == "form" and not body.lstrip().startswith(b"--"):
        return _form(body, pairs)
    if kind != "json":
        raise click.UsageError("--set changes JSON and url-encoded bodies only")
    tree = json.loads(body)
    for option, where, value in pairs:
        put(tree, where, value, option=option)
    return json.dumps(tree).encode()


def _form(body: bytes, pairs: Sequence[tuple[str, str, str]]) -> bytes:
    for option, name, _ in pairs:
        if option == SET and name not in names(body):
            raise _not_there(name, names(body))
    given = {name: value for _, name, value in pairs}
    kept = parse_qsl(body.decode().strip(), keep_blank_values=True)
    return urlencode([*(pair for pair in kept if pair[0] not in given), *given.items()]).encode()


def _pair(change: str) -> tuple[str, str]:
    found = re.fullmatch(r"((?:[^=\[]|\[[^]]*\])+)=(.*)", change, re.DOTALL)  # list[key=value] is part of a path
    if not found:
        raise click.UsageError(f"write path=value, not {change}")
    return found[1], found[2]


def put(tree: Any, where: str, value: str | int, *, option: str = SET) -> None:
    """Set what stands at a path; to add makes groups that are missing, lists are only walked through."""
    try:
        compiled = path.compile(where)
    except TextError as exc:
        raise click.UsageError(f"{option} {where}: {exc.reason}") from exc
    *before, last = compiled.steps or (None,)
    if compiled.root != "record" or last is None:
        raise click.UsageError(f"{option} {where}: name a field of the body")
    known = [*_paths(tree)]
    for step in before:
        below = path.get(replace(compiled, steps=(step,)), tree)
        if below is None and option == ADD and isinstance(tree, dict) and isinstance(step, str):
            below = tree[step] = {}
        tree = below
    in_list = isinstance(tree, list) and isinstance(last, int) and -len(tree) <= last < len(tree)
    in_group = isinstance(tree, dict) and isinstance(last, str)
    if option == SET and not in_list and not (in_group and last in tree):
        raise _not_there(where, known)
    if not in_list and not in_group:
        raise click.UsageError(f"{option} {where}: there is no such place in this body")
    tree[last] = value


def _paths(tree: Any, above: str = "") -> Iterator[str]:
    """Every field of a document as an author would write it."""
    if isinstance(tree, dict):
        for name, below in tree.items():
            yield from _paths(below, f"{above}.{name}" if above else name)
    elif isinstance(tree, list):
        for number, below in enumerate(tree):
            yield from _paths(below, f"{above}[{number}]")
    else:
        yield above


def _not_there(where: str, known: Sequence[str]) -> click.UsageError:
    hint = did_you_mean(where, known) or (f"it has {', '.join(known[:10])}" if known else "it has none")
    return click.UsageError(f"--set {where}: the example has no such field; {hint} (to add one: --add {where}=...)")
