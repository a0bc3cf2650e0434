"""What `doctor` says of one thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do where it is not well."""

    subject: str
    well: bool
    said: str
    remedy: str = ""


Findings = Iterator[Finding]
