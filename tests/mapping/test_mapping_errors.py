"""What an admin sees when a mapping is wrong: the place, the line, and what to write instead."""

from __future__ import annotations

import time

import pytest
from mapping_cases import HEAD, HUBSPOT, LEAD, US, problems

from adapter.mapping.problems import LONGEST_MESSAGE, Place, Problem, did_you_mean, render, spoken

NAME = "hubspot-click-to-dial"


def broken(*changes: tuple[str, str]) -> str:
    text = HUBSPOT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_the_example_of_the_documentation_is_good() -> None:
    assert problems(HUBSPOT, name=NAME) == []


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("mode: shadow", "unknown key 'mode'", "a file called NAME.shadow.yaml"),
    ],
)
def test_what_this_version_does_not_have_is_said(line: str, said: str, hint: str) -> None:
    (one,) = problems(broken(("rules:\n", f"{line}\nrules:\n")), name=NAME)
    assert (one.message, hint in one.hint) == (said, True)


def test_every_schema_error_is_told_at_once_in_the_order_of_the_file() -> None:
    text = broken(
        ("format: 1", "format: 2"),
        ("region: US ", "region: USA "),
        ("dial_as: dialled ", "dial_as: dialed "),
        ("    first_of:", "    firstof:"),
        ("  for: 4d ", "  for: 4 "),
        ("        present: yes", "        present: maybe"),
        ("number_to_dial: ${let.phone}", "number_to_dial: ${let.phone"),
        ("- reject: agent", "- rejct: agent"),
        ("[HUBSPOT_CLIENT_SECRET]", "[]"),
    )
    assert [(one.place.line, one.message) for one in problems(text, name=NAME)] == [
        (1, "this version of the adapter reads format 1"),
        (7, "this list is empty: write what belongs in it, or remove the key"),
        (11, "'USA' is not a country code; did you mean US?"),
        (12, "'dialed' is not one of dialled, e164, e164_digits, as_given"),
        (25, "unknown key 'firstof'"),
        (31, "a duration needs its unit: write 4s, 4m, 4h or 4d"),
        (39, "write yes or no"),
        (44, "${ is never closed with }"),
        (75, "unknown key 'rejct'"),
    ]


def test_the_sender_and_the_tables_are_looked_at_although_other_keys_are_wrong() -> None:
    text = broken(
        ("from: hubspot-v2 ", "from: hubspot2 "),
        ("region: US ", "region: USA "),
        ("    pat.owner@example.com: 0101\n    lee.owner@example.com: 0102", "    {file: a.csv, key: a, value: b}"),
    )
    assert [one.where for one in problems(text, name=NAME)] == [
        "receive.from",
        "phones.region",
        "tables.agents.file",
    ]


VALID = HEAD + US + LEAD


def test_a_small_mapping_is_good() -> None:
    assert problems(VALID) == []


def rule(text: str) -> str:
    return f"{HEAD}{US}rules:\n  - {text}\n"


def value(text: str) -> str:
    return rule(f"callback: {{skill: {text}, callback_number: 0102}}")


def when(text: str) -> str:
    return rule(f"{{when: {text}, callback: {{skill: S, callback_number: 0102}}}}")


def receive(text: str) -> str:
    return f"format: 1\nname: lead\nreceive: {text}\n{US}{LEAD}"


