"""Settings from the environment: one table, read at once, all faults reported together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapter.errors import SettingsError, TextError
from adapter.hosts import origins
from adapter.networks import Network, networks
from adapter.store import location
from adapter.units import count, duration, size
from adapter.xima import base_url

SHORTEST_KEY = 16
_ORIGIN = re.compile(r"(?ai)https?://([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?")


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table; `read` turns its text into a value or raises `TextError` with the remedy.

    `shown` is the text as people may see it.
    """

    name: str
    default: str | None
    help: str
    read: Callable[[str], Any]
    secret: bool = False
    example: str = ""
    shown: Callable[[str], str] = str


def address(text: str, *, least: int = 1) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, the host without brackets; raises `TextError`."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or not least <= int(port) <= 65535 or " " in host:
        raise TextError("write HOST:PORT, like 127.0.0.1:8000")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def _bind(text: str) -> str:
    address(text)
    return text.strip()


def _origin(text: str) -> str:
    if not text:
        return ""
    found = _ORIGIN.fullmatch(text.strip())
    if not found or int((found[2] or ":1")[1:]) not in range(1, 65536) or set("?#@") & set(text):
        raise TextError("write the origin that senders call, like https://hooks.example.com")
    return text.strip().rstrip("/")


def _token(text: str) -> str:
    if not re.fullmatch("[!-~]+", text.strip()):
        raise TextError("write the token alone, as Xima showed it: no blanks, no line breaks, no Bearer")
    return text.strip()


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys or any(len(key) < SHORTEST_KEY for key in keys):
        raise TextError(
            f"each key needs at least {SHORTEST_KEY} characters; make one with"
            " python3 -c 'import secrets; print(secrets.token_hex())'"
        )
    return keys


def _folder(text: str) -> Path:
    if why := location.obstacle(Path(text)):
        raise TextError(f"{why}: make it, or name the one with your mapping files")
    if not os.access(text, os.R_OK | os.X_OK):
        raise TextError(f"the folder {text} cannot be read: let the adapter's user list and enter it")
    return Path(text)


def _log(text: str) -> str:
    if text.strip() not in ("auto", "text", "json"):
        raise TextError("write text, json or auto")
    return text.strip()


def _some(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader that refuses zero, which would mean: nothing at all."""

    def more_than_nothing(text: str) -> Any:
        if not (value := read(text)):
            raise TextError("more than 0 is needed")
        return value

    return more_than_nothing


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "XIMA_HOST",
        None,
        "the Xima tenant: acme.xima.cloud, or a full http(s)://host:port",
        base_url,
        example="acme.xima.cloud",
    ),
    Setting("XIMA_TOKEN", None, "the token of the tenant's API Service User", _token, secret=True),
    Setting("ADAPTER_MAPPINGS", "mappings", "folder of mapping files", _folder),
    Setting(
        "ADAPTER_DATABASE_URL",
        "sqlite:///adapter.db",
        "the store: an SQLite file, or postgresql://USER:PASSWORD@HOST/DATABASE",
        location.checked,
        shown=location.shown,
    ),
    Setting(
        "ADAPTER_SECRET_KEY",
        None,
        "signs status links and makes the do-not-call list: keep it; a comma list rotates, its first signs, all verify",
        _keys,
        secret=True,
    ),
    Setting(
        "ADAPTER_PUBLIC_URL",
        "",
        "the origin the senders call; signatures that cover the URL use it, never the Host header",
        _origin,
        example="https://hooks.example.com",
    ),
    Setting("ADAPTER_TRUSTED_PROXIES", "0", "number of reverse proxies in front", lambda text: count(text, most=10)),
    Setting("ADAPTER_MAX_BODY", "1MB", "larger bodies get 413", _some(size)),
    Setting("ADAPTER_WAIT", "10s", "how long a click waits for Xima before the answer says sending", duration),
    Setting("ADAPTER_RETENTION", "30d", "payloads and finished deliveries are removed after it", _some(duration)),
    Setting(
        "ADAPTER_RECOVER_ASK",
        "0",
        "after an outage more late callbacks than this wait for xima-adapter recover; 0 sends what is wanted still",
        lambda text: count(text, most=1_000_000),
    ),
    Setting("ADAPTER_BIND", "127.0.0.1:8000", "address and port of the web server", _bind),
    Setting("ADAPTER_WORKERS", "2", "web processes", lambda text: count(text, least=1, most=64)),
    Setting("ADAPTER_THREADS", "16", "threads of each web process", lambda text: count(text, least=1, most=256)),
    Setting("ADAPTER_MAPPING_LIMIT", "200", "requests a second for one mapping, in each web process; 0: any", count),
    Setting("ADAPTER_ADDRESS_LIMIT", "20", "refused requests a second from one address, likewise; 0: any", count),
    Setting("ADAPTER_METRICS_ALLOW", "private", "who may read /metrics: private, all, none, or networks", networks),
    Setting("ADAPTER_REPORT_HOSTS", "", "hosts mappings may report to: crm.example.com, other.example:8443", origins),
    Setting("ADAPTER_LOG", "auto", "text or json; auto: text on a terminal, json elsewhere", _log, example="json"),
)
TABLE = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings in force; no secret is in the repr."""

    xima_host: str
    xima_token: str = field(repr=False)
    mappings: Path
    database_url: str = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)
    public_url: str
    trusted_proxies: int
    max_body: int
    wait: timedelta
    retention: timedelta
    recover_ask: int
    bind: str
    workers: int
    threads: int
    mapping_limit: int
    address_limit: int
    metrics_allow: tuple[Network, ...]
    report_hosts: frozenset[str]
    log: str

    @property
    def origin(self) -> str:
        """Where the adapter is found: the public URL, or without one the address it listens on."""
        return self.public_url or f"http://{self.bind}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may show."""
        return (self.xima_token, *self.secret_keys, *location.passwords(self.database_url))


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
            return Path(path).read_text(encoding="utf-8-sig").rstrip("\r\n"), f"file {path}"
        except OSError as exc:
            raise SettingsError([f"{name}_FILE: {path} cannot be read: {exc.strerror}"]) from exc
        except UnicodeDecodeError as exc:
            raise SettingsError([f"{name}_FILE: {path} is not UTF-8 text"]) from exc
    return None, "not set"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One setting as it was found: its text, and its value when that can be used, else what is wrong."""

    setting: Setting
    source: str
    text: str = field(default="", repr=False)
    value: Any = field(default=None, repr=False)
    problem: str = ""


def found(environ: Mapping[str, str] | None = None) -> list[Found]:
    """Every setting with its value in force, or its problem."""
    return [find(setting, environ) for setting in SETTINGS]


def find(setting: Setting, environ: Mapping[str, str] | None = None) -> Found:
    """One setting with its value in force, or its problem."""
    try:
        text, source = environment(setting.name, environ)
    except SettingsError as exc:
        return Found(setting=setting, source="file", problem=exc.problems[0])
    if text is None and setting.default is not None:
        text, source = setting.default, "default"
    try:
        return Found(setting=setting, source=source, text=text or "", value=setting.read(text or ""))
    except TextError as exc:
        named = setting.name if text is not None else f"{setting.name} is not set ({setting.help})"
        return Found(setting=setting, source=source, text=text or "", problem=f"{named}: {exc.reason}")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; raises `SettingsError` with every problem at once."""
    everything = found(environ)
    problems = [one.problem for one in everything if one.problem]
    if problems:
        raise SettingsError(problems)
    return Settings(**{FIELDS[one.setting.name]: one.value for one in everything})
