"""Whoever calls the pretend Xima in these tests: over real HTTP, with the default token and no environment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import requests

from adapter.sandbox import Sandbox

NUMBER = "8015552800"
AGENTS = "/rest/api/v1/agents"
DIAL = f"{AGENTS}/0101/click-to-dial"
SELECT = f"{AGENTS}/0101/selected-outbound-caller-id"
CALLER_IDS = f"{AGENTS}/0101/outbound-caller-ids"
CALLBACK = "/rest/api/v1/callback"
SKILLS = "/rest/api/v1/skills"

ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "click_to_dial": (DIAL, {"numberToDial": NUMBER}),
    "select_caller_id": (SELECT, {"label": "Local", "outboundCallerId": "18015550100"}),
    "callback": (CALLBACK, {"skill": "Sales", "callbackNumber": NUMBER}),
}


class Caller:
    """Calls one sandbox and looks into its ledger."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = "Bearer sandbox-token"

    def send(self, method: str, path: str, **rest: Any) -> requests.Response:
        rest = {"timeout": 20, "allow_redirects": False} | rest
        return self.session.request(method, self.sandbox.url + path, **rest)

    def post(self, path: str, body: Any, **rest: Any) -> requests.Response:
        return self.send("POST", path, json=body, **rest)

    def act(self, name: str, **rest: Any) -> requests.Response:
        path, body = ACTIONS[name]
        return self.post(path, body, **rest)

    def dial(self, extension: str = "0101", **fields: Any) -> requests.Response:
        return self.post(f"{AGENTS}/{extension}/click-to-dial", {"numberToDial": NUMBER, **fields})

    def callback(self, skill: str = "Sales", number: str = NUMBER) -> requests.Response:
        return self.post(CALLBACK, {"skill": skill, "callbackNumber": number})

    def select(self, label: str, number: str, extension: str = "0101") -> requests.Response:
        path = f"{AGENTS}/{extension}/selected-outbound-caller-id"
        return self.post(path, {"label": label, "outboundCallerId": number})

    def selected(self, extension: str = "0101") -> Any:
        return self.send("GET", f"{AGENTS}/{extension}/outbound-caller-ids").json()["selectedOutboundCallerId"]

    def script(self, script: str | dict[str, Any]) -> requests.Response:
        text = script if isinstance(script, str) else json.dumps(script)
        return self.send("POST", "/_sandbox/script", data=text.encode())

    def switch(self, **switches: Any) -> None:
        assert self.script({"switches": switches}).status_code == 200

    def fault(self, *faults: dict[str, Any]) -> None:
        assert self.script({"faults": faults}).status_code == 200

    def calls(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.send("GET", "/_sandbox/calls").json()["calls"]
        return rows

    def last(self) -> dict[str, Any]:
        return self.calls()[-1]

    def shown_caller_id(self, extension: str = "0101") -> str:
        """The caller id of the last call an agent's phone made."""
        return self.sandbox.world.desks[extension].rings[-1].caller_id


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return as soon as `holds`; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
