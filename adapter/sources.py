"""The mapping files of a folder, with their secrets, as the sources a server answers for."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from adapter import mapping, signature, tenants
from adapter.errors import MappingError, SchemeError, SettingsError
from adapter.mapping import examples, preset
from adapter.mapping.compiled import Proof
from adapter.mapping.problems import Place, Problem
from adapter.mapping.text import MOST_CHARACTERS
from adapter.model import Received
from adapter.settings import environment

NOT_MAPPINGS = (tenants.FILE,)
LARGEST_TABLE = 8 * 1024**2
"""Bytes of a lookup table; some hundred thousand lines."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A proof with its secrets in hand."""

    scheme: signature.Scheme
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A mapping in force and the proofs its sender must give."""

    mapping: mapping.Mapping
    proofs: tuple[Ready, ...]

    def verify(self, received: Received, *, now: datetime) -> None:
        """Raise `SignatureError` unless every proof holds."""
        for proof in self.proofs:
            signature.verify(proof.scheme, proof.secrets, received, now=now)

    @property
    def covers_url(self) -> bool:
        """Whether a signature covers the URL, so that ADAPTER_PUBLIC_URL must be set."""
        return any(proof.scheme.covers_url for proof in self.proofs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A mapping file that cannot be used, with everything that is wrong with it, rendered for a person."""

    file: str
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """What a folder holds: usable sources by name, and files that are not usable."""

    usable: ReadOnly[str, Source]
    broken: ReadOnly[str, Broken]


@cache
def presets() -> ReadOnly[str, preset.Preset]:
    """Every sender preset, by name."""
    found = [preset.load(file.read_text(encoding="utf-8")) for file in _preset_files()]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def _preset_files() -> list[Path]:
    folder = Path(str(files("adapter") / "presets"))
    return sorted(folder.glob("*.yaml"))


def mapping_files(folder: Path) -> list[Path]:
    """The mapping files of a folder, in order of their names; an editor's hidden files are none."""
    return sorted(
        path for path in folder.glob("*.yaml") if path.name not in NOT_MAPPINGS and not path.name.startswith(".")
    )


def read(path: Path, *, try_examples: bool = True) -> mapping.Mapping:
    """The mapping in a file, its examples run; raises `MappingError` with every problem."""
    loaded = mapping.load(
        _text(path), name=path.stem, presets=presets(), read_file=lambda name: _beside(path.parent, name)
    )
    problems = [*_tenant_problems(loaded, path.parent), *(examples.problems(loaded) if try_examples else ())]
    if problems:
        raise MappingError(problems)
    return loaded


def _tenant_problems(loaded: mapping.Mapping, folder: Path) -> list[Problem]:
    known = tenants.names(folder)
    if loaded.tenant in known:
        return []
    said = f"there is no tenant '{loaded.tenant}': known are {', '.join(sorted(known))}"
    return [
        Problem(loaded.places[("tenant",)], said, "tenant", hint=f"describe it in {tenants.FILE}, or remove this line")
    ]


def _text(path: Path) -> str:
    try:
        return _start(path)
    except UnicodeDecodeError as exc:
        raise MappingError([Problem(Place(1, 1), "the file is not UTF-8 text", hint="save it as UTF-8")]) from exc
    except OSError as exc:
        raise MappingError([Problem(Place(1, 1), f"the file cannot be read: {exc.strerror}")]) from exc


def _start(path: Path, errors: str = "strict") -> str:
    """A text file as far as anybody will want to read it: a larger one is refused for its size."""
    with path.open(encoding="utf-8-sig", errors=errors) as file:
        return file.read(MOST_CHARACTERS + 1)


def _beside(folder: Path, name: str) -> str:
    """The text of a table beside a mapping; raises `OSError` for a name that could lead to any other file."""
    if not re.fullmatch(r"[^/\\:]+\.csv", name, re.IGNORECASE):
        raise OSError(errno.EPERM, "a table is a .csv file in the folder of the mapping, named without a path")
    if (folder / name).stat().st_size > LARGEST_TABLE:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST_TABLE // 1024**2} MB")
    return (folder / name).read_text(encoding="utf-8")


def rendered(path: Path, exc: MappingError) -> tuple[str, ...]:
    """Every problem of a file as `file:line:column: message` with its line and remedy."""
    try:
        lines = _start(path, errors="replace").splitlines()
    except OSError:
        lines = []
    return tuple(mapping.render(path.name, lines, one) for one in exc.problems if isinstance(one, Problem))


def missing_secrets(loaded: mapping.Mapping, environ: ReadOnly[str, str] | None = None) -> list[str]:
    """The names of variables a mapping needs and that hold nothing, or nothing that can be read."""
    return [name for name in _names(loaded) if not _secret(name, environ)[0]]


def _names(loaded: mapping.Mapping) -> list[str]:
    return [name for proof in loaded.receive.proofs for name in proof.secrets]


def _secret(name: str, environ: ReadOnly[str, str] | None) -> tuple[str, str]:
    """The text of a variable, empty if it holds nothing but blanks, and why."""
    try:
        text, _ = environment(name, environ)
    except SettingsError as exc:
        return "", exc.problems[0]
    return (text, "") if text and text.strip() else ("", f"{name} is not set")


def ready(loaded: mapping.Mapping, *, public_url: str, environ: ReadOnly[str, str] | None = None) -> Source:
    """The mapping with its secrets; raises `SettingsError` naming each that is missing or cannot be used."""
    found = {name: _secret(name, environ) for name in _names(loaded)}
    problems = [f"{why}: {loaded.name} checks its sender with it" for text, why in found.values() if not text]
    proofs = []
    for proof in loaded.receive.proofs:
        texts = {name: found[name][0] for name in proof.secrets} | {f"'{one}'": one for one in proof.identifiers}
        problems += [said for name, text in texts.items() if text and (said := _unusable(proof, name, text))]
        proofs.append(Ready(proof.scheme, tuple(texts.values())))
    source = Source(mapping=loaded, proofs=tuple(proofs))
    if source.covers_url and not public_url:
        problems.append(f"ADAPTER_PUBLIC_URL is not set: the signature {loaded.name} checks covers the URL")
    if problems:
        raise SettingsError(problems)
    return source


def _unusable(proof: Proof, name: str, secret: str) -> str:
    """Why a secret, or an identifier written in the mapping, cannot serve its scheme; empty when it can."""
    try:
        signature.check_secret(proof.scheme, secret)
    except SchemeError as exc:
        return f"{name} cannot be used: {exc.reason.removeprefix(f'{exc.key}: ')}"
    return ""


def load(folder: Path, *, public_url: str, environ: ReadOnly[str, str] | None = None) -> Sources:
    """Everything in a folder; a file that cannot be used never hides the others."""
    usable: dict[str, Source] = {}
    broken: dict[str, Broken] = {}
    for path in mapping_files(folder):
        try:
            usable[path.stem] = ready(read(path), public_url=public_url, environ=environ)
        except MappingError as exc:
            broken[path.stem] = Broken(file=path.name, problems=rendered(path, exc))
        except SettingsError as exc:
            broken[path.stem] = Broken(file=path.name, problems=tuple(f"{path.name}: {said}" for said in exc.problems))
    return Sources(usable=usable, broken=broken)
