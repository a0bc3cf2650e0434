"""Telephone numbers as people type them, read into what Xima is to dial, or why it is not dialled.

The library phonenumbers knows the numbering plans. Whatever is not plainly one valid number is refused, for a
wrong guess rings a stranger; nothing turns the check for emergency numbers off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult, timezone

DialAs = Literal["dialled", "e164", "e164_digits", "as_given"]

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""The two-letter country codes a mapping may name."""
TYPES = frozenset(PhoneNumberType.to_string(kind).lower() for kind in PhoneNumberType.values()) - {"unknown"}
"""The words of `reject_types`: premium_rate, toll_free, mobile and so on."""
LONGEST = 250
"""Characters; a longer text is not a number, and reading one would cost time."""
MOST_ZONES = 4
"""A number that could be in more (US toll-free: 42) says nothing about the time of day."""

_NOT_A_NUMBER, _EMERGENCY = "not a telephone number", "it would reach an emergency number"
_MISNAMED = {"UK": "GB", "EL": "GR"}
_LIKELY = {"USA": "US", "GBR": "GB", "CAN": "CA", "AUS": "AU", "DEU": "DE", "FRA": "FR"}

_STAR_CODE = re.compile(r"[*＊]|^\D*[#＃]")
_MASKED_OR_EXPONENT = re.compile(r"x{3}|^\d+(?:\.\d+)?e\+?\d+$", re.IGNORECASE)  # 801-555-XXXX, 8.01555E+09
_LEAD = re.compile(r"^[^+＋\d]+")
_SECOND = re.compile(r"[/|\\\n&]|[;,](?!\s*(?:e?xt|x|,|#|\d{1,6}$)|[a-z-]+=)|\b(?:or|and)\b|\s(?=\+)", re.I)
_WORD = re.compile(r"(?<![a-z])(?!ext)[a-z]{3}", re.IGNORECASE)
_AFTERWARDS = re.compile(r"[^\W\d_]|[;,#＃]")  # where a number as typed ends
_TRUNK_NOTE = re.compile(r"(?<=\d)\s*\(0\)")  # +44 (0)20

