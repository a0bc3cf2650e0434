"""The secrets: whether they can be guessed, serve twice, or lie open."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from adapter import hosts, tenants
from adapter.cli import premises
from adapter.cli.finding import Finding, Findings
from adapter.cli.shown import setting
from adapter.errors import SettingsError
from adapter.mapping import Mapping
from adapter.proofs import names_of
from adapter.settings import environment

LEAST_CHARACTERS, LEAST_BITS = 12, 32
MAKE = "make one with python3 -c 'import secrets; print(secrets.token_hex())'"
Secret = tuple[str, str, str]
"""Whose it is, the variable, the text."""


def secrets(loaded: Iterable[Mapping]) -> Findings:
    """What is wrong with them, or that nothing is."""
    known = [*_known(loaded)]
    wrong = [*_weak(known), *_shared(known), *_open(known)]
    yield from wrong
    if not wrong:
        yield Finding("secrets", True, "long enough, each for itself, and their files are not for everybody")


def _known(loaded: Iterable[Mapping]) -> Iterator[Secret]:
    for key in setting("ADAPTER_SECRET_KEY"):
        yield "the adapter", "ADAPTER_SECRET_KEY", key
    yield "Xima", "XIMA_TOKEN", setting("XIMA_TOKEN")
    for name in tenants.token_names(setting("ADAPTER_MAPPINGS")):
        yield "Xima", name, _text(name)
    for mapping in loaded:
        for name in names_of(mapping):
            yield mapping.name, name, _text(name)


def _text(name: str) -> str:
    """What a variable holds; one that cannot be read is told of with what needs it."""
    try:
        return environment(name)[0] or ""
    except SettingsError:
        return ""


def _weak(known: Iterable[Secret]) -> Findings:
    is_trial = hosts.is_here(setting("ADAPTER_PUBLIC_URL"))
    for name, text in dict.fromkeys((name, text) for _, name, text in known if text):
        counts = Counter(text).values()
        bits = -sum(count * math.log2(count / len(text)) for count in counts)
        if len(text) < LEAST_CHARACTERS or bits < LEAST_BITS:
            said = f"{name} can be guessed: {len(text)} characters, {len(counts)} different ones"
            harm = ", which does no harm while only this machine can call" if is_trial else ""
            yield Finding("secrets", is_trial, said + harm, MAKE)


def _shared(known: Iterable[Secret]) -> Findings:
    """One that serves for two: who knows it for one has the other. A mapping may have a secret under two names."""
    for (one, name, text), (other, twin, same) in combinations(known, 2):
        if text and text == same and one != other and name != twin:
            yield Finding("secrets", False, f"{name} and {twin} are the same", f"give {other} its own: {MAKE}")


def _open(known: Iterable[Secret]) -> Findings:
    for name in dict.fromkeys(name for _, name, _ in known):
        path = os.environ.get(f"{name}_FILE")
        if path and Path(path).is_file():
            yield from premises.private(Path(path), name)
