"""Lookup tables kept in a spreadsheet beside the mapping (CSV)."""

from __future__ import annotations

import csv
import io
import re

from marshmallow import ValidationError

from adapter.condition import folded
from adapter.mapping.compiled import Csv
from adapter.mapping.problems import Said, did_you_mean


def table(of: Csv, content: str) -> dict[str, str]:
    """The lines of a file's text as folded key -> value; raises `ValidationError` with what is wrong in it.

    Where people write a decimal comma, spreadsheets put semicolons between the columns, and tabs into "Unicode text";
    some say so in a first line `sep=;`.
    """
    lines = io.StringIO(content.removeprefix("\ufeff"), newline="")
    separator = delimiter(lines)
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    found: dict[str, str] = {}
    try:
        key, value = _columns(of, next(rows, []))
        for row in rows:
            name, text = (folded(row[at]) if at < len(row) else "" for at in (key, value))
            if name and text and found.setdefault(name, row[value].strip()) != row[value].strip():
                said = f"line {rows.line_num} of {of.file} gives '{row[key].strip()}' another value than a line above"
                raise ValidationError({"file": [Said(said, hint="remove one of the two lines")]})
    except csv.Error as exc:
        said = f"{of.file} cannot be read as CSV: {exc} (read as far as line {rows.line_num})"
        raise ValidationError({"file": [Said(said, hint="look for a quote that is opened and not closed")]}) from exc
    return found


def delimiter(lines: io.StringIO) -> str:
    """What stands between the columns; `lines` are left where the header begins."""
    at, header = lines.tell(), lines.readline()
    if said := re.fullmatch(r'"?sep=(.)"?\s*', header, re.IGNORECASE):
        return said[1]
    lines.seek(at)
    return max(",;\t", key=header.count)


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
