"""What work costs, counted so that it is the same on every machine: calls, letters and bytes, never seconds."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

HANDLERS = ("start", "end", "characters", "other")
"""What the parsers of XML have expat call."""


@dataclass(kw_only=True)
class Work:
    """What a function gives, and how many calls and letters that takes.

    `calls` are those of functions, Python's and C's; `by_c` those of C's alone, by their names. `letters` are those
    of names, texts and attributes that expat writes for who hears it, each time anew.
    """

    given: Any = None
    calls: int = 0
    letters: int = 0
    by_c: Counter[str] = field(default_factory=Counter)

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        self.calls += event in ("call", "c_call")
        if event == "call" and frame.f_code.co_name in HANDLERS:
            self.letters += sum(_letters(value) for value in frame.f_locals.values())
        elif event == "c_call":
            self.by_c[argument.__name__] += 1


def counted(function: Callable[[], Any]) -> Work:
    """The work of a function."""
    work = Work()
    before = sys.getprofile()
    sys.setprofile(work.profile)
    try:
        work.given = function()
    finally:
        sys.setprofile(before)
    return work


def peak(function: Callable[[], Any]) -> int:
    """How many bytes of memory a function needs at most beyond what was there before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _letters(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(name) + len(text) for name, text in value.items())
    return len(value) if isinstance(value, str) else 0
