"""How commands speak: errors with a remedy, JSON for programs, columns for people."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from adapter import sources
from adapter.errors import AdapterError, MappingError, SettingsError, StoreError
from adapter.mapping import Mapping
from adapter.settings import TABLE, find
from adapter.store import Store

P = ParamSpec("P")
R = TypeVar("R")

NO_TEXT = "the terminal does not speak UTF-8, in which all is written: set LANG=C.UTF-8, or type no special letters"
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Show our own errors as lines on standard error with exit code 1, never as a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SettingsError as exc:
            for problem in exc.problems:
                click.echo(problem, err=True)
        except AdapterError as exc:
            click.echo(exc.reason, err=True)
        except UnicodeEncodeError as exc:  # of a terminal that speaks Latin-1, say
            raise click.UsageError(NO_TEXT) from exc
        raise SystemExit(1)

    return run


def printable(text: str) -> str:
    """A line in which what a terminal would obey, and a sender may have written, is an escape as in JSON."""
    return text if text.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def say(*lines: str) -> None:
    """Print lines that hold words of a request."""
    click.echo("\n".join(map(printable, lines)))


def print_json(data: Any) -> None:
    """Data as indented JSON."""
    say(*json.dumps(data, indent=2, ensure_ascii=False, default=str).split("\n"))


def columns(rows: Iterable[Sequence[Any]]) -> None:
    """Rows in columns as wide as their widest cell; the last column is left ragged, None is a dash."""
    cells = [["-" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def setting(name: str) -> Any:
    """One setting by itself, for commands that do not need the others; raises `SettingsError`."""
    found = find(TABLE[name])
    if found.problem:
        raise SettingsError([found.problem])
    return found.value


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """A store that is there and up to date; raises `StoreError`, and makes no file."""
    file = url.removeprefix("sqlite:///")
    if file != url and not Path(file).is_file():
        raise StoreError(f"there is no store {file} yet: start the adapter (serve), or run xima-adapter db upgrade")
    store = Store(url)
    try:
        store.check()
        yield store
    finally:
        store.close()


def is_there(path: Path) -> bool:
    """Whether a file or folder is there for this user."""
    try:
        return path.exists()
    except OSError:  # in a folder that he may not enter
        return False


def mapping_path(name: str) -> Path:
    """The file of a mapping given by its name or as a path; raises `click.UsageError`."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and is_there(path) and path.is_file():
        return path
    if path.parent != Path():  # not one of the same name that lies elsewhere
        raise click.UsageError(f"there is no mapping file {name}")
    folder: Path = setting("ADAPTER_MAPPINGS")
    known = {one.stem: one for one in sources.mapping_files(folder)}
    if path.stem not in known:
        names = ", ".join(known) or "none"
        raise click.UsageError(f"there is no mapping called {name} in {folder} (it has: {names})")
    return known[path.stem]


def read_mapping(path: Path, *, try_examples: bool = True) -> Mapping:
    """A mapping file; raises `SettingsError` with what is wrong, shown as `check` shows it."""
    try:
        return sources.read(path, try_examples=try_examples)
    except MappingError as exc:
        raise SettingsError(list(sources.rendered(path, exc))) from exc


def spoken_count(number: int, one: str, many: str = "") -> str:
    """`1 example`, `2 examples`."""
    return f"{number} {one}" if number == 1 else f"{number} {many or f'{one}s'}"


def me() -> str:
    """The name of whoever is logged in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"user {os.getuid()}"


by_option = click.option("--by", default=me, metavar="NAME", help="Who you are (default: the name you logged in with).")
