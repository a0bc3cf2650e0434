"""The whole output of `check` for mistakes that admins make, kept in files that a person can read.

Each file of `golden/` names lines of the mapping of the documentation (-), what is written instead (+), and, below an
empty line, everything that is printed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from mapping_cases import HUBSPOT

from adapter.cli import main

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))
NAME = "hubspot-click-to-dial.yaml"
SPREADSHEET = "e-mail,extension,name\npat.owner@example.com,0101,Pat Owner\n"


def changed(change: str) -> str:
    """The mapping of the documentation with one mistake in it."""
    lines = [(line[:1], line[2:]) for line in change.splitlines()]
    old, new = ("".join(f"{text}\n" for sign, text in lines if sign == wanted) for wanted in "-+")
    assert HUBSPOT.count(old) == 1, old
    return HUBSPOT.replace(old, new)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_an_admin_sees_the_place_the_line_and_the_remedy(file: Path, tmp_path: Path) -> None:
    change, _, expected = file.read_text(encoding="utf-8").partition("\n\n")
    (tmp_path / NAME).write_text(changed(change), encoding="utf-8")
    (tmp_path / "agents.csv").write_text(SPREADSHEET, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(tmp_path / NAME)])
    assert result.output == expected
    assert result.exit_code == 1
    assert expected.splitlines()[-1].endswith("; the mapping in use stays as it was")


def test_every_mistake_of_the_documentation_is_kept() -> None:
    assert len(GOLDEN) >= 16
