"""For authors of mappings: the senders that are known, and the mapping to start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter import condition, sources
from adapter.cli import senders, words
from adapter.path import compile as path
from cli.conftest import Run

NAMES = list(sources.presets())
STARTED = [name for name in NAMES if senders.starter(name)]
FACTS = {"Proof", "First", "Body", "Once", "Time", "Never kept", "Test deliveries", "No number", "Answer"}


def test_every_sender_is_listed_once_under_its_group(run: Run) -> None:
    lines = run("presets").stdout.splitlines()
    titles = [line.removesuffix(":") for line in lines if line.endswith(":")]
    assert titles == list(senders.GROUPS.values())
    assert sorted(line.split()[0] for line in lines if line.startswith("  ")) == NAMES
    assert lines[-1] == "xima-adapter presets NAME says where to click and what to write."
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_sender_is_described_with_where_to_click_and_what_to_write(
    run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "https://hooks.example.com")
    preset = sources.presets()[name]
    result = run("presets", name)
    assert result.exit_code == 0
    assert "(the URL is https://hooks.example.com/hooks/NAME-OF-YOUR-MAPPING)" in result.stdout
    assert all(step in result.stdout for step in preset.setup)
    assert all(f"\n  {key}: {one.help}" in result.stdout for key, one in preset.parameters.items())
    assert "\nProof: " in result.stdout
    assert "\nAnswer: " in result.stdout


@pytest.mark.parametrize("name", STARTED)
def test_the_description_ends_with_the_mapping_and_names_its_secret(run: Run, name: str) -> None:
    mapping = run("presets", name, "--starter").stdout
    described = run("presets", name).stdout
    assert described.endswith("\n\n" + mapping)
    (one,) = json.loads(run("presets", name, "--json").stdout)
    assert one["starter"] == mapping
    assert all(f"{variable}" in described for variable in one["secrets"])


@pytest.mark.parametrize("name", STARTED)
def test_a_starter_is_good_as_it_is_under_the_name_of_its_sender(run: Run, home: Path, name: str) -> None:
    file = home / f"mappings/{name}.yaml"
    file.write_text(run("presets", name, "--starter").stdout, encoding="utf-8")
    result = run("check", str(file))
    assert result.exit_code == 0, result.stdout
    assert f"{file}: good, " in result.stdout


def test_a_thin_sender_says_which_way_its_mapping_takes(run: Run) -> None:
    assert "What keap itself sends holds no number, so the mapping takes another way: query-token." in (
        run("presets", "keap").stdout
    )
    assert "takes another way" not in run("presets", "zendesk").stdout


def test_all_senders_as_json(run: Run) -> None:
    told = json.loads(run("presets", "--json").stdout)
    assert [one["name"] for one in told] == NAMES
    assert list(told[0]) == [
        *("name", "title", "group", "about", "setup", "parameters", "verify", "facts", "secrets", "starter")
    ]
    assert {fact for one in told for fact in one["facts"]} <= FACTS
    assert all({"Proof", "Body", "Once", "Time", "Test deliveries", "Answer"} <= set(one["facts"]) for one in told)


def test_what_a_sender_does_not_tell_is_said_too(run: Run) -> None:
    described = run("presets", "zapier").stdout
    assert "Once: two records that are the same in everything are one event; write once: with key:" in described
    assert "Time: the age of an event counts from its arrival" in described
    assert "Test deliveries: look like any other request and count as one" in described


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["zendex"], "there is no preset called zendex; did you mean zendesk?"),
        (["Hubspot-V3"], "there is no preset called Hubspot-V3; did you mean hubspot-v3?"),
        (["qqq"], "there is no preset called qqq; known: activecampaign, basic,"),
        (["--starter"], "name the sender whose mapping is wanted: xima-adapter presets NAME --starter"),
    ],
)
def test_what_is_not_there_is_wrong_use(run: Run, arguments: list[str], said: str) -> None:
    result = run("presets", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_preset_without_a_starter_is_described_without_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "starter", lambda name: None)
    assert "mapping to start from" not in run("presets", "zendesk").stdout
    assert json.loads(run("presets", "zendesk", "--json").stdout)[0]["starter"] is None
    result = run("presets", "zendesk", "--starter")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no mapping to start from for zendesk: copy that of header-token" in result.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "zendesk",
            "an HMAC-SHA256 over the time, the body, in base64, in the header X-Zendesk-Webhook-Signature. "
            "A request whose time is more than 300 seconds off is refused",
        ),
        ("typeform", 'an HMAC-SHA256 over the body, in base64, in the header Typeform-Signature, behind "sha256="'),
        (
            "hubspot-v2",
            "a plain SHA256 hash over the secret, the method, the URL, the body, in hex, in the header "
            "X-HubSpot-Signature. It covers the URL: ADAPTER_PUBLIC_URL has to be what the sender calls",
        ),
        (
            "svix",
            'an HMAC-SHA256 over the id, ".", the time, ".", the body, in base64, in the header svix-signature. '
            "The secret is base64 behind whsec_. A request whose time is more than 300 seconds off is refused",
        ),
        (
            "close",
            "an HMAC-SHA256 over the time, the body, in hex, in the header close-sig-hash. The secret is hex. "
            "A request whose time is more than 300 seconds off is refused",
        ),
        ("zapier", 'the secret itself, in the header Authorization, behind "Bearer "'),
        ("header-token", "the secret itself, in the header that you name"),
        ("query-token", "the secret itself, in the URL as ?NAME="),
        ("zoho-workflow", "the secret itself, in the field authtoken of the body"),
        ("pipedrive", "a user name and a password (HTTP Basic); the secret is user:password"),
        ("salesforce-outbound", "an identifier in the field OrganizationId, which is no secret: add a second proof"),
        ("netlify", "a JSON web token (HS256) in the header X-Webhook-Signature, which covers the body"),
        ("monday", "a JSON web token (HS256) in the header Authorization, which does not cover the body"),
    ],
)
def test_a_proof_is_told_in_words(name: str, said: str) -> None:
    assert words.proof(sources.presets()[name].verify) == said


def test_several_proofs_are_told_in_words() -> None:
    of = [{"scheme": "basic"}, {"scheme": "query_token", "name": "key"}]
    assert words.proof({"scheme": "all_of", "of": of}).endswith("; and the secret itself, in the URL as ?key=")
    assert "; or the secret itself" in words.proof({"scheme": "any_of", "of": of})


@pytest.mark.parametrize(
    ("operator", "wanted", "said"),
    [
        ("present", True, "a.b is there"),
        ("present", False, "a.b is missing"),
        ("is", "x", "a.b is x"),
        ("is_not", "x", "a.b is not x"),
        ("in", ("x", "y"), "a.b is one of x, y"),
        ("not_in", ("x", "y"), "a.b is none of x, y"),
        ("contains", "x", "a.b contains x"),
        ("more_than", 5, "a.b more_than 5"),
    ],
)
def test_a_condition_is_told_in_words(operator: str, wanted: object, said: str) -> None:
    one = condition.Test(path("a.b"), operator, wanted)
    assert words.conditions([one]) == said
    assert words.conditions([one, one]) == f"{said} and {said}"
    assert words.conditions([condition.Group("any", (one, one))]) == f"({said} or {said})"
    assert words.conditions([condition.Group("all", (one, one))]) == f"({said} and {said})"
    assert words.conditions([condition.Group("not", (one,))]) == f"not ({said})"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("salesforce", "salesforce-apex, salesforce-named-credential or salesforce-outbound"),
        ("Zoho", "zoho-crm, zoho-payments or zoho-workflow"),
        ("zendex", "zendesk"),
        ("shop", "shopify"),
    ],
)
def test_all_that_begin_as_it_was_typed_are_offered(run: Run, typed: str, meant: str) -> None:
    result = run("presets", typed)
    assert (result.exit_code, f"did you mean {meant}?" in result.stderr) == (2, True), result.stderr
