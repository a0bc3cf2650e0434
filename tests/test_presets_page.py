"""The page about senders nobody has listed: every key is on it, and everything it shows can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from adapter import handshake, mapping, signature, sources
from adapter.mapping import preset
from adapter.mapping.sender import FURTHER, GUARDS
from adapter.signature.scheme import READERS

PAGE = (Path(__file__).parents[1] / "docs/presets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
RULES = "rules:\n  - callback: {skill: Sales, callback_number: 2025550143}\n"


def named(heading: str) -> set[str]:
    """The words in the first column of the tables below a heading."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", part, re.MULTILINE)
    return {word for row in rows for word in re.findall("`([^`]+)`", row)}


def block(beginning: str) -> str:
    """The one example that begins so."""
    (found,) = [one for one in BLOCKS if one.startswith(beginning)]
    return str(found)


def test_every_key_of_a_preset_is_on_the_page() -> None:
    keys = set(preset.PresetSchema().fields) - {"name", "title", "about"}
    assert named("The keys of a preset") == keys


def test_every_scheme_is_on_the_page() -> None:
    assert named("How a sender proves who it is (`verify`)") == set(READERS)


def test_every_handshake_is_on_the_page() -> None:
    assert named("Handshakes") - {"type"} == set(handshake.READERS)


def test_the_first_example_is_all_a_mapping_needs() -> None:
    loaded = mapping.load("format: 1\nname: acme\n" + block("receive:") + RULES, name="acme", presets={}, read_file=str)
    assert loaded.receive.proofs[0].secrets == ("ACME_SECRET",)


@pytest.mark.parametrize(
    "text", re.findall(r"^verify: (\{.*?\})\n(?=\n|```|\Z)", "\n".join(BLOCKS), re.DOTALL | re.MULTILINE)
)
def test_a_scheme_of_the_page_can_be_read(text: str) -> None:
    signature.scheme(yaml.load(text, yaml.CBaseLoader))


@pytest.mark.parametrize(
    "text", re.findall(r"^handshake: (\{.*?\}\n)(?=handshake|\Z)", block("handshake:"), re.DOTALL | re.MULTILINE)
)
def test_a_handshake_of_the_page_can_be_read(text: str) -> None:
    handshake.read(yaml.load(text, yaml.CBaseLoader))


def test_the_further_proofs_of_the_page_can_be_read() -> None:
    also = "\n".join("  " + line for line in block("also:").splitlines())
    text = f"format: 1\nname: acme\nreceive:\n  from: github\n  secrets: [A]\n  body: json\n{also}\n{RULES}"
    loaded = mapping.load(text, name="acme", presets=sources.presets(), read_file=str)
    assert len(loaded.receive.proofs) == 4
    assert all(f"`{word}`" in PAGE or f"{word}:" in PAGE for word in (*FURTHER, *GUARDS))


def test_the_keys_of_the_page_make_a_preset() -> None:
    head = "name: acme\ntitle: Acme\nabout: An example.\nverify: {scheme: header_token}\n"
    made = preset.load(head + block("parameters:"))
    assert made.thin
    assert made.thin.when
    assert (made.answer, made.only_200, made.unique_body) == ("empty_object", True, True)
