"""The pages of the senders: every one is listed, says what the files say, and leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sender_cases import PRESETS, ROOT, STARTERS

from adapter import payload

FOLDER = ROOT / "docs/senders"
TABLE = FOLDER / "README.md"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page != TABLE)
TEXTS = {page: page.read_text(encoding="utf-8") for page in (TABLE, *PAGES)}
MAPPINGS = [
    (page, mapping)
    for page in PAGES
    for mapping in re.findall(r"^```yaml\n(.*?)^```$", TEXTS[page], re.DOTALL | re.MULTILINE)
    if re.search("^format: 1$", mapping, re.MULTILINE)
]


def name_of(mapping: str) -> str:
    found = re.search(r"^name: (\S+)$", mapping, re.MULTILINE)
    assert found
    return found[1]


def anchors(page: Path) -> set[str]:
    """The places of a page that a link can name."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "mapping"), MAPPINGS, ids=[f"{page.stem}-{name_of(text)}" for page, text in MAPPINGS])
def test_the_mapping_of_a_page_is_the_starter_word_for_word(page: Path, mapping: str) -> None:
    assert mapping == STARTERS[name_of(mapping)].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_where_to_click_what_arrives_and_how_to_try_it(page: Path) -> None:
    text = TEXTS[page]
    shown = {name_of(mapping) for of, mapping in MAPPINGS if of == page}
    assert shown, "the mapping is missing"
    for heading in ("Where to click", "What arrives", "The mapping", "Try it"):
        assert re.search(f"^##+ {heading}$", text, re.MULTILINE), heading
    for name in shown & set(re.findall(r"xima-adapter send (\S+)", text)):
        assert f"/hooks/{name}" in text
    assert "xima-adapter send" in text


def test_the_table_lists_every_page_and_every_preset() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)", TEXTS[TABLE]))
    assert linked == {page.name for page in PAGES}
    listed = set(re.findall(r"`([\w-]+)`", "".join(re.findall(r"^\|.*\|$", TEXTS[TABLE], re.MULTILINE))))
    assert set(PRESETS) <= listed


@pytest.mark.parametrize("page", [TABLE, *PAGES], ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for file, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", TEXTS[page]):
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_speaks_of_presets_that_are_there(page: Path) -> None:
    named = re.findall(r"xima-adapter presets ([a-z][\w-]*)", TEXTS[page])
    assert set(named) <= set(PRESETS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_says_that_arrives_can_be_read(page: Path) -> None:
    for body in re.findall(r"^```json\n(.*?)^```$", TEXTS[page], re.DOTALL | re.MULTILINE):
        assert payload.parse("json", body.encode())


def test_the_code_for_apex_signs_as_its_preset_checks() -> None:
    verify = PRESETS["salesforce-apex"].verify
    code = re.findall(r"^```apex\n(.*?)^```$", TEXTS[FOLDER / "salesforce.md"], re.DOTALL | re.MULTILINE)[0]
    assert f"'{verify['header']}', EncodingUtil.{verify['encoding']}Encode(mac)" in code
    assert f"'{verify['timestamp']['header']}', moment" in code
    assert (verify["content"], "moment + '.' + body" in code) == ("{timestamp}.{body}", True)
    assert (verify["timestamp"]["unit"], "Datetime.now().getTime()" in code) == ("ms", True)


def test_the_formula_for_a_flow_signs_as_its_preset_checks() -> None:
    preset = PRESETS["salesforce-named-credential"]
    formula = "{!HEX(HMAC('SHA-256',$Credential.NAME.Body,BLOB($Credential.NAME.SigningKey)))}"
    assert formula in TEXTS[FOLDER / "salesforce.md"]
    assert formula in " ".join(preset.setup)
    assert (preset.verify["encoding"], preset.verify["content"]) == ("hex", "{body}")
