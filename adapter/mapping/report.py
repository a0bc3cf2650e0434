"""The key `report`: who is told what became of a delivery, and with which values of the record."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import ValidationError, post_load

from adapter import hosts
from adapter.errors import TextError
from adapter.mapping import value
from adapter.mapping.compiled import Mapping, Report
from adapter.mapping.problems import Said
from adapter.mapping.schema import a_value
from adapter.mapping.scope import Scope
from adapter.mapping.vocabulary import Each, Named, Read, Strict, a_text, one_of
from adapter.model import State

ENDS: tuple[State, ...] = ("accepted", "refused", "unknown", "failed", "expired", "suppressed", "cancelled")
"""Where a delivery stays unless a person does something."""
MOST_VALUES = 20
LONGEST = 500
"""Characters of one value: enough for an id, and not for a body."""


def _to(text: str) -> str:
    if "${" in text:
        raise TextError("the URL is the same for every record: put its values under include", text.index("${"))
    hosts.origin(text)
    return str(text)


class ReportSchema(Strict):
    """Who is told, signed with which secret, about which ends, with which values."""

    remedies: ClassVar[ReadOnly[str, str]] = {"secret": "write secrets: with the name of the variable that holds it"}

    to = Read(_to, required=True)
    secrets = Each(a_text(), required=True)
    when = Each(one_of(ENDS), load_default=ENDS)
    include = Named(a_value(), load_default=dict)

    @post_load
    def make(self, data: dict[str, Any], **extra: Any) -> Report:
        """The compiled form."""
        if len(data["include"]) > MOST_VALUES:
            hint = "name the record, and look the rest up by it"
            raise ValidationError({"include": [Said(f"more than {MOST_VALUES} values", hint=hint, of_key=True)]})
        return Report(**data)


def asked(mapping: Mapping, scope: Scope, *, now: datetime) -> dict[str, Any] | None:
    """What a delivery of this record carries with it to be reported; None when its mapping wants no reports."""
    report = mapping.report
    if report is None:
        return None
    found = {name: value.text(one, scope, mapping.tables, now=now) for name, one in report.include.items()}
    return {
        "to": report.to,
        "secrets": list(report.secrets),
        "when": list(report.when),
        "include": {name: text and text[:LONGEST] for name, text in found.items()},
    }
