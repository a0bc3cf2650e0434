"""The texts in a folder of mappings: read as far as anybody will want to, and nothing but files of it."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from stat import S_ISREG

from adapter.errors import MappingError
from adapter.mapping import complaints
from adapter.mapping.problems import Place, Problem
from adapter.mapping.text import MOST_BYTES

LARGEST_TABLE = 8 * 1024**2
"""Bytes of a lookup table; some hundred thousand lines."""


def text_of(path: Path) -> str:
    """The text of a mapping file; raises `MappingError`."""
    try:
        return start(path)
    except UnicodeDecodeError as exc:
        raise MappingError([complaints.not_utf8(path.read_bytes()[: 4 * MOST_BYTES])]) from exc
    except OSError as exc:
        raise MappingError([Problem(Place(1, 1), f"the file cannot be read: {exc.strerror}")]) from exc


def start(path: Path, errors: str = "strict") -> str:
    """A text file as far as anybody will want to read it: a larger one is refused for its size."""
    if path.is_fifo():  # whoever opens one waits for ever
        raise OSError(errno.EINVAL, "it is a pipe")
    with path.open(encoding="utf-8-sig", errors=errors) as file:
        return file.read(MOST_BYTES + 1)


def beside(folder: Path, name: str) -> str:
    """The text of a table beside a mapping; raises `OSError` for a name that could lead to any other file."""
    if not re.fullmatch(r"[^/\\:]+\.csv", name, re.IGNORECASE):
        raise OSError(errno.EPERM, "a table is a .csv file in the folder of the mapping, named without a path")
    if not S_ISREG((folder / name).stat().st_mode):  # whoever opens a pipe waits for ever
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    if (folder / name).stat().st_size > LARGEST_TABLE:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST_TABLE // 1024**2} MB")
    return (folder / name).read_text(encoding="utf-8")
