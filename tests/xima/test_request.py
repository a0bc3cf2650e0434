from __future__ import annotations

import pytest

from adapter.model import Action, Callback, ClickToDial, SelectCallerId
from adapter.xima import Request, build

DIAL = "/rest/api/v1/agents/104/click-to-dial"


@pytest.mark.parametrize(
    ("action", "path", "json"),
    [
        pytest.param(
            ClickToDial(agent="104", number_to_dial="8015552800"),
            DIAL,
            {"numberToDial": "8015552800"},
            id="a number only",
        ),
        pytest.param(
            ClickToDial(
                agent="104",
                number_to_dial="8015552800",
                outbound_caller_id="3855551234",
                external_prefix="9",
            ),
            DIAL,
            {"numberToDial": "8015552800", "outboundCallerId": "3855551234", "externalPrefix": "9"},
            id="caller id and prefix",
        ),
        pytest.param(
            ClickToDial(agent="104", number_to_dial="8015552800", outbound_caller_id="", external_prefix=""),
            DIAL,
            {"numberToDial": "8015552800"},
            id="empty fields are left out",
        ),
        pytest.param(
            ClickToDial(agent="104", number_to_dial="8015552800", use_selected_caller_id=True),
            DIAL,
            {"numberToDial": "8015552800", "useSelectedOutboundCallerId": True},
            id="the selected caller id",
        ),
        pytest.param(
            ClickToDial(
                agent="104",
                number_to_dial="8015552800",
                outbound_caller_id="3855551234",
                external_prefix="9",
                use_selected_caller_id=True,
            ),
            DIAL,
            {"numberToDial": "8015552800", "useSelectedOutboundCallerId": True},
            id="the two caller id ways never mix",
        ),
        pytest.param(
            Callback(skill=" Warranty  Team ", callback_number="8015552800"),
            "/rest/api/v1/callback",
            {"skill": " Warranty  Team ", "callbackNumber": "8015552800"},
            id="a skill is never trimmed",
        ),
        pytest.param(
            SelectCallerId(agent="0101", label="Sales & more", outbound_caller_id="+1 385"),
            "/rest/api/v1/agents/0101/selected-outbound-caller-id",
            {"label": "Sales & more", "outboundCallerId": "+1 385"},
            id="select caller id",
        ),
    ],
)
def test_an_action_becomes_the_documented_request(action: Action, path: str, json: dict[str, str | bool]) -> None:
    assert build(action) == Request(method="POST", path=path, json=json)


@pytest.mark.parametrize(
    ("extension", "quoted"),
    [
        pytest.param("../callback", "..%2Fcallback", id="a slash"),
        pytest.param("1?x#y", "1%3Fx%23y", id="query and fragment"),
        pytest.param("1 0é", "1%200%C3%A9", id="space and letters"),
        pytest.param("10\ud800", "10%3F", id="half a surrogate pair"),
    ],
)
def test_an_extension_stays_one_segment_of_the_path(extension: str, quoted: str) -> None:
    request = build(ClickToDial(agent=extension, number_to_dial="1"))
    assert request.path == f"/rest/api/v1/agents/{quoted}/click-to-dial"


def test_an_action_xima_does_not_have_is_a_bug() -> None:
    with pytest.raises(TypeError, match="no operation for Action"):
        build(Action())
