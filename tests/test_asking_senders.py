"""A real server asked by senders before they send: gunicorn, its own process, its own clock."""

from __future__ import annotations

from pathlib import Path

import requests
from running import SECRET, running

from adapter.sandbox import Sandbox

MAPPING = """
format: 1
name: {name}
receive:
  from: {preset}
  secrets: [HOOK_SECRET]
  handshake_secrets: [WORD]
rules:
  - callback: {{skill: Sales, callback_number: 2025550143}}
"""


def test_a_real_server_answers_what_senders_ask(tmp_path: Path, sandbox: Sandbox) -> None:
    with running(tmp_path, sandbox.url, start=False, WORD="a word of our own") as adapter:
        for name in ("meta-leadads", "monday", "typeform"):
            adapter.write(name, MAPPING.format(name=name, preset=name))
        adapter.start()
        asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "a word of our own"}
        answer = requests.get(f"{adapter.url}/hooks/meta-leadads/", params=asked, timeout=30, allow_redirects=False)
        assert (answer.status_code, answer.text) == (200, "1158201444")
        assert answer.headers["Content-Type"] == "text/plain"
        for token in (SECRET, "a"):
            wrong = {**asked, "hub.verify_token": token}
            assert requests.get(f"{adapter.url}/hooks/meta-leadads", params=wrong, timeout=30).status_code == 401
        for slash in ("", "/"):
            head = requests.head(f"{adapter.url}/hooks/typeform{slash}", timeout=30, allow_redirects=False)
            assert (head.status_code, head.headers["Content-Length"]) == (200, "0")
        challenge = requests.post(f"{adapter.url}/hooks/monday", json={"challenge": "abc"}, timeout=30)
        assert challenge.text == '{"challenge":"abc"}'
        assert "a word of our own" not in adapter.log()
        assert adapter.log().count("handshake.answered") == 2
