"""The JSON Schema for editors: current, complete, and of one mind with the loader where a schema can be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from mapping_cases import HUBSPOT

from adapter import sources
from adapter.cli import printed
from adapter.mapping import text
from adapter.mapping.editor import json_schema

FOLDER = Path(__file__).parents[2] / "mappings"
FILES = sources.mapping_files(FOLDER)
SCHEMA = json_schema(sources.presets())
VALIDATOR = Draft202012Validator(SCHEMA)


class Editor(yaml.SafeLoader):
    """Scalars as the YAML language server types them: YAML 1.2, where yes is a text and 0101 a number."""


Editor.yaml_implicit_resolvers = {}
Editor.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
Editor.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
Editor.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(?:\.\d+)?$"), list("-+0123456789"))


def wrong(content: str) -> list[str]:
    """What an editor underlines."""
    return [error.message for error in VALIDATOR.iter_errors(yaml.load(content, Loader=Editor))]


def test_the_shipped_schema_is_current() -> None:
    assert (FOLDER / "mapping.schema.json").read_text(encoding="utf-8") == printed.mapping_schema()


def test_it_is_a_schema_of_the_draft_it_names() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_mapping_is_good_and_points_at_it(file: Path) -> None:
    content = file.read_text(encoding="utf-8")
    assert wrong(content) == []
    assert [error.message for error in VALIDATOR.iter_errors(text.read(content).data)] == []
    assert content.startswith("# yaml-language-server: $schema=mapping.schema.json\n")


def test_the_example_of_the_documentation_is_good() -> None:
    assert wrong(HUBSPOT) == []


def _keys(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (name, key, one.get("description", ""))
        for name, group in schema["$defs"].items()
        for key, one in group.get("properties", {}).items()
    ]


@pytest.mark.parametrize(
    ("name", "key", "said"), [pytest.param(*one, id=f"{one[0]}.{one[1]}") for one in _keys(SCHEMA)]
)
def test_every_key_says_what_it_means(name: str, key: str, said: str) -> None:
    assert len(said) > 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("number_to_dial:", "numberToDial:"),
        ("rules:", "rule:"),
        ("present: yes", "present: maybe"),
        ("dial_as: dialled ", "dial_as: dialed "),
        ("from: hubspot-v2 ", "from: hubspot2 "),
        ("format: 1", "format: 2"),
        ("body: json", "body: yaml"),
        ("    click_to_dial:", "    callback: {skill: S, callback_number: 1}\n    click_to_dial:"),
        ("    clean: [trim, lower]", "    clean: [trimmed]"),
        ("[HUBSPOT_CLIENT_SECRET]", "[]"),
    ],
    ids=[
        "a key",
        "an outer key",
        "yes or no",
        "a word",
        "a preset",
        "the format",
        "a body",
        "two actions",
        "clean",
        "a list",
    ],
)
def test_an_editor_underlines_what_the_loader_refuses(old: str, new: str) -> None:
    assert HUBSPOT.count(old) >= 1
    assert wrong(HUBSPOT.replace(old, new, 1))


@pytest.mark.parametrize("word", ["yes", "no", "true", "false"])
def test_yes_and_no_may_be_typed_either_way(word: str) -> None:
    assert wrong(HUBSPOT.replace("present: yes", f"present: {word}")) == []
