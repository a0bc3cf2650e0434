from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.xima import Agent, CallerId, CallerIds, lists

SALES = {"label": "Sales ", "outboundCallerId": "+1 (385) 555-1234 "}
SALES_ID = CallerId(label="Sales ", outbound_caller_id="+1 (385) 555-1234 ")


def test_caller_ids_are_copied_as_they_stand() -> None:
    answer = {"selectedOutboundCallerId": SALES, "outboundCallerIds": [SALES, {"outboundCallerId": "9"}]}
    assert lists.caller_ids(answer) == CallerIds(
        selected=SALES_ID, available=(SALES_ID, CallerId(label="", outbound_caller_id="9"))
    )


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param({}, id="no key"),
        pytest.param({"selectedOutboundCallerId": None, "outboundCallerIds": None}, id="null"),
        pytest.param({"selectedOutboundCallerId": {}, "outboundCallerIds": []}, id="empty"),
        pytest.param(
            {
                "selectedOutboundCallerId": {"label": "", "outboundCallerId": ""},
                "outboundCallerIds": [{"label": "", "outboundCallerId": ""}],
            },
            id="empty values, as in the documentation",
        ),
        pytest.param({"selectedOutboundCallerId": "none", "outboundCallerIds": {"a": SALES}}, id="other shapes"),
        pytest.param(
            {"selectedOutboundCallerId": [], "outboundCallerIds": [None, 7, {"outboundCallerId": 7}]},
            id="other entries",
        ),
    ],
)
def test_no_selection_and_no_caller_ids_are_told_in_many_ways(nothing: dict[str, Any]) -> None:
    assert lists.caller_ids(nothing) == CallerIds(selected=None, available=())


@pytest.mark.parametrize(
    ("entry", "agent"),
    [
        (
            {"agent": "John Spector(104)", "type": "UC"},
            Agent(name="John Spector", extension="104", softphone=False),
        ),
        ({"agent": "Alan (271)", "type": "XIMA"}, Agent(name="Alan ", extension="271", softphone=True)),
        (
            {"agent": "A (Al) B(0271) ", "type": "Xima"},
            Agent(name="A (Al) B", extension="0271", softphone=True),
        ),
        ({"agent": "(7)"}, Agent(name="", extension="7", softphone=False)),
        ({"agent": "Nobody", "type": "UC"}, None),
        ({"agent": "Desk (104) left", "type": "UC"}, None),
        ({"agent": "Desk(1O4)", "type": "UC"}, None),
        ({"type": "UC"}, None),
    ],
)
def test_an_agent_has_the_extension_in_the_last_brackets(entry: dict[str, str], agent: Agent | None) -> None:
    assert lists.agents({"agents": [entry]}) == ((agent,) if agent else ())


def test_skills_keep_their_exact_names() -> None:
    answer = {"skills": [{"name": "Sales"}, {"name": " Warranty  Team"}, {"name": None}, {}, "Sales"]}
    assert lists.skills(answer) == ("Sales", " Warranty  Team")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\xfd", b"[" * 100_000, b"1" * 5000])
def test_a_list_that_is_not_json_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable, match="is not JSON"):
        lists.parsed(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"agents"'])
def test_a_list_that_is_not_an_object_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable, match="is not a JSON object"):
        lists.parsed(body)
