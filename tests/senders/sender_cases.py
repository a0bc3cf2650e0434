"""Every sender as data: presets, starters and recorded samples. A new sender adds files, never a line here."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from adapter import mapping, payload, signature, sources
from adapter.errors import SchemeError
from adapter.mapping import examples
from adapter.mapping.compiled import Example
from adapter.model import Received

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests/samples"
INDEX: list[dict[str, Any]] = json.loads((SAMPLES / "index.json").read_text(encoding="utf-8"))
SCHEMES: list[str] = [
    name for name in json.loads((ROOT / "tests/data/schemes.json").read_text()) if not name.startswith("_")
]
ACTIONS = ("click_to_dial", "callback", "select_caller_id")
NUMBERS = ("number_to_dial", "callback_number")
TESTED = "a test delivery of the sender"
PRESETS = sources.presets()
STARTERS = {file.stem: file for file in sources.mapping_files(ROOT / "adapter/starters")}
SECRETS = (
    "a long random secret of the tests",
    "user:a long random password of the tests",
    "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    bytes(range(32)).hex(),
    "whsk_" + base64.b64encode(bytes(range(32))).decode(),
)
"""One of these suits every scheme that can be signed by a test."""


@cache
def starter(name: str) -> mapping.Mapping:
    """The starter mapping of a sender, its examples run."""
    return sources.read(STARTERS[name])


def source(of: mapping.Mapping) -> sources.Source:
    """The mapping with secrets that suit its proofs."""
    return sources.ready(of, public_url="https://example.com", environ=secrets_of(of))


def secrets_of(of: mapping.Mapping) -> dict[str, str]:
    """The variables of a mapping, with secrets that suit its proofs."""
    return {name: _secret(proof.scheme) for proof in of.receive.proofs for name in proof.secrets}


def _secret(scheme: signature.Scheme) -> str:
    return next(one for one in SECRETS if _suits(scheme, one))


def _suits(scheme: signature.Scheme, secret: str) -> bool:
    try:
        signature.check_secret(scheme, secret)
    except SchemeError:
        return False
    return True


def request_of(sample: Mapping[str, Any], *, headers: Mapping[str, str] | None = None, query: str = "") -> Received:
    """A recorded sample as a request."""
    url = "https://example.com/hooks/x" + (f"?{query}" if query else "")
    body = (SAMPLES / sample["file"]).read_bytes()
    return Received(
        method="POST", url=url, headers={**(headers or {}), "content-type": sample["content_type"]}, body=body
    )


def document(sample: Mapping[str, Any]) -> Any:
    """The tree in a sample's body."""
    request = request_of(sample)
    return payload.parse(sample["kind"], request.body, content_type=sample["content_type"])


def examples_of(sample: Mapping[str, Any]) -> Iterator[tuple[str, Example]]:
    """The examples of all starters with this sample, or the part of it that matters, that say more than "no rule"."""
    whole = document(sample)
    for name in STARTERS:
        of = starter(name)
        for example in of.examples:
            speaks = any(
                one["result"] in ACTIONS or one.get("reject") in NUMBERS or TESTED in str(one.get("skip"))
                for one in example.expect
            )
            if speaks and within(examples.records(of, examples.received(of, example))[0], whole):
                yield name, example


def within(part: Any, whole: Any) -> bool:
    """Whether everything in `part` stands in `whole`, in the same place; lists may leave items out."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and within(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        rest: Iterator[Any] = iter(whole if isinstance(whole, list) else ())
        return all(any(within(item, one) for one in rest) for item in part)
    return bool(part == whole)


def of_preset(name: str) -> mapping.Mapping:
    """A mapping of the sender that calls a number of its own for every record, whatever it holds."""
    given = {parameter: "X-Given" for parameter, one in PRESETS[name].parameters.items() if one.required}
    text = (
        f"format: 1\nname: x\nreceive: {json.dumps({'from': name, 'secrets': ['HOOK_SECRET'], **given})}\n"
        "phones: {dial_as: e164}\nrules:\n  - callback: {skill: Sales, callback_number: +12025550143}\n"
    )
    return mapping.load(text, name="x", presets=PRESETS, read_file=str)


def with_sample(of: mapping.Mapping, example: Example, sample: Mapping[str, Any]) -> mapping.Mapping:
    """The mapping with one example, whose body is the whole sample."""
    headers = {**example.headers, "content-type": sample["content_type"]}
    body = (SAMPLES / sample["file"]).read_text(encoding="utf-8")
    return replace(of, examples=(replace(example, headers=headers, body=body),))
