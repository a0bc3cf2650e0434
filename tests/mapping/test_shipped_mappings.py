"""The mappings that are shipped: good as they are, and never put out by anything a sender sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mapping_cases import NOW

from adapter import mapping, sources
from adapter.errors import PayloadError
from adapter.mapping import Mapping, Result, Trace, examples
from adapter.model import ACTIONS, Received

FOLDER = Path(__file__).parents[2] / "mappings"
FILES = sources.mapping_files(FOLDER)
NAMES = [file.stem for file in FILES]


@cache
def shipped(name: str) -> Mapping:
    return sources.read(FOLDER / f"{name}.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_mapping_has_examples_that_come_true(name: str) -> None:
    assert len(shipped(name).examples) >= 1


FIELDS = [
    *("vid", "portal-id", "properties", "mobilephone", "phone", "value", "hs_lead_source", "hubspot_owner_email"),
    *("lastmodifieddate", "Id", "sObject", "Status", "OwnerId", "MobilePhone", "Phone", "CountryCode", "DoNotCall"),
    *("email", "mobile", "product", "consent", "country", "event_id", "event_type", "form_response", "answers"),
    *("field", "ref", "phone_number", "choice", "label", "submitted_at"),
]
TEXTS = [
    *("Web", "Working", "on", "yes", "form_response", "pat.owner@example.com", "005000000000001", "Repair", "topic"),
    *("801-555-0142", "+44 20 7946 0958", "911", "*67", "n/a", "", " ", "GB", "US", "United States", "x" * 500),
    *("2026-11-24T10:15:00Z", "0001-01-01", "1763800123456", "1e99999", "-1", "\u0661\u0662", "tel:", "\u202e"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(TEXTS),
    st.text(max_size=30),
    st.integers(-(10**39), 10**39),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20),
    st.sampled_from([Decimal("1E+40"), Decimal("1E-40"), Decimal("8015550142.0"), Decimal("8.015550142E9")]),
)
TREES = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), below, max_size=6),
    ),
    max_leaves=20,
)


def likely(name: str) -> st.SearchStrategy[Any]:
    """Records that resemble the examples of a mapping, with anything at the ends."""

    def like(tree: Any) -> st.SearchStrategy[Any]:
        if isinstance(tree, dict):
            return st.fixed_dictionaries({}, optional={key: like(value) for key, value in tree.items()})
        if isinstance(tree, list):
            return st.lists(st.one_of([like(item) for item in tree]), max_size=3)
        return st.just(tree) | SCALARS | TREES

    of = shipped(name)
    records = [record for one in of.examples for record in examples.records(of, examples.received(of, one))[1]]
    return st.one_of([like(record) for record in records])


def check(results: list[Result]) -> None:
    for one in results:
        assert one.kind in ("action", "skip", "reject")
        assert (one.action is not None) is (one.kind == "action")
        if one.action:
            assert one.key
            assert all(isinstance(value, str | bool) for value in one.action.as_dict().values())
            assert isinstance(one.action, ACTIONS[one.action.kind])
        else:
            assert one.reason


def run(name: str, record: Any) -> None:
    plain = mapping.results(shipped(name), record, {"body": record}, now=NOW)
    traced = mapping.results(shipped(name), record, {"body": record}, now=NOW, trace=Trace())
    check(plain)
    assert [(one.kind, one.action, one.key) for one in plain] == [(one.kind, one.action, one.key) for one in traced]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=24, suppress_health_check=[HealthCheck.too_slow])
def test_no_record_puts_a_shipped_mapping_out(name: str, data: st.DataObject) -> None:
    run(name, data.draw(TREES))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=24, suppress_health_check=[HealthCheck.too_slow])
def test_no_likely_record_puts_a_shipped_mapping_out(name: str, data: st.DataObject) -> None:
    run(name, data.draw(likely(name)))


MAKERS: dict[str, Callable[[Any], bytes]] = {
    "json": lambda tree: json.dumps(tree, default=str).encode(),
    "text": lambda tree: str(tree).encode("utf-8", "replace"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("maker", MAKERS)
@given(tree=TREES)
@settings(max_examples=12)
def test_any_body_is_read_or_refused(name: str, maker: str, tree: Any) -> None:
    of = shipped(name)
    request = Received(method="POST", url="https://h.example.com/hooks/x?a=b", headers={}, body=MAKERS[maker](tree))
    try:
        document, records = examples.records(of, request)
    except PayloadError:
        return
    for record in records:
        check(mapping.results(of, record, mapping.request_tree(request, document), now=NOW))
