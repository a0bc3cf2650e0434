"""Where a telephone number stands in a text, however it is spelled there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import phonenumbers

from adapter.policy.unescaped import views

GONE = "****"
"""What stands where a number was."""

_BETWEEN = r"\s().\-/_~\u00b7\u2010-\u2015\u2022\u2212\ufffd"
_PLUS = r"%(?:25){0,3}2B|\\u002B|&#43;|&#x2B;|&plus;"
"""Escaped, it still says that a number of another country may begin."""
_LEAD = re.compile(rf"(?:{_PLUS}|[+\d{_BETWEEN}]){{0,24}}\Z", re.IGNORECASE)
_ABROAD = ("00", "011", "0011", "010", "810")
"""What is dialled to leave a country."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number in E.164, to be found in texts: with its country or without, with blanks, dashes and brackets."""

    e164: str

    def is_in(self, text: str) -> bool:
        """Whether the number stands in the text, also where a form, JSON, XML or mail escapes its characters."""
        return any(next(self._places(view), None) for view in views(text))

    def struck(self, text: str) -> str:
        """The text without the number."""
        for start, end in reversed(list(self._places(text))):
            text = f"{text[:start]}{GONE}{text[end:]}"
        return text

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        national, country = _read(self.e164)
        for found in national.finditer(text):
            lead = _LEAD.search(text, max(0, found.start() - 24), found.start())
            if lead and _fits(lead[0], country):
                yield found.span()


@cache
def _read(e164: str) -> tuple[re.Pattern[str], str]:
    """The digits within the country with whatever stands between them, and the country's own."""
    number = phonenumbers.parse(e164)
    gap = f"[{_BETWEEN}]{{0,5}}"
    national = gap.join(phonenumbers.national_significant_number(number))
    return re.compile(rf"{national}(?!\d)"), str(number.country_code)


def _fits(lead: str, country: str) -> bool:
    """Whether it is still the same number with what stands before it: no longer one, and none of another country."""
    lead = re.sub(_PLUS, "+", lead, flags=re.IGNORECASE)
    with_country = (country, f"{country}0")
    digits = re.sub(r"\D", "", lead.rpartition("+")[2])
    if "+" in lead:
        return digits in with_country
    if digits in ("", "0", *with_country, *(f"{way}{one}" for way in _ABROAD for one in with_country)):
        return True
    return not lead[-1].isdigit() and not digits.startswith(_ABROAD)
