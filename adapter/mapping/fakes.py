"""Fakes for personal data, always the same for the same text, that a mapping treats as it treats the real ones.

Numbers come from the ranges that regulators keep free for films and books, where there is one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import phonenumbers

from adapter import phone
from adapter.condition import folded

_EMAIL = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_MAILBOX = re.compile(r"""(?P<quote>["']?)[^"'<>,;]{2,80}(?P=quote)(?=\s*<[^<>\s]+@)""")
_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_NUMBER = re.compile(r"[\s+(＋\d][\d\s().+/;,:=#\-–extEXT]{5,40}")
_PEOPLE = "full|display|contact|customer|caller|lead|person|your|requester|sender|client|guest|patient|member|pulse"
_GIVEN = re.compile(
    r"(?i)(?:first|given|fore|middle|nick|user)[_ -]?names?$|(?:^|[_ -])first$|^(?:vorname|pr[eé]nom|nombre)$"
)
_FAMILY = re.compile(
    r"(?i)(?:last|family|sur)[_ -]?name$|(?:^|[_ -])last$|^(?:nachname|familienname|apellidos?|cognome)$"
)
_PHONE = re.compile(r"(?i)phone|mobile|cell|^tel|_tel|fax")
_NAME = re.compile(rf"(?i)(?:^|(?:{_PEOPLE})[_ -]?)name$|firstandlast$")
_FREE = re.compile(
    r"(?i)(?:message|comments?|notes?|description|text|[ie]nquiry|remarks?|feedback|street|address|^line_?|city)\d*$"
)
_ZIP = re.compile(r"(?i)(?:^|[_ -])(?:zip|plz)(?:[_ -]?code)?$|post(?:al)?[_ -]?code$")
_LINK = re.compile(r"(?i)://|\b(?:tel|sip|sms):")
_KEY = re.compile(r"__c$|[\[\].]+")
SENTENCE = 8
"""Blanks in a text that nobody has chosen from a list."""
NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gail", "Hugo", "Iris", "Jack", "Kim", "Leo", "Mia", "Ned", "Olga")

_RANGES: Mapping[int, Callable[[str, int], str]] = {
    1: lambda nsn, pick: f"{nsn[:3]}55501{pick % 100:02}",
    33: lambda nsn, pick: "" if nsn[0] in "67" else f"19900{pick % 10_000:04}",
    44: lambda nsn, pick: "" if nsn[0] == "7" else f"2079460{pick % 1000:03}",
    49: lambda nsn, pick: f"17139200{pick % 100:02}" if nsn[0] == "1" else f"3023125{pick % 1000:03}",
    61: lambda nsn, pick: f"49157000{pick % 2 * 6}" if nsn[0] == "4" else f"25550{pick % 10_000:04}",
}
"""Country code -> a national number that nobody has (NANPA 555-01xx, ARCEP, Ofcom, BNetzA, ACMA), if phonenumbers
takes one for valid; else, and everywhere else, its own example number stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fakes:
    """Makes fakes; numbers without a country are of the first of `regions` that has them.

    Texts in `keep` (folded) stay as they are; `met` are the names that were replaced so far.
    """

    regions: tuple[str, ...] = ()
    keep: Collection[str] = frozenset()
    met: dict[str, str] = field(default_factory=dict)

    def text(self, key: str, text: str) -> str:
        """A text of the field `key` with whatever is personal in it replaced."""
        if folded(text) in self.keep or not text.strip():
            return text
        key = _KEY.sub(" ", key).strip()
        if (_NUMBER.fullmatch(text) or _PHONE.search(key)) and (number := self.number(text)):
            return number
        for pattern, fake in ((_GIVEN, _given), (_FAMILY, _family), (_NAME, _full), (_FREE, _free)):
            if pattern.search(key):
                return self._met(text, fake(text)) if fake is not _free else fake(text)
        if _PHONE.search(key) or _ZIP.search(key):
            return _scrambled(text)
        return _free(text) if text.count(" ") > SENTENCE else self._inside(text)

    def _met(self, name: str, fake: str) -> str:
        """The fake of a name, which stands for it and for each word of it in the other texts too."""
        words = zip(name.split(), [*fake.split(), *["Example"] * name.count(" ")], strict=False)
        for real, other in ((name.strip(), fake), *words):
            if len(real) > 2 and real[0].isupper() and folded(real) not in self.keep:
                self.met.setdefault(real, other)
        return fake

    def _inside(self, text: str) -> str:
        """A text with the names, addresses and numbers in it replaced."""
        for name in sorted((one for one in self.met if one in text), key=len, reverse=True):
            text = re.sub(rf"\b{re.escape(name)}\b", self.met[name], text)
        text = _MAILBOX.sub(lambda found: f"{found['quote']}{_full(found[0])}{found['quote']}", text)
        for address in (_EMAIL, _IP):
            text = address.sub(lambda found: _address(found[0]), text)
        return self._spoken(text) if " " in text or _LINK.search(text) else text

    def _spoken(self, text: str) -> str:
        """A sentence with the numbers in it replaced."""
        for found in reversed(list(phonenumbers.PhoneNumberMatcher(text, self.regions[0] if self.regions else None))):
            text = text[: found.start] + (self.number(found.raw_string) or "") + text[found.end :]
        return text

    def number(self, text: str) -> str | None:
        """Another number of the same country and, if it can be, in the same shape; None when it is no number."""
        rules = [phone.Rules(region=one, dial_as="e164", reject_types=frozenset()) for one in self.regions or (None,)]
        read = (number for one in rules if isinstance(number := phone.read(text, one), phone.Number))
        if (found := next(read, None)) is None:
            return None
        real = phonenumbers.parse(found.e164)
        fake = _fake_of(real, found.region)
        nsn = phonenumbers.national_significant_number(real)
        shaped = _shaped(text, nsn, fake)
        return shaped or f"+{real.country_code}{fake}"


def _fake_of(real: phonenumbers.PhoneNumber, region: str | None) -> str:
    nsn = phonenumbers.national_significant_number(real)
    code = real.country_code or 0
    if code in _RANGES:
        made = _RANGES[code](nsn, _pick(f"+{code}{nsn}"))
        if made and phonenumbers.is_valid_number(phonenumbers.parse(f"+{code}{made}")):
            return made
    example = phonenumbers.example_number_for_type(region, phonenumbers.number_type(real)) if region else None
    return phonenumbers.national_significant_number(example) if example else nsn[:-4] + "0100"


def _shaped(text: str, nsn: str, fake: str) -> str | None:
    """The text with the digits of the one number exchanged for the other's; an extension stays."""
    places = [at for at, sign in enumerate(text) if sign.isascii() and sign.isdecimal()]
    start = "".join(text[at] for at in places).find(nsn)
    if start < 0 or len(fake) != len(nsn):
        return None
    signs = list(text)
    for at, digit in zip(places[start:], fake, strict=False):
        signs[at] = digit
    return "".join(signs)


def _scrambled(text: str) -> str:
    """What stands for a number and cannot be read as one, with its last digits exchanged."""
    places = [at for at, sign in enumerate(text) if sign.isdecimal()][-4:]
    signs = list(text)
    for at, digit in zip(places, f"{_pick(text) % 10_000:04}", strict=False):
        signs[at] = digit
    return "".join(signs)


def _pick(text: str) -> int:
    return int.from_bytes(hashlib.sha256(folded(text).encode()).digest()[:8])


def _given(text: str) -> str:
    return NAMES[_pick(text) % len(NAMES)]


def _family(text: str) -> str:
    return "Example"


def _full(text: str) -> str:
    return f"{_given(text)} Example"


def _free(text: str) -> str:
    return "(a text)"


def _address(text: str) -> str:
    """Of a mailbox at a domain kept for examples (RFC 2606), or of a machine in a network kept for them (RFC 5737)."""
    if "@" in text or "%40" in text:
        return f"{_given(text).lower()}{_pick(text) % 1000}@example.com"
    return f"192.0.2.{_pick(text) % 256}"
