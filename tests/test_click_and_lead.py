"""The main job, through real processes: a signed request in, a call at Xima out."""

from __future__ import annotations

import requests
from running import Adapter, until

from adapter.sandbox import Sandbox


def calls(sandbox: Sandbox) -> list[dict[str, object]]:
    found: list[dict[str, object]] = requests.get(f"{sandbox.url}/_sandbox/calls", timeout=30).json()["calls"]
    return found


def test_a_click_rings_and_is_accepted_in_the_same_answer(adapter: Adapter, sandbox: Sandbox) -> None:
    answer = adapter.post("click", b'{"id": "1", "agent": "0101", "phone": "(801) 555-0142"}')
    assert answer.status_code == 200
    (receipt,) = answer.json()["receipts"]
    assert receipt["state"] == "accepted"
    (call,) = calls(sandbox)
    assert (call["path"], call["effect"]) == ("/rest/api/v1/agents/0101/click-to-dial", True)
    assert call["json"] == {"numberToDial": "8015550142"}


def test_a_lead_is_queued_and_then_accepted(adapter: Adapter, sandbox: Sandbox) -> None:
    answer = adapter.post("click", b'{"id": "2", "skill": "Sales", "phone": "801-555-0142"}')
    (receipt,) = answer.json()["receipts"]
    assert receipt["state"] == "queued"
    until(lambda: requests.get(receipt["status_url"], timeout=30).json()["state"] == "accepted")
    (call,) = calls(sandbox)
    assert call["json"] == {"skill": "Sales", "callbackNumber": "8015550142"}
