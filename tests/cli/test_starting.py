"""`new`: a mapping to start from, under a name of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import sources
from cli.conftest import Run


@pytest.mark.parametrize("preset", list(sources.presets()))
def test_a_mapping_from_any_sender_is_good_under_another_name(run: Run, home: Path, preset: str) -> None:
    result = run("new", "desk-calls", "--from", preset)
    file = Path("mappings/desk-calls.yaml")
    assert result.exit_code == 0
    assert f"xima-adapter check {file}" in result.stdout
    assert run("check", str(file)).exit_code == 0
    assert sources.read(home / "mappings/desk-calls.yaml").name == "desk-calls"
    head = (home / "mappings/desk-calls.yaml").read_text(encoding="utf-8").partition("\nformat:")[0]
    assert f"/hooks/{preset}" not in head


def test_it_says_the_url_the_secret_and_what_comes_next(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("new", "website", "--from", "header-token").stdout.splitlines() == [
        "mappings/website.yaml is written. It answers POST /hooks/website. Next:",
        "  set HEADER_KEY where the adapter starts, and restart it",
        "  xima-adapter presets header-token   (what to click at the sender)",
        "  xima-adapter check mappings/website.yaml   (when you have changed it)",
    ]
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "https://hooks.example.com")
    assert "It answers POST https://hooks.example.com/hooks/desk. Next:" in run("new", "desk", "--from", "slack").stdout


def test_an_editor_is_pointed_to_the_schema_where_there_is_one(run: Run, home: Path) -> None:
    run("new", "one", "--from", "zendesk")
    (home / "mappings/mapping.schema.json").write_text("{}", encoding="utf-8")
    run("new", "two", "--from", "zendesk")
    one, two = ((home / f"mappings/{name}.yaml").read_text(encoding="utf-8") for name in ("one", "two"))
    assert two.replace("two", "one") == "# yaml-language-server: $schema=mapping.schema.json\n" + one


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("taken", "--from", "zendesk"), 1, "is there already: choose another name"),
        (("x" * 300, "--from", "zendesk"), 1, "cannot be written: File name too long"),
        (("../x", "--from", "zendesk"), 2, "cannot be the name of a mapping"),
        (("x.draft", "--from", "zendesk"), 2, "cannot be the name of a mapping"),
        (("tenants", "--from", "zendesk"), 2, "cannot be the name of a mapping"),
        (("api", "--from", "zendesk"), 2, "the adapter uses this name for something else"),
        (("My Form", "--from", "zendesk"), 2, "only letters, digits, - and _, like my-form"),
        (("x", "--from", "zendex"), 2, "did you mean zendesk?"),
        (("x", "--from", "Zoho"), 2, "did you mean zoho-crm, zoho-payments or zoho-workflow?"),
        (("x", "--from", "../../x"), 2, "xima-adapter presets lists what there is"),
        (("x",), 2, "Missing option '--from'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_begun_is_said(run: Run, home: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    (home / "mappings/taken.yaml").write_text("mine", encoding="utf-8")
    result = run("new", *arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert (home / "mappings/taken.yaml").read_text(encoding="utf-8") == "mine"
