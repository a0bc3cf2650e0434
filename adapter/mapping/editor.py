"""The JSON Schema (draft 2020-12) of a mapping file, made from the schemas that load it, for completion in editors.

Editors give scalars types before they look at them (YAML 1.2), so wherever a text stands a number or a truth value
may stand; and yes is a text to them. Tables, `let` and examples are beyond a schema: `check` has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from typing import Any

from marshmallow import INCLUDE, Schema, fields

from adapter.mapping.document import MappingSchema, Table
from adapter.mapping.fields import FIELDS
from adapter.mapping.hover import meaning
from adapter.mapping.preset import Preset
from adapter.mapping.schema import SOURCES
from adapter.mapping.vocabulary import Each, Named, Part, Read, TextOr

Json = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEXT: Json = {"$ref": "#/$defs/text"}
_ONE_OF: ReadOnly[str, tuple[str, ...]] = {
    "RuleSchema": tuple(FIELDS),
    "ExpectSchema": (*FIELDS, "skip", "reject"),
    "ReceiveSchema": ("from", "verify"),
    **dict.fromkeys(("ValueSchema", "FieldSchema", "PhoneFieldSchema"), SOURCES),
}
"""Schemas in which exactly one of some keys must stand."""


@dataclass(slots=True)
class _Writer:
    """Collects a definition for every schema it meets."""

    presets: ReadOnly[str, Preset]
    defs: dict[str, Json] = field(default_factory=lambda: {"text": {"type": ["string", "number", "boolean"]}})

    def ref(self, schema: Schema) -> Json:
        """A reference to a schema, which is written down when it is met first."""
        name = type(schema).__name__
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name] = self.group(schema, name)
        return {"$ref": f"#/$defs/{name}"}

    def group(self, schema: Schema, name: str) -> Json:
        """The keys of a schema."""
        keys = {one.data_key or attribute: one for attribute, one in schema.fields.items()}
        above = [kind.__name__ for kind in type(schema).__mro__]
        made: Json = {
            "type": "object",
            "properties": {key: self.described(one, meaning(above, key)) for key, one in keys.items()},
            "additionalProperties": False,
        }
        if required := [key for key, one in keys.items() if one.required]:
            made["required"] = required
        if name in _ONE_OF:
            made["oneOf"] = [{"required": [key]} for key in _ONE_OF[name]]
        if schema.unknown == INCLUDE:
            made["properties"] |= self.of_presets()
        return made

    def of_presets(self) -> Json:
        """The names of the presets, and the keys they ask for beside `from`."""
        asked = {key: one.help for preset in self.presets.values() for key, one in preset.parameters.items()}
        named = {"enum": list(self.presets), "description": meaning(["ReceiveSchema"], "from")}
        return {"from": named, **{key: {**TEXT, "description": said} for key, said in asked.items()}}

    def described(self, one: fields.Field[Any], said: str) -> Json:
        """A field with what the editor shows beside it, and what counts when it is not written."""
        default = {"default": one.load_default} if isinstance(one.load_default, str) and one.load_default else {}
        return {**self.of(one), **default, **({"description": said} if said else {})}

    def of(self, one: fields.Field[Any]) -> Json:
        """A field of any of our kinds."""
        if isinstance(one, Part):
            return self.ref(one.schema)
        if isinstance(one, Each):
            item = self.of(one.item)
            return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}
        if isinstance(one, Named):
            return {"type": "object", "additionalProperties": self.of(one.item)}
        if isinstance(one, Table):
            return {"anyOf": [self.of(one.csv), self.of(one.inline)]}
        scalar = self.scalar(one) if isinstance(one, Read) else {"type": "object"}
        return {"anyOf": [scalar, self.of(one.group)]} if isinstance(one, TextOr) else scalar

    def scalar(self, one: Read) -> Json:
        """A text, or one of a closed set of words."""
        words = one.metadata.get("words")
        return {"enum": list(words)} if words else TEXT


def json_schema(presets: ReadOnly[str, Preset]) -> Json:
    """The JSON Schema of a mapping file, with the sender presets that are known."""
    writer = _Writer(presets)
    whole = writer.ref(MappingSchema())
    return {"$schema": DRAFT, "title": "A mapping of xima-adapter", **whole, "$defs": dict(sorted(writer.defs.items()))}
