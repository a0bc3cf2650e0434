"""The mapping files of a folder, with their secrets, as the sources a server answers for."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from adapter import mapping, signature
from adapter.errors import MappingError, SchemeError, SettingsError
from adapter.mapping import examples, preset
from adapter.mapping.compiled import Proof
from adapter.mapping.problems import Place, Problem
from adapter.model import Received
from adapter.settings import environment

NOT_MAPPINGS = ("tenants.yaml",)


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
    """The mapping files of a folder, in order of their names."""
    return sorted(path for path in folder.glob("*.yaml") if path.name not in NOT_MAPPINGS)


def read(path: Path) -> mapping.Mapping:
    """The mapping in a file, its examples run; raises `MappingError` with every problem."""
    loaded = mapping.load(
        _text(path),
        name=path.stem,
        presets=presets(),
        read_file=lambda name: _beside(path, name).read_text(encoding="utf-8"),
    )
    if problems := list(examples.problems(loaded)):
        raise MappingError(problems)
    return loaded


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise MappingError([Problem(Place(1, 1), "the file is not UTF-8 text", hint="save it as UTF-8")]) from exc
    except OSError as exc:
        raise MappingError([Problem(Place(1, 1), f"the file cannot be read: {exc.strerror}")]) from exc


def _beside(path: Path, name: str) -> Path:
    """A file of the mappings folder; a name that leads out of it is refused."""
    found = (path.parent / name).resolve()
    if found.parent != path.parent.resolve():
        raise FileNotFoundError(2, "only files beside the mapping are read")
    return found


def rendered(path: Path, exc: MappingError) -> tuple[str, ...]:
    """Every problem of a file as `file:line:column: message` with its line and remedy."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        lines = []
    return tuple(mapping.render(path.name, lines, one) for one in exc.problems if isinstance(one, Problem))


def missing_secrets(loaded: mapping.Mapping, environ: ReadOnly[str, str] | None = None) -> list[str]:
    """The names of variables a mapping needs and that hold nothing."""
    names = [name for proof in loaded.receive.proofs for name in proof.secrets]
    return [name for name in names if not environment(name, environ)[0]]


def ready(loaded: mapping.Mapping, *, public_url: str, environ: ReadOnly[str, str] | None = None) -> Source:
    """The mapping with its secrets; raises `SettingsError` naming each that is missing or cannot be used."""
    problems = [
        f"{name} is not set: {loaded.name} checks its sender with it" for name in missing_secrets(loaded, environ)
    ]
    source = Source(mapping=loaded, proofs=tuple(_ready(proof, environ) for proof in loaded.receive.proofs))
    if source.covers_url and not public_url:
        problems.append(f"ADAPTER_PUBLIC_URL is not set: the signature {loaded.name} checks covers the URL")
    for proof in source.proofs:
        problems += [said for secret in proof.secrets if (said := _unusable(proof.scheme, secret))]
    if problems:
        raise SettingsError(problems)
    return source


def _ready(proof: Proof, environ: ReadOnly[str, str] | None) -> Ready:
    named = (environment(name, environ)[0] for name in proof.secrets)
    return Ready(proof.scheme, (*(text for text in named if text), *proof.identifiers))


def _unusable(scheme: signature.Scheme, secret: str) -> str | None:
    try:
        signature.check_secret(scheme, secret)
    except SchemeError as exc:
        return f"a secret cannot be used: {exc}"
    return None


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