_LOCAL = ValidationResult.IS_POSSIBLE_LOCAL_ONLY
_UNPARSED = {NumberParseException.TOO_SHORT_NSN: "too short", NumberParseException.TOO_LONG: "too long"}
_IMPOSSIBLE = {
    ValidationResult.TOO_SHORT: "too short for {place}",
    ValidationResult.TOO_LONG: "too long for {place}",
    _LOCAL: "a local number without its area code (phones.area_code)",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How a mapping reads and dials numbers; `region` is the country it dials from."""

    region: str | None = None
    area_code: str | None = None
    dial_as: DialAs = "dialled"
    allow_regions: frozenset[str] | None = None
    keep_extension: bool = False
    reject_types: frozenset[str] = frozenset({"premium_rate"})


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
    own = _country(region) or rules.region
    if reason := _unreadable(text, {own, rules.region, "US"}):
        return Unusable(reason=reason)
    text = _LEAD.sub("", text).rstrip().removesuffix(".0")
    for reading in _readings(text, own, rules.area_code if own == rules.region else None):
        number = _parse(reading, own)
        kind = phonenumbers.number_type(number) if number else PhoneNumberType.UNKNOWN
        if number and kind != PhoneNumberType.UNKNOWN:
            return _judged(number, kind, reading if reading in text else text, rules, prefix)
    return Unusable(reason=_why_not(text, own))


def emergency(dial: str, home: str | None, prefix: str = "") -> bool:
    """Return whether what would be keyed begins as an emergency number does at home or in the US.

    The prefix may be used up in part, a plus be dropped on the way; a star code in front changes nothing (*67911).
    """
    before = phonenumbers.normalize_digits_only(prefix[-8:])
    bare = [dial[3:], dial[4:]] if dial.startswith(("*", "#")) else [dial]
    ends = [before[start:] for start in range(len(before) + 1)]
    keyed = [end + phonenumbers.normalize_digits_only(text) for text in bare for end in ends]
    return any(phonenumbers.connects_to_emergency_number(text, at) for text in keyed for at in {home or "US", "US"})


def zones(number: Number | str) -> tuple[str, ...]:
    """Return the names of the time zones a number (or its E.164 text) can be in; () when it is not told."""
    parsed = _parse(number if isinstance(number, str) else number.e164, None)
    names = tuple(timezone.time_zones_for_number(parsed)) if parsed else ()
    return () if len(names) > MOST_ZONES or "Etc/Unknown" in names else names


def region_problem(text: str) -> str | None:
    """Return what is wrong with a country code and the likely right one; None when it is right."""
    if text in REGIONS:
        return None
    likely = _country(text) or _LIKELY.get(text.strip().upper())
    return f"'{text}' is not a country code" + (f"; did you mean {likely}?" if likely else ", as US or GB are")


def _country(text: str | None) -> str | None:
    code = text.strip().upper() if text and len(text) <= LONGEST else ""
    code = _MISNAMED.get(code, code)
    return code if code in REGIONS else None


def _unreadable(text: str, regions: set[str | None]) -> str | None:
    """Return why a text is refused by its looks, before the library reads it."""
    if len(text) > LONGEST or _MASKED_OR_EXPONENT.search(text):
        return _NOT_A_NUMBER
    if not text.strip():
        return "it is empty"
    if _STAR_CODE.search(text):
        return "star codes are not dialled from data"
    emergency = len(text) < 7 and any(phonenumbers.is_emergency_number(text, at) for at in regions if at)
    return _EMERGENCY if emergency else None


def _readings(text: str, region: str | None, area_code: str | None) -> Iterator[str]:
    """Yield what a text can be read as, the likeliest first; a common text is its own only reading."""
    first = _SECOND.split(text, maxsplit=1)[0]
    if first != text and _digits(first) >= 7:
        yield first
    if _WORD.search(text) and "=" not in text:  # "(home)" would be read as four more digits of the number
        yield _AFTERWARDS.split(text, maxsplit=1)[0]
    yield text
    if text.startswith("00"):
        yield f"+{text[2:]}"
    number = _parse(text, region) if area_code else None
    if number and phonenumbers.is_possible_number_with_reason(number) == _LOCAL:
        yield f"{area_code}{text}"
    yield from _several(text, region)


def _several(text: str, region: str | None) -> Iterator[str]:
    """Yield the first of several numbers, if every digit of the text belongs to one of them."""
    matches = [match.raw_string for match in phonenumbers.PhoneNumberMatcher(text, region, max_tries=10)]
    if matches and sum(map(_digits, matches)) == _digits(text):
        yield matches[0]


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _why_not(text: str, region: str | None) -> str:
    """Return why no reading of a text is a valid number."""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type != NumberParseException.INVALID_COUNTRY_CODE:
            return _UNPARSED.get(error.error_type, _NOT_A_NUMBER)
        foreign = text.startswith(("+", "＋"))
        return "no country has this code" if foreign else "no country: a number without + needs phones.region"
    code = number.country_code or 0
    shared = region in phonenumbers.region_codes_for_country_code(code)
    place = region if shared else phonenumbers.region_code_for_country_code(code)
    reason = _IMPOSSIBLE.get(phonenumbers.is_possible_number_with_reason(number), "not valid in {place}")
    return reason.format(place=place if place in REGIONS else "any country")


def _judged(number: PhoneNumber, kind: int, typed: str, rules: Rules, prefix: str) -> Number | Unusable:
    """Return a valid number as it is to be dialled, or which rule forbids it."""
    place = phonenumbers.region_code_for_number(number)
    extension, number.extension = number.extension or "", None
    dial = _DIAL[rules.dial_as](number, typed, rules.region)
    if reason := _unwanted(place, kind, rules) or _undiallable(dial, prefix, rules.region):
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
    return _EMERGENCY if emergency(dial, home, prefix) else None


def _e164(number: PhoneNumber) -> str:
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


def _dialled(number: PhoneNumber, home: str | None) -> str:
    """Return the digits an agent at `home` would key; empty when they cannot be known."""
    if home is None:
        return ""
    if number.country_code == 1 and phonenumbers.is_nanpa_country(home):
        return phonenumbers.national_significant_number(number)
    text = phonenumbers.format_out_of_country_calling_number(number, home)
    return "" if text.startswith("+") else phonenumbers.normalize_digits_only(text)


def _as_given(number: PhoneNumber, typed: str) -> str:
    """Return the digits and the leading plus that were typed; E.164 where letters stood for digits."""
    text = _TRUNK_NOTE.sub("", _AFTERWARDS.split(typed, maxsplit=1)[0])
    digits = phonenumbers.normalize_digits_only(text)
    if not digits.endswith(phonenumbers.national_significant_number(number)[-6:]):
        return _e164(number)
    return f"+{digits}" if text.startswith(("+", "＋")) else digits


_DIAL: Mapping[DialAs, Callable[[PhoneNumber, str, str | None], str]] = {
    "dialled": lambda number, typed, home: _dialled(number, home),
    "e164": lambda number, typed, home: _e164(number),
    "e164_digits": lambda number, typed, home: _e164(number)[1:],
    "as_given": lambda number, typed, home: _as_given(number, typed),
}
