"""The mapping files of a folder, with their secrets, as the sources a server answers for."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from adapter import allowed, mapping, proofs, signature, tenants
from adapter.errors import MappingError, SettingsError
from adapter.handshake import Reply
from adapter.mapping import examples, preset
from adapter.mapping.apart import apart
from adapter.mapping.dialling import Dialling, narrowed
from adapter.mapping.load import ReadFile
from adapter.mapping.problems import Place, Problem
from adapter.model import Received
from adapter.proofs import Ready
from adapter.texts import beside, start, text_of

NOT_MAPPINGS = (tenants.FILE,)
RESERVED = ("api",)
SHADOW, DRAFT = ".shadow", ".draft"
"""NAME.shadow.yaml runs beside NAME.yaml and does nothing; NAME.draft.yaml is not looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A mapping in force, since when, the proofs its sender must give, and what of its key they do not cover."""

    mapping: mapping.Mapping
    proofs: tuple[Ready, ...]
    handshake_secrets: tuple[str, ...] = field(default=(), repr=False)
    since: datetime | None = None
    apart: tuple[tuple[str, str], ...] = ()

    def admit(self, received: Received, *, now: datetime) -> Reply | None:
        """Raise `SignatureError` unless every proof holds; the answer when the request is only a handshake."""
        if reply := self.greeting(received, now=now):
            return reply
        self._verify(self.proofs, received, now=now)
        asks = self.mapping.receive.handshake
        return asks.signed(received, self.handshake_secrets) if asks else None

    def greeting(self, received: Received, *, now: datetime) -> Reply | None:
        """The answer to a handshake made before the sender can sign: only the further proofs must hold."""
        asks = self.mapping.receive.handshake
        reply = asks.greeting(received, self.handshake_secrets) if asks else None
        if reply:
            self._verify(self.proofs[1:], received, now=now)
        return reply

    def verify(self, received: Received, *, now: datetime) -> None:
        """Raise `SignatureError` unless every proof holds."""
        self._verify(self.proofs, received, now=now)

    def _verify(self, proofs: tuple[Ready, ...], received: Received, *, now: datetime) -> None:
        for proof in _cheapest_first(proofs):
            signature.verify(proof.scheme, proof.secrets, received, now=now)

    def explain(self, received: Received, *, now: datetime) -> tuple[str, ...]:
        """Why the first proof that does not hold was refused, in sentences for a log (see `signature.explain`)."""
        asked = _cheapest_first(self.proofs)
        why = (signature.explain(proof.scheme, proof.secrets, received, now=now) for proof in asked)
        return next(filter(None, why), ())


def _cheapest_first(proofs: tuple[Ready, ...]) -> list[Ready]:
    """The order in which proofs are asked: a body is parsed only for those whom no cheaper proof refuses."""
    return sorted(proofs, key=lambda proof: proof.scheme.parses)


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A mapping file that cannot be used, with everything that is wrong with it, rendered for a person.

    Unless it is `expected`, the server is ready without it: it came, or was removed, while the server was running.
    One that was `removed` is not there at all, and wants nobody to mend it.
    """

    file: str
    problems: tuple[str, ...]
    expected: bool = True
    removed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """What a folder holds: usable sources by name, and files that are not usable.

    `waiting` are newer files that are not used, while an older version of theirs is usable; `shadows` are versions
    under trial, by the name of the mapping beside which they run.
    """

    usable: ReadOnly[str, Source]
    broken: ReadOnly[str, Broken]
    waiting: ReadOnly[str, Broken] = field(default_factory=dict)
    shadows: ReadOnly[str, mapping.Mapping] = field(default_factory=dict)


@cache
def presets() -> ReadOnly[str, preset.Preset]:
    """Every sender preset, by name."""
    found = [preset.load(file.read_text(encoding="utf-8")) for file in _preset_files()]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def _preset_files() -> list[Path]:
    folder = Path(str(files("adapter") / "presets"))
    return sorted(folder.glob("*.yaml"))


def mapping_files(folder: Path) -> list[Path]:
    """The mapping files of a folder, in order of their names; drafts and an editor's hidden files are none."""
    return [path for path in _yaml_files(folder) if not path.stem.endswith((SHADOW, DRAFT))]


def shadow_files(folder: Path) -> list[Path]:
    """The files of a folder that run beside the mapping whose name they have."""
    return [path for path in _yaml_files(folder) if is_shadow(path)]


def is_shadow(path: Path) -> bool:
    """Whether the mapping of a file only runs beside another."""
    return path.stem.endswith(SHADOW)


