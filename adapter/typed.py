"""Telephone numbers as people type them: what a text can be read as, or why it is not a number.

The library phonenumbers knows the numbering plans. Only a text that can be read as a valid number is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Countries by their two letters."""
LONGEST = 250
"""Characters; a longer text is not a number, and reading one would cost time."""

NOT_A_NUMBER, EMERGENCY = "not a telephone number", "it would reach an emergency number"
_MISNAMED = {"UK": "GB", "EL": "GR"}

_STAR_CODE = re.compile(r"[*＊]|^\D*[#＃]")
_MASKED_OR_EXPONENT = re.compile(r"x{3}|^\d+(?:\.\d+)?e\+?\d+$", re.IGNORECASE)  # 801-555-XXXX, 8.01555E+09
_LEAD = re.compile(r"^[^+＋\d]+")
_SECOND = re.compile(r"[/|\\\n&]|[;,](?!\s*(?:e?xt|x|,|#|\d{1,6}$)|[a-z-]+=)|\b(?:or|and)\b|\s(?=\+)", re.I)
_WORD = re.compile(r"(?<![a-z])(?!ext)[a-z]{3}", re.IGNORECASE)
AFTERWARDS = re.compile(r"[^\W\d_]|[;,#＃]")
"""Where a number as typed ends."""

_LOCAL = ValidationResult.IS_POSSIBLE_LOCAL_ONLY
_UNPARSED = {NumberParseException.TOO_SHORT_NSN: "too short", NumberParseException.TOO_LONG: "too long"}
_IMPOSSIBLE = {
    ValidationResult.TOO_SHORT: "too short for {place}",
    ValidationResult.TOO_LONG: "too long for {place}",
    _LOCAL: "a local number without its area code (phones.area_code)",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """A valid number with its kind, as phonenumbers names both, and the part of the text that it was read from."""

    number: PhoneNumber
    kind: int
    typed: str


def meant(text: str, region: str | None, area_code: str | None) -> Meant | None:
    """Return the likeliest valid number that a text holds for somebody in a country; None when it holds none."""
    text = _bare(text)
    for reading in _readings(text, region, area_code):
        number = parse(reading, region)
        kind = phonenumbers.number_type(number) if number else PhoneNumberType.UNKNOWN
        if number and kind != PhoneNumberType.UNKNOWN:
            return Meant(number=number, kind=kind, typed=reading if reading in text else text)
    return None


def _bare(text: str) -> str:
    return _LEAD.sub("", text).rstrip().removesuffix(".0")


def country(text: str | None) -> str | None:
    """Return the country code that a text can only mean; None when it is none."""
    code = text.strip().upper() if text and len(text) <= LONGEST else ""
    code = _MISNAMED.get(code, code)
    return code if code in REGIONS else None


def unreadable(text: str, regions: set[str | None]) -> str | None:
    """Return why a text is refused by its looks, before the library reads it."""
    if len(text) > LONGEST or _MASKED_OR_EXPONENT.search(text):
        return NOT_A_NUMBER
    if not text.strip():
        return "it is empty"
    if _STAR_CODE.search(text):
        return "star codes are not dialled from data"
    emergency = len(text) < 7 and any(phonenumbers.is_emergency_number(text, at) for at in regions if at)
    return EMERGENCY if emergency else None


def _readings(text: str, region: str | None, area_code: str | None) -> Iterator[str]:
    """Yield what a text can be read as, the likeliest first; a common text is its own only reading."""
    first = _SECOND.split(text, maxsplit=1)[0]
    if first != text and _digits(first) >= 7:
        yield first
    if _WORD.search(text) and "=" not in text:  # "(home)" would be read as four more digits of the number
        yield AFTERWARDS.split(text, maxsplit=1)[0]
    yield text
    if text.startswith("00"):
        yield f"+{text[2:]}"
    number = parse(text, region) if area_code else None
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


def parse(text: str, region: str | None) -> PhoneNumber | None:
    """Return what the library makes of a text, valid or not; None when it makes nothing of it."""
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def why_not(text: str, region: str | None) -> str:
    """Return why no reading of a text is a valid number."""
    text = _bare(text)
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type != NumberParseException.INVALID_COUNTRY_CODE:
            return _UNPARSED.get(error.error_type, NOT_A_NUMBER)
        foreign = text.startswith(("+", "＋"))
        return "no country has this code" if foreign else "no country: a number without + needs phones.region"
    code = number.country_code or 0
    shared = region in phonenumbers.region_codes_for_country_code(code)
    place = region if shared else phonenumbers.region_code_for_country_code(code)
    reason = _IMPOSSIBLE.get(phonenumbers.is_possible_number_with_reason(number), "not valid in {place}")
    return reason.format(place=place if place in REGIONS else "any country")
