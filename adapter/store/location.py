"""Where the store is: what ADAPTER_DATABASE_URL may say, and how it is shown to people."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR
from urllib.parse import parse_qsl, unquote, urlsplit

from adapter.errors import TextError

POSTGRES = ("postgresql://", "postgres://")
REMEDY = "write sqlite:///FILE, like sqlite:///adapter.db, or postgresql://USER:PASSWORD@HOST/DATABASE"
_PASSWORD = re.compile(r"(?P<before>://[^:/@]*:)(?P<one>.*)(?=@)|(?P<name>[?&]password=)(?P<other>[^&]*)")


def checked(text: str) -> str:
    """The address of a store that can be used as far as this can be told without asking it; raises `TextError`."""
    url = text.strip()
    (_check_server if url.startswith(POSTGRES) else _check_file)(url)
    return url


def _check_file(url: str) -> None:
    path = url.removeprefix("sqlite:///")
    if path == url or path in ("", ":memory:") or "?" in path:
        raise TextError(REMEDY)
    if why := obstacle(Path(path).absolute().parent):
        raise TextError(f"{why}: make it, or name another file")
    try:
        Path(path).stat()
    except FileNotFoundError:
        pass  # it will be made
    except OSError as exc:
        raise TextError(f"{path} cannot be reached: {exc.strerror}: let the adapter's user enter its folder") from exc


def obstacle(folder: Path) -> str:
    """Why a folder cannot be used, in words; nothing when it is there."""
    try:
        return "" if S_ISDIR(folder.stat().st_mode) else f"{folder} is no folder"
    except FileNotFoundError:
        return f"there is no folder {folder}"
    except OSError as exc:
        return f"the folder {folder} cannot be reached ({exc.strerror})"


def _check_server(url: str) -> None:
    """What libpq itself would say may hold the password, so it is not asked."""
    try:
        found = urlsplit(url)
        named = bool(found.path.strip("/")) or "dbname" in dict(
            parse_qsl(found.query, strict_parsing=bool(found.query))
        )
    except ValueError:
        named = False
    if not named or re.search(r"\s|%(?![0-9A-Fa-f]{2})", url) or url.count("@") > 1:
        raise TextError(
            "write postgresql://USER:PASSWORD@HOST/DATABASE; in a password write @ as %40, / as %2F, % as %25"
        )
    if importlib.util.find_spec("psycopg") is None:
        raise TextError("PostgreSQL needs psycopg: pip install 'xima-crm-adapter[postgres]'")


def shown(url: str) -> str:
    """The address without its password."""
    return _PASSWORD.sub(lambda found: (found["before"] or found["name"]) + "***", url)


def passwords(url: str) -> Iterator[str]:
    """The password in an address, as written and as meant."""
    for found in _PASSWORD.finditer(url):
        written = found["one"] or found["other"] or ""
        yield from (written, unquote(written))
