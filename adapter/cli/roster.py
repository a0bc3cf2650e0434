"""What the mappings name, held against what the tenant has; Xima is only read, never asked to do anything."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from adapter import tenants
from adapter.cli.shown import setting
from adapter.condition import folded
from adapter.errors import Unavailable
from adapter.mapping import Mapping, named, text
from adapter.mapping.named import Name, Names
from adapter.mapping.problems import Problem, Said, did_you_mean
from adapter.mapping.text import Where
from adapter.xima import CallerId, Client, Tenant

MOST_AGENTS = 100
"""Agents whose caller ids are read for one rule: each is a request to Xima."""

Found = Iterator[tuple[Where, Said]]


@dataclass(slots=True)
class Roster:
    """The agents, skills and caller ids of a tenant, each list read once; reading raises `Unavailable`."""

    client: Client
    extensions: frozenset[str] = frozenset()
    skills: tuple[str, ...] = ()
    callers: dict[str, tuple[CallerId, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, client: Client) -> Roster:
        """The two lists that every check needs."""
        return cls(client, frozenset(one.extension for one in client.agents()), client.skills())

    def caller_ids(self, extension: str) -> tuple[CallerId, ...]:
        """What an agent may show."""
        if extension not in self.callers:
            self.callers[extension] = self.client.caller_ids(extension).available
        return self.callers[extension]


class Rosters(ExitStack):
    """The rosters of the tenants, each read when it is first asked for; the connections end with the block."""

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[tuple[Path, str], Roster] = {}

    def of(self, folder: Path, tenant: str) -> Roster:
        """The roster of a tenant of a folder of mappings; raises `SettingsError` and `Unavailable`."""
        if (folder, tenant) not in self._read:
            client = self.enter_context(closing(Client(known(folder)[tenant], read_timeout=15)))
            self._read[folder, tenant] = Roster.read(client)
        return self._read[folder, tenant]


def known(folder: Path) -> ReadOnly[str, Tenant]:
    """The tenants by their names: the one of the settings, and those of the folder's file; raises `SettingsError`."""
    default = Tenant(name=tenants.DEFAULT, base_url=setting("XIMA_HOST"), token=setting("XIMA_TOKEN"))
    return tenants.load(folder, default).known


def problems(mapping: Mapping, content: str, roster: Roster) -> list[Problem]:
    """Everything the mapping names and the tenant does not have, in the order of its text."""
    tree = text.read(content)
    found = {(where, said): said for rule in mapping.rules for where, said in _of(named.of_rule(mapping, rule), roster)}
    # the keys of tables were folded when they were read
    typed: dict[Where, Where] = {
        (*at[:2], folded(str(at[2]))): at for at in tree.values if at[:1] == ("tables",) and len(at) == 3
    }
    made = []
    for (where, _), said in found.items():
        hint = said.hint() if callable(said.hint) else said.hint
        made.append(Problem(tree.place(typed.get(where, where)), str(said), hint=hint))
    return sorted(made, key=lambda one: (one.place.line, one.place.column))


def _of(names: Names, roster: Roster) -> Found:
    for one in names.extensions:
        if one.text.strip() not in roster.extensions:
            yield one.where, _no_agent(one, roster)
    for one in names.skills:
        if one.text not in roster.skills:
            yield one.where, _no_skill(one, roster)
    known = sorted({one.text.strip() for one in names.extensions if one.text.strip() in roster.extensions})
    for extension in known[:MOST_AGENTS] if names.caller_ids else ():
        yield from _callers(names, extension, roster)


def _callers(names: Names, extension: str, roster: Roster) -> Found:
    try:
        available = roster.caller_ids(extension)
    except Unavailable as exc:
        said = f"the caller ids of agent {extension} cannot be read"
        yield names.caller_ids[0].where, Said(said, hint=exc.reason)
        return
    for one in names.caller_ids:
        yield from _caller(one, names.labels, extension, available)


def _no_agent(one: Name, roster: Roster) -> Said:
    extension = one.text.strip()
    bare = extension.lstrip("0")
    twin = next((known for known in sorted(roster.extensions) if known.lstrip("0") == bare), None)
    hint = f"did you mean {twin}?" if twin else did_you_mean(extension, sorted(roster.extensions))
    return Said(
        f"Xima has no agent with the extension {extension}{one.line}", hint=hint or "look it up in Xima under Agents"
    )


def _no_skill(one: Name, roster: Roster) -> Said:
    skill = one.text
    twin = next((known for known in roster.skills if folded(known) == folded(skill)), None)
    if twin:
        return Said(
            f"the skill '{skill}' differs only by case or blanks{one.line}", hint=f"in Xima it is called '{twin}'"
        )
    hint = did_you_mean(skill, roster.skills) or f"it has {', '.join(roster.skills[:10]) or 'none'}"
    return Said(f"Xima has no skill called '{skill}'{one.line}", hint=hint)


def _caller(one: Name, labels: tuple[Name, ...], extension: str, available: tuple[CallerId, ...]) -> Found:
    """What is wrong with a caller id for one agent; the label of `select_caller_id` must be its own."""
    mine = [known for known in available if known.outbound_caller_id == one.text]
    if not mine:
        shown = ", ".join(known.outbound_caller_id for known in available[:5]) or "none"
        said = f"agent {extension} may not show the caller id {one.text}{one.line}"
        yield one.where, Said(said, hint=f"Xima lists for this agent: {shown}")
    elif len(labels) == 1 and all(known.label != labels[0].text for known in mine):
        said = f"the caller id {one.text} of agent {extension} has another label than '{labels[0].text}'"
        yield labels[0].where, Said(said, hint=f"in Xima it is '{mine[0].label}'")
