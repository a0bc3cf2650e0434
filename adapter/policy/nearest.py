"""Local presence: of the caller ids an agent may show, the one that looks nearest to the number that is called."""

from __future__ import annotations

from collections.abc import Sequence

from adapter import phone


def nearest(number: str, available: Sequence[str], *, home: str | None) -> str | None:
    """The caller id of the same country that shares the longest beginning with a number in E.164, as it is listed.

    Of equals the first; None when none is of that country. An id is read as a number of `home`, else as one with its
    country code; what is neither is passed over.
    """
    called = _read(number, None)
    if called is None or called.region is None:
        return None
    best, length = None, 0
    for listed in available:
        found = _read(listed, home) or _read(f"+{listed}", None)
        if found is None or found.region != called.region:
            continue
        shared = _shared(called.e164, found.e164)
        if shared > length:
            best, length = listed, shared
    return best


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _read(text: str, region: str | None) -> phone.Number | None:
    found = phone.read(text, phone.Rules(region=region, dial_as="e164", reject_types=frozenset()))
    return found if isinstance(found, phone.Number) else None
