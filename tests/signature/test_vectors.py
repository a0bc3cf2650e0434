"""Recorded and official vectors of every sender, through its scheme and, where there is one, its preset."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from signature_cases import SCHEMES, VECTORS, from_vector, refused

from adapter import signature

PRESETS = Path(signature.__file__).parents[1] / "presets"
JUDGED = [vector for vector in VECTORS if vector["scheme"] != "handshake"]


def _described(vector: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {"scheme": SCHEMES[vector["preset"]]}
    preset = PRESETS / f"{vector['preset']}.yaml"
    if preset.exists():
        found["preset"] = yaml.load(preset.read_text(), yaml.CBaseLoader)["verify"]
    return found


CASES = [
    pytest.param(vector, data, id=f"{vector['id']}-{by}")
    for vector in JUDGED
    for by, data in _described(vector).items()
]


@pytest.mark.parametrize(("vector", "data"), CASES)
def test_every_vector_is_judged_as_its_vendor_would(vector: dict[str, Any], data: dict[str, Any]) -> None:
    scheme = signature.scheme(data)
    request = from_vector(vector)
    now = datetime.fromtimestamp(vector["now"], UTC)
    if vector["expected"] == "valid":
        signature.check_secret(scheme, vector["secret"])
        signature.verify(scheme, [vector["secret"]], request, now=now)
    else:
        assert vector["reason"] in refused(scheme, [vector["secret"]], request, now=now)


def test_no_vector_is_left_out_but_those_of_other_kinds() -> None:
    assert len(JUDGED) == 62
    assert {vector["scheme"] for vector in JUDGED} == {
        *("hmac", "digest", "xml_field", "basic"),
        *("query_token", "header_token", "body_token", "jwt", "ed25519"),
    }


@pytest.mark.parametrize("vector", [v for v in JUDGED if v["expected"] == "valid"], ids=lambda v: v["id"])
def test_a_vector_signed_with_another_secret_is_refused(vector: dict[str, Any]) -> None:
    scheme = signature.scheme(SCHEMES[vector["preset"]])
    other = "00Dyy0000000001EAA" if vector["scheme"] == "xml_field" else "user:b3RoZXI="
    refused(scheme, [other, ""], from_vector(vector), now=datetime.fromtimestamp(vector["now"], UTC))
