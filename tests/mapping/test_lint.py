"""Warnings: what is allowed in a mapping and yet likely to be regretted."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_cases import HEAD, US, loaded, problems

from adapter import sources
from adapter.mapping import Problem, dialling, lint, unsent

FOLDER = Path(__file__).parents[2] / "mappings"
FORM = HEAD.replace("body: json", "body: form")
KEY = "once:\n  key: ${id}\n"
CALL = """\
rules:
  - name: call
    when:
      - field: phone
        present: yes
    callback:
      skill: Sales
      callback_number: ${phone}
"""
HOURS = "hours: {zone: America/Denver, open: {mon-fri: 08:00-18:00}}\n"
EXAMPLE = """\
examples:
  - name: a call
    body: '{"id": "1", "phone": "8015550142"}'
    expect: {callback: {skill: Sales, callback_number: 8015550142}}
  - name: no number
    body: '{"id": "1"}'
    expect: {skip: no rule matched}
"""
GOOD = HEAD + US + KEY + HOURS + CALL + EXAMPLE
FORM_EXAMPLE = EXAMPLE.replace('\'{"id": "1", "phone": "8015550142"}\'', "id=1&phone=8015550142").replace(
    '\'{"id": "1"}\'', "id=1"
)
VIP = """\
name: vip
    when:
      - {field: vipp, is: yes}
    callback: {skill: VIP, callback_number: '${phone}'}
"""
TAKES_ALL = "  - name: all\n    callback: {skill: S, callback_number: '${phone}'}\n"
DIAL = (
    CALL[: CALL.index("    callback:")] + "    click_to_dial:\n      agent: {agent}\n      number_to_dial: {number}\n"
)

SELECTED = "      use_selected_caller_id: yes\n"


def warned(text: str) -> list[Problem]:
    return lint.problems(loaded(text), text)


def dial(agent: str = "0101", number: str = "${phone}") -> str:
    return DIAL.format(agent=agent, number=number)


def test_a_good_mapping_is_warned_of_nothing() -> None:
    assert warned(GOOD) == []


@pytest.mark.parametrize("file", sources.mapping_files(FOLDER), ids=lambda file: file.stem)
def test_the_shipped_mappings_are_warned_of_nothing(file: Path) -> None:
    assert lint.problems(sources.read(file), file.read_text(encoding="utf-8")) == []


SALESFORCE = """\
format: 1
name: lead
receive:
  from: salesforce-outbound
  organization: 00D000000000001
  also: {query_token: key, secrets: [HOOK_SECRET]}
phones: {region: US}
once:
  key: ${¦sObject.Status}