def _yaml_files(folder: Path) -> list[Path]:
    found = folder.glob("*.yaml")
    return sorted(path for path in found if path.name not in NOT_MAPPINGS and not path.name.startswith("."))


def name_of(path: Path) -> str:
    """The name of the mapping in a file: `callback` for callback.yaml, callback.draft.yaml, callback.shadow.yaml."""
    return path.stem.removesuffix(SHADOW).removesuffix(DRAFT)


def read(path: Path, *, try_examples: bool = True) -> mapping.Mapping:
    """The mapping in a file, its examples run; raises `MappingError` with every problem."""
    tables, known = partial(beside, path.parent), known_tenants(path.parent)
    return compiled(text_of(path), name=name_of(path), read_file=tables, known=known, try_examples=try_examples)


def compiled(
    content: str,
    *,
    name: str,
    read_file: ReadFile,
    known: ReadOnly[str, Dialling] | None = None,
    try_examples: bool = True,
) -> mapping.Mapping:
    """The mapping of a text, its examples run, and narrowed to what its tenant dials; raises `MappingError`.

    `known` are the rules of the tenants by their names; without it any will do. They do not touch the examples, so
    that a rule which a tenant is given counts at once, whatever examples its mappings have.
    """
    loaded = mapping.load(content, name=name, presets=presets(), read_file=read_file)
    problems = [
        *_name_problems(loaded),
        *_tenant_problems(loaded, known),
        *(examples.problems(loaded) if try_examples else ()),
    ]
    if problems:
        raise MappingError(problems)
    return narrowed(loaded, known[loaded.tenant]) if known else loaded


def known_tenants(folder: Path) -> dict[str, Dialling]:
    """The tenants described beside the mappings of a folder; raises `MappingError` when that file cannot be used."""
    try:
        return tenants.dialling(folder)
    except SettingsError as exc:
        said = f"{tenants.FILE} cannot be used, so nobody knows what this mapping may dial"
        raise MappingError([Problem(Place(1, 1), said, hint=exc.problems[0].splitlines()[0])]) from exc


def _name_problems(loaded: mapping.Mapping) -> list[Problem]:
    if loaded.name not in RESERVED:
        return []
    hint = "choose another name, and rename the file"
    return [Problem(Place(1, 1), f"'{loaded.name}' is what the deliveries of the API are called", "name", hint=hint)]


def _tenant_problems(loaded: mapping.Mapping, known: Collection[str] | None) -> list[Problem]:
    if known is None or loaded.tenant in known:
        return []
    said = f"there is no tenant '{loaded.tenant}': known are {', '.join(sorted(known))}"
    hint = f"describe it in {tenants.FILE}, or remove this line"
    return [Problem(loaded.places[("tenant",)], said, "tenant", hint=hint)]


def rendered(path: Path, exc: MappingError) -> tuple[str, ...]:
    """Every problem of a file as `file:line:column: message` with its line and remedy."""
    try:
        lines = start(path, errors="replace").splitlines()
    except OSError:
        lines = []
    return tuple(mapping.render(path.name, lines, one) for one in exc.problems if isinstance(one, Problem))


def ready(
    loaded: mapping.Mapping,
    *,
    public_url: str,
    trusted_proxies: int | None = None,
    environ: ReadOnly[str, str] | None = None,
) -> Source:
    """The mapping with its secrets in hand; raises `SettingsError` naming each that is missing or cannot be used."""
    unsent = allowed.problems(loaded, environ)
    given, asked = proofs.ready(
        loaded, public_url=public_url, trusted_proxies=trusted_proxies, environ=environ, further=unsent
    )
    return Source(mapping=loaded, proofs=given, handshake_secrets=asked, apart=apart(loaded))


def load(
    folder: Path, *, public_url: str, trusted_proxies: int = 0, environ: ReadOnly[str, str] | None = None
) -> Sources:
    """Everything in a folder; a file that cannot be used never hides the others."""
    usable: dict[str, Source] = {}
    broken: dict[str, Broken] = {}
    for path in mapping_files(folder):
        try:
            usable[path.stem] = ready(
                read(path), public_url=public_url, trusted_proxies=trusted_proxies, environ=environ
            )
        except (MappingError, SettingsError) as exc:
            broken[path.stem] = refused(path, exc)
    return Sources(usable=usable, broken=broken)


def refused(path: Path, exc: MappingError | SettingsError) -> Broken:
    """Why a file cannot be used."""
    if isinstance(exc, MappingError):
        return Broken(file=path.name, problems=rendered(path, exc))
    return Broken(file=path.name, problems=tuple(f"{path.name}: {said}" for said in exc.problems))
