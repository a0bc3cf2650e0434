"""Sender presets: one data file each, saying everything about a sender that is not the admin's own choice."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from marshmallow import ValidationError, fields, post_load

from adapter import path, template
from adapter.condition import Condition
from adapter.errors import MappingError
from adapter.handshake import Handshake
from adapter.mapping import text
from adapter.mapping.compiled import SentAt, Thin
from adapter.mapping.problems import Place, Problem
from adapter.mapping.schema import ConditionSchema
from adapter.mapping.sender import ANSWERS, BODIES, SentAtSchema, ThinSchema, compiled_handshake, compiled_scheme
from adapter.mapping.vocabulary import (
    Each,
    Named,
    Part,
    Strict,
    a_count,
    a_duration,
    a_path,
    a_template,
    a_text,
    one_of,
    yes_no,
)

GROUPS = ("crm", "form", "generic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A key the mapping's author writes beside `from`; it sets a key of the scheme, or is the identifier itself."""

    sets: str
    help: str
    required: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """What is known of one sender; `verify` is the description of its signature as `signature.scheme` reads it."""

    name: str
    title: str
    about: str
    verify: ReadOnly[str, Any]
    parameters: ReadOnly[str, Parameter]
    setup: tuple[str, ...]
    group: str = "form"
    body: str | None = None
    records: path.Path | None = None
    max_records: int = 1000
    key: template.Template | None = None
    sent_at: SentAt | None = None
    drop: tuple[str, ...] = ()
    drop_query: tuple[str, ...] = ()
    answer: str = "receipts"
    only_200: bool = False
    answer_within: timedelta | None = None
    once_for: timedelta | None = None
    unique_body: bool = False
    handshake: Handshake | None = None
    test_when: tuple[Condition, ...] = ()
    thin: Thin | None = None
    also_required: bool = False


class _Handshake(fields.Field[Handshake]):
    """How the sender asks whether this URL is ours."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **extra: Any) -> Handshake:
        return compiled_handshake(value)


class ParameterSchema(Strict):
    """One parameter of a preset."""

    sets = a_text(required=True)
    help = a_text(required=True)
    required = yes_no(load_default=True)

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Parameter:
        """The compiled form."""
        return Parameter(**data)


class PresetSchema(Strict):
    """A preset file."""

    name = a_text(required=True)
    title = a_text(required=True)
    group = one_of(GROUPS)
    about = a_text(required=True)
    verify = fields.Raw(required=True)
    parameters = Named(Part(ParameterSchema), load_default=dict)
    body = one_of(BODIES)
    records = a_path()
    max_records = a_count(1000)
    key = a_template()
    sent_at = Part(SentAtSchema)
    drop = Each(a_text())
    drop_query = Each(a_text())
    answer = one_of(ANSWERS)
    only_200 = yes_no()
    answer_within = a_duration()
    once_for = a_duration()
    unique_body = yes_no()
    handshake = _Handshake()
    test_when = Each(Part(ConditionSchema))
    thin = Part(ThinSchema)
    also_required = yes_no()
    setup = Each(a_text(), load_default=())

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Preset:
        """The compiled form."""
        return Preset(**data)


def load(content: str) -> Preset:
    """The preset in a file's text; raises `MappingError`, as the presets are ours without places."""
    try:
        preset: Preset = PresetSchema().load(text.read(content).data)
        if not preset.parameters:
            compiled_scheme(preset.verify)
    except ValidationError as exc:
        raise MappingError([Problem(Place(1, 1), f"{exc.messages}")]) from exc
    return preset
