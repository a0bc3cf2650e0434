"""Telephone numbers as people type them, read into what Xima is to dial, or why it is not dialled.

Whatever is not plainly one valid number is refused, for a wrong guess rings a stranger. The number that is judged is
the one that is dialled, in every form; nothing turns the check for emergency numbers off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, timezone

from adapter import typed
from adapter.typed import AFTERWARDS, EMERGENCY, Meant, country, meant, parse, unreadable, why_not

DialAs = Literal["dialled", "e164", "e164_digits", "as_given"]

REGIONS = typed.REGIONS
"""The two-letter country codes a mapping may name."""
TYPES = frozenset(PhoneNumberType.to_string(kind).lower() for kind in PhoneNumberType.values()) - {"unknown"}
"""The words of `reject_types`: premium_rate, toll_free, mobile and so on."""
MOST_ZONES = 4
"""A number that could be in more (US toll-free: 42) says nothing about the time of day."""

_LIKELY = {"USA": "US", "GBR": "GB", "CAN": "CA", "AUS": "AU", "DEU": "DE", "FRA": "FR"}
_TRUNK_NOTE = re.compile(r"(?<=\d)\s*\(0\)")  # +44 (0)20


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How a mapping reads and dials numbers; `region` is the country it dials from, `prefixes` may stand before one."""

    region: str | None = None
    area_code: str | None = None
    dial_as: DialAs = "dialled"
    allow_regions: frozenset[str] | None = None
    keep_extension: bool = False
    reject_types: frozenset[str] = frozenset({"premium_rate"})
    prefixes: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A number that may be dialled; `dial` is the text for Xima, `region` None when it is of no country."""

    dial: str
    e164: str
    region: str | None
    extension: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """Why a text gives no number to dial, in words that hold nothing of the text."""

    reason: str


def read(text: str, rules: Rules, *, region: str | None = None, prefix: str = "") -> Number | Unusable:
    """Return the number `text` holds, or why it is not dialled; nothing is raised, whatever the text is.

    `region` is the number's own country where the record names one; anything but a country code is ignored.
    `prefix` is what will be dialled before the number to reach an outside line.
    """
    own = country(region) or rules.region
    if reason := unreadable(text, {own, rules.region, "US"}):
        return Unusable(reason=reason)
    found = meant(text, own, rules.area_code if own == rules.region else None)
    return _judged(found, rules, prefix) if found else Unusable(reason=why_not(text, own))


def emergency(dial: str, home: str | None, prefix: str = "") -> bool:
    """Return whether what would be keyed begins as an emergency number does at home or in the US.

    The prefix may be used up in part, a plus be dropped on the way; a star code in front changes nothing (*67911).
    """
    before = phonenumbers.normalize_digits_only(prefix[-8:])
    bare = [dial[3:], dial[4:]] if dial.startswith(("*", "#")) else [dial]
    ends = [before[start:] for start in range(len(before) + 1)]
    keyed = [end + digits for digits in map(phonenumbers.normalize_digits_only, bare) for end in ends]
    return any(phonenumbers.connects_to_emergency_number(text, at) for text in keyed for at in {home or "US", "US"})


def misread(number: Number, prefix: str, home: str | None) -> bool:
    """Return whether prefix and number together are a valid number, another one, where the prefix opens no line.

    As 0 before the German 0151 23456789, which is +1 512 345 6789; digits of E.164 are read with their plus too.
    """
    dial = number.dial.partition(";")[0].removeprefix("+")
    keyed = [prefix + dial] if dial != number.e164[1:] else [prefix + dial, f"+{prefix}{dial}"]
    return any(_is_another(text, home, number.e164) for text in keyed)


def zones(number: Number | str) -> tuple[str, ...]:
    """Return the names of the time zones a number (or its E.164 text) can be in; () when it is not told."""
    parsed = parse(number if isinstance(number, str) else number.e164, None)
    names = tuple(timezone.time_zones_for_number(parsed)) if parsed else ()
    return () if len(names) > MOST_ZONES or "Etc/Unknown" in names else names


def region_problem(text: str) -> str | None:
    """Return what is wrong with a country code and the likely right one; None when it is right."""
    if text in REGIONS:
        return None
    likely = country(text) or _LIKELY.get(text.strip().upper())
    return f"'{text}' is not a country code" + (f"; did you mean {likely}?" if likely else ", as US or GB are")


def _judged(found: Meant, rules: Rules, prefix: str) -> Number | Unusable:
    """Return a valid number as it is to be dialled, or which rule forbids it."""
    number = found.number
    place = phonenumbers.region_code_for_number(number)
    extension, number.extension = number.extension or "", None
    dial = _DIAL[rules.dial_as](number, found.typed, rules)
    if reason := _unwanted(place, found.kind, rules) or _undiallable(dial, prefix, rules.region):
        return Unusable(reason=reason)
    return Number(
        dial=f"{dial};ext={extension}" if extension and rules.keep_extension else dial,
        e164=_e164(number),
        region=place if place in REGIONS else None,
        extension=extension,
    )


def _unwanted(place: str | None, kind: int, rules: Rules) -> str | None:
    if rules.allow_regions is not None and place not in rules.allow_regions:
        return f"region {place if place in REGIONS else 'none'} is not in allow_regions"
    word = PhoneNumberType.to_string(kind).lower()
    if word in rules.reject_types:
        return f"{word.replace('_', ' ')} numbers are not dialled (reject_types)"
    return None


def _undiallable(dial: str, prefix: str, home: str | None) -> str | None:
    """Return why a number cannot, or must not, be dialled from home."""
    if not dial:
        return f"{home} has no one prefix for abroad (dial_as)" if home else "dialled needs phones.region (dial_as)"
    return EMERGENCY if emergency(dial, home, prefix) else None


def _e164(number: PhoneNumber) -> str:
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


def _dialled(number: PhoneNumber, home: str | None) -> str:
    """Return the digits an agent at `home` would key; empty when they cannot be known."""
    if home is None:
        return ""
    if number.country_code == 1 and phonenumbers.is_nanpa_country(home):
        return phonenumbers.national_significant_number(number)
    text = phonenumbers.format_out_of_country_calling_number(number, home)
    dial = phonenumbers.normalize_digits_only(text)
    return "" if text.startswith("+") or _is_another(dial, home, _e164(number)) else dial


def _is_another(dial: str, home: str | None, e164: str) -> bool:
    """Return whether a text, keyed at home, is a valid number and not the one it is thought to be.

    As abroad from Hong Kong, where 001 is a way out by itself and 00 1 201 555 0123 is no number of the US.
    """
    found = parse(dial, home)
    return found is not None and phonenumbers.is_valid_number(found) and _e164(found) != e164


def _as_given(number: PhoneNumber, text: str, rules: Rules) -> str:
    """Return the digits and the leading plus that were typed; E.164 where they alone would not mean this number.

    So where letters stood for digits, and where what says the country is not dialled: `;phone-context`, the record.
    """
    text = _TRUNK_NOTE.sub("", AFTERWARDS.split(text, maxsplit=1)[0])
    digits = phonenumbers.normalize_digits_only(text)
    dial = f"+{digits}" if text.startswith(("+", "＋")) else digits
    at_home = meant(dial, rules.region, rules.area_code)
    return dial if at_home and _e164(at_home.number) == _e164(number) else _e164(number)


_DIAL: Mapping[DialAs, Callable[[PhoneNumber, str, Rules], str]] = {
    "dialled": lambda number, text, rules: _dialled(number, rules.region),
    "e164": lambda number, text, rules: _e164(number),
    "e164_digits": lambda number, text, rules: _e164(number)[1:],
    "as_given": _as_given,
}
