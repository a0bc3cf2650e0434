"""Where a key belongs that stands in another place of a mapping file: one level too high, too low, or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly

from adapter.mapping.document import MappingSchema
from adapter.mapping.fields import FIELDS
from adapter.mapping.rule import RuleSchema
from adapter.mapping.schema import ConditionSchema, ValueSchema
from adapter.mapping.text import Where
from adapter.mapping.vocabulary import Part, keys_of

Homes = ReadOnly[str, str]

_FILE: Homes = dict.fromkeys(keys_of(MappingSchema()), "it belongs to the file itself: begin it in the first column")
_GROUPS: Homes = {
    key: f"it belongs below {name}:"
    for name, field in reversed(list(MappingSchema().fields.items()))
    if isinstance(field, Part)
    for key in keys_of(field.schema)
}
_ACTIONS: Homes = {
    key: f"it belongs below {action}:, further to the right"
    for action, fields in reversed(list(FIELDS.items()))
    for key in fields
}
_RULE: Homes = dict.fromkeys(keys_of(RuleSchema()), "it belongs to a rule, below rules:")
_CONDITION: Homes = dict.fromkeys(keys_of(ConditionSchema()), "it belongs to a condition, below when:")
_VALUE: Homes = dict.fromkeys(keys_of(ValueSchema()), "it belongs below a field of the action, further to the right")

_AT_THE_TOP = {**_ACTIONS, **_GROUPS, **_RULE}
_IN_A_GROUP = {**_AT_THE_TOP, **_FILE}
_IN_A_RULE = {**_FILE, **_CONDITION, **_ACTIONS}
_IN_AN_ACTION = {**_FILE, **_RULE, **_VALUE}


def home(where: Where) -> str:
    """In words, where the unknown key at this place of a file is known; empty when it is not, or nobody can tell."""
    *above, key = where
    return _homes([step for step in above if isinstance(step, str)]).get(str(key), "")


def _homes(above: list[str]) -> Homes:
    match above:
        case []:
            return _AT_THE_TOP
        case ["rules"]:
            return _IN_A_RULE
        case ["rules", action] if action in FIELDS:
            return _IN_AN_ACTION
        case [group] if group in _FILE:
            return _IN_A_GROUP
    return {}
