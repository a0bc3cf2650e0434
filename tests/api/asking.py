"""Ask the API with keys, and hold every answer to its description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from web.front import Front
from werkzeug.test import TestResponse

from adapter.api import description, tokens
from adapter.store import Key, Store

DIAL = {"agent": "0101", "number": "(801) 555-0142"}
CALLBACK = {"skill": "Sales", "number": "+44 20 7946 0958"}
EVERYTHING = tuple(tokens.SCOPES)


def add_key(store: Store, *scopes: str, name: str = "crm", **changes: Any) -> str:
    """A new key in a store; gives its token."""
    token = tokens.new_token()
    key = Key(
        digest=tokens.digest(token),
        name=name,
        scopes=list(scopes or EVERYTHING),
        tenant="",
        created_at=datetime.now(UTC),
    )
    store.keys.add(replace(key, **changes))
    return token


@dataclass
class Api:
    """The application, asked with a key of every scope unless another is given."""

    front: Front

    def __post_init__(self) -> None:
        self.token = add_key(self.front.store)

    def key(self, *scopes: str, name: str = "another", **changes: Any) -> dict[str, str]:
        """The header of a new key."""
        return bearer(add_key(self.front.store, *scopes, name=name, **changes))

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """One request; its answer is as the description says."""
        sent = {**bearer(self.token), **(headers or {})}
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if raw is not None:
            sent = {"Content-Type": "application/json", **sent}
        answer = self.front.client.open(path, method=method, data=raw, headers=sent)
        described(method, path, answer)
        return answer

    def get(self, path: str, **extra: Any) -> Any:
        """The JSON of a good answer."""
        answer = self.ask("GET", path, **extra)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def post(self, path: str, body: Any, once: str | None = None, **extra: Any) -> Any:
        """The receipt of a good answer."""
        answer = self.ask("POST", path, body, headers={"Idempotency-Key": once} if once else {}, **extra)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def problem(self, status: int, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """The problem of a bad answer."""
        answer = self.ask(method, path, body, **extra)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
        told = answer.get_json()
        assert told["status"] == status
        assert told["type"].startswith("urn:problem:")
        return told


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@cache
def document() -> dict[str, Any]:
    """The description."""
    return description.document("https://hooks.example.com")


def described(method: str, path: str, answer: TestResponse) -> None:
    """Hold an answer to the description of its operation, where it has one."""
    operation = _operation(method.lower(), path.partition("?")[0])
    if operation is None:
        return
    assert str(answer.status_code) in operation["responses"], (answer.status_code, answer.text)
    content = operation["responses"][str(answer.status_code)]["content"][answer.content_type]
    schema = {**content["schema"], "components": document()["components"]}
    errors = Draft202012Validator(schema).iter_errors(answer.get_json())
    assert [error.message for error in errors] == []


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in document()["paths"].items():
        pattern, asked = template.split("/"), path.split("/")
        fits = len(pattern) == len(asked) and all(
            a.startswith("{") or a == b for a, b in zip(pattern, asked, strict=True)
        )
        if fits and method in operations:
            found: dict[str, Any] = operations[method]
            return found
    return None