# What is wrong, the file with ¦ where the caret is to stand, the message, the remedy.
WRONG: list[tuple[str, str, str, str]] = [
    # the whole file
    ("nothing", "¦", "there is nothing in this file", "begin with format: 1"),
    ("comments only", "¦# format: 1\n", "there is nothing in this file", "begin with format: 1"),
    ("a list", "¦- a", "a mapping file is a group of keys", "begin with format: 1"),
    ("a text", "¦hello", "a mapping file is a group of keys", "begin with format: 1"),
    ("no format", VALID.replace("format: 1\n", "¦"), "format: this key is missing", ""),
    ("another format", VALID.replace("format: 1", "format: ¦2"), "this version of the adapter reads format 1", ""),
    ("no rules", "¦" + HEAD + US, "rules: this key is missing", ""),
    ("empty rules", HEAD + "rules: ¦[]\n", "this list is empty", ""),
    ("rules of nothing", HEAD + "rules:¦\n", "this is empty: write a value, or remove the key (in rules)", ""),
    ("a rule of nothing", HEAD + "rules:\n  -¦\n", "this is empty: write a value, or remove the key", ""),
    ("a rule of text", HEAD + "rules:\n  - ¦dial\n", "a group of keys is expected here (in rules[1])", ""),
    ("an empty name", VALID.replace("name: lead", "name:¦", 1), "this is empty", ""),
    ("a name for no URL", VALID.replace("name: lead", "name: ¦a/b", 1), "a name is part of the URL", ""),
    ("a key of another level", VALID + "¦region: US\n", "unknown key 'region' (in region)", "it belongs below phones:"),
    ("a key of nobody", VALID + "¦colour: US\n", "unknown key 'colour' (in colour)", "known here: about, "),
    (
        "a key of a rule",
        VALID + "¦when: {field: a, is: b}\n",
        "unknown key 'when'",
        "it belongs to a rule, below rules:",
    ),
    ("a field of an action", VALID + "¦skill: S\n", "unknown key 'skill'", "it belongs below callback:, further"),
    (
        "an outer key in a group",
        VALID + "once: {key: '${id}', ¦fresh_for: 5m}\n",
        "unknown key 'fresh_for'",
        "the first column",
    ),
    (
        "an action not indented",
        HEAD + "rules:\n  - callback:\n    ¦skill: S\n",
        "unknown key 'skill'",
        "it belongs below callback:",
    ),
    ("a rule without when", HEAD + "rules: {¦field: a, is: b}\n", "unknown key 'field'", "to a condition, below when:"),
    (
        "a value not indented",
        HEAD + "rules:\n  - callback:\n      skill:\n      ¦lookup: t\n",
        "unknown key 'lookup'",
        "it belongs below a field of the action",
    ),
    (
        "a key of a rule in its action",
        HEAD + "rules: {callback: {skill: S, callback_number: '${a}', ¦deliver: now}}\n",
        "unknown key 'deliver'",
        "it belongs to a rule",
    ),
    (
        "a text for a group",
        VALID + "quiet: ¦10m\n",
        "a group of keys is expected here",
        "write below it, as key: value: same_number",
    ),
    (
        "a list for a group of names",
        VALID + "tables: {t: ¦[a, b]}\n",
        "a group of names",
        "without a -, as name: value",
    ),
    (
        "a list without brackets",
        VALID + "lint:\n  ignore: ¦no-hours, no-country\n",
        "'no-hours,",
        "brackets: [one, two]",
    ),
    (
        "secrets without brackets",
        VALID.replace("[HOOK_SECRET]", "¦swordfish, A"),
        "this is not the name of a variable",
        "a list is written in brackets: [one, two]",
    ),
    ("two texts to compare with", when("{field: a, is: ¦[b, c]}"), "a text is expected here", "by in: [one, two]"),
    ("two texts to contain", when("{field: a, contains: ¦[b, c]}"), "a text is expected here", "write any: with"),
    ("two fields for a value", value("¦[a, b]"), "a text or a group of keys is expected here", "first_of: [one, two]"),
    (
        "a group for a key",
        VALID + "once: {key: ¦{field: id}}\n",
        "a text is expected here",
        "a field is written ${one}",
    ),
    ("two fields for a key", VALID + "once: {key: ¦[a, b]}\n", "a text is expected here", "${one}-${two}"),
    (
        "two times in brackets",
        VALID + "hours: {zone: UTC, open: {mon: ¦[08:00-12:00, 13:00-18:00]}}\n",
        "a text is expected here",
        "one after the other: 08:00-12:00, 13:00-18:00",
    ),
    (
        "a body of YAML",
        VALID + "examples: [{name: a, body: ¦{a: b}, expect: {skip: x}}]\n",
        "a text is expected here",
        "write body: | and, on the lines below it",
    ),
    ("a dash without a blank", HEAD + "rules:\n  ¦-name: x\n", "unknown key '-name'", "did you mean name?"),
    ("a match", VALID + "match: ¦any\n", "'any' is not one of first, all (in match)", ""),
    ("no time at all", VALID + "fresh_for: ¦0\n", "this is no time at all", ""),
    ("no hours", VALID + "hours:¦\n", "this is empty", ""),
    ("a text that is a comment", VALID + "about:¦ #1 of all\n", "this is empty", "what follows a # is a comment"),
    # receive
    (
        "no sender",
        receive("¦{secrets: [A]}"),
        "it is not said who sends (in receive)",
        "write one of from, verify",
    ),
    ("no receive", f"¦format: 1\nname: lead\n{LEAD}", "receive: this key is missing", ""),
    ("a receive of text", receive("¦github"), "a group of keys is expected here (in receive)", ""),
    (
        "two senders",
        receive("{from: github, ¦verify: {scheme: basic}, secrets: A}"),
        "from and verify exclude each other (in receive.verify)",
        "remove one of the two",
    ),
    (
        "no secrets",
        receive("¦{from: github}"),
        "secrets: this key is missing (in receive)",
        "secrets: [MY_SECRET]",
    ),
    ("one secret", receive("{from: github, ¦secret: A}"), "unknown key 'secret'", "did you mean secrets?"),
    ("a parameter's list", receive("{from: github, header: ¦[A], secrets: A}"), "a text is expected here", ""),
    (
        "a header that is none",
        receive("{from: github, header: ¦a b, secrets: A}"),
        "this is no name of a header",
        "use letters",
    ),
    (
        "a field where a number is wanted",
        VALID.replace("callback_number: 801-555-0142", "callback_number: ¦$phone"),
        "this is not a telephone number: it has no digit (in rules[1].callback.callback_number)",
        "a field is written ${phone}",
    ),
    (
        "a field without its $",
        VALID.replace("callback_number: 801-555-0142", "callback_number: {¦phone}"),
        "a field needs a $ before its braces: {phone}",
        "a field is written ${phone}",
    ),
    ("a stranger's key", receive("{from: basic, ¦header: A, secrets: A}"), "unknown key 'header'", "known here"),
    ("too many records", receive("{from: github, secrets: A, max_records: ¦1001}"), "write a whole number", ""),
    ("no records", receive("{from: github, secrets: A, max_records: ¦0}"), "write a whole number from 1 to 1000", ""),
    (
        "records of let",
        receive("{from: github, secrets: A, records: ¦let.x}"),
        "records are looked for in the body itself: leave let away",
        "",
    ),
    (
        "secrets beside an identifier",
        receive("{from: salesforce-outbound, organization: 00D, ¦secrets: A, also: {query_token: k, secrets: B}}"),
        "the secrets belong to the second proof (in receive.secrets)",
        "move them under also",
    ),
    (
        "a scheme nobody knows",
        receive("{verify: {scheme: ¦hmca}, secrets: A}"),
        "unknown word (in receive.verify.scheme)",
        "did you mean hmac?",
    ),
    ("a scheme of nothing", receive("{verify: ¦, secrets: A}"), "this is empty", ""),
    ("a table of nothing", VALID + "tables: {t: ¦}\n", "this is empty", ""),
    ("a scheme of text", receive("{verify: ¦hmac, secrets: A}"), "this must be a group of keys", ""),
    (
        "a part of a scheme",
        receive("{verify: {scheme: all_of, of: [{scheme: basic}, ¦{scheme: query_token}]}, secrets: A}"),
        "name: this key is missing (in receive.verify.of[2])",
        "add it",
    ),
    (
        "a key of a scheme",
        receive("{verify: {scheme: basic, ¦user: x}, secrets: A}"),
        "unknown key 'user' (in receive.verify.user)",
        "use one of: scheme",
    ),
    (
        "a further proof of no kind",
        receive("{from: github, secrets: A, also: [¦{secrets: B}]}"),
        "the kind of proof is missing (in receive.also[1])",
        "write one of header_token, query_token, basic",
    ),
    (
        "a further proof of two kinds",
        receive("{from: github, secrets: A, also: {basic: yes, ¦query_token: k, secrets: B}}"),
        "basic and query_token exclude each other",
        "remove one of the two",
    ),
    (
        "a further proof without secrets",
        receive("{from: github, secrets: A, also: ¦{query_token: k}}"),
        "secrets: this key is missing (in receive.also)",
        "",
    ),
    (
        "a further proof's header",
        receive("{from: github, secrets: A, also: [{header_token: ¦a b, secrets: B}]}"),
        "this is no name of a header (in receive.also[1].header_token)",
        "use letters, digits and hyphens, without a colon",
    ),
    (
        "a further proof's prefix",
        receive("{from: github, secrets: A, also: [{query_token: k, ¦value_prefix: x, secrets: B}]}"),
        "value_prefix belongs to header_token (in receive.also[1].value_prefix)",
        "remove it",
    ),
    ("a test of two fields", receive("{from: github, secrets: A, test_when: ¦{is: x}}"), "field: this key is", ""),
    (
        "a test of an unknown let",
        receive("{from: github, secrets: A, test_when: [{field: ¦let.x, is: x}]}"),
        "there is no let value called 'x' here (in receive.test_when[1].field)",
        "let values can be used below the line that defines them",
    ),
    # conditions
    ("no condition", when("¦[]"), "this list is empty", ""),
    ("an empty condition", when("[¦{}]"), "what the field is compared with is missing", "write one of present"),
    ("no operator", when("¦{field: a}"), "what a is compared with is missing", "present, is, is_not, in"),
    ("no field", when("¦{is: x}"), "field: this key is missing (in rules[1].when)", ""),
    (
        "an operator of another language",
        when("{field: a, ¦equals: x}"),
        "unknown key 'equals' (in rules[1].when.equals)",
        "write is",
    ),
    ("an operator misspelt", when("{field: a, ¦isnot: x}"), "unknown key 'isnot'", "did you mean is_not?"),
    (
        "a field and a group",
        when("{field: a, ¦any: [{field: b, is: c}]}"),
        "field and any exclude each other (in rules[1].when.any)",
        "begin the next condition with: - any:",
    ),
    (
        "two groups",
        when("{any: {field: b, is: c}, ¦all: {field: b, is: c}}"),
        "any and all exclude each other",
        "write it as a condition of its own: all of them must hold",
    ),
    ("an empty group", when("{any: ¦[]}"), "this list is empty", ""),
    ("compared with a field", when("{field: a, is: 'x ¦${b}'}"), "a field is compared with a text written here", ""),
    ("compared with nothing", when("{field: a, is: ¦''}"), "there is nothing to compare with", ""),
    ("compared with no text", when("{field: a, is: ¦[x]}"), "a text is expected here, not a group or a list", ""),
    ("compared with a gap", when("{field: a, in: [x, ¦' ']}"), "there is nothing to compare with", ""),
    ("a number", when("{field: a, more_than: ¦x}"), "write a number like 500 or 0.5", ""),
    ("a time", when("{field: a, before: ¦x}"), "write a date and time like 2026-11-24T10:15:00-07:00", ""),
    ("a field with braces", when("{field: ¦'${a}', is: x}"), "write the path alone here, without ${ }", ""),
    ("a path, quoted", when("{field: 'a.b¦[', is: x}"), "[ is never closed with ] (in rules[1].when.field)", ""),
    (
        "deep below",
        when("[{any: [{field: a, is: x}, {not: [{field: ¦let.b, is: x}]}]}]"),
        "there is no let value called 'b' here (in rules[1].when[1].any[2].not[1].field)",
        "",
    ),
    # values
    (
        "no source",
        value("¦{clean: trim}"),
        "it is not said where the value comes from",
        "field, first_of, lookup",
    ),
    ("two sources", value("{field: a, ¦first_of: [b]}"), "field and first_of exclude each other", "remove one"),
    ("a lookup without a key", value("¦{lookup: t}"), "key: this key is missing", ""),
    ("a key without a lookup", value("{field: a, ¦key: '${b}'}"), "a key is only for a lookup", "add lookup:"),
    (
        "a bare key",
        value("{lookup: t, key: ¦let.owner}"),
        "this key is the same for every record",
        "a field is written ${let.owner}",
    ),
    (
        "no table at all",
        value("{lookup: ¦t, key: '${a}'}"),
        "there is no table called 't'",
        "define it under tables",
    ),
    ("a way to clean", value("{field: a, clean: [trim, ¦lowr]}"), "'lowr' is not one of", "did you mean lower?"),
    ("a list instead", value("¦[a]"), "a text or a group of keys is expected here, not a list", ""),
    (
        "if_missing inside",
        value("{choose: {use: {field: a, ¦if_missing: skip}}}"),
        "unknown key 'if_missing'",
        "if_missing belongs to a field of an action",
    ),
    (
        "a choice that hides others",
        value("{choose: ¦[{use: a}, {use: b}]}"),
        "only the last line may stand without when",
        "nothing below such a line would be used",
    ),
    ("a choice of nothing", value("{choose: ¦{when: {field: a, is: b}}}"), "use: this key is missing", ""),
    ("an odd path", value("'x ${a¦..b}'"), "right after a dot comes a name (in rules[1].callback.skill)", ""),
    ("an empty path", value("'${¦}'"), "a path is missing: write the name of a field", ""),
    ("an odd default", value("{field: a, default: ¦'${'}"), "${ is never closed with }", ""),
    ("an unknown let", value("'x ${¦let.ownr}'") + "let: {owner: x}\n", "there is no let value", "owner?"),
    (
        "let alone",
        value("'${¦let}'"),
        "it is not said what of let, as in let.name",
        "of the record that has this name is $.let",
    ),
    ("request alone", value("'${¦request}'"), "it is not said what of request", "this name is $.request"),
    ("a field of a shell", VALID + "once: {key: ¦$id}\n", "this key is the same for every record", "is written ${id}"),
    ("a key of digits", VALID + "once: {key: ¦1}\n", "this key is the same for every record (in once.key)", ""),
    ("an unknown part", value("'${¦request.header.x}'"), "the request has no 'header'", "it has body, headers, "),
    (
        "a let of two words",
        VALID + "let: {¦a b: x}\n",
        "the name of a let value is one word (in let.a b)",
        "write it with _",
    ),
    # rules
    ("no action", rule("¦name: x"), "the action is missing (in rules[1])", "click_to_dial, callback, select_"),
    (
        "two actions",
        rule(
            "{callback: {skill: A, callback_number: 1}, ¦select_caller_id: {agent: 1, label: a, outbound_caller_id: 1}}"
        ),
        "callback and select_caller_id exclude each other",
        "remove one of the two",
    ),
    ("no skill", rule("callback: ¦{callback_number: 0102}"), "skill: this key is missing", ""),
    (
        "a field too few, one too many",
        rule("callback: {¦skil: A, callback_number: 0102}"),
        "unknown key 'skil'",
        "did you mean skill?",
    ),
    (
        "a name twice",
        HEAD + "rules:\n  - {name: ¦a, callback: {skill: A, callback_number: 1}}\n"
        "  - {name: a, callback: {skill: B, callback_number: 1}}\n",
        "another rule has the same name (in rules[1].name)",
        "give each rule its own",
    ),
    (
        "left out, though needed",
        rule("callback: {skill: {field: a, if_missing: ¦omit}, callback_number: 1}"),
        "Xima needs skill: it cannot be left out",
        "write reject or skip",
    ),
    (
        "a path without braces",
        rule("click_to_dial: {agent: ¦owner.ext, number_to_dial: 1}"),
        "this is not an extension: digits only (in rules[1].click_to_dial.agent)",
        "a field is written ${owner.ext}",
    ),
    (
        "a default that is no extension",
        rule("click_to_dial: {agent: {field: a, default: ¦hunt}, number_to_dial: 1}"),
        "this is not an extension: digits only (in rules[1].click_to_dial.agent.default)",
        "a field is written ${hunt}",
    ),
    (
        "a choice that is no prefix",
        rule("click_to_dial: {agent: 1, number_to_dial: 1, external_prefix: {choose: {use: ¦nine}}}"),
        "this is not an outside-line prefix",
        "",
    ),
    (
        "both ways to choose the caller id",
        rule("click_to_dial: {agent: 1, number_to_dial: 1, ¦outbound_caller_id: 1, use_selected_caller_id: yes}"),
        "use_selected_caller_id excludes outbound_caller_id",
        "remove one of the two",
    ),
    ("a word", rule("{deliver: ¦later, callback: {skill: A, callback_number: 1}}"), "'later' is not one of", ""),
    # phones, tables, once, hours
    ("a country", HEAD + LEAD + "phones: {allow_regions: [US, ¦UK]}\n", "'UK' is not a country code", ""),
    ("no country left", HEAD + LEAD + "phones: {allow_regions: ¦[]}\n", "this list is empty", ""),
    ("an area code", HEAD + LEAD + "phones: {area_code: ¦'(801)'}\n", "an area code is digits only", ""),
    ("a type", HEAD + LEAD + "phones: {reject_types: [¦premium]}\n", "'premium' is not one of", "premium_rate?"),
    (
        "a country's table",
        HEAD + LEAD + "phones: {region: {lookup: ¦t, key: '${c}'}}\n",
        "there is no table called 't' (in phones.region.lookup)",
        "define it under tables",
    ),
    (
        "a home country",
        HEAD + LEAD + "phones: {region: {field: c, default: ¦USA}}\n",
        "'USA' is not a country code",
        "",
    ),
    (
        "a value's country",
        rule("callback: {skill: A, callback_number: {field: a, region_field: ¦let.c}}"),
        "there is no let value called 'c'",
        "",
    ),
    ("a table of text", VALID + "tables: {t: ¦x}\n", "a group of names, each with its value, is expected", ""),
    ("a list in a table", VALID + "tables: {t: {a: ¦[b]}}\n", "a text is expected here", ""),
    ("a gap in a table", VALID + "tables: {t: {a: ¦}}\n", "this is empty", ""),
    (
        "a key in another case",
        VALID + "tables: {t: {A: x, ¦a: y}}\n",
        "the key 'a' is here already (in tables.t.a)",
        "case does not count: remove one",
    ),
    ("a CSV's columns", VALID + "tables: {t: ¦{file: t.csv}}\n", "key: this key is missing (in tables.t)", ""),
    (
        "a CSV that is not there",
        VALID + "tables: {t: {file: ¦x.csv, key: a, value: b}}\n",
        "the file x.csv cannot be read: No such file or directory (in tables.t.file)",
        "it is looked for beside the mapping",
    ),
    (
        "a CSV's column",
        VALID + "tables: {t: {file: t.csv, key: ¦userid, value: x}}\n",
        "the file t.csv has no column 'userid' (in tables.t.key)",
        "did you mean user_id?",
    ),
    (
        "a CSV's other column",
        VALID + "tables: {t: {file: t.csv, key: user_id, value: ¦x}}\n",
        "the file t.csv has no column 'x' (in tables.t.value)",
        "its columns are user_id, extension",
    ),
    (
        "an empty CSV",
        VALID + "tables: {t: {file: empty.csv, key: ¦a, value: b}}\n",
        "the file empty.csv has no column 'a'",
        "its columns are none",
    ),
    (
        "a CSV at odds with itself",
        VALID + "tables: {t: {file: ¦t.csv, key: user_id, value: extension}}\n",
        "line 3 of t.csv gives 'a' another value than a line above (in tables.t.file)",
        "remove one of the two lines",
    ),
    (
        "a CSV of one endless line",
        VALID + "tables: {t: {file: ¦long.csv, key: a, value: b}}\n",
        "long.csv cannot be read as CSV: field larger than field limit (131072) (read as far as line",
        "",
    ),
    (
        "a bare key for once",
        VALID + "once: {key: ¦id}\n",
        "this key is the same for every record (in once.key)",
        "a field is written ${id}",
    ),
    ("an unknown let in once", VALID + "once: {key: '${¦let.x}'}\n", "there is no let value called 'x'", ""),
    ("a time without unit", VALID + "once: {key: '${id}', for: ¦30}\n", "a duration needs its unit", ""),
    ("an unknown let in sent_at", VALID + "sent_at: ¦let.x\n", "there is no let value called 'x'", ""),
    ("a unit", VALID + "sent_at: {path: a, unit: ¦us}\n", "'us' is not one of iso8601, s, ms", ""),
    ("no zone", VALID + "hours: ¦{open: {mon: 08:00-09:00}}\n", "zone: this key is missing", ""),
    ("a zone", VALID + "hours: {zone: ¦America/Denvr, open: {mon: 08:00-09:00}}\n", "there is no time zone", ""),
    ("a day", VALID + "hours: {zone: UTC, open: {¦mon-fryday: 08:00-09:00}}\n", "not a weekday", ""),
    ("a time of day", VALID + "hours: {zone: UTC, open: {mon: ¦9-5}}\n", "not opening hours: write 08:00", ""),
    ("no day", VALID + "hours: {zone: UTC, open: ¦{}}\n", "no day is open", "like mon-fri: 08:00-18:00"),
    ("a date", VALID + "hours: {zone: UTC, open: {mon: 08:00-09:00}, closed_on: ¦24.12.}\n", "not a date", ""),
    (
        "a clock",
        VALID + "hours: {zone: UTC, clock: ¦phone, open: {mon: 08:00-09:00}}\n",
        "'phone' is not one",
        "",
    ),
    # examples
    ("no body", VALID + "examples: [¦{name: a, expect: {skip: x}}]\n", "body: this key is missing", ""),
    ("no result", VALID + "examples: [{name: a, body: '{}', expect: ¦{once: x}}]\n", "the result is missing", ""),
    (
        "two results",
        VALID + "examples: [{name: a, body: '{}', expect: {skip: x, ¦reject: y}}]\n",
        "skip and reject exclude each other",
        "remove one of the two",
    ),
    (
        "no result",
        VALID + "examples: [{name: a, body: '{}', expect: [¦skipped]}]\n",
        "'skipped' is no result",
        "skip: with",
    ),
    (
        "an unknown field",
        VALID + "examples: [{name: a, body: '{}', expect: {callback: {¦skil: x}}}]\n",
        "unknown key 'skil'",
        "did you mean skill?",
    ),
    (
        "a clock that is none",
        VALID + "examples: [{name: a, body: x, at: ¦noon, expect: {skip: x}}]\n",
        "write a",
        "",
    ),
]
FILES = {
    "t.csv": "user_id,extension\nA,1\na,2\n",
    "empty.csv": "",
    "long.csv": "a,b\n" + "x" * 200_000 + ",y",
}


