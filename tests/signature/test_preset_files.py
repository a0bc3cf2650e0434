"""The preset files of the senders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from signature_cases import SCHEMES

from adapter import path, signature

FILES = sorted((Path(signature.__file__).parents[1] / "presets").glob("*.yaml"))
KEYS = {
    *("name", "title", "group", "about", "verify", "parameters", "also_required", "body", "records", "max_records"),
    *("key", "sent_at", "drop", "drop_query", "answer", "setup", "once_for", "unique_body"),
    *("only_200", "answer_within", "handshake", "test_when", "thin"),
}


OWN = {"basic", "body-token", "header-token", "query-token", "xima-call-ended", "zoho-workflow"}
"""The presets that stand in no list of schemes: we, or whoever writes mapping or workflow, choose the names."""


def _load(file: Path) -> dict[str, Any]:
    loaded = yaml.load(file.read_text(), yaml.CBaseLoader)
    assert isinstance(loaded, dict)
    return loaded


def test_each_is_a_sender_of_the_documentation_or_one_for_senders_nobody_has_listed() -> None:
    assert {file.stem for file in FILES} - set(SCHEMES) == OWN


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_preset_has_known_keys_and_its_own_name(file: Path) -> None:
    preset = _load(file)
    assert preset["name"] == file.stem
    assert set(preset) <= KEYS
    assert {"name", "title", "verify", "about"} <= set(preset)
    assert all(isinstance(line, str) for line in preset["setup"])
    assert preset.get("body", "json") in ("json", "form", "soap", "xml", "parameters")
    assert preset.get("answer", "receipts") in ("receipts", "soap_ack", "empty_object", "empty")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_preset_with_its_parameters_makes_a_scheme(file: Path) -> None:
    preset = _load(file)
    given = {
        parameter["sets"]: "X-Given"
        for parameter in preset.get("parameters", {}).values()
        if parameter["sets"] != "secret"
    }
    needed = {
        parameter["sets"]: "X-Given"
        for parameter in preset.get("parameters", {}).values()
        if parameter["required"] == "yes" and parameter["sets"] != "secret"
    }
    signature.scheme({**preset["verify"], **needed})
    signature.scheme({**preset["verify"], **given})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recording_is_known_by_its_time_or_by_its_body(file: Path) -> None:
    preset = _load(file)
    verify = preset["verify"]
    if "key" in preset and "content" in verify and "timestamp" not in verify:
        assert "sent_at" in preset or preset.get("unique_body") == "yes"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_preset_says_the_same_as_the_list_of_schemes(file: Path) -> None:
    if file.stem in SCHEMES:
        assert signature.scheme(_load(file)["verify"]) == signature.scheme(SCHEMES[file.stem])
    else:
        assert file.stem in OWN


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_paths_of_a_preset_are_paths(file: Path) -> None:
    preset = _load(file)
    for text in (preset.get("records"), preset.get("sent_at", {}).get("path")):
        assert text is None or path.compile(text).steps


def test_the_outbound_messages_credential_is_never_stored() -> None:
    assert "SessionId" in _load(next(file for file in FILES if file.stem == "salesforce-outbound"))["drop"]


def test_an_identifier_alone_is_no_proof() -> None:
    identifiers = [file.stem for file in FILES if _load(file).get("also_required") == "yes"]
    assert identifiers == ["salesforce-outbound"]
