"""Fields that a mapping looks at and that nobody has sent lately: a name the sender changed, or one typed wrongly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from adapter import path
from adapter.errors import PayloadError
from adapter.mapping import examples, text, uses
from adapter.mapping.compiled import Mapping
from adapter.mapping.problems import Problem, did_you_mean
from adapter.mapping.uses import Use
from adapter.model import Received

WORD = "never-sent"


@dataclass(slots=True)
class _Watch:
    """A field that is looked for, and the names that stand where it should."""

    use: Use
    met: bool = False
    beside: set[str] = field(default_factory=set)

    def look(self, record: Any) -> None:
        """Whether the record holds the field, be it empty."""
        where = self.use.path
        around = path.get(replace(where, steps=where.steps[:-1]), record)
        if isinstance(around, dict):
            self.beside.update(list(around)[:200])
        self.met = self.met or path.get(where, record) is not None or where.steps[-1] in self.beside


def problems(mapping: Mapping, content: str, requests: Iterable[Received]) -> list[Problem]:
    """A warning for each field of the records that none of these requests held, in the order of the text."""
    watched = [_Watch(use) for use in uses.paths(mapping) if use.path.root == "record" and use.path.steps]
    read = 0
    for request in requests if WORD not in mapping.ignore else ():
        try:
            _, records = examples.records(mapping, request)
        except PayloadError:
            continue
        read += 1
        for watch in watched:
            for record in records:
                watch.look(record)
    tree = text.read(content)
    used = {str(watch.use.path.steps[-1]) for watch in watched}
    found = [_problem(tree, watch, watch.beside - used, read) for watch in watched if read and not watch.met]
    return sorted(found, key=lambda one: (one.place.line, one.place.column))


def _problem(tree: text.Tree, watch: _Watch, others: set[str], read: int) -> Problem:
    name = str(watch.use.path.steps[-1])
    requests = f"the last {read} requests" if read > 1 else "the last request"
    hint = did_you_mean(name, others) or "look how the sender writes it, or remove it"
    said = f"warning: nobody has sent {watch.use.path} in {requests} [{WORD}]"
    return Problem(tree.place(watch.use.where).at(watch.use.offset), said, hint=hint)
