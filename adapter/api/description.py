"""The description of the HTTP interface: OpenAPI 3.1, made from the schemas that check what is asked."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from adapter.api import tokens
from adapter.api.answered import ErrorAnswer, ProblemSchema, ReceiptSchema
from adapter.api.operations import JSON, OPERATIONS, PARAMETERS, Operation

ABOUT = "Routes below /api want a key of the operator's, the others do not. What is asked for is done once."
VERSION = "1"
"""Of the interface, not of the product: whoever may read this need not know that."""
PROBLEM = "application/problem+json"
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of the API, xca_..., with the scope that the operation names. Scopes: "
    + "; ".join(f"{name} ({about})" for name, about in tokens.SCOPES.items()),
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Stands for this request alone, for as long as deliveries are kept.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$", "minLength": 1, "maxLength": 200},
}
RETRY_AFTER = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
CHALLENGE = {"WWW-Authenticate": {"description": "what is missing", "schema": {"type": "string"}}}
FOLLOW = {"delivery": {"operationId": "showDelivery", "parameters": {"delivery_id": "$response.body#/id"}}}
HEADERS = {401: CHALLENGE, 403: CHALLENGE, 429: RETRY_AFTER, 503: RETRY_AFTER}


def document(origin: str) -> dict[str, Any]:
    """The description of a server at this origin."""
    spec = APISpec(
        title="Click to dial, callbacks and caller ids",
        version=VERSION,
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
        info={"description": ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        servers=[{"url": origin}],
    )
    spec.components.security_scheme("key", KEY)
    for one in OPERATIONS:
        spec.path(path=one.path, operations={one.method: _operation(one)}, parameters=_in_path(one.path))
    return spec.to_dict()


def _name(schema: Any) -> str:
    """`Receipt` for `ReceiptSchema`."""
    given = schema if isinstance(schema, type) else type(schema)
    return given.__name__.removesuffix("Schema")


def _in_path(path: str) -> list[dict[str, Any]]:
    return [_parameter(name) for name in re.findall(r"{(\w+)}", path)]


def _parameter(name: str) -> dict[str, Any]:
    said = dict(PARAMETERS[name])
    about = said.pop("description")
    return {"name": name, "in": "path", "required": True, "description": about, "schema": {"type": "string", **said}}


def _operation(one: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": one.id, "summary": one.about, "responses": _responses(one)}
    if one.more:
        made["description"] = one.more
    if one.scope:
        made |= {"security": [{"key": []}], "x-scope": one.scope}
    parameters: list[Any] = [{"in": "query", "schema": one.query}] if one.query else []
    parameters += [IDEMPOTENCY_KEY] if one.body else []
    if parameters:
        made["parameters"] = parameters
    if one.body:
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": one.body}}}
    elif one.takes:
        made["requestBody"] = {"required": True, "content": {kind: {"schema": {}} for kind in one.takes}}
    return made


def _responses(one: Operation) -> dict[str, Any]:
    said = {str(status): _answer(status, one) for status in (200, *one.also)}
    kind, shape = (PROBLEM, ProblemSchema) if one.path.startswith("/api/") else (JSON, ErrorAnswer)
    return said | {str(status): _error(status, kind, shape) for status in one.refuses}


def _answer(status: int, one: Operation) -> dict[str, Any]:
    """A good answer, and where to look after the delivery it is about."""
    contents: dict[str, Any] = {JSON: {"schema": one.answer or {"type": "object"}}}
    contents |= {kind: {"schema": {"type": "string"}} for kind in one.forms}
    said: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": contents}
    return said | ({"links": FOLLOW} if one.answer is ReceiptSchema else {})


def _error(status: int, kind: str, shape: type[Schema]) -> dict[str, Any]:
    said: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": {kind: {"schema": shape}}}
    is_keyed = kind == PROBLEM or status not in (401, 403)
    return said | ({"headers": HEADERS[status]} if status in HEADERS and is_keyed else {})
