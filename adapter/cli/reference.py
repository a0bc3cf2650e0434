"""The reference of the mapping file, printed from the schemas that load it and the sentences that editors show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from adapter import sources
from adapter.mapping.editor import json_schema

Json = dict[str, Any]

TITLES = {
    "AlsoSchema": "A further proof",
    "AnswerSchema": "An answer of your own",
    "CaseSchema": "A line of choose",
    "ConditionSchema": "A condition",
    "CsvSchema": "A table in a CSV file",
    "ExampleSchema": "An example",
    "ExpectSchema": "What is expected of a record",
    "FieldSchema": "A value of an action",
    "HoursSchema": "Calling hours",
    "LimitsSchema": "Limits",
    "LintSchema": "Warnings",
    "MappingSchema": "The file",
    "OnceSchema": "Once",
    "PhoneFieldSchema": "A telephone number of an action",
    "PhoneKeys": "Telephone numbers",
    "QuietSchema": "Quiet times",
    "ReceiveSchema": "Who sends",
    "ReportSchema": "Reports",
    "RuleSchema": "A rule",
    "SentAtSchema": "The time of the event",
    "ValueSchema": "A value",
    "call_ended": "A call that ended",
    "callback": "A callback",
    "click_to_dial": "A click to dial",
    "select_caller_id": "A caller id",
}
"""Definition -> heading; in an example an action has the keys it has in a rule."""
FIRST = "MappingSchema"
TEXT = "text"
MANY_WORDS = 20
"""A list of words that is longer is to be found elsewhere: the presets."""


@cache
def _definitions() -> Mapping[str, Json]:
    found: Mapping[str, Json] = json_schema(sources.presets())["$defs"]
    return found


PAGE = """# Every key of a mapping file

Printed from the schemas that load the file, by `xima-adapter schema --page`. How the keys are used, with examples:
[mappings.md](mappings.md). Where *text* stands, a number or a word is as good: everything is the text you type. A list
of one may be written without its dash. Senders ask for keys of their own beside `from`: `xima-adapter presets` says
which.

"""


def page() -> str:
    """The text of `docs/reference.md`: every group of keys, in the order in which a reader of the file meets them."""
    return PAGE + "\n\n".join(_section(name) for name in _order()) + "\n"


def _order() -> list[str]:
    """The definitions in the order in which a reader of the file meets them."""
    met = [FIRST]
    for name in met:  # grows while it is read
        met += [one for key in _keys(name).values() for one in _refs(key) if one not in met]
    return [*dict.fromkeys(met)]


def _keys(name: str) -> Mapping[str, Json]:
    found: Mapping[str, Json] = _definitions()[name]["properties"]
    return found


def _refs(key: Json) -> Iterator[str]:
    """The definitions a key leads to; `text` is none."""
    if "$ref" in key:
        name = key["$ref"].rpartition("/")[2].removeprefix("expected_")
        yield from () if name == TEXT else (name,)
    for below in (*key.get("anyOf", ()), key.get("items"), key.get("additionalProperties")):
        yield from _refs(below) if isinstance(below, dict) else ()


def _section(name: str) -> str:
    required = _definitions()[name].get("required", ())
    rows = [_row(key, one, required=key in required) for key, one in _keys(name).items()]
    table = ["| key | is | default | meaning |", "|---|---|---|---|", *rows]
    where = ", ".join(f"[{_title(parent)}](#{_anchor(_title(parent))}) `{key}`" for parent, key in _parents(name))
    return "\n".join((f"## {_title(name)}", "", *((f"Stands in: {where}", "") if where else ()), *table))


def _row(key: str, one: Json, *, required: bool) -> str:
    default = "required" if required else f"`{one['default']}`" if "default" in one else ""
    return f"| `{key}` | {_kind(one)} | {default} | {one.get('description', '')} |"


def _parents(name: str) -> Iterator[tuple[str, str]]:
    """Where a definition is used: the definition and its key."""
    for parent in _order():
        yield from ((parent, key) for key, one in _keys(parent).items() if name in _refs(one) and parent != name)


def _kind(one: Json) -> str:
    """What may stand behind a key, in words."""
    if "anyOf" in one:
        kinds = [_kind(below) for below in one["anyOf"]]
        is_list = len(kinds) == 2 and one["anyOf"][1].get("type") == "array"
        return f"{kinds[0]}, or a list" if is_list else " or ".join(dict.fromkeys(kinds))
    if refs := [*_refs(one)] if "$ref" in one else []:
        return f"[{_title(refs[0]).lower()}](#{_anchor(_title(refs[0]))})"
    if "enum" in one:
        words = list(dict.fromkeys(str(word) for word in one["enum"] if not isinstance(word, bool)))
        return "a name" if len(words) > MANY_WORDS else " · ".join(f"`{word}`" for word in words)
    if isinstance(below := one.get("additionalProperties"), dict):
        return f"names, each with {_kind(below)}"
    return "a group" if one.get("type") == "object" else TEXT


def _title(name: str) -> str:
    return TITLES[name]


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
