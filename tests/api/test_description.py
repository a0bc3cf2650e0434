"""The description of the API is valid, complete, and what the routes do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from web.front import ORIGIN

from adapter import __version__
from adapter.api import answered, asked, description, tokens
from adapter.api.operations import OPERATIONS, Operation
from adapter.mapping import Result
from adapter.model import TRANSITIONS
from api.asking import Api, document

HIDDEN = {"/metrics", "/static/<path:filename>"}
"""What is not JSON."""
OPENAPI = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components", "servers"],
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"required": ["title", "version"]},
        "paths": {
            "patternProperties": {
                "^/": {
                    "additionalProperties": {
                        "oneOf": [
                            {"type": "array"},
                            {
                                "type": "object",
                                "required": ["operationId", "summary", "responses"],
                                "properties": {
                                    "responses": {
                                        "patternProperties": {"^[1-5][0-9][0-9]$": {"required": ["description"]}},
                                        "additionalProperties": False,
                                    },
                                    "parameters": {"items": {"required": ["name", "in", "schema"]}},
                                    "requestBody": {"required": ["content"]},
                                },
                            },
                        ]
                    }
                }
            },
            "additionalProperties": False,
        },
    },
}
"""As much of the shape of OpenAPI 3.1 as this document uses."""


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [one for below in node.values() for one in references(below)]
    return [one for below in node for one in references(below)] if isinstance(node, list) else []


def test_it_is_a_document_of_openapi_3_1() -> None:
    assert [error.message for error in Draft202012Validator(OPENAPI).iter_errors(document())] == []
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    ids = [one["operationId"] for path in document()["paths"].values() for one in path.values() if "operationId" in one]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)


def test_everything_it_refers_to_is_there() -> None:
    found = references(document())
    assert found
    for reference in set(found):
        _, first, second, name = reference.split("/")
        assert name in document()[first][second], reference


def test_every_route_is_described_and_every_description_has_a_route(api: Api) -> None:
    routes = {
        (re.sub("<([^>]+)>", r"{\1}", rule.rule).replace("{name}", "{mapping}"), method.lower())
        for rule in api.front.client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS") and rule.rule not in HIDDEN
    }
    assert routes == {(one.path, one.method) for one in OPERATIONS}


def test_every_scope_is_asked_for_by_an_operation() -> None:
    assert {one.scope for one in OPERATIONS if one.scope} == set(tokens.SCOPES)


def test_it_names_neither_product_nor_version() -> None:
    assert "adapter" not in json.dumps(document()).lower()
    assert __version__ not in json.dumps(document())


def test_the_page_names_every_route_and_says_what_every_scope_lets() -> None:
    page = (Path(__file__).parent.parent.parent / "docs/api.md").read_text(encoding="utf-8")
    for one in OPERATIONS:
        path = one.path.replace("{extension}", "0101").replace("{delivery_id}", "1a2044ed0aa564432e257fd80")
        assert path in page or not one.path.startswith("/api/"), one.path
    lines = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `") and " | " in line]
    assert {f"| `{scope}`" for scope in tokens.SCOPES} <= set(lines)


def test_it_is_served_without_a_key(api: Api) -> None:
    answer = api.front.client.get("/api/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_json() == description.document(ORIGIN)


def test_the_paths_that_are_open_need_no_key() -> None:
    for one in OPERATIONS:
        said = document()["paths"][one.path][one.method]
        assert said.get("security") == ([{"key": []}] if one.scope else None)
        assert said.get("x-scope", "") == one.scope


@pytest.mark.parametrize("one", [one for one in OPERATIONS if one.body], ids=lambda one: str(one.id))
def test_bodies_are_described_by_the_schemas_that_check_them(one: Operation) -> None:
    assert one.body is not None
    said = document()["paths"][one.path][one.method]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    shape = document()["components"]["schemas"][said.rpartition("/")[2]]
    assert set(shape["properties"]) == set(one.body().fields)
    assert shape["additionalProperties"] is False


def test_shapes_hold_from_the_first_character_to_the_last() -> None:
    loose = re.findall(r'"pattern": "([^"]+)"', str(document()).replace("'", '"'))
    assert loose
    assert all(one.startswith("^") and one.endswith("$") for one in loose)
    assert asked.DialSchema().validate({"agent": "1\n", "number": "1"})


def test_a_receipt_may_have_every_state_that_a_record_can_come_to() -> None:
    kinds = set(get_args(get_type_hints(Result)["kind"])) - {"action"}
    assert set(answered.STATES) == {*TRANSITIONS, *kinds}
