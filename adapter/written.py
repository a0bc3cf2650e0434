"""A mapping together with the texts it is made of, from its file or from the history of versions."""

from __future__ import annotations

import errno
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from adapter import mapping, sources, texts
from adapter.mapping import text
from adapter.store import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A mapping, its text, and the texts of its tables by the names of their files."""

    mapping: mapping.Mapping
    content: str = field(repr=False)
    beside: ReadOnly[str, str] = field(repr=False)

    def version(self, file: Path, *, since: datetime) -> Version:
        """It as a version that comes into force."""
        return Version(
            mapping=self.mapping.name,
            version=self.mapping.version,
            since=since,
            file=str(file),
            content=self.content,
            beside=self.beside,
        )


def in_file(path: Path, *, any_name: bool = False) -> Written:
    """What stands in a file, its examples run; raises `MappingError`. A draft's file may have any name."""
    content = texts.text_of(path)
    name = _own_name(content) if any_name else ""
    beside: dict[str, str] = {}

    def read(table: str) -> str:
        beside[table] = texts.beside(path.parent, table)
        return beside[table]

    known = sources.known_tenants(path.parent)
    made = sources.compiled(content, name=name or sources.name_of(path), read_file=read, known=known)
    return Written(mapping=made, content=content, beside=beside)


def _own_name(content: str) -> str:
    """The name a mapping gives itself; empty when it has none."""
    tree = text.read(content).data
    name = tree.get("name") if isinstance(tree, text.Group) else None
    return name if isinstance(name, str) else ""


def again(version: Version, folder: Path | None = None) -> mapping.Mapping:
    """The mapping of a version that was in force; raises `MappingError` when this adapter cannot read it any more.

    With a folder it may dial what the tenants described there let it dial now.
    """

    def read(table: str) -> str:
        if table not in version.beside:
            raise FileNotFoundError(errno.ENOENT, "it was not kept with the version")
        return version.beside[table]

    # Its examples came true when it came into force; nobody is there to mend them now.
    known = sources.known_tenants(folder) if folder else None
    return sources.compiled(version.content, name=version.mapping, read_file=read, known=known, try_examples=False)
