"""Load a mapping file: text, schema, sender, cross-checks; all problems at once, each at its place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from adapter import phone
from adapter.condition import folded
from adapter.errors import MappingError
from adapter.mapping import crosscheck, homes, limits, receive, spreadsheet, text
from adapter.mapping.compiled import Csv, Mapping, Once, Phones, Receive, Rule, Value
from adapter.mapping.document import MappingSchema
from adapter.mapping.preset import Preset
from adapter.mapping.problems import Place, Problem, Said, spoken
from adapter.mapping.text import Where
from adapter.mapping.vocabulary import EMPTY, MISSING, UNKNOWN
from adapter.units import duration

REMEMBERED = duration("4d")
"""Longer than any sender of senders.md goes on repeating (HubSpot workflows: three days)."""

ReadFile = Callable[[str], str]
"""Gives the text of a file beside the mapping; raises `OSError` or `UnicodeDecodeError`."""

MOST_PROBLEMS = 100

_SCHEMA = MappingSchema()


def load(content: str, *, name: str, presets: ReadOnly[str, Preset], read_file: ReadFile) -> Mapping:
    """The compiled mapping of a file's text; raises `MappingError` with every problem found."""
    tree = text.read(content)
    if not isinstance(tree.data, text.Group):
        said = "there is nothing in this file" if tree.data is None else "a mapping file is a group of keys"
        raise MappingError([Problem(tree.place(()), said, hint="begin with format: 1")])
    errors: dict[Any, Any] = {}
    try:
        data = _SCHEMA.load(tree.data)
    except ValidationError as exc:
        errors, data = dict(exc.messages_dict), exc.valid_data if isinstance(exc.valid_data, dict) else {}
    sender = _sender(data, tree, presets, errors)
    tables, csv_text = _tables(data, read_file, errors)
    if errors or sender is None:
        raise MappingError(problems(errors, tree))
    version = hashlib.sha256((content + csv_text).encode()).hexdigest()[:12]
    made = _made(data, sender, tables, version, presets.get(sender.preset or ""))
    if found := _problems(crosscheck.check(made, data, name), tree):
        raise MappingError(found)
    return replace(made, places={where: tree.place(where) for where in tree.values if where[:1] in _TRACED})


_TRACED = (("tenant",), ("rules",), ("examples",), ("let",), ("phones",), ("hours",), ("report",))
"""The parts of a file that the notes of a trace and the problems of an example speak of."""


def _sender(
    data: ReadOnly[str, Any], tree: text.Tree, presets: ReadOnly[str, Preset], errors: dict[Any, Any]
) -> Receive | None:
    if "receive" not in data or "receive" in errors:
        return None
    try:
        return receive.build(data["receive"], tree.data["receive"], presets)
    except ValidationError as exc:
        errors["receive"] = exc.messages
        return None


def _tables(
    data: ReadOnly[str, Any], read_file: ReadFile, errors: dict[Any, Any]
) -> tuple[dict[str, ReadOnly[str, str]], str]:
    """The lookup tables, and the text of their files, which belongs to the mapping's version."""
    tables: dict[str, ReadOnly[str, str]] = {}
    read = []
    for name, table in data.get("tables", {}).items():
        if not isinstance(table, Csv):
            tables[name] = table
            continue
        try:
            read.append(read_file(table.file))
            tables[name] = spreadsheet.table(table, read[-1])
        except UnicodeDecodeError:
            said = f"the file {table.file} cannot be read: it is not UTF-8"
            hint = "save it once more: Excel calls it CSV UTF-8 (comma delimited)"
            errors.setdefault("tables", {})[name] = {"file": [Said(said, hint=hint)]}
        except OSError as exc:
            said = f"the file {table.file} cannot be read: {exc.strerror}"
            errors.setdefault("tables", {})[name] = {"file": [Said(said, hint="it is looked for beside the mapping")]}
        except ValidationError as exc:
            errors.setdefault("tables", {})[name] = exc.messages
    return tables, "".join(read)


