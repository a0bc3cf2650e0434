"""Variables that look like settings and are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter.mapping.problems import did_you_mean
from adapter.settings import TABLE

PREFIX = "ADAPTER_"


def warnings(environ: Mapping[str, str]) -> Iterator[str]:
    """A sentence for every variable with the adapter's prefix that is none; `NAME_FILE` is as good as `NAME`."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in TABLE and name.removesuffix("_FILE") not in TABLE:
            word = name.removeprefix(PREFIX).removesuffix("_FILE")
            meant = did_you_mean(word, (one.removeprefix(PREFIX) for one in TABLE if one.startswith(PREFIX)))
            remedy = meant.replace("did you mean ", f"; did you mean {PREFIX}")
            yield f"warning: {name} is no setting of the adapter{remedy}"
