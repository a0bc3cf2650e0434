"""Several Xima tenants in one process: their file, its mistakes, and whom a mapping dials for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import CLICK, SECRET, running, until

from adapter import sources, tenants
from adapter.errors import MappingError, SettingsError
from adapter.mapping.dialling import Dialling
from adapter.policy import Rate
from adapter.sandbox import Sandbox
from adapter.xima import Tenant

DEFAULT = Tenant(name="default", base_url="https://main.xima.cloud", token="t0")
ACME = "acme:\n  host: acme.xima.cloud\n  token: ACME_TOKEN\n"
ENVIRON = {"ACME_TOKEN": " t1\n"}


def load(folder: Path, text: str, environ: dict[str, str] = ENVIRON) -> tenants.Tenants:
    (folder / "tenants.yaml").write_text(text, encoding="utf-8")
    return tenants.load(folder, DEFAULT, environ)


def test_a_tenant_has_its_dial_rules(tmp_path: Path) -> None:
    found = load(tmp_path, f"default:\n  phones:\n    region: US\n    allow_regions: US\n{ACME}")
    assert found.phones == {"default": Dialling(region="US", allow_regions=frozenset({"US"}))}


def test_without_a_file_there_is_the_one_of_the_settings(tmp_path: Path) -> None:
    found = tenants.load(tmp_path, DEFAULT)
    assert found == tenants.Tenants(known={"default": DEFAULT}, rates={})
    assert tenants.dialling(tmp_path) == {"default": Dialling()}


def test_the_tenants_of_the_file_stand_beside_it(tmp_path: Path) -> None:
    found = load(tmp_path, f"default:\n  per_second: 5\n{ACME}  per_second: 2\n  burst: 7\n")
    acme = Tenant(name="acme", base_url="https://acme.xima.cloud", token="t1")
    assert found.known == {"default": DEFAULT, "acme": acme}
    assert found.rates == {"default": Rate(per_second=5, burst=5), "acme": Rate(per_second=2, burst=7)}
    assert found.tokens == ("t0", "t1")
    assert tenants.dialling(tmp_path) == {"default": Dialling(), "acme": Dialling()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("acme:\n  token: T\n", "tenants.yaml:2:3: host: this key is missing (in acme)", id="no host"),
        pytest.param("acme:\n  host: x.y\n", "tenants.yaml:2:3: token: this key is missing (in acme)", id="no token"),
        pytest.param("default:\n  host: x.y\n", "token: this key is missing (in default)", id="half a default"),
        pytest.param(f"{ACME}  tokn: X\n", "tenants.yaml:4:3: unknown key 'tokn' (in acme.tokn)", id="unknown key"),
        pytest.param("acme:\n  host: x/y\n  token: T\n", "2:9: write acme.xima.cloud or https://host:port", id="host"),
        pytest.param(f"{ACME}  per_second: 0\n", "4:15: write a whole number from 1 to 1000", id="rate"),
        pytest.param(f"{ACME}  phones:\n    region: UK\n", "5:13: ", id="a country"),
        pytest.param(f"{ACME}  phones: {{allow_regions: USA}}\n", "4:27: 'USA' is not a country", id="country"),
        pytest.param(f"{ACME}  phones: {{region_field: x}}\n", "4:12: unknown key 'region_field'", id="no key"),
        pytest.param("- acme\n", "tenants.yaml:1:1: a group of tenants is expected", id="a list"),
        pytest.param("acme: x\n", "tenants.yaml:1:7: ", id="a text"),
        pytest.param("acme: [\n", "tenants.yaml:1:8: something is missing here", id="no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert said in "\n".join(caught.value.problems)
    with pytest.raises(SettingsError):
        tenants.dialling(tmp_path)


@pytest.mark.parametrize("environ", [{}, {"ACME_TOKEN": " "}], ids=["not set", "blank"])
def test_a_token_that_is_not_there_is_missed(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, ACME, environ)
    assert caught.value.problems == ["ACME_TOKEN is not set: tenants.yaml names it for the tenant acme"]


def test_a_file_that_cannot_be_read_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"tenants\.yaml cannot be read: it is not UTF-8"):
        tenants.load(tmp_path, DEFAULT)
    with pytest.raises(SettingsError, match="T_FILE: /nowhere cannot be read"):
        load(tmp_path, ACME.replace("ACME_TOKEN", "T"), {"T_FILE": "/nowhere"})


def test_a_mapping_for_a_tenant_nobody_described_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "click.yaml"
    path.write_text(CLICK.replace("name: click\nreceive", "name: click\ntenant: acme\nreceive"), encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        sources.read(path)
    assert sources.rendered(path, caught.value) == (
        "click.yaml:4:9: there is no tenant 'acme': known are default (in tenant)\n"
        "       4 | tenant: acme\n"
        "         |         ^\n"
        "         = describe it in tenants.yaml, or remove this line",
    )
    (tmp_path / "tenants.yaml").write_text(ACME, encoding="utf-8")
    assert sources.read(path).tenant == "acme"


def test_each_mapping_dials_for_its_tenant_and_one_tenants_token_stops_it_alone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    other = Sandbox.start()
    try:
        with running(tmp_path, sandbox.url, start=False, ACME_TOKEN="revoked") as adapter:
            (adapter.mappings / "tenants.yaml").write_text(f"acme:\n  host: {other.url}\n  token: ACME_TOKEN\n")
            adapter.write("acme", CLICK.replace("name: click\nreceive", "name: acme\ntenant: acme\nreceive"))
            adapter.start()
            lead = {"skill": "Sales", "phone": "8015550142"}
            for name in ("acme", "click"):
                adapter.post(name, json.dumps({**lead, "id": name}).encode())
            store = adapter.store()
            until(
                lambda: (
                    sorted((one.mapping, one.state) for one in store.newest())
                    == [("acme", "held"), ("click", "accepted")]
                )
            )
            (late,) = adapter.post("acme", json.dumps({**lead, "id": "late"}).encode()).json()["receipts"]
            assert (late["state"], late["policy"]) == ("held", "token")
            click = {"id": "click", "agent": "0101", "phone": "8015550199"}
            (dial,) = adapter.post("acme", json.dumps(click).encode()).json()["receipts"]
            assert (dial["state"], dial["policy"]) == ("held", "token")
            store.close()
        assert [call["effect"] for call in sandbox.world.ledger()] == [True]
        assert {call["status"] for call in other.world.ledger()} == {401}
        assert "revoked" not in adapter.log()
        assert SECRET not in adapter.log()
        assert "tenant.stopped tenant=acme" in adapter.log()
    finally:
        other.stop()


def test_a_dial_that_its_tenant_does_not_allow_is_told_so_and_never_reaches_xima(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with running(tmp_path, sandbox.url, start=False) as adapter:
        (adapter.mappings / "tenants.yaml").write_text("default: {phones: {allow_regions: US}}")
        adapter.start()
        (told,) = adapter.post("click", b'{"id": "1", "agent": "0101", "phone": "+442079460958"}').json()["receipts"]
        why = "number_to_dial: region GB is not in allow_regions for the tenant default (tenants.yaml)"
        assert (told["state"], told["reason"]) == ("reject", why)
        (fine,) = adapter.post("click", b'{"id": "2", "agent": "0101", "phone": "8015550142"}').json()["receipts"]
        assert fine["state"] == "accepted"
    assert [call["json"]["numberToDial"] for call in sandbox.world.ledger()] == ["8015550142"]