def _made(
    data: ReadOnly[str, Any],
    sender: Receive,
    tables: ReadOnly[str, ReadOnly[str, str]],
    version: str,
    preset: Preset | None,
) -> Mapping:
    own = data["once"]
    key = own.get("key") or (preset.key if preset else None)
    rules = (_rule(rule, number, data["phones"]) for number, rule in enumerate(data["rules"], 1))
    return Mapping(
        name=data["name"],
        about=data["about"],
        tenant=data["tenant"],
        version=version,
        receive=sender,
        once=Once(key=key, remember=own.get("for_") or (preset and preset.once_for) or REMEMBERED, own="key" in own),
        sent_at=data.get("sent_at") or (preset.sent_at if preset else None),
        fresh_for=data.get("fresh_for"),
        empty_values=frozenset(folded(word) for word in data["empty_values"]),
        phones=_phones(data["phones"]),
        tables=tables,
        let=data["let"],
        hours=data.get("hours"),
        rules=tuple(rules),
        match_all=data["match"] == "all",
        examples=data["examples"],
        ignore=frozenset(data["lint"].get("ignore", ())),
        limits=limits.limits(data),
        report=data.get("report"),
    )


def _phones(keys: ReadOnly[str, Any]) -> Phones:
    """Dialling rules; a group under `region` is each number's own country, and its default the home country."""
    region = keys.get("region")
    own = region if isinstance(region, Value) else None
    home = own.default.text if own and own.default else region if isinstance(region, str) else None
    allowed = keys.get("allow_regions")
    rules = {name: keys[name] for name in ("area_code", "dial_as", "keep_extension") if name in keys}
    rules |= {name: frozenset(keys[name]) for name in ("reject_types", "prefixes") if name in keys}
    made = phone.Rules(region=home, allow_regions=frozenset(allowed) if allowed else None, **rules)
    return Phones(rules=made, region=own, region_field=keys.get("region_field"))


def _rule(rule: Rule, number: int, common: ReadOnly[str, Any]) -> Rule:
    """The rule with a name, and with every phone value's own keys merged over the file's."""
    fields = {
        name: replace(given, phones=_phones({**common, **given.own_phones}))
        if isinstance(given, Value) and given.own_phones
        else given
        for name, given in rule.fields.items()
    }
    return replace(rule, name=rule.name or f"rule {number}", fields=fields)


def _flat(errors: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """marshmallow's nested messages as pairs of a path in the file and what is wrong there."""
    if isinstance(errors, dict):
        for step, below in errors.items():
            yield from _flat(below, where if step == "_schema" else (*where, step))
    else:
        for said in errors:
            yield where, said


def problems(errors: Any, tree: text.Tree) -> list[Problem]:
    """marshmallow's nested messages at their places, in the order of the file."""
    return _problems(_flat(errors), tree)


def _problems(found: Iterable[tuple[Where, str]], tree: text.Tree) -> list[Problem]:
    """The messages at their places, in the order of the file; of very many only the first."""
    placed = [(_place(where, said, tree), where, said) for where, said in found]
    placed.sort(key=lambda one: (one[0].line, one[0].column))
    return [_commented(_problem(*one), tree) for one in placed[:MOST_PROBLEMS]]


def _commented(problem: Problem, tree: text.Tree) -> Problem:
    """What is said of a value that is missing because it begins with the sign of a comment."""
    if problem.message != EMPTY or not tree.lines[problem.place.line - 1 :]:
        return problem
    behind = tree.lines[problem.place.line - 1][problem.place.column - 1 :].lstrip()
    return (
        replace(problem, hint="what follows a # is a comment: put such a text in quotes")
        if behind[:1] == "#"
        else problem
    )


def _place(where: Where, said: str, tree: text.Tree) -> Place:
    """A missing key is told at the group it belongs to."""
    if said == MISSING:
        return tree.place(where[:-1])
    place = tree.place(where, of_key=getattr(said, "of_key", False))
    offset = getattr(said, "offset", 0)
    return place.at(offset) if offset else place


def _problem(place: Place, where: Where, said: str) -> Problem:
    hint = _hint(where, said)
    shown, where = (f"{where[-1]}: {said}", where[:-1]) if said == MISSING else (str(said), where)
    return Problem(place, shown, spoken(where), hint, private=getattr(said, "private", False))


def _hint(where: Where, said: str) -> str:
    """The remedy; for a key that is known elsewhere in the file, where that is."""
    if said.startswith(UNKNOWN) and (elsewhere := homes.home(where)):
        return elsewhere
    hint = getattr(said, "hint", "")
    return str(hint()) if callable(hint) else str(hint)
