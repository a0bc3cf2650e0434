"""The keys of a mapping, and of a sender preset, that say who sends and how it proves it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from marshmallow import INCLUDE, ValidationError, fields, post_load

from adapter import handshake, signature
from adapter.errors import SchemeError, TextError
from adapter.mapping.compiled import Proof, SentAt, Thin
from adapter.mapping.problems import Said
from adapter.mapping.schema import ConditionSchema
from adapter.mapping.text import Group
from adapter.mapping.vocabulary import (
    MESSAGES,
    UNKNOWN,
    Each,
    Part,
    Read,
    Strict,
    TextOr,
    a_count,
    a_path,
    a_text,
    bare_path,
    exactly_one,
    one_of,
    yes_no,
)

Described = TypeVar("Described")

ANSWERS = ("receipts", "soap_ack", "empty_object", "empty")
BODIES = ("json", "form", "soap", "xml")
FURTHER = {"header_token": "name", "query_token": "name", "basic": None}
"""Word of a further proof, which is its scheme -> the key of the scheme that stands behind the word, if any."""


def _secret_name(text: str) -> str:
    if not re.fullmatch("[A-Z_][A-Z0-9_]*", text):
        said = "this is not the name of a variable; the secret itself must never stand in a mapping"
        hint = "put the secret into a variable and write its name, like HUBSPOT_CLIENT_SECRET"
        raise ValidationError(Said(said, hint=hint, private=True))
    return str(text)


def secret_names(**extra: Any) -> Each:
    """Names of variables that hold secrets, newest first."""
    return Each(Read(_secret_name), **extra)


def compiled_scheme(description: Any) -> signature.Scheme:
    """The scheme of a description; raises `ValidationError` under the key that is at fault."""
    return _described(signature.scheme, description)


def compiled_handshake(description: Any) -> handshake.Handshake:
    """The handshake of a description; raises `ValidationError` under the key that is at fault."""
    return _described(handshake.read, description)


def _described(read: Callable[[Any], Described], description: Any) -> Described:
    try:
        return read(description)
    except SchemeError as exc:
        steps = [int(step) if step.isdecimal() else step for step in (exc.key or "scheme").split(".")]
        message: Any = [_said(exc, steps[-1])]
        for step in reversed(steps):
            message = {step: message}
        raise ValidationError(message) from exc


def _said(exc: SchemeError, key: str | int) -> Said:
    """The reason, which leaves its subject to the name of the key, as a sentence, and its remedy apart."""
    message, _, hint = exc.reason.removeprefix(f"{exc.key}: ").partition("; ")
    if message == UNKNOWN:
        return Said(f"{UNKNOWN} '{key}'", hint=hint, of_key=True)
    return Said(re.sub("^(?=is |must |goes )", "this ", message), hint=hint)


class AlsoSchema(Strict):
    """A further proof that must hold besides the first."""

    header_token = a_text()
    query_token = a_text()
    basic = yes_no()
    value_prefix = a_text()
    secrets = secret_names(required=True)

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Proof:
        """The compiled proof."""
        word = exactly_one(original, tuple(FURTHER), "the kind of proof is missing")
        if "value_prefix" in data and word != "header_token":
            said = Said("value_prefix belongs to header_token", hint="remove it", of_key=True)
            raise ValidationError({"value_prefix": [said]})
        named = {FURTHER[word]: data[word]} if FURTHER[word] else {}
        prefix = {"value_prefix": data["value_prefix"]} if "value_prefix" in data else {}
        try:
            scheme = compiled_scheme({"scheme": word, **named, **prefix})
        except ValidationError as exc:
            renamed = {word if key == FURTHER[word] else key: said for key, said in exc.messages_dict.items()}
            raise ValidationError(renamed) from exc
        return Proof(scheme=scheme, secrets=data["secrets"])


class AnswerSchema(Strict):
    """What a sender wants to hear when it is not the receipts."""

    failures = one_of(("4xx",))
    body = a_text()
    type = a_text()


def _records(text: str) -> Any:
    found = bare_path(text)
    if found.root != "record":
        raise TextError(f"records are looked for in the body itself: leave {found.root} away")
    return found


class ReceiveSchema(Strict):
    """Who sends; what a preset asks for beside these keys is checked by `receive.build`."""

    class Meta:
        unknown = INCLUDE

    from_ = a_text(data_key="from")
    verify = fields.Raw(error_messages=MESSAGES)
    secrets = secret_names()
    also = Each(Part(AlsoSchema), load_default=())
    body = one_of(BODIES)
    records = Read(_records)
    max_records = a_count(1000)
    answer = Part(AnswerSchema)
    handshake = fields.Raw(error_messages=MESSAGES)
    handshake_secrets = secret_names()
    unique_body = yes_no()
    test_when = Each(Part(ConditionSchema), load_default=())


class ThinSchema(Strict):
    """Records of a sender that hold no telephone number."""

    when = Each(Part(ConditionSchema), load_default=())
    instead = a_text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Thin:
        """The compiled form."""
        return Thin(**data)


class SentAtSchema(Strict):
    """The sender's own time of the event."""

    path = a_path(required=True)
    unit = one_of(("iso8601", "s", "ms"), load_default="iso8601")

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> SentAt:
        """The compiled form."""
        return SentAt(**data)


def sent_at() -> TextOr:
    """A bare path, or a path with its unit."""
    return TextOr(lambda text: SentAt(path=bare_path(text)), SentAtSchema)
