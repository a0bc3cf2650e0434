"""Secrets and telephone numbers through every path of real processes: none comes out in logs, answers or metrics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from running import SECRET, Adapter, running, until

from adapter.sandbox import Sandbox

STARTERS = Path(__file__).parent.parent / "adapter" / "starters"
CRASHING = """
from adapter.web import metered
count = metered.count
def crash(taken, received):
    if b"crash" in received.body:
        raise RuntimeError(f"as a bug would say: {received}")
    count(taken, received)
metered.count = crash
from adapter.cli import main
main()
"""
"""The same program with a bug that shows the whole request in its traceback."""
SECRETS = {
    "XIMA_TOKEN": "sandbox-token",
    "ADAPTER_SECRET_KEY": "newest-key-of-links-31415926,older-key-of-links-27182818",
    "HOOK_SECRET": SECRET,
    "HANDSHAKE_WORD": "word-for-handshakes-16180339",
    "SALESFORCE_KEY": "key-of-salesforce-14142135",
    "HEADER_TOKEN": "token-in-a-header-17320508",
}
HEADER = """
format: 1
name: header
receive:
  from: header-token
  header: X-Token
  secrets: [HEADER_TOKEN]
  body: json
phones: {region: US}
once: {key: "${id}"}
rules:
  - click_to_dial: {agent: "0101", number_to_dial: "${phone}"}
"""
ASKED = """
format: 1
name: asked
receive:
  from: meta-leadads
  secrets: [HOOK_SECRET]
  handshake_secrets: [HANDSHAKE_WORD]
rules:
  - callback: {skill: Sales, callback_number: 2025550143}
"""
NUMBERS = tuple(f"801555{last:04}" for last in range(3001, 3013))


@dataclass
class Seen:
    """What came out."""

    answers: list[requests.Response]
    log: str


def body(number: int, **more: str) -> bytes:
    return json.dumps({"id": f"event {number}", "agent": "0101", "phone": NUMBERS[number], **more}).encode()


def soap(key: str) -> tuple[str, str]:
    text = (STARTERS / "salesforce-outbound.yaml").read_text()
    (envelope,) = re.findall(r"body: \|\n(.*?</e:Envelope>)", text, re.DOTALL)[:1]
    return f"/hooks/salesforce-outbound?key={key}", envelope.replace("(202) 555-0143", NUMBERS[9])


def ask(adapter: Adapter) -> Iterator[requests.Response]:
    """Every way in, one after the other, good and bad."""
    url = adapter.url
    accepted = adapter.post("click", body(0))
    yield from (accepted, adapter.post("click", body(0)))
    yield adapter.post("click", body(1, agent="0999"))  # Xima refuses
    yield adapter.post("click", body(2, skill="Sales"))
    yield adapter.post("click", b'{"%s": 1, "%s": 2}' % ((NUMBERS[3].encode(),) * 2))  # the same key twice
    yield adapter.post("click", body(4)[:-4])
    yield adapter.post("click", json.dumps({"id": "x", "agent": "0101", "phone": f"{NUMBERS[5]}000000"}).encode())
    yield adapter.post("click", body(6, crash="crash"))
    token = {"X-Token": SECRETS["HEADER_TOKEN"]}
    as_json = {**token, "Content-Type": "application/json"}
    header = f"{url}/hooks/header"
    yield requests.post(header, data=body(7), headers=as_json)
    yield requests.post(header, data=body(7), headers=token)
    yield requests.post(header, data=body(8, crash="crash"), headers=as_json)
    yield requests.post(header, json={"phone": NUMBERS[8]}, headers={"X-Token": f"{SECRETS['HEADER_TOKEN']}x"})
    for key in (SECRETS["SALESFORCE_KEY"], f"{SECRETS['SALESFORCE_KEY']}x"):
        target, envelope = soap(key)
        yield requests.post(url + target, data=envelope, headers={"Content-Type": "text/xml"})
    for word in (SECRETS["HANDSHAKE_WORD"], f"{SECRETS['HANDSHAKE_WORD']}x"):
        asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": word}
        yield requests.get(f"{url}/hooks/asked", params=asked)
    yield requests.post(f"{url}/hooks/{NUMBERS[10]}", data=b"x")
    (receipt,) = accepted.json()["receipts"]
    yield requests.get(receipt["status_url"])
    yield requests.get(receipt["status_url"], headers={"Accept": "text/html"})
    yield requests.get(receipt["status_url"] + "x")
    for path in ("/healthz", "/readyz", "/metrics"):
        yield requests.get(url + path)


@pytest.fixture(scope="module", params=["json", "text"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Everything that came out of an adapter with a bug, before a Xima that hangs up once."""
    home = tmp_path_factory.mktemp("leaks")
    with Sandbox.start() as xima, running(home, xima.url, start=False, **SECRETS, ADAPTER_LOG=request.param) as adapter:
        adapter.write("header", HEADER)
        adapter.write("asked", ASKED)
        adapter.write("salesforce-outbound", (STARTERS / "salesforce-outbound.yaml").read_text())
        with (home / "serve.log").open("wb") as log:
            command = [sys.executable, "-c", CRASHING, "serve", "--bind", f"127.0.0.1:{adapter.port}"]
            adapter.processes.append(subprocess.Popen(command, env=adapter.whole_environ, stdout=log, stderr=log))
        until(adapter.is_ready)
        answers = [*ask(adapter)]
        hangs_up = {"faults": [{"operation": "click_to_dial", "close_before_answer": True}]}
        assert requests.post(f"{xima.url}/_sandbox/script", json=hangs_up, timeout=30).ok
        answers.append(adapter.post("click", body(11)))
        until(lambda: "delivery.unknown" in adapter.log())
        answers.append(requests.get(f"{adapter.url}/metrics", timeout=30))
        adapter.stop()
        return Seen(answers, adapter.log())


