"""The `receive` part of a mapping, put together with the sender preset it names."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from typing import Any

from marshmallow import ValidationError

from adapter.handshake import Handshake
from adapter.mapping.compiled import Proof, Receive
from adapter.mapping.preset import Preset
from adapter.mapping.problems import Said, beginning
from adapter.mapping.sender import ReceiveSchema, compiled_handshake, compiled_scheme
from adapter.mapping.text import Group
from adapter.mapping.vocabulary import MISSING, exactly_one, keys_of, unknown_key

Presets = ReadOnly[str, Preset]

_KNOWN = frozenset(keys_of(ReceiveSchema()))


def build(data: ReadOnly[str, Any], original: Group, presets: Presets) -> Receive:
    """The compiled form of `receive`; raises `ValidationError` with everything that is wrong in it."""
    source = exactly_one(original, ("from", "verify"), "it is not said who sends")
    preset = _preset(data["from_"], presets) if source == "from" else None
    if problem := {**dict(_problems(data, original, preset)), **(dict(_at_odds(data, preset)) if preset else {})}:
        raise ValidationError(problem)
    return _receive(data, preset, (_own_proof(data, original, preset), *data["also"]))


def _preset(name: str, presets: Presets) -> Preset:
    if name not in presets:
        hint = beginning(name, presets) or f"known here: {', '.join(presets)}"
        raise ValidationError({"from": [Said(f"there is no sender preset called '{name}'", hint=hint)]})
    return presets[name]


def _problems(data: ReadOnly[str, Any], original: Group, preset: Preset | None) -> Iterator[tuple[str, list[str]]]:
    """What is missing, unknown or out of place among the keys of `receive`."""
    parameters = preset.parameters if preset else {}
    for key in original:
        if key not in _KNOWN and key not in parameters:
            yield key, [unknown_key(key, _KNOWN.union(parameters))]
    for key, parameter in parameters.items():
        if key in original and not isinstance(original[key], str):
            yield key, ["a text is expected here"]
        elif key not in original and parameter.required:
            yield key, [Said(MISSING, hint=f"{key}: {parameter.help}")]
    named = any(parameter.sets == "secret" for parameter in parameters.values())
    if not named and "secrets" not in data:
        yield "secrets", [Said(MISSING, hint="name the variable that holds the secret: secrets: [MY_SECRET]")]
    if named and "secrets" in data:
        yield "secrets", [Said("the secrets belong to the second proof", hint="move them under also", of_key=True)]


def _at_odds(data: ReadOnly[str, Any], preset: Preset) -> Iterator[tuple[str, list[str]]]:
    """What a mapping may not say, or not leave out, about this sender."""
    if preset.also_required and not any(proof.secrets for proof in data["also"]):
        said = f"{preset.name} proves who sends by an identifier, which is no secret: a second proof is needed"
        yield "from", [Said(said, hint="add also: with query_token or header_token and its secrets")]
    if "handshake" in data:
        said = f"the preset {preset.name} says how its sender asks"
        yield "handshake", [Said(said, hint="remove it; a handshake of your own goes with verify", of_key=True)]
    if preset.only_200 and data.get("answer", {}).get("failures"):
        said = f"{preset.name} takes every status but 200 for a broken address"
        yield "answer", [Said(said, hint="remove failures: 4xx", of_key=True)]


def _own_proof(data: ReadOnly[str, Any], original: Group, preset: Preset | None) -> Proof:
    given = {parameter.sets: key for key, parameter in (preset.parameters if preset else {}).items() if key in original}
    identifiers = (str(original[given.pop("secret")]),) if "secret" in given else ()
    description = preset.verify if preset else original["verify"]
    written = {sets: original[key] for sets, key in given.items()}
    try:
        scheme = compiled_scheme({**description, **written} if preset else description)
    except ValidationError as exc:
        if preset is None:
            raise ValidationError({"verify": exc.messages}) from exc
        raise ValidationError({given.get(key, "from"): said for key, said in exc.messages_dict.items()}) from exc
    return Proof(scheme=scheme, secrets=data.get("secrets", ()), identifiers=identifiers)


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
        test_when=data["test_when"],
        known_test=preset.test_when if preset else (),
        thin=preset.thin if preset else None,
        handshake=preset.handshake if preset else _own_handshake(data),
        handshake_secrets=data.get("handshake_secrets", ()),
        answer_within=preset.answer_within if preset else None,
        unique_body=data.get("unique_body", preset.unique_body if preset else False),
        drop_headers=secret["header"],
        drop_query=secret["query"].union(preset.drop_query if preset else ()),
        drop_fields=secret["body"].union(preset.drop if preset else ()),
    )


def _own_handshake(data: ReadOnly[str, Any]) -> Handshake | None:
    try:
        return compiled_handshake(data["handshake"]) if "handshake" in data else None
    except ValidationError as exc:
        raise ValidationError({"handshake": exc.messages}) from exc


def _secret_places(proofs: tuple[Proof, ...]) -> dict[str, frozenset[str]]:
    """Where the proofs carry a secret in plain: names of headers (lower case), query parameters, body fields."""
    carried = [place for proof in proofs for place in proof.scheme.carries]
    return {
        "header": frozenset(name.lower() for kind, name in carried if kind == "header"),
        "query": frozenset(name for kind, name in carried if kind == "query"),
        "body": frozenset(name.rpartition(".")[2] for kind, name in carried if kind == "body"),
    }