@pytest.mark.parametrize(("text", "message", "hint"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_it_says_what_is_wrong_where_and_what_to_write(text: str, message: str, hint: str) -> None:
    before = text[: text.index("¦")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = problems(text.replace("¦", ""), files=FILES)
    assert any(str(one).startswith(f"{line}:{column}: {message}") and hint in one.hint for one in found), "\n".join(
        f"{one} = {one.hint}" for one in found
    )


def test_a_file_that_is_not_utf8_is_told_at_its_name() -> None:
    class Latin(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            return b"caf\xe9".decode("utf-8")

    text = VALID + "tables: {t: {file: x.csv, key: a, value: b}}\n"
    assert "the file x.csv cannot be read: it is not UTF-8" in str(problems(text, files=Latin({"x.csv": ""}))[0])


def test_of_very_many_problems_the_first_are_told_at_once() -> None:
    text = VALID + "".join(f"unknown{number}: x\n" for number in range(20_000))
    start = time.process_time()
    found = problems(text)
    assert time.process_time() - start < 30
    assert len(found) == 100
    assert found[0].message == "unknown key 'unknown0'"


@pytest.mark.parametrize(
    ("problem", "shown"),
    [
        (Problem(Place(1, 1), "m"), "f:1:1: m\n       1 | \tab\n         | ^"),
        (Problem(Place(1, 3), "m", "a.b", "h"), "f:1:3: m (in a.b)\n       1 | \tab\n         | \t ^\n         = h"),
        (Problem(Place(2, 1), "m"), "f:2:1: m\n       2 | a?[0m\n         | ^"),
        (Problem(Place(3, 300), "m"), f"f:3:300: m\n       3 | {'x' * 200}\n         | {' ' * 200}^"),
        (Problem(Place(4, 1), "m"), "f:4:1: m"),
        (Problem(Place(1, 1), "m", private=True), "f:1:1: m"),
    ],
    ids=["plain", "everything", "control characters", "a long line", "beyond the end", "private"],
)
def test_a_problem_is_shown_with_its_line(problem: Problem, shown: str) -> None:
    assert render("f", ["\tab", "a\x1b[0m", "x" * 500], problem) == shown


def test_a_quote_of_a_word_processor_is_named_where_the_caret_points_at_it() -> None:
    shown = render("a.yaml", ["body: {“id”: 1}"], Problem(Place(1, 8), "the body is not JSON", hint="as it is sent"))
    assert shown.splitlines()[3:] == [
        "         = as it is sent",
        "         = “ is no quote to a computer: type it anew",
    ]


def test_a_message_never_fills_the_screen() -> None:
    assert len(render("f", [], Problem(Place(1, 1), "m" * 100_000))) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("numberToDial", "did you mean number_to_dial?"),
        ("number-to-dial", "did you mean number_to_dial?"),
        ("agnet", "did you mean agent?"),
        ("HUBSPOT", "did you mean hubspot-v2?"),
        ("zzz", ""),
        ("", ""),
        ("x" * 1_000_000, ""),
    ],
)
def test_it_guesses_the_word_that_was_meant(word: str, meant: str) -> None:
    assert did_you_mean(word, ["agent", "hubspot-v2", "number_to_dial"]) == meant


def test_lists_are_counted_from_one() -> None:
    assert spoken(("rules", 0, "when", 2, "field")) == "rules[1].when[3].field"
    assert spoken(()) == ""


def test_every_mistake_in_the_hours_is_told_at_once() -> None:
    days = "{mon-fri: 8-18, saturdy: 09:00-12:00, sundy: 9-12}"
    found = problems(VALID + f"hours: {{zone: Denver, open: {days}, closed_on: 24.12., outside: hld}}\n")
    said = [one.message.split(":")[0].split(" '")[0] for one in found]
    assert sorted(said) == sorted(
        ["there is no time zone", "not opening hours", "not a weekday", "not a weekday", "not opening hours",
         "not a date", said[-1]]
    )  # fmt: skip
    assert len(said) == 7


@pytest.mark.parametrize("file", ["valid.yaml", "valid.YML"])
def test_a_file_that_windows_named_is_to_be_renamed(file: str) -> None:
    (problem,) = problems(VALID, name=file)
    assert problem.hint.startswith("rename the file to ")
    assert f"{file}.txt" in problem.message
