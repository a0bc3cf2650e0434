"""What the pages say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from adapter.cli import main, printed
from adapter.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def between(text: str, name: str) -> str:
    """What stands between the markers `<!-- name -->` and `<!-- /name -->`."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text, re.DOTALL)
    assert found, f"the markers of {name} are missing"
    return found[1]


def test_the_readme_lists_the_settings_as_they_are() -> None:
    assert between(README, "settings") == printed.settings_markdown()


def test_the_example_of_the_environment_is_printed_from_the_settings() -> None:
    assert (ROOT / "deploy/adapter.env.example").read_text(encoding="utf-8") == printed.env_example()


def test_the_states_are_printed_from_the_table_of_moves() -> None:
    page = (ROOT / "docs/deliveries.md").read_text(encoding="utf-8")
    assert between(page, "states") == printed.states_markdown()


def test_the_warnings_are_printed_from_their_table() -> None:
    page = (ROOT / "docs/mappings.md").read_text(encoding="utf-8")
    assert between(page, "warnings") == printed.warnings_markdown()


@pytest.mark.parametrize("command", sorted(main.commands))
def test_the_readme_names_every_command(command: str) -> None:
    assert f"`{command}" in README or f"xima-adapter {command}" in README


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_the_shell_is_told_where_the_program_is_before_it_is_called(page: str) -> None:
    """What `make` installs is in .venv, where no shell looks by itself."""
    text = (ROOT / page).read_text(encoding="utf-8")
    called = re.search(r"(?<![\w/.-])xima-adapter (?=[a-z-])", text)
    assert called
    assert 'export PATH="$PWD/.venv/bin:$PATH"' in text[: called.start()]


def test_every_link_to_a_file_leads_somewhere() -> None:
    pages = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_smallest_mapping_of_the_docs_is_the_shipped_one() -> None:
    page = (ROOT / "docs/mappings.md").read_text(encoding="utf-8")
    assert between(page, "callback").removeprefix("```yaml\n").removesuffix("\n```") == (
        ROOT / "mappings/callback.yaml"
    ).read_text(encoding="utf-8").rstrip("\n")


def test_the_examples_of_settings_can_be_read() -> None:
    for one in SETTINGS:
        if one.example and one.read is not str:
            one.read(one.example)


def test_the_shipped_files_are_plain_yaml() -> None:
    for path in [*(ROOT / "mappings").glob("*.yaml"), *(ROOT / "adapter/presets").glob("*.yaml")]:
        assert yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)


def test_no_page_has_a_new_key_made_at_every_start() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    made = re.compile(r"export .*ADAPTER_SECRET_KEY=\$\(")
    assert [page.name for page in pages if made.search(page.read_text(encoding="utf-8"))] == []
