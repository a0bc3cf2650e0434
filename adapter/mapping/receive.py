"""The `receive` part of a mapping, put together with the sender preset it names."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from typing import Any

from marshmallow import ValidationError

from adapter import signature
from adapter.errors import SchemeError
from adapter.mapping.compiled import Proof, Receive
from adapter.mapping.document import ReceiveSchema, secret_names
from adapter.mapping.preset import Preset
from adapter.mapping.problems import Said, did_you_mean
from adapter.mapping.schema import exactly_one
from adapter.mapping.text import Group

Presets = ReadOnly[str, Preset]

ALSO: ReadOnly[str, tuple[str, str]] = {
    "header_token": ("header_token", "name"),
    "query_token": ("query_token", "name"),
    "basic": ("basic", ""),
}
"""Word of a further proof -> its scheme, and the key of the scheme that the word's own text sets."""
KNOWN = frozenset(field.data_key or name for name, field in ReceiveSchema._declared_fields.items()) | {"also"}


def build(data: ReadOnly[str, Any], original: Group, presets: Presets) -> Receive:
    """The compiled form of `receive`; raises `ValidationError` with everything that is wrong in it."""
    source = exactly_one(original, ("from", "verify"), "the sender")
    preset = _preset(data["from_"], presets) if source == "from" else None
    _unknown_keys(original, preset)
    proofs = (_own_proof(data, original, preset), *_also(original.get("also")))
    if preset and preset.also_required and len(proofs) < 2:
        said = f"{preset.name} proves who sends by an identifier, which is no secret: a second proof is needed"
        raise ValidationError({"from": [Said(said, hint="add also: with query_token or header_token and its secrets")]})
    return _receive(data, preset, proofs)


def _receive(data: ReadOnly[str, Any], preset: Preset | None, proofs: tuple[Proof, ...]) -> Receive:
    answer = data.get("answer", {})
    secret = _secret_places(proofs)
    return Receive(
        preset=preset.name if preset else None,
        proofs=proofs,
        body=data.get("body") or (preset.body if preset else None),
        records=data.get("records") or (preset.records if preset else None),
        max_records=data.get("max_records") or (preset.max_records if preset else 1000),
        answer=preset.answer if preset else "receipts",
        failures=answer.get("failures") == "4xx",
        answer_body=answer.get("body"),
        answer_type=answer.get("type", "application/json"),
        test_when=data.get("test_when", ()),
        drop_headers=secret["header"],
        drop_query=secret["query"].union(preset.drop_query if preset else ()),
        drop_fields=secret["body"].union(preset.drop if preset else ()),
    )


def _secret_places(proofs: tuple[Proof, ...]) -> dict[str, frozenset[str]]:
    """Where the proofs carry a secret in plain: names of headers (lower case), query parameters, body fields."""
    carried = [place for proof in proofs for place in proof.scheme.carries]
    return {
        "header": frozenset(name.lower() for kind, name in carried if kind == "header"),
        "query": frozenset(name for kind, name in carried if kind == "query"),
        "body": frozenset(name.rpartition(".")[2] for kind, name in carried if kind == "body"),
    }


def _preset(name: str, presets: Presets) -> Preset:
    if name not in presets:
        hint = did_you_mean(name, presets) or "xima-adapter presets lists them"
        raise ValidationError({"from": [Said(f"there is no sender preset called '{name}'", hint=hint)]})
    return presets[name]


def _unknown_keys(original: Group, preset: Preset | None) -> None:
    known = KNOWN | set(preset.parameters if preset else ())
    unknown = [key for key in original if key not in known]
    if unknown:
        hint = {key: did_you_mean(key, known) for key in unknown}
        raise ValidationError({key: [Said(f"unknown key '{key}'", hint=hint[key], of_key=True)] for key in unknown})


def _own_proof(data: ReadOnly[str, Any], original: Group, preset: Preset | None) -> Proof:
    description = dict(preset.verify if preset else original["verify"])
    identifiers: tuple[str, ...] = ()
    for name, parameter in (preset.parameters if preset else {}).items():
        if name not in original and parameter.required:
            raise ValidationError({name: ["this key is missing"]})
        if parameter.sets == "secret":
            identifiers = (str(original[name]),)
        elif name in original:
            description[parameter.sets] = original[name]
    if not identifiers and not data.get("secrets"):
        raise ValidationError(
            {"secrets": [Said("this key is missing", hint="name the variable: secrets: [MY_SECRET]")]}
        )
    scheme = _scheme(description, "from" if preset else "verify")
    secrets = data.get("secrets", ())
    return Proof(scheme=scheme, secrets=secrets, identifiers=identifiers)


def _scheme(description: ReadOnly[str, Any], where: str) -> signature.Scheme:
    try:
        return signature.scheme(description)
    except SchemeError as exc:
        steps = (where, *exc.key.split(".")) if where == "verify" and exc.key else (where,)
        message: Any = [str(exc)]
        for step in reversed(steps):
            message = {step: message}
        raise ValidationError(message) from exc


def _also(also: Any) -> tuple[Proof, ...]:
    items = also if isinstance(also, list) else [] if also is None else [also]
    found, errors = [], {}
    for number, item in enumerate(items):
        try:
            found.append(_further(item))
        except ValidationError as exc:
            errors[number] = exc.messages
    if errors:
        raise ValidationError({"also": errors})
    return tuple(found)


def _further(item: Any) -> Proof:
    if not isinstance(item, Group):
        raise ValidationError("a group of keys is expected here")
    word = exactly_one(item, tuple(ALSO), "the kind of proof")
    if unknown := [key for key in item if key not in (word, "secrets", "value_prefix")]:
        raise ValidationError({unknown[0]: [Said(f"unknown key '{unknown[0]}'", of_key=True)]})
    scheme, sets = ALSO[word]
    description = {"scheme": scheme} | ({sets: item[word]} if sets else {})
    if "value_prefix" in item:
        description["value_prefix"] = item["value_prefix"]
    if "secrets" not in item:
        raise ValidationError({"secrets": ["this key is missing"]})
    secrets = secret_names(item["secrets"])
    return Proof(scheme=_scheme(description, word), secrets=secrets)
