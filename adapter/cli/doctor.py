"""Is everything in place? Settings, store, mappings, Xima, and what the mappings name there: a line each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from urllib.request import getproxies_environment

import click

from adapter import hosts, settings, sources, tenants, wsgi
from adapter.cli import premises, roster, strength
from adapter.cli.finding import Finding, Findings
from adapter.cli.shown import as_json, opened, plainly, print_json, setting, spoken_count
from adapter.errors import AdapterError, MappingError, SettingsError, TextError, Unavailable
from adapter.mapping import Mapping, named
from adapter.xima import Client

MOST_SKEW = timedelta(seconds=60)
"""Signatures carry the time, and most senders' are refused when they are five minutes off."""


@click.command()
@as_json
@plainly
def doctor(as_json: bool) -> None:
    """Look whether everything is in place.

    Settings, the store and how it is kept, secrets, what senders call, the mappings, Xima's host, token and clock, and
    every extension, skill and caller id that the mappings name. Xima is only read. Exit code 1 when something is wrong.

    \b
    Example:
      xima-adapter doctor
    """
    found = [one for look in LOOKS for one in _safely(look)]
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        for one in found:
            click.echo(f"{'ok   ' if one.well else 'WRONG'}  {one.subject}: {one.said}")
            if one.remedy:
                click.echo(f"       = {one.remedy}")
    if not all(one.well for one in found):
        raise SystemExit(1)


def _safely(look: Callable[[], Findings]) -> Findings:
    """What was found, the trouble on the way included."""
    try:
        yield from look()
    except SettingsError:
        return  # told by `_settings`, and without them there is nothing to look at
    except AdapterError as exc:
        yield _trouble(SUBJECTS[look], exc)


def _trouble(subject: str, exc: AdapterError) -> Finding:
    said, _, remedy = exc.reason.partition(": ")
    return Finding(subject, False, said, remedy)


def _settings() -> Findings:
    found = settings.found()
    for one in found:
        if one.problem:
            yield Finding("settings", False, *_of_setting(one))
    if not any(one.problem for one in found):
        yield Finding("settings", True, f"all {len(found)} can be used")


def _of_setting(one: settings.Found) -> tuple[str, str]:
    """What is wrong with a setting, and the whole sentence that says what to write."""
    name = one.setting.name
    unset = f"{name} is not set ({one.setting.help})"
    for begin, said in ((f"{unset}: ", unset), (f"{name}: ", f"{name} cannot be used")):
        if one.problem.startswith(begin):
            return said, one.problem.removeprefix(begin)
    return one.problem, f"let {name}_FILE name a file that can be read"


def _store() -> Findings:
    yield from premises.room()
    with opened(setting("ADAPTER_DATABASE_URL")):
        yield Finding("store", True, "reachable and up to date")
    yield from premises.keeping()


def _secrets() -> Findings:
    yield from strength.secrets([one for _, one in _files()])


def _public_url() -> Findings:
    url = setting("ADAPTER_PUBLIC_URL")
    if not url:
        remedy = "set ADAPTER_PUBLIC_URL to the origin that senders call, like https://hooks.example.com"
        yield Finding("public URL", False, "not set: status links and signatures that cover the URL need it", remedy)
    elif hosts.is_here(url):
        yield Finding("public URL", True, f"{url}: only programs on this machine can call it")
    elif url.startswith("http://"):
        yield Finding("public URL", False, f"{url} is not encrypted", "put a proxy with https in front")
    else:
        yield Finding("public URL", True, url)
    yield from premises.way_in()


def _files() -> Iterator[tuple[Path, Mapping]]:
    """The mappings that load."""
    for path in sources.mapping_files(setting("ADAPTER_MAPPINGS")):
        with contextlib.suppress(MappingError):
            yield path, sources.read(path)


def _mappings() -> Findings:
    folder = setting("ADAPTER_MAPPINGS")
    found = sources.load(
        folder, public_url=setting("ADAPTER_PUBLIC_URL"), trusted_proxies=setting("ADAPTER_TRUSTED_PROXIES")
    )
    if not found.usable and not found.broken:
        yield Finding("mappings", False, f"there is none in {folder}", "copy one of the shipped ones and change it")
    for name, broken in found.broken.items():
        where = f"mapping {name}"
        said, remedy = _of_broken(broken, folder)
        yield Finding(where, False, said, remedy)
    for name, source in found.usable.items():
        yield Finding(f"mapping {name}", True, f"good, {spoken_count(len(source.mapping.examples), 'example')}")


