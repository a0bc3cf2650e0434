"""The API of a real server: what rings at Xima, two workers, several tenants, keys that end at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from running import Adapter, running, until

from adapter.sandbox import Sandbox
from api.asking import CALLBACK, DIAL, add_key, bearer

SCRIPT = """
agents:
  - name: Ann
    extension: 0101
    caller_ids:
      - {label: Main, outboundCallerId: 8015550100}
      - {label: " Sales \\u00e9", outboundCallerId: 8015550101}
      - {label: Spring, outboundCallerId: 8015550102}
      - {label: Autumn, outboundCallerId: 8015550102}
    selected: Main
skills:
  - name: Sales
"""
TENANTS = """
default:
  phones:
    region: US
acme:
  host: {host}
  token: ACME_TOKEN
  phones:
    region: GB
"""
BOTH = 2
"""Workers, so that what one of them knows the other has to know too."""


@pytest.fixture
def xima() -> Iterator[Sandbox]:
    """A pretend Xima whose agent has caller ids."""
    with Sandbox.start(script=SCRIPT) as sandbox:
        yield sandbox


@pytest.fixture
def served(tmp_path: Path, xima: Sandbox) -> Iterator[Adapter]:
    """A server of two workers for two tenants that share this Xima."""
    with running(tmp_path, xima.url, start=False, ADAPTER_WORKERS=str(BOTH), ACME_TOKEN="sandbox-token") as adapter:
        (adapter.mappings / "tenants.yaml").write_text(TENANTS.format(host=xima.url), encoding="utf-8")
        adapter.start()
        yield adapter


def command(adapter: Adapter, *words: str) -> str:
    """What a command says that an operator gives beside the running server."""
    run = [sys.executable, "-m", "adapter", *words]
    return subprocess.run(run, env=adapter.whole_environ, capture_output=True, text=True, check=True).stdout.strip()


def ask(adapter: Adapter, token: str, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
    sent = {**bearer(token), **{name.replace("_", "-"): text for name, text in headers.items()}}
    return requests.request(method, f"{adapter.url}{path}", json=body, headers=sent, timeout=30)


def calls(xima: Sandbox, operation: str) -> list[Any]:
    """The bodies of the calls that had an effect."""
    return [one["json"] for one in xima.world.ledger() if one["operation"] == operation and one["effect"]]


def test_a_key_of_the_command_line_dials_and_ends_in_every_worker_at_once(served: Adapter, xima: Sandbox) -> None:
    token = command(served, "keys", "add", "crm", "--scope", "dial", "--expires", "1d")
    receipt = ask(served, token, "POST", "/api/dial", DIAL).json()
    assert receipt["state"] == "accepted"
    assert calls(xima, "click_to_dial") == [{"numberToDial": "8015550142"}]
    assert ask(served, token, "GET", "/api/mappings").status_code == 403
    (listed,) = json.loads(command(served, "keys", "list", "--json"))
    assert listed["used_on"] is not None
    command(served, "keys", "revoke", "crm")
    assert {ask(served, token, "POST", "/api/dial", DIAL).status_code for _ in range(20)} == {401}
    assert token not in served.log()


def test_five_at_once_with_one_key_are_one_call(served: Adapter, xima: Sandbox) -> None:
    store = served.store()
    token = add_key(store)

    def post(body: dict[str, str]) -> requests.Response:
        return ask(served, token, "POST", "/api/dial", body, Idempotency_Key="click-1")

    with ThreadPoolExecutor(5) as pool:
        receipts = [one.json() for one in pool.map(post, [DIAL] * 5)]
    assert calls(xima, "click_to_dial") == [{"numberToDial": "8015550142"}]
    assert len({one["id"] for one in receipts}) == 1
    assert [one["duplicate_of"] for one in receipts].count(None) == 1
    assert post({**DIAL, "agent": "0102"}).status_code == 422
    (delivery,) = store.newest()
    assert (delivery.state, delivery.tries) == ("accepted", 1)
    store.close()


def test_a_callback_is_done_by_the_dispatcher_as_its_tenant_dials(served: Adapter, xima: Sandbox) -> None:
    store = served.store()
    token = add_key(store)
    store.close()
    receipt = ask(served, token, "POST", "/api/callback", {**CALLBACK, "tenant": "acme"}).json()
    shown = until(lambda: _accepted(served, token, receipt["id"]))
    assert calls(xima, "callback") == [{"skill": "Sales", "callbackNumber": "02079460958"}]
    assert [one["status"] for one in shown["attempts"]] == [204]


def _accepted(adapter: Adapter, token: str, delivery_id: str) -> Any:
    shown = ask(adapter, token, "GET", f"/api/deliveries/{delivery_id}").json()
    return shown if shown["state"] == "accepted" else None


def test_a_caller_id_is_selected_as_xima_lists_it_byte_for_byte(served: Adapter, xima: Sandbox) -> None:
    store = served.store()
    token = add_key(store)
    store.close()
    path = "/api/agents/0101"
    listed = ask(served, token, "GET", f"{path}/caller-ids?tenant=acme").json()
    assert listed["selected"] == {"label": "Main", "number": "8015550100"}
    assert [one["label"] for one in listed["available"]] == ["Main", " Sales \u00e9", "Spring", "Autumn"]
    receipt = ask(served, token, "POST", f"{path}/selected-caller-id", {"number": "8015550101"}).json()
    assert (receipt["state"], receipt["rule"]) == ("accepted", "caller-id")
    assert calls(xima, "select_caller_id") == [{"label": " Sales \u00e9", "outboundCallerId": "8015550101"}]
    assert ask(served, token, "GET", f"{path}/caller-ids").json()["selected"]["number"] == "8015550101"

    for body, pointer in (({"number": "801 555 0100"}, "#/number"), ({"number": "8015550102"}, "#/label")):
        refused = ask(served, token, "POST", f"{path}/selected-caller-id", body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    named = {"number": "8015550102", "label": "Autumn"}
    assert ask(served, token, "POST", f"{path}/selected-caller-id", named).json()["state"] == "accepted"
    unknown = ask(served, token, "GET", "/api/agents/999/caller-ids")
    assert (unknown.status_code, unknown.headers["Content-Type"]) == (404, "application/problem+json")
    assert "does not know this agent" in unknown.json()["detail"]


def test_what_xima_does_not_answer_is_503_with_its_status(served: Adapter, xima: Sandbox) -> None:
    store = served.store()
    token = add_key(store)
    store.close()
    requests.post(f"{xima.url}/_sandbox/script", json={"faults": [{"status": 500}]}, timeout=30).raise_for_status()
    answer = ask(served, token, "GET", "/api/agents/0101/caller-ids")
    assert (answer.status_code, answer.json()["xima_status"]) == (503, 500)
    assert answer.headers["Retry-After"] == "5"
