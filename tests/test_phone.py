"""Numbers are from ranges kept for fiction where the library takes them, else the library's own examples."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter import phone, typed
from adapter.phone import DialAs, Number, Rules, Unusable

US = Rules(region="US")


def dial(
    text: str,
    home: str | None = "US",
    *,
    region: str | None = None,
    prefix: str = "",
    dial_as: DialAs = "dialled",
) -> str:
    found = phone.read(text, Rules(region=home, dial_as=dial_as), region=region, prefix=prefix)
    assert isinstance(found, Number), found
    return found.dial


def reason(text: str, rules: Rules = US, *, region: str | None = None, prefix: str = "") -> str:
    found = phone.read(text, rules, region=region, prefix=prefix)
    assert isinstance(found, Unusable), found
    return found.reason


def heard(dial: str, home: str) -> str:
    """What a text is at home, in E.164."""
    found = typed.meant(dial, home, None)
    assert found, dial
    return phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8015550142", "8015550142"),
        ("(801) 555-0142", "8015550142"),
        ("801.555.0142", "8015550142"),
        ("801–555–0142", "8015550142"),
        ("1 801 555 0142", "8015550142"),
        ("+18015550142", "8015550142"),
        ("\u202a+1\u00a0(801)\u00a0555‑0142\u202c", "8015550142"),
        ("８０１５５５０１４２", "8015550142"),
        ("＋１ ８０１ ５５５ ０１４２", "8015550142"),
        ("'8015550142", "8015550142"),
        ('"801-555-0142"', "8015550142"),
        ("8015550142.0", "8015550142"),
        ("tel:+1-801-555-0142", "8015550142"),
        ("tel:555-0142;phone-context=+1801", "8015550142"),
        ("TEL: 801 555 0142", "8015550142"),
        ("mobile: 801 555 0142", "8015550142"),
        ("801 555 0142 (home)", "8015550142"),
        ("8015550142abc", "8015550142"),
        ("please call 801 555 0142 after 5", "8015550142"),
        ("1-800-FLOWERS", "8003569377"),
        ("(800) FLOWERS", "8003569377"),
        ("8015550142x12", "8015550142"),
        ("801-555-0142 ext. 12", "8015550142"),
        ("801-555-0142, extension 12", "8015550142"),
        ("801-555-0142 #12", "8015550142"),
        ("tel:+18015550142;ext=12", "8015550142"),
        ("tel:2079460958;phone-context=+44", "011442079460958"),
        ("+44 (0)20 7946 0958", "011442079460958"),
        ("+44 20 7946 0958 ext. 4", "011442079460958"),
        ("0044 20 7946 0958", "011442079460958"),
        ("(0044) 20 7946 0958", "011442079460958"),
        ("00 44 (0)20 7946 0958", "011442079460958"),
        ("011 44 20 7946 0958", "011442079460958"),
        ("8015550142/8015550143", "8015550142"),
        ("801-555-0142 / 801-555-0143", "8015550142"),
        ("8015550142;8015550143", "8015550142"),
        ("801 555 0142, 801 555 0143", "8015550142"),
        ("8015550142 or 8015550143", "8015550142"),
        ("8015550142 and 8015550143", "8015550142"),
        ("801 555 0142\n801 555 0143", "8015550142"),
        ("8015550142 8015550143", "8015550142"),
        ("+1 801 555 0142 +1 801 555 0143", "8015550142"),
        ("Home 801 555 0142 Cell 801 555 0143", "8015550142"),
        ("John: 801 555 0142 / Ann: 801 555 0143", "8015550142"),
    ],
)
def test_it_reads_a_number_as_people_type_it(text: str, expected: str) -> None:
    assert dial(text) == expected


@pytest.mark.parametrize(
    ("home", "text", "expected"),
    [
        ("US", "+1 416 555 0142", "4165550142"),
        ("CA", "801-555-0142", "8015550142"),
        ("US", "+800 1234 5678", "01180012345678"),
        ("GB", "020 7946 0958", "02079460958"),
        ("GB", "20 7946 0958", "02079460958"),
        ("GB", "+44 131 496 0123", "01314960123"),
        ("GB", "0808 157 0123", "08081570123"),
        ("GB", "+44 1534 456789", "01534456789"),
        ("GB", "+1 801 555 0142", "0018015550142"),
        ("DE", "(0)30 23125 123", "03023125123"),
        ("DE", "030 / 23125 123", "03023125123"),
        ("DE", "030/23125-123", "03023125123"),
        ("DE", "03023125123 Max", "03023125123"),
        ("DE", "03023125123abc", "03023125123"),
        ("DE", "+44 20 7946 0958", "00442079460958"),
        ("FR", "01 99 00 12 34", "0199001234"),
        ("FR", "+33 1 99 00 12 34", "0199001234"),
        ("FR", "+1 512 555 0142", "0015125550142"),
        ("AU", "(02) 5550 1234", "0255501234"),
        ("AU", "0491 570 006", "0491570006"),
        ("AU", "+44 20 7946 0958", "0011442079460958"),
        ("SE", "08-465 004 12", "0846500412"),
        ("IT", "06 1234 5678", "0612345678"),
        ("IT", "02 1234/5678", "0212345678"),
        ("US", "+39 06 1234 5678", "011390612345678"),
        ("ES", "612 34 56 78", "612345678"),
        ("NL", "020 123 4567", "0201234567"),
        ("DK", "32 12 34 56", "32123456"),
        ("IN", "074104 10123", "07410410123"),
        ("BR", "11 96123-4567", "11961234567"),
        ("MX", "55 1234 5678", "5512345678"),
        ("JP", "03-1234-5678", "0312345678"),
        ("NZ", "09-555 0142", "095550142"),
        ("ZA", "011 978 1234", "0119781234"),
        ("RU", "495 123-45-67", "84951234567"),
        ("RU", "+1 801 555 0142", "81018015550142"),
        ("AR", "+54 9 11 2345 6789", "0111523456789"),
    ],
)
def test_it_dials_as_one_would_key_it_at_home(home: str, text: str, expected: str) -> None:
    assert dial(text, home) == expected


@pytest.mark.parametrize(
    ("text", "dial_as", "expected"),
    [
        ("(801) 555-0142 x4", "e164", "+18015550142"),
        ("(801) 555-0142 x4", "e164_digits", "18015550142"),
        ("+44 (0)20 7946 0958", "e164", "+442079460958"),
        ("+44 (0)20 7946 0958", "e164_digits", "442079460958"),
        ("+39 06 1234 5678", "e164", "+390612345678"),
        ("+44 (0)20 7946 0958", "as_given", "+442079460958"),
        ("tel:+44-20-7946-0958;ext=4", "as_given", "+442079460958"),
        ("0044 20 7946 0958", "as_given", "00442079460958"),
        ("011 44 20 7946 0958", "as_given", "011442079460958"),
        ("(801) 555-0142 x4", "as_given", "8015550142"),
        ("801-555-0142 #4", "as_given", "8015550142"),
        ("1 801 555 0142 / 801 555 0143", "as_given", "18015550142"),
        ("＋１ ８０１ ５５５ ０１４２", "as_given", "+18015550142"),
        ("1-800-FLOWERS", "as_given", "+18003569377"),
    ],
)
def test_it_dials_in_the_form_asked_for(text: str, dial_as: DialAs, expected: str) -> None:
    assert dial(text, dial_as=dial_as) == expected


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        pytest.param("9005551234;phone-context=+91", None, "+919005551234", id="premium-at-home"),
        pytest.param("9005551234;phone-context=+44", None, "", id="premium-there"),
        pytest.param("tel:2079460958;phone-context=+44", None, "+442079460958", id="tel-of-london"),
        pytest.param("555-0142;phone-context=+1801", None, "+18015550142", id="local-with-its-context"),
        pytest.param("8015550142;phone-context=+1", None, "8015550142", id="context-of-home"),
        pytest.param("8015550142;isub=9", None, "8015550142", id="another-parameter"),
        pytest.param("2079460958", "GB", "+442079460958", id="country-of-the-record"),
        pytest.param("020 7946 0958 x4", "GB", "+442079460958", id="national-form-of-the-record"),
        pytest.param("19005551234", "CN", "+8619005551234", id="a-mobile-of-china-is-premium-in-the-us"),
        pytest.param("416-555-0142", "CA", "4165550142", id="dialled-alike-in-both"),
        pytest.param("+44 20 7946 0958", "GB", "+442079460958", id="plus-is-the-same-everywhere"),
        pytest.param("011 44 20 7946 0958", "US", "011442079460958", id="way-abroad-from-home"),
        pytest.param("00 44 20 7946 0958", "GB", "00442079460958", id="way-abroad-of-elsewhere"),
        pytest.param("1-900-FLOWERS;phone-context=+91", None, "", id="letters-that-are-premium-at-home"),
        pytest.param("(800) FLOWERS", None, "+18003569377", id="letters"),
    ],
)
def test_as_given_dials_the_number_that_was_judged(text: str, region: str | None, expected: str) -> None:
    found = phone.read(text, Rules(region="US", dial_as="as_given"), region=region)
    assert (found.dial if isinstance(found, Number) else "") == expected
    if isinstance(found, Number):
        assert heard(found.dial, "US") == found.e164


@settings(max_examples=300, deadline=None)
@given(
    national=st.from_regex(r"[1-9][0-9]{7,10}", fullmatch=True),
    dial_as=st.sampled_from(["dialled", "as_given"]),
    home=st.sampled_from(["US", "GB", "DE", "BR", "IN", "HK", "AU"]),
    country=st.sampled_from(["US", "GB", "DE", "BR", "IN", "CN", "GR"]),
    shape=st.sampled_from(["{0}", "0{0}", "1{0}", "{0} x12", "{0};phone-context=+{1}", "00{1}{0}", "+{1} (0){0}"]),
)
@example(national="9005551234", dial_as="as_given", home="US", country="IN", shape="{0};phone-context=+{1}")
@example(national="2015550123", dial_as="dialled", home="HK", country="US", shape="{0}")
def test_no_form_dials_another_number_than_was_judged(
    national: str, dial_as: DialAs, home: str, country: str, shape: str
) -> None:
    text = shape.format(national, phonenumbers.country_code_for_region(country))
    found = phone.read(text, Rules(region=home, dial_as=dial_as), region=country)
    if isinstance(found, Number):
        assert heard(found.dial, home) == found.e164


def test_a_number_is_not_dialled_where_the_way_abroad_would_lead_elsewhere() -> None:
    """From Hong Kong 001 is a way abroad of its own: 00 1 201... would be +20 1... there."""
    assert reason("+1 201 555 0123", Rules(region="HK")) == "HK has no one prefix for abroad (dial_as)"


@pytest.mark.parametrize(
    ("text", "home", "dial_as", "prefix", "expected"),
    [
        ("8015550142", "US", "dialled", "9", False),
        ("8015550142", "US", "dialled", "1", False),
        ("8015550142", "US", "as_given", "9", False),
        ("2079460958", "US", "dialled", "01144", True),
        ("2125550142", "US", "dialled", "1", False),
        ("0151 23456789", "DE", "dialled", "0", True),
        ("0151 23456789", "DE", "dialled", "9", False),
        ("0151 23456789", "DE", "e164_digits", "0", True),
        ("030 23125123", "DE", "dialled", "0", False),
        ("8015550142", "US", "e164_digits", "9", True),
        ("8015550142", "US", "e164", "9", True),
        ("+18015550142", None, "as_given", "9", True),
        ("8015550142 x4", "US", "dialled", "9", False),
    ],
)
def test_a_prefix_that_opens_no_line_may_make_another_number(
    text: str, home: str | None, dial_as: DialAs, prefix: str, expected: bool
) -> None:
    found = phone.read(text, Rules(region=home, dial_as=dial_as, keep_extension=True))
    assert isinstance(found, Number)
    assert phone.misread(found, prefix, home) is expected


@pytest.mark.parametrize("dial_as", ["e164", "e164_digits", "as_given"])
def test_these_forms_need_no_home(dial_as: DialAs) -> None:
    assert dial("+442079460958", None, dial_as=dial_as).lstrip("+") == "442079460958"


@pytest.mark.parametrize(
    ("region", "text", "expected"),
    [
        ("GB", "020 7946 0958", "011442079460958"),
        (" gb ", "020 7946 0958", "011442079460958"),
        ("UK", "020 7946 0958", "011442079460958"),
        ("ca", "416-555-0142", "4165550142"),
        ("GB", "+1 801 555 0142", "8015550142"),
        (None, "801-555-0142", "8015550142"),
        ("", "801-555-0142", "8015550142"),
        ("XX", "801-555-0142", "8015550142"),
        ("United Kingdom", "801-555-0142", "8015550142"),
        ("G" * 1_000_000, "801-555-0142", "8015550142"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_the_country_of_the_record_says_how_its_number_is_read(region: str | None, text: str, expected: str) -> None:
    assert dial(text, region=region) == expected


@pytest.mark.parametrize(
    ("home", "area_code", "text", "expected"),
    [
        ("US", "801", "555-0142", "8015550142"),
        ("US", "801", "555-0142 x4", "8015550142"),
        ("US", "801", "(801) 555-0143", "8015550143"),
        ("GB", "20", "7946 0958", "02079460958"),
        ("GB", "020", "7946 0958", "02079460958"),
    ],
)
def test_a_local_number_gets_its_area_code(home: str, area_code: str, text: str, expected: str) -> None:
    found = phone.read(text, Rules(region=home, area_code=area_code))
    assert isinstance(found, Number)
    assert found.dial == expected


@pytest.mark.parametrize(("text", "region"), [("+1 555 0142", None), ("555-0142", "CA"), ("555-0142", "GB")])
def test_the_area_code_is_for_numbers_of_home_only(text: str, region: str | None) -> None:
    assert reason(text, Rules(region="US", area_code="801"), region=region)


def test_a_local_number_as_given_keeps_its_seven_digits() -> None:
    found = phone.read("555-0142", Rules(region="US", area_code="801", dial_as="as_given"))
    assert found == Number(dial="5550142", e164="+18015550142", region="US", extension="")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("801-555-0142 x4", "8015550142;ext=4"),
        ("801-555-0142, ext 4", "8015550142;ext=4"),
        ("801-555-0142;ext=0012", "8015550142;ext=0012"),
        ("801-555-0142,,12", "8015550142;ext=12"),
        ("801-555-0142", "8015550142"),
        ("8015550142;8015550143", "8015550142"),
    ],
)
def test_an_extension_is_dialled_where_the_mapping_says_so(text: str, expected: str) -> None:
    found = phone.read(text, Rules(region="US", keep_extension=True))
    assert isinstance(found, Number)
    assert found.dial == expected


def test_what_is_read_is_told_in_full() -> None:
    found = phone.read("020 7946 0958 ext. 4", US, region="GB")
    assert found == Number(dial="011442079460958", e164="+442079460958", region="GB", extension="4")


def test_an_international_freephone_number_is_of_no_country() -> None:
    found = phone.read("+80012345678", US)
    assert isinstance(found, Number)
    assert found.region is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "it is empty"),
        (" \t\u00a0", "it is empty"),
        ("N/A", "not a telephone number"),
        ("call me", "not a telephone number"),
        ("+", "not a telephone number"),
        ("8.015550142E9", "not a telephone number"),
        ("8.01555E+09", "not a telephone number"),
        ("801-555-XXXX", "not a telephone number"),
        ("801555####", "not a telephone number"),
        ("8015550142" * 26, "not a telephone number"),
        ("8" * 1_000_000, "not a telephone number"),
        ("1", "not a telephone number"),
        ("0101", "too short for US"),
        ("411", "too short for US"),
        ("801 555", "too short for US"),
        ("+44 2", "too short"),
        ("+44 20", "too short for GB"),
        ("442079460958", "too long for US"),
        ("4929 1234 5678 9012", "too long for US"),
        ("80155501421234567890", "too long"),
        ("+65 6123 45678", "not valid in SG"),
        ("801-555-0142 2", "too long for US"),
        ("4711 801-555-0142", "too long for US"),
        ("555-0142", "a local number without its area code (phones.area_code)"),
        ("801-055-0142", "not valid in US"),
        ("+44 7700 900123", "not valid in GB"),
        ("+882 0000 000", "not valid in any country"),
        ("+999 123 456", "no country has this code"),
        ("＋999 123 456", "no country has this code"),
        ("+801 555 0142", "no country has this code"),
        ("900-555-0142", "premium rate numbers are not dialled (reject_types)"),
        ("+44 909 879 0123", "premium rate numbers are not dialled (reject_types)"),
        ("*67 801 555 0142", "star codes are not dialled from data"),
        ("tel:*678015550142", "star codes are not dialled from data"),
        ("＊67 801 555 0142", "star codes are not dialled from data"),
        ("#31#8015550142", "star codes are not dialled from data"),
        ("801*555*0142", "star codes are not dialled from data"),
        ("911", "it would reach an emergency number"),
        ("9-1-1", "it would reach an emergency number"),
        ("112", "it would reach an emergency number"),
    ],
    ids=lambda text: text[:30],
)
def test_it_says_why_a_text_is_not_dialled(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("text", "rules", "region", "expected"),
    [
        ("8015550142", Rules(), None, "no country: a number without + needs phones.region"),
        ("+18015550142", Rules(), None, "dialled needs phones.region (dial_as)"),
        ("+442079460958", Rules(region="BR"), None, "BR has no one prefix for abroad (dial_as)"),
        ("+442079460958", Rules(region="US", allow_regions=frozenset({"US", "CA"})), None, "GB"),
        ("+80012345678", Rules(region="US", allow_regions=frozenset({"US"})), None, "none"),
        ("416-055-0142", US, "CA", "not valid in CA"),
        ("+18005550142", replace(US, reject_types=frozenset({"toll_free"})), None, "toll free numbers"),
        ("8015550142", Rules(region="GB"), None, "not valid in GB"),
        ("0900 555 0142", Rules(region="AU"), None, "AU"),
        ("1900 654 321", Rules(region="AU"), None, "premium rate"),
        ("999", Rules(region="GB"), None, "emergency"),
        ("999", US, "GB", "emergency"),
        ("000", Rules(region="AU"), None, "emergency"),
        ("17", Rules(region="FR"), None, "emergency"),
        ("911", Rules(), None, "emergency"),
    ],
)
def test_it_names_the_rule_that_stands_against_a_number(
    text: str, rules: Rules, region: str | None, expected: str
) -> None:
    assert expected in reason(text, rules, region=region)


def test_an_allowed_region_is_dialled_and_premium_numbers_are_when_the_mapping_says_so() -> None:
    open_rules = Rules(region="US", allow_regions=frozenset({"US"}), reject_types=frozenset())
    assert isinstance(phone.read("900-555-0142", open_rules), Number)


@pytest.mark.parametrize(
    ("home", "dial_as", "prefix", "text"),
    [
        pytest.param("BR", "dialled", "9", "11 98765-4321", id="9-and-sao-paulo-is-911"),
        pytest.param("BR", "dialled", "99", "11 98765-4321", id="a-part-of-the-prefix-is-enough"),
        pytest.param("BR", "dialled", "*9,", "11 98765-4321", id="prefix-with-other-keys"),
        pytest.param("BR", "dialled", "7" * 1000 + "9", "11 98765-4321", id="end-of-a-long-prefix"),
        pytest.param("US", "e164_digits", "91", "801-555-0142", id="91-and-a-home-number"),
        pytest.param("US", "e164_digits", "", "+91 11 2345 6789", id="digits-of-delhi"),
        pytest.param("US", "e164", "", "+91 11 2345 6789", id="delhi-should-the-plus-get-lost"),
        pytest.param("US", "as_given", "", "+91 11 2345 6789", id="delhi-as-given"),
        pytest.param("GB", "e164_digits", "", "+91 11 2345 6789", id="911-counts-everywhere"),
        pytest.param("FR", "e164_digits", "", "+1 512 555 0142", id="15-in-france"),
        pytest.param(None, "e164_digits", "", "+91 11 2345 6789", id="without-a-home"),
    ],
)
def test_no_number_reaches_an_emergency_service(home: str | None, dial_as: DialAs, prefix: str, text: str) -> None:
    expected = "it would reach an emergency number"
    assert reason(text, Rules(region=home, dial_as=dial_as, reject_types=frozenset()), prefix=prefix) == expected


@pytest.mark.parametrize(
    ("home", "prefix", "text"),
    [
        ("BR", "", "11 98765-4321"),
        ("BR", "9", "21 98765-4321"),
        ("US", "9", "+91 11 2345 6789"),
        ("US", "9", "+44 20 7946 0958"),
        ("US", "9", "801-555-0142"),
        ("GB", "9", "020 7946 0958"),
        ("DE", "0", "030 23125 123"),
        ("FR", "0", "+1 512 555 0142"),
    ],
)
def test_a_number_that_only_looks_like_it_is_dialled(home: str, prefix: str, text: str) -> None:
    assert dial(text, home, prefix=prefix).isdecimal()


@pytest.mark.parametrize(
    ("text", "home", "prefix"),
    [
        ("911", None, ""),
        ("911", "US", "9"),
        ("11", "US", "9"),
        ("112", "GB", ""),
        ("*67911", "US", ""),
        ("*678911", "US", ""),
        ("#31#112", "DE", ""),
        ("*6711", "US", "9"),
    ],
)
def test_a_short_code_of_the_administrator_is_checked_as_well(text: str, home: str | None, prefix: str) -> None:
    assert phone.emergency(text, home, prefix)


@pytest.mark.parametrize("text", ["0101", "411", "*67", "*82", "*", "#", "", "*678015550142", "*678019110142"])
def test_other_short_codes_are_left_alone(text: str) -> None:
    assert not phone.emergency(text, "US")
    assert not phone.emergency(text, "US", "9")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+18015550142", ("America/Denver",)),
        ("+12085550142", ("America/Boise", "America/Los_Angeles")),
        ("+442079460958", ("Europe/London",)),
        ("+61255501234", ("Australia/Sydney",)),
        ("+61491570006", ()),
        ("+18005550142", ()),
        ("+80012345678", ()),
        ("8015550142", ()),
        ("", ()),
        ("junk", ()),
    ],
)
def test_a_number_tells_the_time_zones_it_can_be_in(number: str, expected: tuple[str, ...]) -> None:
    assert phone.zones(number) == expected


def test_zones_are_told_of_a_number_that_was_read() -> None:
    found = phone.read("020 7946 0958", US, region="GB")
    assert isinstance(found, Number)
    assert phone.zones(found) == ("Europe/London",)


@pytest.mark.parametrize("region", ["US", "GB", "DE"])
def test_a_country_code_is_no_problem(region: str) -> None:
    assert phone.region_problem(region) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("USA", "; did you mean US?"),
        ("us", "; did you mean US?"),
        ("UK", "; did you mean GB?"),
        ("usa", "; did you mean US?"),
        ("Utopia", ", as US or GB are"),
        ("", ", as US or GB are"),
        ("001", ", as US or GB are"),
    ],
)
def test_it_suggests_the_country_code_that_was_meant(text: str, hint: str) -> None:
    assert phone.region_problem(text) == f"'{text}' is not a country code{hint}"


def test_the_words_for_types_and_regions_are_the_librarys() -> None:
    assert {"premium_rate", "toll_free", "mobile", "fixed_line_or_mobile"} < phone.TYPES
    assert "unknown" not in phone.TYPES
    assert {"US", "GB", "BR"} < phone.REGIONS


LIKE_EMERGENCY = {"BR", "LT"}
"""São Paulo's 11 2… begins as 112 does, a trunk 0 and Lithuania's 3… as the former 03."""


@pytest.mark.parametrize("home", sorted(phone.REGIONS - LIKE_EMERGENCY))
def test_the_librarys_example_of_every_country_is_read_at_home(home: str) -> None:
    number = phonenumbers.example_number(home)
    assert number is not None
    found = phone.read(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL), Rules(region=home))
    assert isinstance(found, Number)
    assert found.e164 == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


HOMES = st.sampled_from([None, "US", "GB", "DE", "BR", "AU"])
FORMS: st.SearchStrategy[DialAs] = st.sampled_from(["dialled", "e164", "e164_digits", "as_given"])
PHONISH = st.text("0123456789 +-()/.,;#xXeEorta*０＋=\n", max_size=260)


@settings(max_examples=120)
@given(
    text=PHONISH | st.text(),
    home=HOMES,
    form=FORMS,
    area_code=st.sampled_from([None, "801", "30"]),
    prefix=st.text(),
)
@example(text="8" * 250, home="DE", form="as_given", area_code="30", prefix="9")
@example(text="\x00\ud800", home="US", form="dialled", area_code=None, prefix="\ud800")
def test_any_text_gives_a_number_or_a_reason(
    text: str, home: str | None, form: DialAs, area_code: str | None, prefix: str
) -> None:
    rules = Rules(region=home, dial_as=form, area_code=area_code)
    found = phone.read(text, rules, region=text[:2], prefix=prefix)
    if isinstance(found, Number):
        assert found.dial.lstrip("+").isascii()
        assert found.dial.removeprefix("+").isdecimal()
        assert phonenumbers.is_valid_number(phonenumbers.parse(found.e164))
    else:
        assert found.reason
        assert not any(character.isdigit() for character in found.reason.replace("e164", ""))


@settings(max_examples=80)
@given(area=st.sampled_from(["801", "212", "416", "512"]), line=st.integers(0, 99), form=FORMS)
def test_the_forms_of_one_number_are_read_alike(area: str, line: int, form: DialAs) -> None:
    plain = f"{area}55501{line:02}"
    for text in (
        plain,
        f"({area}) 555-01{line:02}",
        f"+1{plain}",
        f"1-{plain}",
        f"'{plain}",
        f"00 1 {plain}",
    ):
        found = phone.read(text, Rules(region="US", dial_as=form))
        assert isinstance(found, Number)
        assert found.e164 == f"+1{plain}"


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 125,
        "1/2/3/" * 41,
        "801 555 " * 31,
        "x1" * 125,
        "(1" * 125,
        "8015550142," * 22,
        "9" * 10**6,
        " " * 10**6,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_costs_next_to_nothing(text: str) -> None:
    started = time.process_time()
    for _ in range(5):
        phone.read(text, Rules(region="DE", area_code="30"), prefix="9")
    assert time.process_time() - started < 2.5


def test_the_librarys_geocoder_is_never_loaded() -> None:
    code = "import adapter.phone, sys; sys.exit('phonenumbers.geocoder' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
