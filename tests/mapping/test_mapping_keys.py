"""What each key of a mapping file does: a small text in, a result out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mapping_cases import DIAL, HEAD, LEAD, NOW, US, action, loaded, result, run

from adapter import mapping
from adapter.mapping import Mapping, Trace
from adapter.model import Received

PHONE = "801-555-0142"


def lead(*parts: str) -> Mapping:
    return loaded(HEAD, US, LEAD, *parts)


def dial(*parts: str) -> Mapping:
    return loaded(HEAD, US, DIAL, *parts)


# --- rules -----------------------------------------------------------------------------------------------------------

TWO_RULES = """\
rules:
  - name: first
    when:
      - field: kind
        is: a
    callback: {skill: First, callback_number: 8015550142}
  - when:
      - field: phone
        present: yes
    callback: {skill: Second, callback_number: "${phone}"}
"""


@pytest.mark.parametrize(
    ("record", "match", "made"),
    [
        ({"kind": "a", "phone": PHONE}, "first", [("first", "First")]),
        ({"kind": "b", "phone": PHONE}, "first", [("rule 2", "Second")]),
        ({"kind": "a", "phone": PHONE}, "all", [("first", "First"), ("rule 2", "Second")]),
        ({"kind": "b", "phone": PHONE}, "all", [("rule 2", "Second")]),
    ],
    ids=["first", "second", "all of them", "all that hold"],
)
def test_the_first_rule_wins_unless_all_may(record: Any, match: str, made: list[tuple[str, str]]) -> None:
    got = run(loaded(HEAD, US, TWO_RULES, f"match: {match}\n"), record)
    assert [(one.rule, one.action.as_dict()["skill"] if one.action else None) for one in got] == made


@pytest.mark.parametrize("match", ["first", "all"])
def test_a_record_that_no_rule_wants_is_skipped(match: str) -> None:
    got = result(loaded(HEAD, US, TWO_RULES, f"match: {match}\n"), {"kind": "b"})
    assert (got.kind, got.reason, got.rule, got.action) == ("skip", "no rule matched", "", None)


CONDITIONS = [
    ("{field: a, present: yes}", {"a": "x"}, {}),
    ("{field: a, present: no}", {"a": " "}, {"a": 0}),
    ("{field: a, is: Yes}", {"a": " yes"}, {"a": True}),
    ("{field: a, is: 0101}", {"a": "0101"}, {"a": 101}),
    ("{field: a, is_not: x}", {}, {"a": "X"}),
    ("{field: a, in: [yes, on, 1]}", {"a": "On"}, {"a": "no"}),
    ("{field: a, in: x}", {"a": "x"}, {"a": "y"}),
    ("{field: a, not_in: [x, y]}", {}, {"a": "y"}),
    ("{field: a, contains: x}", {"a": ["z", "X"]}, {"a": ["xy"]}),
    ("{field: let.parts, contains: x}", {"parts": "a;X"}, {"parts": "xy;a"}),
    ("{field: a, like: '+44*'}", {"a": "+4420"}, {"a": "4420"}),
    ("{field: a, more_than: 0.5}", {"a": 1}, {"a": "0.5"}),
    ("{field: a, less_than: 500}", {"a": "499.9"}, {"a": "x"}),
    ("{field: a, before: now}", {"a": "2026-11-24T17:14Z"}, {"a": "2026-11-24T17:16Z"}),
    ("{field: a, after: 2026-01-01}", {"a": "2026-01-02"}, {"a": "2025-12-31"}),
    ("{any: [{field: a, is: x}, {field: b, is: x}]}", {"b": "x"}, {"c": "x"}),
    ("{all: [{field: a, is: x}, {field: b, is: x}]}", {"a": "x", "b": "x"}, {"b": "x"}),
    ("{not: [{field: a, is: x}, {field: b, is: x}]}", {"c": "x"}, {"b": "x"}),
    ("{not: {field: a, is: true}}", {"a": False}, {"a": True}),
    ("[{field: a, is: x}, {field: b, is: x}]", {"a": "x", "b": "x"}, {"a": "x"}),
    ("{field: 'a[b=1].c', is: x}", {"a": [{"b": 1, "c": "x"}]}, {"a": [{"b": 2, "c": "x"}]}),
    ("{field: '$[\"1.3\"]', is: x}", {"1.3": "x"}, {"1": {"3": "x"}}),
    ("{field: request.body.a, is: x}", {"a": "x"}, {"b": "x"}),
]


@pytest.mark.parametrize(("when", "yes", "no"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_a_rule_holds_when_all_its_conditions_do(when: str, yes: Any, no: Any) -> None:
    of = loaded(
        HEAD,
        "let: {parts: {field: parts, clean: split}}\n",
        f"rules:\n  - when: {when}\n    callback: {{skill: S, callback_number: 0102}}\n",
    )
    assert [result(of, record).kind for record in (yes, no)] == ["action", "skip"]


def test_several_rules_of_one_record_have_keys_of_their_own() -> None:
    got = run(loaded(HEAD, US, TWO_RULES, "match: all\nonce: {key: '${id}'}\n"), {"id": 7, "kind": "a", "phone": PHONE})
    assert [one.key for one in got] == ["7#first", "7#rule 2"]


def test_one_rule_needs_no_list() -> None:
    of = loaded(HEAD, US, "rules:\n  callback: {skill: Sales, callback_number: '${phone}'}\n")
    assert result(of, {"phone": PHONE}).rule == "rule 1"


ACTIONS = {
    "click_to_dial": "{agent: 0101, number_to_dial: 8015550142}",
    "callback": "{skill: Sales, callback_number: 8015550142}",
    "select_caller_id": "{agent: 0101, label: Main, outbound_caller_id: 18015550100}",
}


@pytest.mark.parametrize(
    ("kind", "deliver", "if_unknown", "fresh_for"),
    [
        ("click_to_dial", "now", "ask", timedelta(seconds=30)),
        ("callback", "queued", "ask", timedelta(minutes=10)),
        ("select_caller_id", "now", "again", timedelta(seconds=30)),
    ],
)
def test_an_action_has_its_own_way_of_delivery(kind: str, deliver: str, if_unknown: str, fresh_for: timedelta) -> None:
    got = result(loaded(HEAD, US, f"rules:\n  - {kind}: {ACTIONS[kind]}\n"), {})
    assert (got.deliver, got.if_unknown, got.fresh_for) == (deliver, if_unknown, fresh_for)


@pytest.mark.parametrize(
    ("kind", "keys", "deliver", "if_unknown"),
    [
        ("click_to_dial", "deliver: queued", "queued", "ask"),
        ("click_to_dial", "if_unknown: ask", "now", "ask"),
        ("callback", "deliver: now, if_unknown: again", "now", "again"),
        ("select_caller_id", "deliver: queued, if_unknown: ask", "queued", "ask"),
    ],
)
def test_a_rule_may_say_how_its_action_is_delivered(kind: str, keys: str, deliver: str, if_unknown: str) -> None:
    got = result(loaded(HEAD, US, f"rules:\n  - {{{kind}: {ACTIONS[kind]}, {keys}}}\n"), {})
    assert (got.deliver, got.if_unknown) == (deliver, if_unknown)


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ("agent: 0101, number_to_dial: 8015550142", {"agent": "0101", "number_to_dial": "8015550142"}),
        (
            "agent: 0101, number_to_dial: 8015550142, external_prefix: 9, outbound_caller_id: 18015550100",
            {
                "agent": "0101",
                "number_to_dial": "8015550142",
                "outbound_caller_id": "18015550100",
                "external_prefix": "9",
            },
        ),
        (
            "agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: yes",
            {"agent": "0101", "number_to_dial": "8015550142", "use_selected_caller_id": True},
        ),
        (
            "agent: 0101, number_to_dial: 8015550142, use_selected_caller_id: no, external_prefix: '*67'",
            {"agent": "0101", "number_to_dial": "8015550142", "external_prefix": "*67"},
        ),
        ("agent: ' 0101 ', number_to_dial: 0102", {"agent": "0101", "number_to_dial": "0102"}),
        ("agent: 0101, number_to_dial: '*72'", {"agent": "0101", "number_to_dial": "*72"}),
    ],
    ids=["plain", "prefix and caller id", "selected", "not selected", "an extension", "a star code"],
)
def test_a_dial_has_the_fields_that_are_written(fields: str, made: dict[str, Any]) -> None:
    assert action(loaded(HEAD, US, f"rules:\n  - click_to_dial: {{{fields}}}\n"), {}) == made


def test_texts_go_to_xima_untrimmed() -> None:
    of = loaded(HEAD, "rules:\n  - select_caller_id: {agent: 1, label: ' Main ', outbound_caller_id: '${id}', }\n")
    assert action(of, {"id": " +1 801 "}) == {"agent": "1", "label": " Main ", "outbound_caller_id": " +1 801 "}


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ("agent: '${a}', number_to_dial: 0102", "agent", "agent: this is not an extension: digits only"),
        (
            "agent: 0101, number_to_dial: 0102, external_prefix: '${a}'",
            "external_prefix",
            "external_prefix: this is not an outside-line prefix: up to eight digits",
        ),
        ("agent: 0101, number_to_dial: '${a}'", "number_to_dial", "number_to_dial: not a telephone number"),
        (
            "agent: 0101, number_to_dial: 0102, outbound_caller_id: '${long}'",
            "outbound_caller_id",
            "outbound_caller_id: longer than 200 characters, or not printable",
        ),
        (
            "agent: 0101, number_to_dial: 0102, outbound_caller_id: '${odd}'",
            "outbound_caller_id",
            "outbound_caller_id: longer than 200 characters, or not printable",
        ),
        ("agent: 0101, number_to_dial: 911", "number_to_dial", "number_to_dial: it would reach an emergency number"),
        (
            "agent: 0101, number_to_dial: 11, external_prefix: 9",
            "number_to_dial",
            "number_to_dial: it would reach an emergency number",
        ),
        (
            "agent: 0101, number_to_dial: '*67911'",
            "number_to_dial",
            "number_to_dial: it would reach an emergency number",
        ),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(fields: str, field: str, reason: str) -> None:
    of = loaded(HEAD, US, f"rules:\n  - click_to_dial: {{{fields}}}\n")
    got = result(of, {"a": "Pat", "long": "x" * 201, "odd": "a\nb"})
    assert (got.kind, got.field, got.reason) == ("reject", field, reason)


def test_a_number_from_the_record_is_never_an_extension() -> None:
    got = result(dial(), {"phone": "0102"})
    assert (got.kind, got.field) == ("reject", "number_to_dial")


# --- phones ----------------------------------------------------------------------------------------------------------

PHONES = [
    ("region: US", {"phone": "(801) 555-0142"}, "8015550142"),
    ("region: US", {"phone": "+44 20 7946 0958"}, "011442079460958"),
    ("region: US\n  dial_as: e164", {"phone": PHONE}, "+18015550142"),
    ("region: US\n  dial_as: e164_digits", {"phone": "+44 20 7946 0958"}, "442079460958"),
    ("region: US\n  dial_as: as_given", {"phone": "1-801-555-0142"}, "18015550142"),
    ("region: US\n  area_code: 801", {"phone": "555-0142"}, "8015550142"),
    ("region: US\n  keep_extension: yes", {"phone": "801-555-0142 x12"}, "8015550142;ext=12"),
    ("region: US\n  keep_extension: no", {"phone": "801-555-0142 x12"}, "8015550142"),
    ("region: US\n  allow_regions: [US, CA]", {"phone": "+44 20 7946 0958"}, "region GB is not in allow_regions"),
    ("region: US\n  allow_regions: GB", {"phone": "+44 20 7946 0958"}, "011442079460958"),
    ("region: US\n  reject_types: [toll_free]", {"phone": "800-555-0199"}, "toll free numbers are not dialled"),
    ("region: US", {"phone": "1-900-555-0142"}, "premium rate numbers are not dialled"),
    ("region: US\n  reject_types: [toll_free]", {"phone": "1-900-555-0142"}, "9005550142"),
    ("region: US\n  region_field: country", {"phone": "020 7946 0958", "country": "GB"}, "011442079460958"),
    ("region: US\n  region_field: country", {"phone": "020 7946 0958", "country": " gb "}, "011442079460958"),
    ("region: US\n  region_field: country", {"phone": PHONE, "country": "United States"}, "8015550142"),
    ("region: US\n  region_field: country", {"phone": PHONE}, "8015550142"),
    (
        "region: {lookup: countries, key: '${country}', default: US}",
        {"phone": "020 7946 0958", "country": "united KINGDOM"},
        "011442079460958",
    ),
    ("region: {lookup: countries, key: '${country}', default: US}", {"phone": PHONE}, "8015550142"),
    ("region: {lookup: countries, key: '${country}'}", {"phone": PHONE}, "no country: a number without + needs"),
    ("dial_as: e164", {"phone": PHONE}, "no country: a number without + needs phones.region"),
    ("dial_as: e164", {"phone": "+18015550142"}, "+18015550142"),
]


@pytest.mark.parametrize(("phones", "record", "made"), PHONES)
def test_numbers_are_read_and_dialled_as_the_file_says(phones: str, record: Any, made: str) -> None:
    of = loaded(HEAD, f"phones:\n  {phones}\n", DIAL, "tables:\n  countries: {United Kingdom: GB}\n")
    got = result(of, record)
    if got.action:
        assert got.action.as_dict()["number_to_dial"] == made
    else:
        assert made in got.reason
        assert got.field == "number_to_dial"


@pytest.mark.parametrize(
    ("own", "record", "made"),
    [
        ("dial_as: e164", {"phone": PHONE}, "+18015550142"),
        ("region: GB", {"phone": "020 7946 0958"}, "02079460958"),
        ("region_field: country", {"phone": "020 7946 0958", "country": "GB"}, "011442079460958"),
        ("area_code: 801", {"phone": "555-0142"}, "8015550142"),
        ("keep_extension: yes", {"phone": "801-555-0142 x12"}, "8015550142;ext=12"),
        ("region: {field: country, default: US}", {"phone": "020 7946 0958", "country": "GB"}, "011442079460958"),
    ],
)
def test_a_phone_value_may_have_dialling_rules_of_its_own(own: str, record: Any, made: str) -> None:
    rules = f"rules:\n  - callback: {{skill: Sales, callback_number: {{field: phone, {own}}}}}\n"
    assert action(loaded(HEAD, US, rules), record)["callback_number"] == made


def test_the_prefix_counts_for_the_emergency_check() -> None:
    rules = "rules:\n  - click_to_dial: {agent: 1, number_to_dial: '${phone}', external_prefix: 9}\n"
    got = result(loaded(HEAD, "phones: {region: BR}\n", rules), {"phone": "11 98765-4321"})
    assert got.reason == "number_to_dial: it would reach an emergency number"


# --- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("once", "record", "key"),
    [
        ("once: {key: '${id}-${n}'}", {"id": 7, "n": "x"}, "7-x"),
        ("once: {key: '${id}-${n}'}", {"id": 7}, "7-"),
        ("once: {key: 'lead ${id}'}", {"id": "7"}, "lead 7"),
        ("once: {key: '${id}'}", {"id": "x" * 400}, "x" * 400),
        ("empty_values: [none]\nonce: {key: '${id}-${n}'}", {"id": "None", "n": 1}, "-1"),
    ],
)
def test_the_key_is_the_text_of_the_file(once: str, record: Any, key: str) -> None:
    assert result(lead(f"{once}\n"), {"skill": "Sales", **record}).key == key


def test_a_very_long_key_is_kept_as_its_hash() -> None:
    keys = [result(lead("once: {key: '${id}'}\n"), {"skill": "S", "id": "x" * 401 + end}).key for end in "ab"]
    assert keys[0] != keys[1]
    assert all(key.startswith("sha256:") and len(key) == 71 for key in keys)


def test_a_record_whose_key_is_empty_is_rejected() -> None:
    got = result(lead("once: {key: '${id}-${n}'}\n"), {"skill": "Sales"})
    assert (got.kind, got.field) == ("reject", "once.key")
    assert "a repeat could not be recognised" in got.reason


def test_without_a_key_the_record_itself_is_the_key() -> None:
    keys = [
        result(lead(), record).key
        for record in ({"skill": "S", "a": 1}, {"a": 1, "skill": "S"}, {"skill": "S", "a": 2})
    ]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith("sha256:")


TYPEFORM = HEAD.replace("from: github", "from: typeform")


def test_without_a_key_the_presets_own_counts() -> None:
    of = loaded(TYPEFORM, US, LEAD)
    assert result(of, {"skill": "Sales", "event_id": "01H"}).key == "01H"
    assert result(of, {"skill": "Sales"}).key.startswith("sha256:")
    assert result(loaded(TYPEFORM, US, LEAD, "once: {key: '${id}'}\n"), {"skill": "S", "id": 1}).key == "1"


@pytest.mark.parametrize(("once", "remembered"), [("", timedelta(days=4)), ("once: {for: 48h}\n", timedelta(hours=48))])
def test_a_key_is_remembered_longer_than_senders_repeat(once: str, remembered: timedelta) -> None:
    assert result(lead(once), {"skill": "Sales"}).remember == remembered


# --- sent_at, fresh_for ----------------------------------------------------------------------------------------------

MOMENT = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent_at", "value", "meant"),
    [
        ("at", "2026-11-24T17:00:00Z", MOMENT),
        ("at", "2026-11-24T10:00:00-07:00", MOMENT),
        ("at", "2026-11-24T17:00:00", MOMENT),
        ("{path: at, unit: iso8601}", "2026-11-24T17:00:00Z", MOMENT),
        ("{path: at, unit: s}", 1795539600, MOMENT),
        ("{path: at, unit: s}", "1795539600", MOMENT),
        ("{path: at, unit: ms}", 1795539600000, MOMENT),
        ("{path: at, unit: ms}", "1795539600500", MOMENT + timedelta(milliseconds=500)),
        ("at", "yesterday", None),
        ("at", None, None),
        ("at", "0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("at", "0001-01-01T00:00:00+14:00", None),
        ("at", "9999-12-31T23:59:59-12:00", None),
        ("at", {"time": 1}, None),
        ("{path: at, unit: s}", 0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("{path: at, unit: s}", -1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("{path: at, unit: s}", 1795539600000, None),
        ("{path: at, unit: ms}", 10**30, None),
        ("{path: at, unit: ms}", "1e999999", None),
        ("{path: at, unit: ms}", "1e-999999", datetime(1970, 1, 1, tzinfo=UTC)),
        ("{path: at, unit: ms}", "-1e999999", None),
        ("{path: at, unit: s}", "NaN", None),
        ("{path: at, unit: s}", "Infinity", None),
    ],
)
def test_the_senders_own_time_counts_when_it_can_be_read(sent_at: str, value: Any, meant: datetime | None) -> None:
    assert result(lead(f"sent_at: {sent_at}\n"), {"skill": "Sales", "at": value}).sent_at == meant


def test_the_preset_knows_where_its_sender_writes_the_time() -> None:
    record = {"skill": "Sales", "form_response": {"submitted_at": "2026-11-24T17:00:00Z"}, "at": "2026-11-24T16:00Z"}
    assert result(loaded(TYPEFORM, US, LEAD), record).sent_at == MOMENT
    of = loaded(TYPEFORM, US, LEAD, "sent_at: at\n")
    assert result(of, record).sent_at == MOMENT - timedelta(hours=1)
    assert result(lead(), record).sent_at is None


def test_fresh_for_is_how_long_the_request_is_wanted() -> None:
    assert result(lead("fresh_for: 1h30m\n"), {"skill": "Sales"}).fresh_for == timedelta(minutes=90)


# --- empty_values, tables, let ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", "  ", "n/a", " N/A ", "None", [], [" ", "-"], {}])
def test_empty_values_count_as_nothing(value: Any) -> None:
    got = result(lead("empty_values: [n/a, none, '-']\n"), {"skill": value})
    assert (got.kind, got.field) == ("reject", "skill")


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (False, "false"), ("n/a", "n/a"), ([0], "0")])
def test_nought_and_no_are_not_empty(value: Any, text: str) -> None:
    assert action(lead(), {"skill": value})["skill"] == text


SKILL = "rules:\n  - callback: {skill: {lookup: skills, key: '${product}'}, callback_number: 8015550142}\n"
CSV = "tables:\n  skills: {file: skills.csv, key: product, value: skill}\n"


@pytest.mark.parametrize("product", ["repair", "Repair", " REPAIR ", ["repair", "else"]])
def test_tables_ignore_case_and_blanks(product: Any) -> None:
    of = loaded(HEAD, US, SKILL, "tables:\n  skills:\n    RePair: Field Service\n    other: Other\n")
    assert action(of, {"product": product})["skill"] == "Field Service"


@pytest.mark.parametrize(
    "content",
    [
        "product,skill\nrepair,Field Service\n",
        "\ufeffproduct,skill\r\nRepair ,  Field Service\r\n",
        "id,skill,product\n1,Field Service,repair\n",
        "product;skill\nrepair;Field Service\n",
        'product,skill\n"repair","Field Service"\n',
        "product, skill\nother\n\n,x\nempty,\nrepair,Field Service\nrepair,Field Service\n",
        'product,skill\n"two\nlines",x\nrepair,Field Service',
    ],
    ids=["plain", "BOM and CRLF", "other order", "semicolons", "quoted", "with gaps", "line break inside"],
)
def test_a_table_may_be_kept_in_a_spreadsheet(content: str) -> None:
    of = loaded(HEAD, US, SKILL, CSV, files={"skills.csv": content})
    assert action(of, {"product": "repair"})["skill"] == "Field Service"


def test_what_no_table_knows_is_rejected_with_the_reason() -> None:
    of = loaded(HEAD, US, SKILL, "tables: {skills: {a: b}}\n")
    assert result(of, {"product": "x"}).reason == "skill is missing: table skills has no line for 'x'"
    assert (
        result(of, {}).reason
        == "skill is missing: table skills has no line for an empty key (product is not in the record)"
    )


def test_the_version_knows_of_the_tables_file() -> None:
    one, two = (loaded(HEAD, US, SKILL, CSV, files={"skills.csv": f"product,skill\na,{x}"}).version for x in "bc")
    assert one != two
    assert len(one) == 12


def test_let_values_are_worked_out_in_order() -> None:
    of = loaded(
        HEAD,
        US,
        "let:\n  a: {field: x, clean: trim}\n  b: ${let.a}-${y}\n  c: {lookup: t, key: '${let.b}'}\n",
        "tables: {t: {1-2: Sales}}\n",
        LEAD.replace("${skill}", "${let.c}"),
    )
    assert action(of, {"x": " 1 ", "y": 2})["skill"] == "Sales"


def test_a_let_value_may_be_a_tree() -> None:
    of = loaded(HEAD, US, "let:\n  x: {field: raw, clean: parse_json}\n", LEAD.replace("${skill}", "${let.x.a[0].b}"))
    assert action(of, {"raw": '{"a": [{"b": "Sales"}]}'})["skill"] == "Sales"
    assert "let.x is empty" not in result(of, {"raw": '{"a": []}'}).reason
    assert result(of, {"raw": "not JSON"}).kind == "reject"


# --- hours -----------------------------------------------------------------------------------------------------------

HOURS = """\
hours:
  clock: callback_number
  zone: America/New_York
  open:
    mon-fri: 08:00-12:00, 13:00-18:00
    sat: 09:00-12:00
  closed_on: [2026-12-25]
