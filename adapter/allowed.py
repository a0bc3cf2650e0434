"""Whether the reports of a mapping can be sent: the operator allows their host, and their secrets can sign."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as ReadOnly

from adapter import settings, signature
from adapter.errors import SchemeError, SettingsError, TextError
from adapter.hosts import origin
from adapter.mapping import Mapping
from adapter.proofs import secret

SETTING = "ADAPTER_REPORT_HOSTS"
STANDARD = signature.scheme(
    {
        "scheme": "hmac",
        "header": "webhook-signature",
        "algorithm": "sha256",
        "encoding": "base64",
        "secret_encoding": "base64",
        "secret_prefix": "whsec_",
        "header_format": {"type": "list", "item_sep": " ", "version_sep": ",", "version": "v1"},
        "content": "{id}.{timestamp}.{body}",
        "id": {"header": "webhook-id"},
        "timestamp": {"header": "webhook-timestamp", "unit": "s"},
    }
)
"""https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
SHORTEST = 16
"""Bytes of a key; the specification wants 24 or more, and what is shorter than this can be guessed."""


def problems(loaded: Mapping, environ: ReadOnly[str, str] | None = None) -> list[str]:
    """Everything that keeps the reports of a mapping from being sent, each with its remedy; none without `report`."""
    if loaded.report is None:
        return []
    hosts = settings.find(settings.TABLE[SETTING], environ).value or ()
    said = host_problem(loaded.report.to, hosts)
    host = [f"{said}: add it there, for {loaded.name} reports to it"] if said else []
    return [*host, *_unusable(loaded.report.secrets, environ)]


def host_problem(to: str, allowed: Collection[str]) -> str:
    """Why nothing may be sent to this URL; empty when it may."""
    try:
        where = origin(to)
    except TextError as exc:
        return exc.reason
    shown = where.removeprefix("https://").removesuffix(":443")
    return "" if where in allowed else f"{SETTING} does not allow {shown}"


def keys(names: Sequence[str], environ: ReadOnly[str, str] | None = None) -> list[str]:
    """The secrets in these variables, those that sign; raises `SettingsError` when one of them cannot."""
    if wrong := _unusable(names, environ):
        raise SettingsError(wrong)
    return [secret(name, environ)[0].strip() for name in names]


def _unusable(names: Sequence[str], environ: ReadOnly[str, str] | None) -> list[str]:
    found = [(name, *secret(name, environ)) for name in names]
    return [f"{why}: reports are signed with it" if why else _too_weak(name) for name, text, why in found if _bad(text)]


def _too_weak(name: str) -> str:
    return f"{name} cannot sign reports: make one with  echo whsec_$(openssl rand -base64 32)"


def _bad(text: str) -> bool:
    try:
        signature.check_secret(STANDARD, text.strip())
    except SchemeError:
        return True
    return len(text.strip().removeprefix("whsec_")) * 3 // 4 < SHORTEST
