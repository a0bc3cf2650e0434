"""What a mapping's sender must prove, with the secrets in hand: from the environment, never from the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field

from adapter import signature
from adapter.errors import SchemeError, SettingsError
from adapter.mapping import Mapping
from adapter.mapping.compiled import Proof
from adapter.settings import environment

THERE = "set it where the adapter starts, then restart it"
HERE = "set it here to what the adapter has"


@dataclass(frozen=True, slots=True)
class Ready:
    """A proof with its secrets in hand."""

    scheme: signature.Scheme
    secrets: tuple[str, ...] = field(repr=False)


def missing_secrets(loaded: Mapping, environ: ReadOnly[str, str] | None = None) -> list[str]:
    """What keeps each of the variables a mapping needs from holding anything: `NAME is not set`, or its file."""
    return [why for name in names_of(loaded) for text, why in [secret(name, environ)] if not text]


def names_of(loaded: Mapping) -> list[str]:
    """The variables that hold what a mapping's sender proves itself with."""
    return [*(name for proof in loaded.receive.proofs for name in proof.secrets), *loaded.receive.handshake_secrets]


def secret(name: str, environ: ReadOnly[str, str] | None) -> tuple[str, str]:
    """The text of a variable, empty if it holds nothing but blanks, and why."""
    try:
        text, source = environment(name, environ)
    except SettingsError as exc:
        return "", exc.problems[0]
    file = source.removeprefix("file ")
    why = f"{name} is not set" if file == source else f"{name}_FILE: {file} is empty"
    return (text, "") if text and text.strip() else ("", why)


def ready(
    loaded: Mapping,
    *,
    public_url: str,
    trusted_proxies: int | None,
    environ: ReadOnly[str, str] | None,
    further: Sequence[str] = (),
) -> tuple[tuple[Ready, ...], tuple[str, ...]]:
    """The proofs of a mapping's sender and the secrets of its handshake; raises `SettingsError` with all that is wrong.

    `trusted_proxies` is the setting of the server that will use them; None where nothing is received. `further` are
    problems that were found elsewhere, so that all are told at once.
    """
    found = {name: secret(name, environ) for name in names_of(loaded)}
    remedy = HERE if trusted_proxies is None else THERE
    problems = [f"{why}: {loaded.name} checks its sender with it; {remedy}" for text, why in found.values() if not text]
    proofs = []
    for proof in loaded.receive.proofs:
        texts = {name: found[name][0] for name in proof.secrets} | {f"'{one}'": one for one in proof.identifiers}
        problems += [said for name, text in texts.items() if text and (said := _unusable(proof, name, text))]
        proofs.append(Ready(proof.scheme, tuple(texts.values())))
    problems += [*_unmet(loaded.name, proofs, public_url, trusted_proxies), *further]
    if problems:
        raise SettingsError(problems)
    asked = tuple(found[name][0] for name in loaded.receive.handshake_secrets) or proofs[0].secrets
    return tuple(proofs), asked


def _unmet(name: str, proofs: Sequence[Ready], public_url: str, trusted_proxies: int | None) -> Iterator[str]:
    """What these proofs need of the server and it does not have."""
    if not public_url and any(one.scheme.covers_url for one in proofs):
        yield f"ADAPTER_PUBLIC_URL is not set: the signature {name} checks covers the URL"
    if trusted_proxies == 0 and any(isinstance(one.scheme, signature.ClientCertificate) for one in proofs):
        said = f"anybody could send the header in which {name} looks for the client's certificate"
        yield f"ADAPTER_TRUSTED_PROXIES is 0: {said}; set it to the number of proxies in front"


def _unusable(proof: Proof, name: str, secret: str) -> str:
    """Why a secret, or an identifier written in the mapping, cannot serve its scheme; empty when it can."""
    try:
        signature.check_secret(proof.scheme, secret)
    except SchemeError as exc:
        return f"{name} cannot be used: {exc.reason.removeprefix(f'{exc.key}: ')}"
    return ""