"""
DENVER, TOLL_FREE = "303-555-0142", "800-555-0199"


def called(number: str) -> str:
    return LEAD.replace("801-555-0142", number)


@pytest.mark.parametrize(
    ("number", "at", "until"),
    [
        (DENVER, "2026-11-24T10:15:00-07:00", None),
        (DENVER, "2026-11-24T12:15:00-07:00", "2026-11-24T13:00:00-07:00"),
        (DENVER, "2026-11-24T18:00:00-07:00", "2026-11-25T08:00:00-07:00"),
        (DENVER, "2026-12-25T10:15:00-07:00", "2026-12-26T09:00:00-07:00"),
        (TOLL_FREE, "2026-11-24T07:59:00-05:00", "2026-11-24T08:00:00-05:00"),
        (TOLL_FREE, "2026-11-24T08:00:00-05:00", None),
        ("0102", "2026-11-24T07:00:00-05:00", "2026-11-24T08:00:00-05:00"),
    ],
)
def test_a_call_waits_for_the_hours_of_the_place_that_is_called(number: str, at: str, until: str | None) -> None:
    got = result(loaded(HEAD, US, called(number), HOURS), {"skill": "Sales"}, now=datetime.fromisoformat(at))
    assert got.kind == "action"
    assert got.hold_until == (datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize(
    ("outside", "kind", "reason"),
    [("hold", "action", ""), ("send", "action", ""), ("skip", "skip", "outside the calling hours")],
)
def test_what_is_done_outside_the_hours_can_be_chosen(outside: str, kind: str, reason: str) -> None:
    of = loaded(HEAD, US, called(DENVER), HOURS, f"  outside: {outside}\n")
    got = result(of, {"skill": "Sales"}, now=datetime(2026, 11, 24, 3, 0, tzinfo=UTC))
    assert (got.kind, got.reason) == (kind, reason)
    assert (got.hold_until is not None) is (outside == "hold")


def test_hours_that_never_open_reject() -> None:
    never = "hours: {zone: America/Denver, open: {mon: 08:00-08:01}, closed_on: [" + ", ".join(
        f"{NOW.date() + timedelta(days=6 + 7 * week)}" for week in range(54)
    )
    got = result(loaded(HEAD, US, called(DENVER), f"{never}]}}\n"), {"skill": "Sales"})
    assert (got.kind, got.field) == ("reject", "hours")


@pytest.mark.parametrize("zones", [(), ("America/Denver",)])
def test_the_zones_of_the_number_travel_with_the_action(zones: tuple[str, ...]) -> None:
    hours = HOURS if zones else ""
    assert result(loaded(HEAD, US, called(DENVER), hours), {"skill": "Sales"}).zones == zones


# --- receive ---------------------------------------------------------------------------------------------------------


def receiving(keys: str) -> Mapping:
    return loaded("format: 1\nname: lead\nreceive:\n", "".join(f"  {line}\n" for line in keys.split("\n")), US, LEAD)


def test_a_preset_brings_what_it_knows() -> None:
    found = receiving(
        "from: salesforce-outbound\norganization: 00D000000000001\nalso: {query_token: key, secrets: KEY}"
    ).receive
    assert (found.preset, found.body, found.max_records, found.answer) == (
        "salesforce-outbound",
        "soap",
        100,
        "soap_ack",
    )
    assert str(found.records) == "notifications.Notification"
    assert [proof.secrets for proof in found.proofs] == [(), ("KEY",)]
    assert [proof.identifiers for proof in found.proofs] == [("00D000000000001",), ()]
    assert found.drop_fields == {"SessionId"}
    assert found.drop_query == {"key"}


def test_the_file_has_the_last_word_over_its_preset() -> None:
    found = receiving("from: hubspot-v3\nsecrets: [A, B]\nrecords: items\nmax_records: 7\nbody: xml").receive
    assert (found.body, str(found.records), found.max_records) == ("xml", "items", 7)
    assert found.proofs[0].secrets == ("A", "B")


def test_a_parameter_of_the_preset_stands_beside_it() -> None:
    found = receiving("from: header-token\nheader: X-Form-Key\nprefix: 'Bearer '\nsecrets: A").receive
    assert found.proofs[0].scheme.carries == (("header", "x-form-key"),)
    assert found.drop_headers == {"x-form-key"}
    assert (found.body, found.records, found.max_records, found.answer) == (None, None, 1000, "receipts")


WRITTEN_OUT = """\
verify:
  scheme: hmac
  header: X-Signature
  algorithm: sha256
  encoding: hex
  content: "{method}{url}{timestamp}.{body}"
  url: {decode: [none, hubspot]}
  timestamp: {header: X-Time, unit: ms, tolerance: 300}
