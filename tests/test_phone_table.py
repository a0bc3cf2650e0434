"""The table `data/phones.csv`: how numbers of many countries are read and dialled, at home and from abroad.

Numbers are from ranges kept for fiction where the library takes them, else near the library's own examples. A line is
the home country, the number's own country, the outside-line prefix, dial_as, allow_regions, the text as typed, and
either what is dialled or why nothing is.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from adapter import phone
from adapter.phone import Number, Rules

with (Path(__file__).parent / "data/phones.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def test_the_table_is_of_many_countries() -> None:
    assert len(ROWS) >= 150
    assert len({row["home"] for row in ROWS}) >= 12


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(filter(None, list(row.values())[:6])))
def test_a_number_is_dialled_or_refused_as_the_table_says(row: dict[str, str]) -> None:
    rules = Rules(
        region=row["home"] or None,
        dial_as=row["dial_as"],  # type: ignore[arg-type] # one of its words, as a text of the table
        allow_regions=frozenset(row["allow"].split()) or None,
    )
    found = phone.read(row["text"], rules, region=row["region"] or None, prefix=row["prefix"])
    assert (found.dial if isinstance(found, Number) else "") == row["dial"]
    assert (found.reason if not isinstance(found, Number) else "") == row["reason"]
