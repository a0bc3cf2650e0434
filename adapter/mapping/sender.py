"""The keys of a mapping, and of a sender preset, that say who sends and how it proves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from marshmallow import INCLUDE, ValidationError, fields, post_load

from adapter import handshake, signature
from adapter.errors import SchemeError, TextError
from adapter.mapping.compiled import PARAMETERS, Proof, SentAt, Thin
from adapter.mapping.problems import Said
from adapter.mapping.schema import ConditionSchema
from adapter.mapping.text import Group
from adapter.mapping.vocabulary import (
    MESSAGES,
    MISSING,
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
BODIES = ("json", "form", "soap", "xml", PARAMETERS)
FURTHER = {"header_token": "name", "query_token": "name", "basic": None}
GUARDS = {"ip_allow": "networks", "client_certificate": "name"}
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
    ip_allow = Each(a_text())
    client_certificate = a_text()
    value_prefix = a_text()
    accept = Each(a_text())
    secrets = secret_names()

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: Group, **extra: Any) -> Proof:
        """The compiled proof."""
        word = exactly_one(original, (*FURTHER, *GUARDS), "the kind of proof is missing")
        if problem := dict(_misplaced(data, word)):
            raise ValidationError(problem)
        named = FURTHER.get(word) or GUARDS.get(word)
        description: dict[str, Any] = {"scheme": word}
        description |= {name: data[name] for name in ("value_prefix", "accept") if name in data}
        if named:
            description[named] = data[word]
        try:
            scheme = _described(signature.guard if word in GUARDS else signature.scheme, description)
        except ValidationError as exc:
            renamed = {word if key == named else key: said for key, said in exc.messages_dict.items()}
            raise ValidationError(renamed) from exc
        return Proof(scheme=scheme, secrets=data.get("secrets", ()))


def _misplaced(data: dict[str, Any], word: str) -> Iterator[tuple[str, list[str]]]:
    """The keys that do not go with this kind of further proof, or that it needs."""
    for key, owner in (("value_prefix", "header_token"), ("accept", "client_certificate")):
        if key in data and word != owner:
            yield key, [Said(f"{key} belongs to {owner}", hint="remove it", of_key=True)]
    if word in FURTHER and "secrets" not in data:
        yield "secrets", [MISSING]
    if word in GUARDS and "secrets" in data:
        yield "secrets", [Said(f"there is no secret in {word}", hint="remove it", of_key=True)]


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
