"""Keys for the API, as an operator makes and ends them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from freezegun import freeze_time

from adapter.api import tokens
from adapter.store import Store
from cli.conftest import Run


@pytest.fixture
def stored(run: Run) -> Run:
    """The command line with a store."""
    run("db", "upgrade")
    return run


def listed(run: Run) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("keys", "list", "--json").stdout)
    return found


def test_a_token_is_shown_once_and_kept_as_its_hash(stored: Run, home: Path) -> None:
    made = stored("keys", "add", "crm", "--scope", "dial", "--scope", "dial", "--scope", "callback")
    token = made.stdout.strip()
    assert tokens.is_token(token)
    assert "shown once" in made.stderr
    assert token not in stored("keys", "list").stdout
    assert not any(token.encode() in path.read_bytes() for path in home.glob("adapter.db*"))
    store = Store("sqlite:///adapter.db")
    found = store.keys.find(tokens.digest(token))
    store.close()
    assert found is not None
    assert (found.name, found.scopes, found.tenant, found.expires_at) == ("crm", ["callback", "dial"], "", None)


def test_no_two_tokens_are_alike() -> None:
    assert len({tokens.new_token() for _ in range(100)}) == 100


@freeze_time("2026-11-22 12:00:00")
def test_the_list_says_what_each_key_may_do_and_until_when(stored: Run) -> None:
    assert stored("keys", "list").stdout == "No keys yet: xima-adapter keys add NAME --scope SCOPE\n"
    stored("keys", "add", "crm", "--scope", "dial", "--expires", "90d", "--tenant", "acme")
    stored("keys", "add", "wallboard", "--scope", "deliveries:read", "--expires", "1s")
    with freeze_time("2026-11-22 12:00:01"):
        shown = stored("keys", "list").stdout.splitlines()
        (crm, wallboard) = listed(stored)
    assert shown[0].split() == ["NAME", "STATE", "USED", "EXPIRES", "TENANT", "SCOPES"]
    assert shown[1].split() == ["crm", "in", "force", "-", "2027-02-20T12:00:00.000Z", "acme", "dial"]
    assert (crm["state"], crm["tenant"], crm["created_at"]) == ("in force", "acme", "2026-11-22T12:00:00.000Z")
    assert (wallboard["state"], wallboard["scopes"]) == ("expired", ["deliveries:read"])


def test_a_revoked_key_stays_in_the_list_and_its_name_is_free(stored: Run) -> None:
    stored("keys", "add", "crm", "--scope", "dial")
    again = stored("keys", "add", "crm", "--scope", "dial")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "there is a key called crm already: revoke it first" in again.stderr
    assert stored("keys", "revoke", "crm").stdout == "crm is not let in any more.\n"
    gone = stored("keys", "revoke", "crm")
    assert (gone.exit_code, gone.stdout) == (1, "No key called crm is in force.\n")
    assert stored("keys", "add", "crm", "--scope", "dial").exit_code == 0
    assert [one["state"] for one in listed(stored)] == ["revoked", "in force"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("crm",), "Missing option '--scope'"),
        (("crm", "--scope", "everything"), "'everything' is not one of"),
        (("a key", "--scope", "dial"), "'a key' cannot be the name of a key"),
        (("crm", "--scope", "dial", "--expires", "90"), "--expires: a duration needs its unit"),
        (("crm", "--scope", "dial", "--expires", "0d"), "--expires: such a key would be over at once"),
        (("crm", "--scope", "dial", "--tenant", "none"), "there is no tenant 'none': known are acme, default"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_the_remedy(stored: Run, words: tuple[str, ...], said: str) -> None:
    refused = stored("keys", "add", *words)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert listed(stored) == []


def test_the_help_says_what_the_scopes_are(run: Run) -> None:
    shown = run("keys", "add", "--help").stdout
    assert all(f"{name} " in shown and about in shown for name, about in tokens.SCOPES.items())


def test_the_description_is_printed(run: Run) -> None:
    shown = json.loads(run("openapi").stdout)
    assert (shown["openapi"], shown["servers"]) == ("3.1.0", [{"url": "http://127.0.0.1:8000"}])
