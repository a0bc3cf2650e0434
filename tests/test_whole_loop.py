"""The whole loop, through real processes: a click, its answer, the end of the call, a receipt that tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from running import CLICK, SECRET, running, until

from adapter.sandbox import Sandbox

STARTER = (Path(__file__).parent.parent / "adapter/starters/xima-call-ended.yaml").read_text(encoding="utf-8")
ENDS = STARTER.replace("XIMA_CALL_ENDED_KEY", "HOOK_SECRET").replace("name: xima-call-ended", "name: ends", 1)
BODY = b'{"id": "1", "agent": "0101", "phone": "(801) 555-0142"}'


def status(receipt: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = requests.get(receipt["status_url"], timeout=30).json()
    return shown


@pytest.mark.parametrize(
    ("method", "after", "uc_wait", "word", "outcome"),
    [("POST", "1s", "0s", "Answered", "connected"), ("GET", "0s", "2s", "No Answer", "no_answer")],
    ids=["the-end-after-the-answer", "the-end-before-the-answer"],
)
def test_a_click_learns_how_its_call_ended(
    any_url: str, tmp_path: Path, method: str, after: str, uc_wait: str, word: str, outcome: str
) -> None:
    with (
        Sandbox.start() as xima,
        running(tmp_path, xima.url, start=False, ADAPTER_DATABASE_URL=any_url) as adapter,
    ):
        url = requests.Request("GET", f"{adapter.url}/hooks/ends", params={"key": SECRET}).prepare().url
        ended = {"url": url, "method": method, "after": after, "outcome": word}
        xima.world.load(json.dumps({"call_ended": ended, "switches": {"uc_wait": uc_wait}}))
        adapter.write("click", CLICK)
        adapter.write("ends", ENDS)
        adapter.start()
        (receipt,) = adapter.post("click", BODY).json()["receipts"]
        assert receipt["state"] == "accepted"
        shown = until(lambda: status(receipt) if status(receipt)["outcome"] else None)
        assert (shown["state"], shown["outcome"]) == ("accepted", outcome)
        assert shown["duration_seconds"] == int(after.removesuffix("s"))
        assert shown["outcome_matched_by"] == "number and time"
