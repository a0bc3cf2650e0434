"""What official packages sign, sent over HTTP to a running adapter; what they sign for another address is explained."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import requests
from hubspot.utils.signature import Signature
from running import Adapter, running, until
from standardwebhooks import Webhook

from adapter.sandbox import Sandbox

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
MAPPING = """
format: 1
name: {name}
receive:
  from: {name}
  secrets: [HOOK_SECRET]
phones:
  region: US
once:
  key: ${{eventId}}
rules:
  - name: lead
    callback:
      skill: Sales
      callback_number: ${{propertyValue}}
"""
NAMES = ("hubspot-v1", "hubspot-v2", "hubspot-v3", "standard-webhooks")
Headers = Callable[[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """A running adapter with a mapping for every package."""
    sandbox = Sandbox.start()
    with running(tmp_path_factory.mktemp("foreign"), sandbox.url, start=False, HOOK_SECRET=SECRET) as adapter:
        for name in NAMES:
            adapter.write(name, MAPPING.format(name=name))
        adapter.start()
        yield adapter
    sandbox.stop()


def hubspot(version: str) -> Headers:
    """The headers that HubSpot's package makes for a URL and a body."""

    def made(url: str, body: str) -> dict[str, str]:
        moment = str(int(datetime.now(UTC).timestamp() * 1000))
        signed = Signature.get_signature(SECRET, body, version, url, "POST", moment)
        if version == "v3":
            return {"X-HubSpot-Signature-v3": signed, "X-HubSpot-Request-Timestamp": moment}
        return {"X-HubSpot-Signature": signed, "X-HubSpot-Signature-Version": version}

    return made


def standard(_url: str, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    now = datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }


SENDERS: dict[str, Headers] = {f"hubspot-{one}": hubspot(one) for one in ("v1", "v2", "v3")} | {
    "standard-webhooks": standard
}


def post(url: str, body: str, headers: dict[str, str]) -> requests.Response:
    return requests.post(url, data=body.encode(), headers={"Content-Type": "application/json", **headers}, timeout=30)


@pytest.mark.parametrize("query", ["", "?to=a%40b.example%20&x=%3A"], ids=["plain", "query"])
@pytest.mark.parametrize("name", NAMES)
def test_a_running_adapter_takes_what_they_sign_once(adapter: Adapter, name: str, query: str) -> None:
    url = f"{adapter.url}/hooks/{name}{query}"
    body = json.dumps(
        {"eventId": f"{name}{query}", "propertyValue": "+12025550143", "city": "Zoë 🎈"}, ensure_ascii=False
    )
    for is_repeat in (False, True):
        answer = post(url, body, SENDERS[name](url, body))
        assert answer.status_code == 200, answer.text
        (receipt,) = answer.json()["receipts"]
        assert bool(receipt["duplicate_of"]) is is_repeat
    assert post(url, body + " ", SENDERS[name](url, body)).status_code == 401


WRONG: dict[str, tuple[str, Callable[[str], str], Callable[[str], str], str]] = {
    "proxy": (
        "hubspot-v3",
        lambda url: url.replace("http:", "https:"),
        str,
        "it would match for https instead of http: ",
    ),
    "slash": ("hubspot-v2", lambda url: url + "/", str, "it would match with a trailing slash: "),
    "rewritten": ("standard-webhooks", str, lambda body: body.replace('": ', '":'), "the JSON written spaced"),
}


@pytest.mark.parametrize(("name", "signed", "sent", "says"), WRONG.values(), ids=list(WRONG))
def test_the_log_of_a_running_adapter_says_what_is_wrong(
    adapter: Adapter, name: str, signed: Callable[[str], str], sent: Callable[[str], str], says: str
) -> None:
    url = f"{adapter.url}/hooks/{name}"
    body = json.dumps({"eventId": 1, "propertyValue": "+12025550143", "city": "Ulm"})

    def refused() -> str:
        """The line of the log for a refusal that was explained: only a few are in a second."""
        answer = post(url, sent(body), SENDERS[name](signed(url), body))
        assert answer.status_code == 401
        assert "match" not in answer.text
        (line,) = [line for line in adapter.log().splitlines() if answer.headers["X-Request-Id"] in line]
        return line if " hints=" in line else ""

    line = until(refused)
    assert f" request.refused mapping={name} " in line
    assert says in line
    assert SECRET not in line
