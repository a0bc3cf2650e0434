"""What each key of a mapping means, in one sentence: editors show it beside the key."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly

_FIELDS: ReadOnly[str, str] = {
    "agent": "The extension of the agent whose phone rings, like 0101.",
    "number_to_dial": "The telephone number to dial.",
    "outbound_caller_id": "The number the called person sees; it must be registered for the agent in Xima.",
    "external_prefix": "What is dialled before the number to reach an outside line.",
    "use_selected_caller_id": "Whether the caller id counts that the agent has selected in Xima.",
    "skill": "The skill whose queue takes the callback, exactly as it is called in Xima.",
    "callback_number": "The telephone number to call back.",
    "label": "The label of the caller id, exactly as it is called in Xima.",
}

HOVER: ReadOnly[str, ReadOnly[str, str]] = {
    "MappingSchema": {
        "format": "The format of this file: 1.",
        "name": "The name of the mapping, the same as the file's; it answers POST /hooks/NAME.",
        "about": "Free text for people.",
        "tenant": "Which Xima tenant is asked.",
        "receive": "Who sends, how it proves that, and what it sends.",
        "sent_at": "The path of the event's own time, or a group with its unit; fresh_for counts from it.",
        "fresh_for": "How old a request may become before it is not wanted any more, like 30s or 10m.",
        "empty_values": "Words that count as nothing, like n/a.",
        "phones": "How telephone numbers are read and dialled.",
        "tables": "Lookup tables by name: lines key: value, or a CSV file beside this one.",
        "let": "Named values, worked out once a record in order; used as let.NAME.",
        "once": "What makes an event unique, so that it is done once.",
        "hours": "When calls may be made.",
        "quiet": "For how long a number that was called is left in peace.",
        "limits": "How many calls are wanted at most; what is over them waits or is not made.",
        "match": "Whether only the first rule that holds fires, or all that hold.",
        "rules": "What is done when; the first rule whose conditions hold fires.",
        "examples": "Requests as they are sent and what must come of them; run at every load.",
        "lint": "Which warnings of check are not wanted here.",
    },
    "ReceiveSchema": {
        "from": "A sender preset: xima-adapter presets lists them.",
        "verify": "A signature written out, for a sender that no preset knows.",
        "secrets": "Names of variables that hold the secrets, newest first; never a secret itself.",
        "also": "Further proofs that must all hold.",
        "body": "What the body is.",
        "records": "The path to the list of records; without it the body is the record, or a list of them.",
        "max_records": "How many records one request may carry.",
        "answer": "What the sender hears, where it wants its own.",
        "handshake": "What the sender asks before it sends, where verify is written out: docs/presets.md.",
        "handshake_secrets": "Names of variables for the handshake, where it has a secret of its own.",
        "unique_body": "Whether no two events of this sender are alike, so an old body that comes back is a repeat.",
        "test_when": "Conditions that mark the sender's test button: verified, never dialled.",
    },
    "AlsoSchema": {
        "header_token": "The name of a header that carries a secret.",
        "query_token": "The name of a query parameter that carries a secret.",
        "basic": "A user name and password (HTTP Basic).",
        "value_prefix": "What stands before the secret in the header, like 'Bearer '.",
        "secrets": "Names of variables that hold the secrets, newest first.",
        "ip_allow": "Addresses and networks the request may come from.",
        "client_certificate": "The header in which a trusted proxy says what it thinks of the client's certificate.",
        "accept": "The words in that header that let a request in; SUCCESS unless said otherwise.",
    },
    "AnswerSchema": {
        "failures": "4xx: the sender shows the status to a person.",
        "body": "The text of the answer.",
        "type": "The content type of the answer.",
    },
    "SentAtSchema": {"path": "Where the time of the event stands.", "unit": "How it is written."},
    "PhoneKeys": {
        "region": "The home country, like US; or a value that gives the number's own, whose default is home.",
        "region_field": "The field that holds the number's own two-letter country code.",
        "area_code": "For local numbers that are written without one.",
        "dial_as": "How a number goes to Xima; dialled is as an agent would key it at home.",
        "allow_regions": "The countries that may be called; without it all may.",
        "keep_extension": "Whether ;ext=12 goes to Xima behind a number.",
        "reject_types": "Kinds of numbers that are never dialled; premium_rate unless said otherwise.",
    },
    "ValueSchema": {
        "field": "The path of a field, without ${ }.",
        "first_of": "Paths; the first that is not empty is used.",
        "lookup": "The name of a table.",
        "key": "What is looked up in the table, like ${owner}.",
        "choose": "A list of when and use; the first whose conditions hold is used.",
        "clean": "What is done with the text, step by step.",
        "default": "What is used when nothing is found.",
        "if_missing": "What becomes of the record when there is nothing.",
        "nearest_to": "Write number: the agent's caller id that is nearest to the number that is called.",
    },
    "CaseSchema": {"when": "Conditions; all must hold.", "use": "The value to use then."},
    "ConditionSchema": {
        "field": "The path of the field that is tested, without ${ }.",
        "present": "Whether the field holds anything.",
        "is": "The field is this text; case does not count.",
        "is_not": "The field is not this text.",
        "in": "The field is one of these texts.",
        "not_in": "The field is none of these texts.",
        "contains": "The field contains this text, or the list this item.",
        "like": "The field looks like this; * stands for any text, ? for one character.",
        "more_than": "The field is a number above this one.",
        "less_than": "The field is a number below this one.",
        "before": "The field is a time before this one, or before now.",
        "after": "The field is a time after this one, or after now.",
        "all": "All of these conditions hold.",
        "any": "At least one of these conditions holds.",
        "not": "None of these conditions holds.",
    },
    "OnceSchema": {
        "key": "The text that makes an event unique, like ${id}.",
        "for": "How long it is remembered, like 4d.",
    },
    "QuietSchema": {
        "same_number": "For how long a number that was called is not called again, like 10m; or no.",
    },
    "LimitsSchema": {
        "number_per_day": "How often one number may be called within 24 hours.",
        "per_minute": "How many requests may come within a minute before callbacks wait.",
    },
    "HoursSchema": {
        "clock": "The number whose time zone counts.",
        "zone": "The time zone that counts when the number does not tell, like America/Denver.",
        "open": "Days and times: mon-fri: 08:00-18:00.",
        "closed_on": "Dates without calls, like 2026-12-25.",
        "outside": "What becomes of a call out of hours.",
    },
    "CsvSchema": {
        "file": "A .csv file beside this one.",
        "key": "The column that is looked up.",
        "value": "The column that is found.",
    },
    "RuleSchema": {
        "name": "What this rule is called in receipts.",
        "when": "Conditions; all must hold.",
        "click_to_dial": "Ring an agent's phone and connect it with a number.",
        "callback": "Put a number into a skill's callback queue.",
        "select_caller_id": "Change the caller id an agent has selected.",
        "deliver": "now: the answer waits for Xima; queued: it does not.",
        "if_unknown": "What happens when nobody knows whether Xima did it: ask a person, or do it again.",
    },
    "ExampleSchema": {
        "name": "What this example shows.",
        "body": "The body exactly as it is sent.",
        "headers": "Headers of the request.",
        "query": "The query string of the request.",
        "at": "The clock, like 2026-11-24T10:15:00-07:00.",
        "expect": "What must come of it, one line a record.",
    },
    "ExpectSchema": {
        "click_to_dial": "The dial that must come of the record, with all its fields.",
        "callback": "The callback that must come of the record, with all its fields.",
        "select_caller_id": "The change of caller id that must come of the record, with all its fields.",
        "skip": "The reason why nothing is done.",
        "reject": "The field that is not usable.",
        "once": "The idempotency key.",
        "hold_until": "When the calling hours open.",
    },
    "LintSchema": {"ignore": "The words of the warnings, like no-hours."},
}
"""Schema -> key -> meaning; schemas that are built on another share its keys."""


def meaning(schemas: list[str], key: str) -> str:
    """What a key means in the first of these schemas that knows it; a field of an action means the same everywhere."""
    return next((HOVER[name][key] for name in schemas if key in HOVER.get(name, {})), _FIELDS.get(key, ""))