secrets: [KEY]"""


def test_a_scheme_may_be_written_out() -> None:
    found = receiving(WRITTEN_OUT).receive
    assert found.preset is None
    assert found.proofs[0].scheme.covers_url


def test_further_proofs_are_added() -> None:
    found = receiving(
        "from: github\nsecrets: [A]\nalso:\n  - {header_token: X-Key, value_prefix: 'Key ', secrets: [B, C]}\n"
        "  - {query_token: key, secrets: D}\n  - {basic: yes, secrets: [E]}"
    ).receive
    assert [proof.secrets for proof in found.proofs] == [("A",), ("B", "C"), ("D",), ("E",)]
    assert found.drop_headers == {"x-key", "authorization"}
    assert found.drop_query == {"key"}


@pytest.mark.parametrize(
    ("answer", "failures", "body", "type_"),
    [
        ("", False, None, "application/json"),
        ("answer: {failures: 4xx}", True, None, "application/json"),
        ("answer: {body: ok, type: text/plain}", False, "ok", "text/plain"),
        ("answer: {body: '{}'}", False, "{}", "application/json"),
    ],
)
def test_the_answer_can_be_chosen(answer: str, failures: bool, body: str | None, type_: str) -> None:
    found = receiving(f"from: github\nsecrets: [A]\n{answer}").receive
    assert (found.failures, found.answer_body, found.answer_type) == (failures, body, type_)


def test_the_senders_test_button_never_dials() -> None:
    of = loaded(
        HEAD,
        "  test_when:\n    - {field: event, is: ping}\n    - {field: let.x, present: no}\n",
        "let: {x: '${real}'}\n",
        US,
        LEAD,
    )
    got = result(of, {"event": "Ping", "skill": "Sales"})
    assert (got.kind, got.reason) == ("skip", "a test delivery of the sender: verified, nothing dialled")
    assert result(of, {"event": "ping", "real": 1, "skill": "Sales"}).kind == "action"
    assert result(of, {"skill": "Sales"}).kind == "action"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("request.headers.X-Id", "h"),
        ("request.query.src", "first"),
        ("request.query.src[-1]", "second"),
        ("request.query.empty", None),
        ("request.body.a[0].b", "deep"),
        ("request.method", "POST"),
        ("request.index", "0"),
        ("request.query.no", None),
        ("$.request.method", None),
    ],
)
def test_the_request_can_be_reached(path: str, found: str | None) -> None:
    received = Received(
        method="POST",
        url="https://h.example.com/hooks/lead?src=first&src=second&empty=&odd=%00",
        headers={"x-id": "h"},
        body=b"",
    )
    tree = {**mapping.request_tree(received, {"a": [{"b": "deep"}]}), "index": "0"}
    (got,) = mapping.results(loaded(HEAD, US, LEAD.replace("${skill}", f"${{{path}}}")), {}, tree, now=NOW)
    assert (got.action.as_dict()["skill"] if got.action else None) == found
    assert tree["query"]["odd"] == "\ufffd"


def test_the_query_may_have_any_number_of_parts() -> None:
    url = "https://h.example.com/hooks/lead?" + "a&" * 5000
    assert len(mapping.request_tree(Received(method="POST", url=url, headers={}, body=b""), None)["query"]["a"]) == 5000


def test_the_outer_keys_are_kept() -> None:
    of = loaded(HEAD, "about: Some text.\ntenant: default\n", US, LEAD)
    assert (of.name, of.about, of.tenant) == ("lead", "Some text.", "default")


# --- the trace -------------------------------------------------------------------------------------------------------


def test_the_trace_tells_every_step() -> None:
    trace = Trace()
    of = loaded(
        HEAD,
        US,
        "tables: {skills: {a: Sales}}\nlet:\n  kind: {field: k, clean: [trim, lower]}\n  none: ${nothing}\n",
        "rules:\n  - name: no\n    when: {field: let.none, present: yes}\n    callback: {skill: A, callback_number: 1}"
        "\n  - name: yes\n    callback: {skill: {lookup: skills, key: '${let.kind}'}, callback_number: '${phone}'}\n",
    )
    run(of, {"k": " A ", "phone": PHONE}, trace=trace)
    assert [text for _, text in trace.notes] == [
        "clean trim gives 'A'",
        "clean lower gives 'a'",
        "let.kind is 'a'",
        "let.none is nothing",
        "condition 1 does not hold: let.none is empty (nothing is not in the record); "
        "instead of nothing there is k, phone",
        "rule 'yes' matches",
        "table skills, 'a': 'Sales'",
        "skill is 'Sales'",
        "'801-555-0142' is +18015550142 (US)",
        "callback_number is '8015550142'",
    ]
    assert [(one.rule, one.text) for one in trace.obstacles] == [
        (
            "no",
            "condition 1 does not hold: let.none is empty (nothing is not in the record); "
            "instead of nothing there is k, phone",
        )
    ]


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        ("no", "'801-555-0142 x5' is +18015550142 (US), without its extension 5"),
        ("yes", "'801-555-0142 x5' is +18015550142 (US)"),
    ],
)
def test_the_trace_tells_of_an_extension_that_is_left_out(keep: str, told: str) -> None:
    trace = Trace()
    run(loaded(HEAD, US, f"  keep_extension: {keep}\n", DIAL), {"phone": "801-555-0142 x5"}, trace=trace)
    assert told in [text for _, text in trace.notes]
