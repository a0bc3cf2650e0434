"""Which prefix may stand before a number: that of an outside line, which must never be a way to another number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapter import phone
from adapter.mapping.compiled import Mapping, Phones, Rule, Value

SHAPE = re.compile("[0-9*#]{1,8}")
_ONE_DIGIT = re.compile("[0-9]")


def rules_of(mapping: Mapping, rule: Rule) -> Phones:
    """The dialling rules of the number that a rule dials, which are those of the prefix before it too."""
    given = rule.fields.get("number_to_dial")
    return given.phones if isinstance(given, Value) and given.phones else mapping.phones


def problem(prefix: str, given: Value, mapping: Mapping, phones: Phones) -> str | None:
    """Why a prefix that came out of a value is not dialled; None when it may be.

    Where the mapping or its tenant lists prefixes it must be in the lists; where nobody vouches for it, be one digit.
    """
    own, listed = (phones.written or phones.rules).prefixes, phones.rules.prefixes
    if own is not None and prefix not in own:
        return "phones.prefixes of the mapping does not list it"
    if listed is not None and prefix not in listed:
        return f"phones.prefixes does not list it{of(mapping.tenant)}"
    if _ONE_DIGIT.fullmatch(prefix) or _vouched(prefix, given, mapping, phones):
        return None
    return f"it is more than one digit, and phones.prefixes does not list it{_where(mapping, phones)}"


def misleading(number: phone.Number, prefix: str, given: Value, mapping: Mapping, phones: Phones) -> str | None:
    """Why a number is not dialled behind a prefix that nobody vouches for; None when it may be."""
    if _vouched(prefix, given, mapping, phones) or not phone.misread(number, prefix, phones.rules.region):
        return None
    return f"behind the prefix it is another number, and phones.prefixes does not list that{_where(mapping, phones)}"


def literals(given: Value) -> Iterator[tuple[Value, str]]:
    """Every text that stands in the mapping itself and can come out of a value, tables aside; with where it stands."""
    for one in (given.text, given.default):
        if one and not one.paths:
            yield given, one.text.strip()
    for case in given.choose:
        yield from literals(case.use)


def of(tenant: str) -> str:
    """Whose rule it was that refused what the mapping itself would have dialled."""
    return f" for the tenant {tenant} (tenants.yaml)"


def _where(mapping: Mapping, phones: Phones) -> str:
    return of(mapping.tenant) if phones.limited else " (in the mapping or in tenants.yaml)"


def _vouched(prefix: str, given: Value, mapping: Mapping, phones: Phones) -> bool:
    """Whether a prefix, which no list forbids, is listed by whoever says who is called, or written by them."""
    return not phones.limited and (phones.rules.prefixes is not None or _written(prefix, given, mapping))


def _written(prefix: str, given: Value, mapping: Mapping) -> bool:
    """Whether a prefix stands in the mapping, and so did not come out of the record alone."""
    if any(prefix == text for _, text in literals(given)):
        return True
    in_table = given.lookup is not None and prefix in mapping.tables[given.lookup].values()
    return in_table or any(_written(prefix, case.use, mapping) for case in given.choose)