"""
# The word, the file with ¦ where the caret is to stand, the beginning of what is said, a part of the remedy.
WARNINGS: list[tuple[str, str, str, str]] = [
    (
        "no-country",
        GOOD.replace(US, "phones: {dial_as: e164}\n").replace("${phone}", "¦${phone}"),
        "no country: a callback_number without + will be refused",
        "with region: and your country",
    ),
    (
        "any-country",
        (FORM + US + KEY + HOURS + CALL + FORM_EXAMPLE).replace("${phone}", "¦${phone}"),
        "whoever fills in this form can have any country called (callback_number), at your cost",
        "with allow_regions:",
    ),
    (
        "internal-number",
        GOOD.replace("${phone}", "¦0102").replace("callback_number: 8015550142", "callback_number: 0102"),
        "this mapping can dial the internal number 0102 by whoever may send (callback_number)",
        "write a full telephone number",
    ),
    (
        "internal-number",
        (FORM + US + KEY + HOURS + CALL + FORM_EXAMPLE)
        .replace("${phone}", "¦0102")
        .replace("callback_number: 8015550142", "callback_number: 0102"),
        "this mapping can dial the internal number 0102 from a public form (callback_number)",
        "ignore this if it is meant",
    ),
    (
        "agent-from-record",
        FORM + US + "  allow_regions: US\n" + KEY + dial(agent="¦${who}"),
        "whoever fills in this form can ring any extension of yours: agent is taken as it was sent",
        "look it up in a table",
    ),
    (
        "agent-from-record",
        FORM + US + "  allow_regions: US\n" + KEY + "let: {who: {first_of: [a, b]}}\n" + dial(agent="¦${let.who}"),
        "whoever fills in this form can ring any extension of yours",
        "look it up in a table",
    ),
    (
        "agent-from-record",
        FORM
        + US
        + "  allow_regions: US\n"
        + KEY
        + dial(agent="\n        ¦choose: [{when: {field: a, is: b}, use: '${a}'}, {use: 0101}]"),
        "whoever fills in this form can ring any extension of yours",
        "look it up in a table",
    ),
    (
        "agent-from-record",
        FORM
        + US
        + "  allow_regions: US\ntables: {t: {ann: 0101}}\n"
        + KEY
        + dial(agent="\n        ¦{lookup: t, key: '${who}', default: '${extension}'}"),
        "whoever fills in this form can ring any extension of yours",
        "look it up in a table",
    ),
    (
        "key-changes",
        GOOD.replace("${id}", "${id}-${¦properties.hs_lastmodifieddate.value}"),
        "the key uses a field that changes on retry (properties.hs_lastmodifieddate.value)",
        "the sender's event id",
    ),
    (
        "key-changes",
        GOOD.replace("${id}", "${¦request.headers.x-retry-count}"),
        "the key uses a field that",
        "event id",
    ),
    ("key-changes", GOOD.replace("${id}", "${id} ${¦attempt}"), "the key uses a field that changes", "event id"),
    (
        "key-changes",
        GOOD.replace("${id}", "${id} ${¦let.when}").replace("rules:", "let: {when: {field: sent_at}}\nrules:"),
        "the key uses a field that changes on retry (sent_at)",
        "event id",
    ),
    (
        "key-changes",
        SALESFORCE + dial(number="${sObject.Phone}"),
        "the key uses a field's value (sObject.Status)",
        "write key: ${Id}",
    ),
    (
        "whole-record",
        "¦" + GOOD.replace(KEY, ""),
        "everything in the record is the key: a repeat that differs anywhere is done again",
        "write once: with key:",
    ),
    (
        "call-time",
        HEAD + "rules:\n  - name: ended\n    ¦call_ended: {agent: '${who}', number: '${phone}'}\n",
        "a call that is told twice looks like a second one when the number was dialled again meanwhile",
        "write ended_at:",
    ),
    (
        "rule-never",
        GOOD.replace(
            "rules:\n", "rules:\n  - name: all\n    callback: {skill: S, callback_number: '${phone}'}\n"
        ).replace("- name: call", "- ¦name: call"),
        "this rule can never fire: 'all' above it has no when and takes every record",
        "write match: all",
    ),
    (
        "unused-table",
        GOOD.replace("rules:", "tables:\n  ¦agents: {ann: 0101}\nrules:"),
        "nobody uses the table 'agents'",
        "remove it",
    ),
    ("unused-let", GOOD.replace("rules:", "let:\n  ¦who: ${owner}\nrules:"), "nobody uses let.who", "remove it"),
    (
        "untested-rule",
        GOOD.replace("rules:\n", f"rules:\n  - ¦{VIP}"),
        "no example comes to this rule: nothing shows that 'vip' does what is meant",
        "add an example for it",
    ),
    (
        "no-hours",
        GOOD.replace(HOURS, "").replace("    callback:", "    ¦callback:"),
        "no hours: a request at night becomes a callback at night",
        "write hours:",
    ),
    (
        "winter-time",
        GOOD.replace("America/Denver", "¦EST"),
        "EST knows no summer time: in summer the hours begin and end an hour late",
        "like America/New_York",
    ),
    (
        "times-add-up",
        GOOD.replace("open: {mon-fri: 08:00-18:00}", "¦open: {mon-fri: 08:00-18:00, fri: 08:00-12:00}"),
        "the times of a day add up: on fri it is open 08:00-18:00, 08:00-12:00",
        "name each day once",
    ),
    (
        "no-caller-id",
        (HEAD + US + KEY + dial()).replace("    click_to_dial:", "    ¦click_to_dial:"),
        "no caller id: Xima chooses the number that the called person sees",
        "or use_selected_caller_id: yes",
    ),
    (
        "no-caller-id",
        (HEAD + US + KEY + dial()).replace("    click_to_dial:", "    ¦click_to_dial:") + SELECTED.replace("yes", "no"),
        "no caller id",
        "write outbound_caller_id:",
    ),
    ("no-example", GOOD.replace(EXAMPLE, "").replace("rules:", "¦rules:"), "no example", "add examples:"),
    (
        "missing-phone",
        GOOD[: GOOD.index("  - name: no number")].replace("${phone}", "¦${phone}"),
        "no example covers a missing phone (callback_number)",
        "add an example without the number",
    ),
    ("mistyped", GOOD.replace("skill: Sales", "skill: Sales ¦#2", 1), "a # behind a blank begins a comment", "quotes"),
    ("mistyped", GOOD.replace("skill: Sales", "skill: ¦“Sales”", 1), "these quotes belong to the text", "without them"),
    ("mistyped", GOOD.replace("skill: Sales", "skill: ¦Inside\xa0Sales", 1), "a sign that is not seen", ""),
    (
        "mistyped",
        GOOD.replace("        present: yes", "        like: ¦^801[0-9]+$", 1),
        "like knows no regular expressions",
        "* stands for any text",
    ),
    (
        "mistyped",
        GOOD.replace("skill: Sales", "skill: ¦$product", 1),
        "this is a text and no field",
        "written ${product}",
    ),
    (
        "mistyped",
        GOOD.replace("skill: Sales", "skill: ¦<product>", 1),
        "this is a text and no field",
        "written ${product}",
    ),
    (
        "mistyped",
        GOOD.replace("        present: yes", "        in: ¦801, 802", 1),
        "this is one text: '801, 802'",
        "several are written in brackets: [one, two]",
    ),
]


@pytest.mark.parametrize(
    ("word", "marked", "said", "hint"), WARNINGS, ids=[f"{one[0]}-{n}" for n, one in enumerate(WARNINGS)]
)
def test_a_warning_has_its_place_and_its_remedy(word: str, marked: str, said: str, hint: str) -> None:
    text = marked.replace("¦", "")
    before = marked[: marked.index("¦")]
    found = [one for one in warned(text) if f"[{word}]" in one.message]
    assert len(found) == 1, warned(text)
    assert found[0].message.startswith(f"warning: {said}")
    assert (found[0].place.line, found[0].place.column) == (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
    assert hint in str(found[0].hint)


def test_an_example_of_any_rule_that_fires_is_one_of_it() -> None:
    both = GOOD.replace("rules:\n", f"match: all\nrules:\n  - {VIP}").replace("vipp, is: yes", "id, present: yes")
    assert not [one for one in warned(both) if "[untested-rule]" in one.message]


def test_a_rule_that_can_never_fire_is_told_of_once() -> None:
    never = GOOD.replace("rules:\n", f"rules:\n{TAKES_ALL}")
    assert [one.message.rpartition(" ")[2] for one in warned(never)] == ["[rule-never]"]


@pytest.mark.parametrize("word", [word for word in lint.LINTS if word not in (unsent.WORD, dialling.WORD)])
def test_a_warning_is_silenced_by_its_word(word: str) -> None:
    marked = next(one[1] for one in WARNINGS if one[0] == word)
    text = marked.replace("¦", "")
    others = [one.message for one in warned(text) if f"[{word}]" not in one.message]
    assert [one.message for one in warned(text + f"lint: {{ignore: {word}}}\n")] == others


def test_a_word_that_is_none_is_a_mistake() -> None:
    (one,) = problems(GOOD + "lint: {ignore: no-hour}\n")
    assert one.message.startswith("'no-hour' is not one of no-country, ")
    assert one.hint == "did you mean no-hours?"


GROUNDLESS = {
    "several rules may fire": GOOD[: -len(EXAMPLE)].replace("rules:\n", f"match: all\nrules:\n{TAKES_ALL}"),
    "a table is used inside a choose": GOOD.replace("rules:", "tables: {t: {a: Sales}}\nrules:").replace(
        "skill: Sales\n      callback_number: ${phone}",
        "skill: {choose: [{use: {lookup: t, key: '${a}', default: Sales}}]}\n      callback_number: ${phone}",
    ),
    "a table is used by the country": GOOD.replace(
        US, "phones: {region: {lookup: t, key: '${c}', default: US}}\ntables: {t: {England: GB}}\n"
    ),
    "a table is used by the country of one value": GOOD.replace("rules:", "tables: {t: {England: GB}}\nrules:").replace(
        "callback_number: ${phone}",
        "callback_number: {field: phone, region: {lookup: t, key: '${c}', default: US}, region_field: d}",
    ),
    "a let value is used by a condition": GOOD.replace("rules:", "let: {p: '${phone}'}\nrules:").replace(
        "- field: phone\n        present: yes", "- any: [{field: let.p, present: yes}]"
    ),
    "a form looks the agent up": FORM
    + US
    + "  allow_regions: US\ntables: {t: {ann: 0101}}\n"
    + KEY
    + dial(agent="{lookup: t, key: '${who}'}")
    + SELECTED,
    "a day has two times": GOOD.replace(
        "{mon-fri: 08:00-18:00}", "{mon-fri: 08:00-12:00, fri: '12:00-13:00, 14:00-24:00'}"
    ),
    "the caller id is named": HEAD + US + KEY + dial() + "      outbound_caller_id: {nearest_to: number}\n",
    "a comment and quotes within": GOOD.replace("skill: Sales", "skill: The “new” sales # the second", 1),
    "a like": GOOD.replace("        present: yes", "        like: '+1 (801)*'", 1),
    "a price": GOOD.replace("skill: Sales", "skill: $5 club", 1),
    "a text in quotes": GOOD.replace("        present: yes", "        in: 'Smith, John'", 1).replace(
        "skill: Sales", "skill: 'Sales #2'", 1
    ),
    "the preset has a key": GOOD.replace(KEY, "").replace("from: github", "from: hubspot-v3"),
}


@pytest.mark.parametrize("name", GROUNDLESS)
def test_what_is_meant_so_is_not_warned_of(name: str) -> None:
    found = [one.message for one in warned(GROUNDLESS[name])]
    assert [one for one in found if "example" not in one] == []


def test_an_example_that_cannot_be_read_is_no_ground_for_a_warning() -> None:
    assert lint.problems(loaded(GOOD.replace('\'{"id": "1"}\'', "'{'")), GOOD)  # a missing phone is not covered
