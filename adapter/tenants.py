"""The Xima tenants: the one of the settings, and those of the file `tenants.yaml` beside the mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import ValidationError

from adapter.errors import MappingError, SettingsError
from adapter.mapping import Problem, render
from adapter.mapping.dialling import Dialling, DiallingSchema
from adapter.mapping.load import problems
from adapter.mapping.problems import Place
from adapter.mapping.text import MOST_BYTES, Group, Tree, read
from adapter.mapping.vocabulary import MISSING, Named, Part, Read, Strict, a_count, a_text
from adapter.policy import Rate
from adapter.settings import environment
from adapter.xima import Tenant, base_url

FILE = "tenants.yaml"
DEFAULT = "default"
MOST_PER_SECOND = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenants:
    """Every tenant by its name, how much may leave for those that have a rate, and how the API dials for them."""

    known: Mapping[str, Tenant]
    rates: Mapping[str, Rate]
    phones: Mapping[str, Dialling] = field(default_factory=dict)

    @property
    def tokens(self) -> tuple[str, ...]:
        """What no log may show."""
        return tuple(tenant.token for tenant in self.known.values())


class TenantSchema(Strict):
    """One tenant: where its Xima is, which variable holds its token, what is dialled and how, how much may leave."""

    remedies: ClassVar[Mapping[str, str]] = {"secret": "write token: with the name of the variable that holds it"}

    host = Read(base_url)
    token = a_text()
    per_second = a_count(MOST_PER_SECOND)
    burst = a_count(MOST_PER_SECOND)
    phones = Part(DiallingSchema)


_FIELD = Named(Part(TenantSchema))


def load(folder: Path, default: Tenant, environ: Mapping[str, str] | None = None) -> Tenants:
    """The tenants in force; raises `SettingsError` with everything that is wrong in the file or missing."""
    known, rates, phones = {DEFAULT: default}, {}, {}
    wrong: list[str] = []
    for name, given in _given(folder).items():
        if given.get("per_second"):
            rates[name] = Rate(per_second=given["per_second"], burst=given.get("burst", given["per_second"]))
        if "phones" in given:
            phones[name] = given["phones"]
        try:
            known[name] = _tenant(name, given, default, environ)
        except SettingsError as exc:
            wrong += exc.problems
    if wrong:
        raise SettingsError(wrong)
    return Tenants(known=known, rates=rates, phones=phones)


def one(folder: Path, name: str, default: Tenant, environ: Mapping[str, str] | None = None) -> Tenant:
    """The tenant of that name, whatever the others lack; raises `SettingsError`."""
    return _tenant(name, _given(folder).get(name, {}), default, environ)


def dialling(folder: Path) -> dict[str, Dialling]:
    """What each tenant that a mapping may name lets be dialled; raises `SettingsError` as `load` does."""
    return {DEFAULT: Dialling()} | {name: one.get("phones", Dialling()) for name, one in _given(folder).items()}


def token_names(folder: Path) -> list[str]:
    """The variables that hold the tenants' tokens; of a file that cannot be used none."""
    try:
        return [given["token"] for given in _given(folder).values() if "token" in given]
    except SettingsError:
        return []


def _tenant(name: str, given: Mapping[str, Any], default: Tenant, environ: Mapping[str, str] | None) -> Tenant:
    if "host" not in given:
        return default
    token, why = _token(given["token"], environ)
    if why:
        raise SettingsError([f"{why}: {FILE} names it for the tenant {name}"])
    return Tenant(name=name, base_url=given["host"], token=token)


def _token(name: str, environ: Mapping[str, str] | None) -> tuple[str, str]:
    """The token in a variable, and why there is none."""
    try:
        text, _ = environment(name, environ)
    except SettingsError as exc:
        return "", exc.problems[0]
    return (text.strip(), "") if text and text.strip() else ("", f"{name} is not set")


def _given(folder: Path) -> dict[str, Any]:
    """The file's tenants as plain data; raises `SettingsError` that shows every place and its remedy."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8-sig")[: MOST_BYTES + 1]
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError([f"{FILE} cannot be read: {getattr(exc, 'strerror', None) or 'it is not UTF-8'}"]) from exc
    try:
        return _checked(read(text))
    except MappingError as exc:
        shown = [render(FILE, text.splitlines(), one) for one in exc.problems if isinstance(one, Problem)]
        raise SettingsError(shown) from exc


def _checked(tree: Tree) -> dict[str, Any]:
    if not isinstance(tree.data, Group):
        raise MappingError([Problem(Place(1, 1), "a group of tenants is expected", hint="begin with acme: and host:")])
    try:
        given: dict[str, Any] = _FIELD.deserialize(tree.data)
    except ValidationError as exc:
        raise MappingError(problems(exc.messages, tree)) from exc
    missing = {
        name: {key: [MISSING] for key in ("host", "token") if key not in one}
        for name, one in given.items()
        if not {"host", "token"} <= one.keys() and (name != DEFAULT or {"host", "token"} & one.keys())
    }
    if missing:
        raise MappingError(problems(missing, tree))
    return given
