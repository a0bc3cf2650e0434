"""docs/architecture.md and docs/reference.md are printed from the code, or lead to what there is."""

from __future__ import annotations

import re

from pages import PAGES, ROOT
from test_docs import between
from test_house import LAYERS

from adapter.cli import printed, reference

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
NAMES = ("words", "pure tools", "pure rules", "edges", "services", "front", "doors")


def layers() -> str:
    """The layers as a drawing."""
    rows = [f"{name:11} {' · '.join(rooms)}" for name, rooms in zip(NAMES, LAYERS, strict=True)]
    return "\n".join(("```text", *rows, "```"))


def moves() -> str:
    return f"```mermaid\n{printed.states_mermaid()}\n```"


def test_the_layers_are_those_that_are_held() -> None:
    assert between(PAGE, "layers") == layers(), f"write it anew:\n{layers()}"


def test_the_diagram_of_the_states_is_the_table_of_moves() -> None:
    assert between(PAGE, "moves") == moves(), f"write it anew:\n{moves()}"


def test_every_room_of_the_way_and_every_proof_is_there() -> None:
    for name in re.findall(r"`((?:tests/)?[\w/]+(?:\.py|/))`", PAGE):
        assert (ROOT / name).exists() or (ROOT / "adapter" / name).exists(), name
    promises = PAGE.partition("## What is promised")[2]
    assert len(re.findall(r"^\| [A-Z]", promises, re.MULTILINE)) == 5
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make (\w+)`", promises)) <= set(targets)


def test_the_reference_is_printed_from_the_schemas() -> None:
    """Write it anew with: xima-adapter schema --page > docs/reference.md."""
    assert (ROOT / "docs/reference.md").read_text(encoding="utf-8") == reference.page()


def test_every_key_of_the_reference_says_what_it_means() -> None:
    silent = [row for row in reference.page().splitlines() if row.startswith("| `") and row.endswith("|  |")]
    assert silent == []


def anchors(text: str) -> set[str]:
    """The places of a page that a link can name."""
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_link_to_a_place_in_a_page_leads_there() -> None:
    broken = []
    for page in PAGES:
        for file, anchor in re.findall(r"\]\(([^)#:]*)#([^)]*)\)", page.read_text(encoding="utf-8")):
            target = page.parent / file if file else page
            if target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
                broken.append(f"{page.name}: {file}#{anchor}")
    assert broken == []
