"""How the files of a folder stand to the versions in force: the same, newer, not usable, or gone."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapter import receipt, sources, texts, written
from adapter.errors import MappingError, SettingsError
from adapter.store import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A mapping, the version of it in force (if any), and what is to be said about its file."""

    name: str
    version: Version | None
    file: str

    def row(self) -> tuple[str | None, ...]:
        """For a table."""
        if self.version is None:
            return self.name, None, None, self.file
        return self.name, self.version.version or "removed", receipt.instant(self.version.since), self.file

    def plain(self) -> dict[str, Any]:
        """For a program."""
        version = self.version.version or None if self.version else None
        since = receipt.instant(self.version.since) if self.version else None
        return {"name": self.name, "version": version, "since": since, "file": self.file}


def of_folder(folder: Path, in_force: Mapping[str, Version]) -> list[Standing]:
    """Every mapping that is or was in force or has a file, by its name."""
    files = {path.stem: path for path in (*sources.mapping_files(folder), *sources.shadow_files(folder))}
    return [
        Standing(name=name, version=in_force.get(name), file=_of_file(files.get(name), in_force.get(name)))
        for name in sorted({*files, *in_force})
    ]


def _of_file(path: Path | None, version: Version | None) -> str:
    if path is None:
        return "removed" if version is None or not version.version else "the file is not there"
    try:
        found = written.in_file(path).mapping
    except MappingError as exc:
        return "cannot be used: " + sources.rendered(path, exc)[0].splitlines()[0]
    if sources.is_shadow(path):
        return f"runs beside {found.name} and does nothing (mappings shadow {found.name})"
    if version is not None and found.version == version.version:
        return str(path)
    counts = "it counts within two seconds where the adapter runs, if its secrets are set there"
    return f"{path} is newer ({found.version}): {counts}"


def on_disk(file: Path, like: Version) -> Version:
    """A mapping's texts as they are now, with the tables that a version of it uses; raises `SettingsError`."""
    try:
        content = texts.text_of(file)
    except MappingError as exc:
        raise SettingsError(list(sources.rendered(file, exc))) from exc
    tables = {name: text for name in like.beside if (text := _table(file.parent, name)) is not None}
    return replace(like, version="on disk", file=str(file), content=content, beside=tables)


def _table(folder: Path, name: str) -> str | None:
    try:
        return texts.beside(folder, name)
    except (OSError, UnicodeDecodeError):
        return None


def difference(one: Version, other: Version) -> Iterator[str]:
    """The lines in which the texts of two versions differ, as `diff -u` shows them."""
    yield from _lines(f"{one.mapping}.yaml", one, one.content, other, other.content)
    for name in sorted({*one.beside, *other.beside}):
        yield from _lines(name, one, one.beside.get(name, ""), other, other.beside.get(name, ""))


def _lines(name: str, one: Version, old: str, other: Version, new: str) -> Iterator[str]:
    labels = (f"{name} ({one.version})", f"{name} ({other.version})")
    return difflib.unified_diff(old.splitlines(), new.splitlines(), *labels, lineterm="")


def unpublished(file: Path, history: Sequence[Version]) -> str:
    """What would be lost if the file were overwritten: a text that never was in force, of it or of a table."""
    if not file.exists():
        return ""
    kept = [one for one in history if one.version]
    now = on_disk(file, replace(kept[0], beside={name: "" for one in kept for name in one.beside}))
    if now.content not in {one.content for one in kept}:
        return f"{file} has changes that never were in force"
    for name, text in now.beside.items():
        if text not in {one.beside.get(name) for one in kept}:
            return f"{file.parent / name} has changes that never were in force"
    return ""


def write_back(version: Version, file: Path) -> list[Path]:
    """Write a version's texts to their files, each at once or not at all; gives the files that were written."""
    texts = {file.parent / name: text for name, text in version.beside.items()} | {file: version.content}
    changed = [path for path, text in texts.items() if path == file or _table(path.parent, path.name) != text]
    for path in changed:  # the mapping last: nobody takes it up before its tables are there
        _replace(path, texts[path])
    return changed


def _replace(path: Path, text: str) -> None:
    """A file with a new text; whoever reads it meanwhile reads the old one. Raises `SettingsError`."""
    path = path.resolve()  # a link stays one
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, fresh)
        fresh.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise SettingsError([f"{path} cannot be written: {exc.strerror}"]) from exc
