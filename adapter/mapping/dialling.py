"""What a tenant lets its mappings dial: the stricter of the two counts, and a refusal says whose rule it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import post_load

from adapter import phone
from adapter.mapping import examples, outside
from adapter.mapping.compiled import Mapping, Phones, Rule, Value
from adapter.mapping.problems import Problem, spoken
from adapter.mapping.schema import DialKeys, country
from adapter.mapping.vocabulary import Read, yes_no

WORD = "tenant-rules"
"""Silences what is said of a mapping whose tenant is stricter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialling:
    """A tenant's rules; what is None it leaves to its mappings. Where its numbers are from counts for the API only."""

    region: str | None = None
    area_code: str | None = None
    dial_as: phone.DialAs | None = None
    allow_regions: frozenset[str] | None = None
    reject_types: frozenset[str] = frozenset()
    keep_extension: bool = True
    internal_numbers: bool = True
    prefixes: frozenset[str] | None = None

    @property
    def limited(self) -> bool:
        """Whether it says who may be called, and so that no prefix may be a way around that, but lists none."""
        says_who = self.allow_regions is not None or self.reject_types or not self.internal_numbers
        return bool(says_who) and self.prefixes is None


class DiallingSchema(DialKeys):
    """The keys of a mapping's `phones` that a tenant may write too, and whether internal numbers are dialled."""

    region = Read(country)
    internal_numbers = yes_no()

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Dialling:
        """The compiled rules."""
        given: dict[str, Any] = {name: frozenset(one) if isinstance(one, tuple) else one for name, one in data.items()}
        return Dialling(**given)


def narrowed(mapping: Mapping, by: Dialling) -> Mapping:
    """The mapping with dialling rules that allow nothing that its tenant does not."""
    if by == Dialling():
        return mapping
    rules = tuple(replace(rule, fields=dict(_fields(rule, by))) for rule in mapping.rules)
    return replace(mapping, phones=_narrowed(mapping.phones, by), rules=rules)


def _fields(rule: Rule, by: Dialling) -> Iterator[tuple[str, Value | bool]]:
    for name, given in rule.fields.items():
        own = given.phones if isinstance(given, Value) else None
        yield name, replace(given, phones=_narrowed(own, by)) if own and isinstance(given, Value) else given


def _narrowed(phones: Phones, by: Dialling) -> Phones:
    own = phones.rules
    rules = replace(
        own,
        dial_as=by.dial_as or own.dial_as,
        allow_regions=_both(own.allow_regions, by.allow_regions),
        reject_types=own.reject_types | by.reject_types,
        keep_extension=own.keep_extension and by.keep_extension,
        prefixes=_both(own.prefixes, by.prefixes),
    )
    return replace(phones, rules=rules, written=own, internal=by.internal_numbers, limited=by.limited)


def _both(*lists: frozenset[str] | None) -> frozenset[str] | None:
    """What all lists hold; None where there is none."""
    given = [one for one in lists if one is not None]
    return frozenset.intersection(*given) if given else None


def problems(mapping: Mapping) -> Iterator[Problem]:
    """What comes out otherwise because of the tenant: examples that hold by themselves, prefixes, countries."""
    if mapping.phones.written is None or WORD in mapping.ignore:
        return
    for one in examples.problems(mapping):
        hint = f"the rules of the tenant {mapping.tenant} (tenants.yaml) do this: leave the example as it is"
        yield replace(one, message=f"warning: {one.message} [{WORD}]", hint=hint)
    yield from _prefixes(mapping)
    lost = (mapping.phones.written.allow_regions or frozenset()) - (mapping.phones.rules.allow_regions or frozenset())
    if lost:
        said = f"warning: the tenant {mapping.tenant} does not dial {', '.join(sorted(lost))} [{WORD}]"
        hint = "numbers from there are rejected; take them out of allow_regions, or add them in tenants.yaml"
        yield Problem(mapping.places[("phones", "allow_regions")], said, "phones.allow_regions", hint=hint)


def _prefixes(mapping: Mapping) -> Iterator[Problem]:
    """The prefixes written into rules that the tenant does not let be dialled."""
    for rule in mapping.rules:
        given, phones = rule.fields.get("external_prefix"), outside.rules_of(mapping, rule)
        for value, prefix in outside.literals(given) if isinstance(given, Value) else ():
            if why := outside.problem(prefix, value, mapping, phones):
                place = mapping.places[value.where]
                hint = "such records are rejected: list it there, or take it out of the mapping"
                yield Problem(place, f"warning: the prefix {prefix}: {why} [{WORD}]", spoken(value.where), hint=hint)
