"""Where reports may go: origins that the operator has allowed by name, compared whole."""

from __future__ import annotations

import re

from adapter.errors import TextError

_HOST = r"(?P<host>[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_ALLOWED = re.compile(rf"(?ai)(?:(?P<scheme>https?)://)?{_HOST}/?")
_URL = re.compile(rf"(?ai)(?P<scheme>https?)://{_HOST}(?P<path>[/?][!\"$-\[\]-~]*)?")
"""No user, no fragment, no backslash: nothing that two readers of a URL could understand in two ways."""
_LOOPBACK = re.compile(r"(?ai)localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_PORTS = {"https": 443, "http": 80}


def origins(text: str) -> frozenset[str]:
    """The origins of a list with commas, https unless one says otherwise; raises `TextError`."""
    return frozenset(_allowed(one.strip()) for one in text.split(",") if one.strip())


def origin(url: str) -> str:
    """The origin of a URL with its port, like https://crm.example.com:443; raises `TextError`."""
    return split(url)[0]


def split(url: str) -> tuple[str, str]:
    """The origin of a URL, and the rest of it, which begins with a slash; raises `TextError`."""
    found = _URL.fullmatch(url)
    if not found:
        raise TextError("write a whole URL, like https://crm.example.com/hooks/calls, with no user and no #")
    path = found["path"] or "/"
    return _origin(found), path if path.startswith("/") else f"/{path}"


def is_here(url: str) -> bool:
    """Whether it is plain http that only programs on this machine can call: a trial."""
    found = _URL.fullmatch(url)
    return found is not None and found["scheme"].lower() == "http" and bool(_LOOPBACK.fullmatch(found["host"]))


def _allowed(text: str) -> str:
    found = _ALLOWED.fullmatch(text)
    if not found:
        raise TextError("write hosts with commas between, like crm.example.com, hooks.example.com:8443")
    return _origin(found)


def _origin(found: re.Match[str]) -> str:
    scheme = (found["scheme"] or "https").lower()
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise TextError(f"there is no port {port}")
    if scheme == "http" and not _LOOPBACK.fullmatch(found["host"]):
        raise TextError("write https: http is for this machine only, like http://127.0.0.1:9000")
    return f"{scheme}://{found['host'].lower()}:{port}"
