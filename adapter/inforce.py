"""The mappings in force in one process: read again when their files change, never worse than what worked before."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from adapter import mapping, receipt, sources, written
from adapter.chronicle import Chronicle
from adapter.dispatcher import Clock
from adapter.errors import MappingError, SettingsError
from adapter.folder import Folder
from adapter.sources import Broken, Source, Sources
from adapter.store import Store, Version
from adapter.written import Written

GRACE = timedelta(seconds=5)
"""How long a file may be away before its mapping ends: some editors delete a file and write it anew."""
GONE_FOR = timedelta(days=1)
"""How long the senders of a removed mapping are asked to try again (503) before they are told it is gone (404)."""


class InForce:
    """Knows the mappings in force (`found`); only `begin` and `look` change them.

    `expected` are the mappings without which the server is not ready when they cannot be used at the start (default:
    every file that is there); what breaks later cannot make it less ready.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        clock: Clock,
        *,
        public_url: str,
        trusted_proxies: int = 0,
        environ: ReadOnly[str, str] | None = None,
        expected: Collection[str] | None = None,
    ) -> None:
        self.found = Sources(usable={}, broken={})
        self._folder = Folder(folder)
        self._chronicle = Chronicle(store)
        self._clock = clock
        self._public_url = public_url
        self._trusted_proxies = trusted_proxies
        self._environ = environ
        self._expected = expected
        self._usable: dict[str, Source] = {}
        self._broken: dict[str, Broken] = {}
        self._waiting: dict[str, Broken] = {}
        self._shadows: dict[str, mapping.Mapping] = {}
        self._missing: dict[str, datetime] = {}

    def begin(self) -> None:
        """Read everything; a file that cannot be used, or is just being written, leaves the version before in force."""
        self._chronicle.read()
        now = self._clock()
        files = self._files()
        for path in files or []:
            if not (self._folder.is_fresh(path, now=now) and self._restore(path.stem)) and not self._take(path):
                self._refuse(path.stem, Broken(file=path.name, problems=(f"{path.name} changed while it was read",)))
        names = {path.stem for path in files or []}
        for name in self._chronicle.last.keys() - names:
            self._restore(name)
        if self._expected is not None:
            late = {name: replace(one, expected=False) for name, one in self._broken.items()}
            self._broken |= {name: one for name, one in late.items() if name not in self._expected}
        self._expected = {name for name, one in self._broken.items() if one.expected}
        if files is not None:
            self._end_missing(names, now)
        self._tell()

    def look(self) -> None:
        """See what has changed in the folder, and let it count where it is good."""
        files = self._files()
        if files is not None:
            for path in self._folder.changed():
                self._take(path)
            self._end_missing({path.stem for path in files}, self._clock())
        self._chronicle.catch_up()
        self._tell()

    def _tell(self) -> None:
        """All at once, so that no request sees a half of it."""
        self.found = Sources(
            usable=dict(self._usable),
            broken=dict(self._broken),
            waiting=dict(self._waiting),
            shadows={one.name: one for one in self._shadows.values()},
        )

    def _files(self) -> list[Path] | None:
        """The files of the folder; None while it cannot be listed, and then everything stays as it is."""
        name = str(self._folder.path)
        try:
            files = self._folder.look()
        except OSError as exc:
            said = f"the folder {name} cannot be read ({exc.strerror}): everything stays as it is"
            self._waiting[name] = Broken(file=name, problems=(said,))
            return None
        self._waiting.pop(name, None)
        return files

    # a file that is there

    def _take(self, path: Path) -> bool:
        """Put what a file holds in force, or say why not; False when it changed meanwhile, so that nobody knows."""
        got = self._folder.read(path, self._read)
        if isinstance(got, Broken):
            self._refuse(path.stem, got)
        elif isinstance(got, mapping.Mapping):
            self._waiting.pop(path.stem, None)
            self._shadows[path.stem] = got
        elif got is not None:
            self._put(path, *got)
        return got is not None

    def _read(self, path: Path) -> tuple[Written, Source] | mapping.Mapping | Broken:
        try:
            found = written.in_file(path)
            if sources.is_shadow(path):  # it does nothing, and so it needs no secrets
                return found.mapping
            return found, self._ready(found.mapping)
        except (MappingError, SettingsError) as exc:
            return sources.refused(path, exc)

    def _ready(self, found: mapping.Mapping) -> Source:
        return sources.ready(
            found, public_url=self._public_url, trusted_proxies=self._trusted_proxies, environ=self._environ
        )

    def _put(self, path: Path, found: Written, source: Source) -> None:
        name = path.stem
        kept = self._chronicle.keep(found.version(path, since=self._clock()))
        self._usable[name] = replace(source, since=kept.since)
        self._broken.pop(name, None)
        self._waiting.pop(name, None)

    def _refuse(self, name: str, broken: Broken) -> None:
        if name.endswith(sources.SHADOW) or self._restore(name) or name in self._usable:
            self._broken.pop(name, None)
            self._waiting[name] = broken
        else:
            expected = self._expected is None or name in self._expected
            self._broken[name] = replace(broken, expected=expected)

    def _restore(self, name: str) -> bool:
        """Put the last version that was in force in force again; whether there is one that can be used."""
        last = self._chronicle.last.get(name)
        if last is None:
            return False
        try:
            source = self._ready(written.again(last, self._folder.path)) if last.version else None
        except (MappingError, SettingsError) as exc:
            said = f"{name}: version {last.version}, the last in force, cannot be used here: {exc.reason}"
            self._broken[name] = Broken(file=f"{name}.yaml", problems=(said,))
            return False
        if source is None:
            self._broken[name] = _removed(last)
            return False
        if self._usable.get(name) != (made := replace(source, since=last.since)):  # its tenant may be stricter now
            self._usable[name] = made
        return True

    # files that are not there

    def _end_missing(self, present: Collection[str], now: datetime) -> None:
        """End the mappings whose files stay away, and forget what ended long ago or never was in force."""
        gone = {*self._usable, *self._broken, *self._waiting, *self._shadows} - {*present, str(self._folder.path)}
        self._missing = {name: self._missing.get(name, now) for name in gone}
        for name in gone:
            last = self._chronicle.last.get(name)
            if last is None or (not last.version and now - last.since > GONE_FOR):
                self._forget(name)
            elif last.version and now - self._missing[name] >= GRACE:
                file = str(self._folder.path / f"{name}.yaml")
                kept = self._chronicle.keep(Version(mapping=name, version="", since=now, file=file))
                self._forget(name)
                self._broken[name] = _removed(kept)

    def _forget(self, name: str) -> None:
        for known in (self._usable, self._broken, self._waiting, self._shadows):
            known.pop(name, None)


def _removed(version: Version) -> Broken:
    until = receipt.instant(version.since + GONE_FOR)
    said = f"{version.mapping}.yaml was removed; its senders are asked to try again (503) until {until}, then it is 404"
    return Broken(file=Path(version.file).name, problems=(said,), expected=False, removed=True)
