"""Lookup tables kept in a spreadsheet beside the mapping (CSV)."""

from __future__ import annotations

import csv
import io

from marshmallow import ValidationError

from adapter.condition import folded
from adapter.mapping.compiled import Csv
from adapter.mapping.problems import Said, did_you_mean


def table(of: Csv, content: str) -> dict[str, str]:
    """The lines of a file's text as folded key -> value; raises `ValidationError` with what is wrong in it.

    Where people write a decimal comma, spreadsheets put semicolons between the columns.
    """
    content = content.removeprefix("\ufeff")
    header = content.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, skipinitialspace=True)
    found: dict[str, str] = {}
    try:
        key, value = _columns(of, next(rows, []))
        for row in rows:
            name, text = (folded(row[at]) if at < len(row) else "" for at in (key, value))
            if name and text and found.setdefault(name, row[value].strip()) != row[value].strip():
                said = f"line {rows.line_num} of {of.file} gives '{row[key].strip()}' another value than a line above"
                raise ValidationError({"file": [Said(said, hint="remove one of the two lines")]})
    except csv.Error as exc:
        raise ValidationError({"file": [f"{of.file} cannot be read as CSV: {exc}"]}) from exc
    return found


def _columns(of: Csv, header: list[str]) -> list[int]:
    """The numbers of the key's and the value's column."""
    columns = [name.strip() for name in header]
    wrong = {}
    for part, name in (("key", of.key), ("value", of.value)):
        if name not in columns:
            hint = did_you_mean(name, columns) or f"its columns are {', '.join(columns) or 'none'}"
            wrong[part] = [Said(f"the file {of.file} has no column '{name}'", hint=hint)]
    if wrong:
        raise ValidationError(wrong)
    return [columns.index(of.key), columns.index(of.value)]
