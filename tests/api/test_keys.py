"""Who is let in: a key in force, with the scope, for the tenant; everybody else hears why in one shape."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from web.front import WORK, front

from adapter.api import tokens
from adapter.api.operations import OPERATIONS, Operation
from adapter.errors import StoreError
from api.asking import CALLBACK, DIAL, Api, bearer

KEYED = [pytest.param(one, id=one.id) for one in OPERATIONS if one.scope]


def path_of(one: Operation) -> str:
    return one.path.format(delivery_id="x", extension="0101")


@pytest.mark.parametrize("one", KEYED)
def test_every_operation_wants_a_key_with_its_scope_and_names_it(api: Api, one: Operation) -> None:
    others = [scope for scope in tokens.SCOPES if scope != one.scope]
    told = api.problem(403, one.method.upper(), path_of(one), headers=api.key(*others))
    assert told["scope"] == one.scope
    assert told["detail"] == f"This API key lacks the scope {one.scope}"
    answer = api.ask(one.method.upper(), path_of(one), headers=api.key(one.scope, name="fitting"))
    assert answer.status_code not in (401, 403)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Authorization": ""}, "No API key was given"),
        ({"Authorization": "Bearer"}, "No API key was given"),
        ({"Authorization": "Bearer "}, "No API key was given"),
        ({"Authorization": "Basic dXNlcjpwdw=="}, "No API key was given"),
        (bearer("xca_"), "This API key is not valid"),
        (bearer("sandbox-token"), "This API key is not valid"),
        (bearer("\xe9" * 47), "This API key is not valid"),
        (bearer(tokens.new_token()), "This API key is not valid"),
        (bearer(f"{tokens.new_token()}\xb2"), "This API key is not valid"),
    ],
)
def test_without_a_key_in_force_nobody_is_let_in(api: Api, given: dict[str, str], said: str) -> None:
    answer = api.ask("GET", "/api/mappings", headers=given)
    assert answer.status_code == 401
    assert answer.get_json()["detail"].startswith(said)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="api"')
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == ("not valid" in said)


def test_the_name_of_the_scheme_is_written_in_any_case(api: Api) -> None:
    assert api.ask("GET", "/api/mappings", headers={"Authorization": f"bearer {api.token}"}).status_code == 200


def test_a_revoked_key_ends_at_once(api: Api) -> None:
    api.get("/api/mappings")
    api.front.store.keys.revoke("crm", now=datetime.now(UTC))
    api.problem(401, "GET", "/api/mappings")


def test_a_key_ends_when_it_expires(api: Api) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    header = api.key(name="short", expires_at=now)
    with freeze_time(now - timedelta(microseconds=1)):
        api.get("/api/mappings", headers=header)
    with freeze_time(now):
        api.problem(401, "GET", "/api/mappings", headers=header)


def test_the_day_of_its_last_use_is_written_once_a_day(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    written, used = [], api.front.store.keys.used

    def watched(digest: str, day: str) -> None:
        written.append(day)
        used(digest, day)

    monkeypatch.setattr(api.front.store.keys, "used", watched)
    for day in ("2026-11-22", "2026-11-22", "2026-11-23"):
        with freeze_time(f"{day} 12:00:00"):
            api.get("/api/mappings")
    assert written == ["2026-11-22", "2026-11-23"]


def test_a_day_that_cannot_be_written_refuses_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(api.front.store.keys, "used", broken)
    assert api.get("/api/mappings")["mappings"]


def test_refusals_are_counted_and_logged_without_the_token(api: Api, log: io.StringIO) -> None:
    token = tokens.new_token()
    api.problem(401, "GET", "/api/mappings", headers=bearer(token))
    api.problem(403, "POST", "/api/dial", DIAL, headers=api.key("callback"))
    counted = {(one["mapping"], one["code"], one["reason"]) for one in api.front.refusals()}
    assert counted == {
        ("api", "unauthorized", "this API key is not valid: it is unknown, revoked or expired"),
        ("api", "forbidden", "this API key lacks the scope dial"),
    }
    assert log.getvalue().count("request.refused mapping=api") == 2
    assert token not in log.getvalue()


def test_an_address_that_guesses_keys_is_shut_out(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_ADDRESS_LIMIT="1") as made:
        made.stop_clocks()
        api = Api(made)
        from_outside = {"environ_base": {"REMOTE_ADDR": "8.8.4.4"}}
        answers = [
            made.client.get("/api/mappings", headers=bearer(tokens.new_token()), **from_outside) for _ in range(12)
        ]
        late = made.client.get("/api/mappings", headers=bearer(api.token), **from_outside)
    statuses = [one.status_code for one in answers]
    assert (statuses, late.status_code) == ([401] * 10 + [429] * 2, 429)
    assert late.content_type == "application/problem+json"
    assert int(late.headers["Retry-After"]) >= 1


def test_a_key_that_asks_too_much_is_told_to_wait(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_MAPPING_LIMIT="1") as made:
        made.stop_clocks()
        api = Api(made)
        statuses = [api.ask("GET", "/api/mappings").status_code for _ in range(12)]
        other = api.ask("GET", "/api/mappings", headers=api.key())
    assert (statuses, other.status_code) == ([200] * 10 + [429] * 2, 200)


# tenants


def test_a_key_of_one_tenant_sees_and_does_nothing_for_others(api: Api) -> None:
    mine = api.post("/api/callback", CALLBACK)["id"]
    acme = api.key(tenant="acme")
    assert api.get("/api/deliveries", headers=acme) == {"deliveries": [], "next": None}
    assert api.get("/api/deliveries?tenant=default", headers=acme) == {"deliveries": [], "next": None}
    assert api.get("/api/mappings", headers=acme) == {"mappings": []}
    for method in ("GET", "DELETE"):
        api.problem(404, method, f"/api/deliveries/{mine}", headers=acme)
    told = api.problem(403, "POST", "/api/callback", {**CALLBACK, "tenant": "default"}, headers=acme)
    assert told["detail"] == "This API key is for the tenant acme only"


def test_a_key_of_a_tenant_that_is_no_more_does_nothing(api: Api) -> None:
    told = api.problem(422, "POST", "/api/callback", CALLBACK, headers=api.key(tenant="gone"))
    assert told["errors"] == [{"pointer": "#/tenant", "detail": "known are default"}]


def test_a_key_of_one_tenant_works_for_it(api: Api) -> None:
    header = api.key(tenant="default")
    assert api.ask("POST", "/api/callback", CALLBACK, headers=header).status_code == 200
    assert len(api.get("/api/deliveries", headers=header)["deliveries"]) == 1
    assert [one["name"] for one in api.get("/api/mappings", headers=header)["mappings"]] == ["work"]


# what no browser may do


def test_no_answer_invites_browsers(api: Api) -> None:
    asked = {"Origin": "https://crm.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", "/api/dial"), ("GET", "/api/mappings"), ("GET", "/api/openapi.json")):
        answer = api.ask(method, path, headers=asked)
        assert answer.status_code == 200
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


def test_answers_are_kept_nowhere_on_the_way(api: Api) -> None:
    assert api.ask("GET", "/api/deliveries").headers["Cache-Control"] == "no-store"


def test_the_name_of_a_key_stands_in_what_is_kept_and_its_token_nowhere(api: Api, log: io.StringIO) -> None:
    api.post("/api/dial", DIAL)
    (kept,) = api.front.rows("requests")
    assert '"x-api-key-name":"crm"' in kept["headers"]
    assert "authorization" not in kept["headers"].lower()
    everything = str([api.front.rows(table) for table in ("requests", "deliveries", "api_keys", "acts")])
    assert api.token not in everything + log.getvalue()
    assert "api.asked" in log.getvalue()
    assert "key=crm operation=dial" in log.getvalue()
