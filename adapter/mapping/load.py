"""Load a mapping file: text, schema, sender, cross-checks; all problems at once, each at its place."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from adapter import phone
from adapter.condition import folded
from adapter.errors import MappingError
from adapter.mapping import crosscheck, receive, text
from adapter.mapping.compiled import Csv, Mapping, Once, Phones, Rule, Value
from adapter.mapping.document import MappingSchema
from adapter.mapping.preset import Preset
from adapter.mapping.problems import Problem, Said, did_you_mean, spoken
from adapter.mapping.text import Where
from adapter.mapping.vocabulary import MISSING, UNKNOWN
from adapter.units import duration

REMEMBERED = duration("4d")
"""Longer than any sender of senders.md goes on repeating (HubSpot workflows: three days)."""

ReadFile = Callable[[str], str]
"""Gives the text of a file beside the mapping; raises `OSError` or `ValueError`."""

_SCHEMA = MappingSchema()


def load(content: str, *, name: str, presets: ReadOnly[str, Preset], read_file: ReadFile) -> Mapping:
    """The compiled mapping of a file's text; raises `MappingError` with every problem found."""
    tree = text.read(content)
    if not isinstance(tree.data, text.Group):
        raise MappingError([Problem(tree.place(()), "a mapping file is a group of keys", hint="begin with format: 1")])
    errors: dict[Any, Any] = {}
    try:
        data = _SCHEMA.load(tree.data)
    except ValidationError as exc:
        errors, data = dict(exc.messages_dict), exc.valid_data if isinstance(exc.valid_data, dict) else {}
    sender = _sender(data, tree, presets, errors)
    tables, csv_text = _tables(data, read_file, errors)
    if errors or sender is None:
        raise MappingError(_problems(errors, tree))
    version = hashlib.sha256((content + csv_text).encode()).hexdigest()[:12]
    made = _made(data, sender, tables, version, presets.get(sender.preset or ""))
    if problems := sorted((_problem(*found, tree) for found in crosscheck.check(made, data, name)), key=_order):
        raise MappingError(problems)
    places = {
        where: place for where, place in tree.values.items() if where and where[0] in ("rules", "examples", "let")
    }
    return replace(made, places=places)


def _sender(data: ReadOnly[str, Any], tree: text.Tree, presets: ReadOnly[str, Preset], errors: dict[Any, Any]) -> Any:
    given = data.get("receive")
    if given is None or "receive" in errors:
        return None
    try:
        return receive.build(given, tree.data["receive"], presets)
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
            tables[name] = _csv(table, read[-1])
        except (OSError, UnicodeDecodeError) as exc:
            said = f"the file {table.file} cannot be read: {getattr(exc, 'strerror', None) or 'it is not UTF-8'}"
            errors.setdefault("tables", {})[name] = {"file": [said]}
        except ValidationError as exc:
            errors.setdefault("tables", {})[name] = exc.messages
    return tables, "".join(read)


def _csv(table: Csv, content: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(content.removeprefix("\ufeff")))
    columns = rows.fieldnames or ()
    for part in ("key", "value"):
        column = getattr(table, part)
        if column not in columns:
            hint = did_you_mean(column, columns) or f"its columns are {', '.join(columns) or 'none'}"
            raise ValidationError({part: [Said(f"the file {table.file} has no column '{column}'", hint=hint)]})
    return {folded(row[table.key]): row[table.value].strip() for row in rows if row[table.key] and row[table.value]}


def _made(
    data: dict[str, Any],
    sender: Any,
    tables: ReadOnly[str, ReadOnly[str, str]],
    version: str,
    preset: Preset | None,
) -> Mapping:
    own = data["once"]
    key = own.get("key") or (preset.key if preset else None)
    return Mapping(
        name=data["name"],
        about=data["about"],
        tenant=data["tenant"],
        version=version,
        receive=sender,
        once=Once(key=key, remember=own.get("for_", REMEMBERED), own="key" in own),
        sent_at=data.get("sent_at") or (preset.sent_at if preset else None),
        fresh_for=data["fresh_for"],
        empty_values=frozenset(folded(word) for word in data["empty_values"]),
        phones=_phones(data["phones"]),
        tables=tables,
        let=data["let"],
        hours=data["hours"],
        rules=tuple(_with_phones(rule, data["phones"]) for rule in data["rules"]),
        match_all=data["match"] == "all",
        examples=data["examples"],
    )


def _phones(keys: ReadOnly[str, Any]) -> Phones:
    """Dialling rules; a group under `region` is each number's own country, and its default the home country."""
    region = keys.get("region")
    own = region if isinstance(region, Value) else None
    home = own.default.text if own and own.default else region if isinstance(region, str) else None
    allowed = keys.get("allow_regions")
    rules = {name: keys[name] for name in ("area_code", "dial_as", "keep_extension") if name in keys}
    if "reject_types" in keys:
        rules["reject_types"] = frozenset(keys["reject_types"])
    made = phone.Rules(region=home, allow_regions=frozenset(allowed) if allowed else None, **rules)
    return Phones(rules=made, region=own, region_field=keys.get("region_field"))


def _with_phones(rule: Rule, common: ReadOnly[str, Any]) -> Rule:
    """The rule with every phone value's own keys merged over the file's."""
    fields = {
        name: replace(given, phones=_phones({**common, **given.own_phones}))
        if isinstance(given, Value) and given.own_phones
        else given
        for name, given in rule.fields.items()
    }
    return replace(rule, fields=fields)


def _flat(errors: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """marshmallow's nested messages as pairs of a path in the file and what is wrong there."""
    if isinstance(errors, dict):
        for step, below in errors.items():
            yield from _flat(below, where if step == "_schema" else (*where, step))
    else:
        for said in errors:
            yield where, said


def _problems(errors: Any, tree: text.Tree) -> list[Problem]:
    found = [_problem(where, said, tree) for where, said in _flat(errors)]
    return sorted(found, key=_order)


def _order(problem: Problem) -> tuple[int, int]:
    return problem.place.line, problem.place.column


def _problem(where: Where, said: str, tree: text.Tree) -> Problem:
    """One message at its place: a missing key at the group it belongs to, an unknown one at itself."""
    hint, offset = getattr(said, "hint", ""), getattr(said, "offset", 0)
    if said == MISSING:
        return Problem(tree.place(where[:-1]), f"{where[-1]}: {said}", spoken(where[:-1]), hint)
    if said == UNKNOWN:
        hint = did_you_mean(str(where[-1]), crosscheck.known_keys(where[:-1]))
        return Problem(tree.place(where, of_key=True), f"unknown key '{where[-1]}'", spoken(where), hint)
    place = tree.place(where, of_key=getattr(said, "of_key", False))
    return Problem(place.at(offset) if offset else place, str(said), spoken(where), hint)