def out(seen: Seen) -> str:
    """All that came out as one text, without the links that hold a token on purpose."""
    heads = "\n".join(f"{name}: {text}" for one in seen.answers for name, text in one.headers.items())
    return "\n".join((seen.log, heads, *(one.text for one in seen.answers)))


def test_every_path_was_gone(seen: Seen) -> None:
    statuses = [one.status_code for one in seen.answers]
    assert {200, 400, 401, 404, 500} <= set(statuses)
    for name in ("request.kept", "request.refused", "request.crashed", "handshake.answered", "delivery.accepted"):
        assert name in seen.log
    for name in ("delivery.refused", "delivery.unknown", "link.refused", "as a bug would say"):
        assert name in seen.log
    assert "soapenv:Fault" in out(seen)
    assert "xima_adapter_requests_total" in out(seen)


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_comes_out(seen: Seen, name: str) -> None:
    for secret in SECRETS[name].split(","):
        assert len(secret) < 4 or secret not in out(seen)


@pytest.mark.parametrize("number", NUMBERS)
def test_no_number_comes_out(seen: Seen, number: str) -> None:
    assert number not in out(seen)
    assert number not in re.sub("[^0-9a-z]", "", out(seen)), "nor with marks between"


def test_the_tokens_of_links_are_in_no_log(seen: Seen) -> None:
    tokens = re.findall(r"token=([\w.-]+)", "".join(one.text for one in seen.answers))
    assert tokens
    assert not any(token in seen.log for token in tokens)


def test_one_line_is_one_event_with_its_ids(seen: Seen) -> None:
    lines = [line for line in seen.log.splitlines() if "delivery.accepted" in line or "request.kept" in line]
    if not lines[0].startswith("{"):
        assert all(re.search(r" request=[0-9a-f]{16} ", line) for line in lines)
        return
    events = [json.loads(line) for line in lines]
    kept = {one["request"] for one in events if one["event"] == "request.kept"}
    accepted = [one for one in events if one["event"] == "delivery.accepted"]
    assert accepted
    assert all(one["request"] in kept and one["delivery"] and one["mapping"] for one in accepted)
