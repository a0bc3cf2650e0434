"""Just enough HTTP to find where a message ends, for the load and for the pretend upstream."""

from __future__ import annotations

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


def end_of_message(buffer: bytes | bytearray) -> int:
    """How many bytes the first message of the buffer has; 0 while it is not complete."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return 0
    found = _LENGTH.search(buffer, 0, head + 2)
    end = head + 4 + (int(found[1]) if found else 0)
    return end if len(buffer) >= end else 0
