"""Settings from the environment: one table, read at once, all faults reported together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapter.errors import SettingsError, TextError
from adapter.units import count, duration, size
from adapter.xima import base_url

SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table; `read` turns its text into a value or raises `TextError` with the remedy."""

    name: str
    default: str | None
    help: str
    read: Callable[[str], Any] = str
    secret: bool = False
    example: str = ""


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise TextError("write the origin that senders call, like https://hooks.example.com")
    return text.rstrip("/")


def _database(text: str) -> str:
    if not text.startswith("sqlite:///"):
        raise TextError("write sqlite:///FILE, like sqlite:///adapter.db")
    return text


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys or any(len(key) < SHORTEST_KEY for key in keys):
        raise TextError(
            f"each key needs at least {SHORTEST_KEY} characters: python3 -c 'import secrets; print(secrets.token_hex())'"
        )
    return keys


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise TextError(f"there is no folder {text}: make it, or name the one with your mapping files")
    return Path(text)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "XIMA_HOST",
        None,
        "the Xima tenant: acme.xima.cloud, or a full http(s)://host:port",
        base_url,
        example="acme.xima.cloud",
    ),
    Setting("XIMA_TOKEN", None, "the token of the tenant's API Service User", secret=True),
    Setting("ADAPTER_MAPPINGS", "mappings", "folder of mapping files", _folder),
    Setting("ADAPTER_DATABASE_URL", "sqlite:///adapter.db", "the store: an SQLite file", _database),
    Setting(
        "ADAPTER_SECRET_KEY",
        None,
        "signs status links; a comma list rotates: the first signs, all verify",
        _keys,
        secret=True,
    ),
    Setting(
        "ADAPTER_PUBLIC_URL",
        "",
        "the origin the senders call; signatures that cover the URL use it, never the Host header",
        lambda text: _origin(text) if text else "",
        example="https://hooks.example.com",
    ),
    Setting(
        "ADAPTER_TRUSTED_PROXIES",
        "0",
        "number of reverse proxies in front",
        lambda text: count(text, most=10),
    ),
    Setting("ADAPTER_MAX_BODY", "1MB", "larger bodies get 413", size),
    Setting("ADAPTER_WAIT", "10s", "how long a click waits for Xima before the answer says sending", duration),
    Setting("ADAPTER_RETENTION", "30d", "payloads and finished deliveries older than this are removed", duration),
    Setting("ADAPTER_BIND", "127.0.0.1:8000", "address and port of the web server"),
    Setting("ADAPTER_WORKERS", "2", "web processes", lambda text: count(text, least=1, most=64)),
    Setting("ADAPTER_THREADS", "16", "threads of each web process", lambda text: count(text, least=1, most=256)),
)
TABLE = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings in force; `source` says for each name where its value came from."""

    xima_host: str
    xima_token: str = field(repr=False)
    mappings: Path
    database_url: str
    secret_keys: tuple[str, ...] = field(repr=False)
    public_url: str
    trusted_proxies: int
    max_body: int
    wait: timedelta
    retention: timedelta
    bind: str
    workers: int
    threads: int


FIELDS = dict(zip((setting.name for setting in SETTINGS), Settings.__slots__, strict=True))


def environment(name: str, environ: Mapping[str, str] | None = None) -> tuple[str | None, str]:
    """The text of a variable and where it came from: NAME itself, or the file that NAME_FILE names.

    Raises `SettingsError` when the file cannot be read.
    """
    environ = os.environ if environ is None else environ
    if environ.get(name):
        return environ[name], "environment"
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), f"file {path}"
        except (OSError, UnicodeDecodeError) as exc:
            raise SettingsError([f"{name}_FILE: {path} cannot be read ({type(exc).__name__})"]) from exc
    return None, "not set"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One setting as it was found: its value when it can be used, else what is wrong."""

    setting: Setting
    source: str
    value: Any = None
    problem: str = ""


def found(environ: Mapping[str, str] | None = None) -> list[Found]:
    """Every setting with its value in force, or its problem."""
    return [_found(setting, environ) for setting in SETTINGS]


def _found(setting: Setting, environ: Mapping[str, str] | None) -> Found:
    try:
        text, source = environment(setting.name, environ)
        if text is None and setting.default is None:
            return Found(setting=setting, source=source, problem=f"{setting.name} is not set: {setting.help}")
        shown = text if text is not None else setting.default or ""
        value = setting.read(shown)
    except TextError as exc:
        return Found(setting=setting, source=source, problem=f"{setting.name}: {exc.reason}")
    except SettingsError as exc:
        return Found(setting=setting, source="file", problem=exc.problems[0])
    return Found(setting=setting, source=source if text is not None else "default", value=value)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; raises `SettingsError` with every problem at once."""
    everything = found(environ)
    problems = [one.problem for one in everything if one.problem]
    if problems:
        raise SettingsError(problems)
    return Settings(**{FIELDS[one.setting.name]: one.value for one in everything})
