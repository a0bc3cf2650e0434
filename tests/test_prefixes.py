"""What reaches Xima with a prefix, and as given: from programs and from mappings, under the rules of a tenant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from api.asking import add_key, bearer
from running import Adapter, running

from adapter.sandbox import Sandbox

TENANTS = """
default:
  phones:
    region: US
    allow_regions: [US, IN]
    dial_as: as_given
open:
  host: {url}
  token: XIMA_TOKEN
  phones:
    region: US
acme:
  host: {url}
  token: XIMA_TOKEN
  phones:
    region: US
    allow_regions: US
    prefixes: [9, '*67']
"""
CLICK = """
format: 1
name: {name}
tenant: {tenant}
receive:
  from: github
  secrets: [HOOK_SECRET]
  body: json
phones:
  region: US
  dial_as: as_given
once:
  key: ${{id}}
quiet:
  same_number: no
rules:
  - click_to_dial:
      agent: ${{agent}}
      number_to_dial: ${{phone}}
      external_prefix: ${{line}}
"""
REFUSED = "phones.prefixes does not list it"
PREMIUM = "premium rate numbers are not dialled"
CASES = [
    # tenant, number, prefix, what Xima is asked to dial or why it is not asked
    ("default", "2125550142", "9", "9|2125550142"),
    ("default", "2125550142", "", "|2125550142"),
    ("default", "2079460958", "01144", REFUSED),
    ("default", "2125550142", "1900", REFUSED),
    ("default", "2125550142", "*72", REFUSED),
    ("default", "9005551234", "", PREMIUM),
    ("default", "9005551234;phone-context=+91", "", "|+919005551234"),
    ("default", "9005551234;phone-context=+44", "", "GB is not in allow_regions"),
    ("default", "2079460958;phone-context=+44", "", "GB is not in allow_regions"),
    ("open", "2125550142", "9", "9|2125550142"),
    ("open", "2079460958", "01144", REFUSED),
    ("open", "2125550142", "*72", REFUSED),
    ("acme", "2125550142", "*67", "*67|2125550142"),
    ("acme", "2125550142", "9", "9|2125550142"),
    ("acme", "2125550142", "8", REFUSED),
    ("acme", "2079460958", "01144", REFUSED),
    ("acme", "2125550142", "*72", REFUSED),
]
AGENTS = [f"0{base + number}" for base in (100, 200) for number in range(len(CASES))]


@pytest.fixture(scope="module")
def xima() -> Iterator[Sandbox]:
    """A pretend Xima with an agent for every case, so that none waits for another."""
    agents = [{"name": one, "extension": one} for one in AGENTS]
    with Sandbox.start(script=json.dumps({"agents": agents})) as started:
        yield started


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory, xima: Sandbox) -> Iterator[Adapter]:
    with running(tmp_path_factory.mktemp("prefixes"), xima.url, start=False) as made:
        (made.mappings / "tenants.yaml").write_text(TENANTS.format(url=xima.url), encoding="utf-8")
        for tenant in ("default", "open", "acme"):
            made.write(f"click-{tenant}", CLICK.format(name=f"click-{tenant}", tenant=tenant))
        made.start()
        yield made


@pytest.fixture(scope="module")
def key(adapter: Adapter) -> dict[str, str]:
    store = adapter.store()
    token = add_key(store, "dial")
    store.close()
    return bearer(token)


def ledger(xima: Sandbox, agent: str) -> list[str]:
    """What Xima was asked to dial for an agent: the prefix and the number."""
    asked = [call["json"] for call in xima.world.ledger() if f"/agents/{agent}/" in call["path"]]
    return [f"{one.get('externalPrefix', '')}|{one['numberToDial']}" for one in asked]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_what_a_program_asks_for_is_dialled_or_refused(
    adapter: Adapter, xima: Sandbox, key: dict[str, str], number: int, case: tuple[str, str, str, str]
) -> None:
    tenant, phone, prefix, expected = case
    agent = f"0{100 + number}"
    body = {"tenant": tenant, "agent": agent, "number": phone} | ({"prefix": prefix} if prefix else {})
    told = requests.post(f"{adapter.url}/api/dial", json=body, headers=key, timeout=60)
    judge(told.status_code, told.json(), ledger(xima, agent), expected, refused=422)
    if told.status_code == 422:
        (fault,) = told.json()["errors"]
        assert fault["pointer"] == ("#/prefix" if expected == REFUSED else "#/number")
        assert ("tenants.yaml" in fault["detail"]) or expected != REFUSED
        assert "in the mapping" not in fault["detail"]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_what_a_record_asks_for_is_dialled_or_refused(
    adapter: Adapter, xima: Sandbox, number: int, case: tuple[str, str, str, str]
) -> None:
    tenant, phone, prefix, expected = case
    agent = f"0{200 + number}"
    body = {"id": agent, "agent": agent, "phone": phone, "line": prefix}
    (told,) = adapter.post(f"click-{tenant}", json.dumps(body).encode()).json()["receipts"]
    judge(422 if told["state"] == "reject" else 200, told, ledger(xima, agent), expected, refused=422)


def judge(status: int, told: Any, asked: list[str], expected: str, *, refused: int) -> None:
    if "|" in expected:
        assert (status, told.get("state"), asked) == (200, "accepted", [expected]), told
    else:
        assert (status, asked) == (refused, []), told
        assert expected in json.dumps(told)