def _of_broken(broken: sources.Broken, folder: Path) -> tuple[str, str]:
    """What is wrong and its remedy: `check` knows the mistakes of a file, and nothing of the server's environment."""
    said = broken.problems[0].splitlines()[0]
    if not said.startswith(f"{broken.file}: "):  # without a line it is no mistake in the file
        return said, f"xima-adapter check {folder / broken.file}"
    said, _, remedy = said.partition("; ")
    return said, remedy or "mend that where the adapter starts, then restart it"


def _xima() -> Findings:
    for name in ("XIMA_HOST", "XIMA_TOKEN"):
        setting(name)  # what is wrong with it is told by `_settings`
    loaded = list(_files())
    with roster.rosters() as rosters:
        for name in dict.fromkeys((tenants.DEFAULT, *sorted(one.tenant for _, one in loaded))):
            yield from _tenant(name, [(path, one) for path, one in loaded if one.tenant == name], rosters)
    yield from _strategies([one for _, one in loaded])


def _tenant(name: str, loaded: list[tuple[Path, Mapping]], rosters: Callable[[str, Path], roster.Roster]) -> Findings:
    subject = "Xima" if name == tenants.DEFAULT else f"Xima of {name}"
    try:
        known = rosters(name, setting("ADAPTER_MAPPINGS"))
    except Unavailable as exc:
        yield Finding(subject, False, exc.reason, _remedy(name, exc))
        return
    except AdapterError as exc:
        yield _trouble(subject, exc)
        return
    agents, skills = spoken_count(len(known.extensions), "agent"), spoken_count(len(known.skills), "skill")
    yield Finding(subject, True, f"answers and takes the token: {agents}, {skills}")
    yield from _in_clear(subject, known.client.tenant.base_url)
    yield from _clock(known.client)
    for path, one in loaded:
        yield from _named(path, one, known)


def _in_clear(subject: str, url: str) -> Findings:
    with contextlib.suppress(TextError):
        hosts.origin(url)  # knows where http may lead
        return
    said, remedy = "not encrypted, so the token can be read on the way", "write the host alone, like acme.xima.cloud"
    yield Finding(subject, False, f"{url} is {said}", remedy)


def _remedy(name: str, exc: Unavailable) -> str:
    """What to do about a tenant that gives no list."""
    is_default = name == tenants.DEFAULT
    if exc.more.get("xima_status") in (401, 403):
        where = "XIMA_TOKEN" if is_default else f"the variable that {tenants.FILE} names for {name}"
        return f"copy the token from Xima (API Enablement, API Service Users) into {where}, then restart the adapter"
    where = "XIMA_HOST" if is_default else f"host of {name} in {tenants.FILE}"
    directly = (
        " without a proxy: that of the environment is not used"
        if {"https", "all"} & getproxies_environment().keys()
        else ""
    )
    return f"look whether {where} is your Xima, and whether this machine may connect to it{directly}"


def _strategies(loaded: list[Mapping]) -> Findings:
    """What only a person can see: how a skill calls back (https://guide.xima.cloud/docs/click-to-dial-via-api-copy)."""
    skills = {one.text for mapping in loaded for rule in mapping.rules for one in named.of_rule(mapping, rule).skills}
    if skills:
        said = f"look in Xima that {', '.join(sorted(skills))} reserve an agent first (Reserve Agent)"
        yield Finding("callbacks", True, f"{said}, else a customer may be called while nobody is free")


def _clock(client: Client) -> Findings:
    theirs = client.clock()
    skew = abs(wsgi.clock() - theirs) if theirs else timedelta()
    if skew > MOST_SKEW:
        remedy = "let the machine set its clock by NTP (timedatectl set-ntp true)"
        yield Finding("clock", False, f"{round(skew.total_seconds())} s away from Xima's", remedy)
    else:
        yield Finding("clock", True, "agrees with Xima's" if theirs else "Xima does not tell the time")


def _named(path: Path, loaded: Mapping, known: roster.Roster) -> Findings:
    wrong = roster.problems(loaded, path.read_text(encoding="utf-8-sig"), known)
    for one in wrong:
        yield Finding("names", False, f"{path.name}:{one}", one.hint)
    if not wrong:
        yield Finding("names", True, f"{path.name}: Xima has every agent, skill and caller id it names")


SUBJECTS: dict[Callable[[], Findings], str] = {
    _settings: "settings",
    _store: "store",
    _secrets: "secrets",
    _public_url: "public URL",
    _mappings: "mappings",
    _xima: "Xima",
}
LOOKS = tuple(SUBJECTS)
