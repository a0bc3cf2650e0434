"""A delivery that ended, made anew: its stored request once more through the mapping in force, after it was mended."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from adapter import mapping, written
from adapter.errors import Conflict, MappingError, PayloadError
from adapter.mapping import Result, difference
from adapter.mapping.terms import terms
from adapter.model import Delivery, Received, State
from adapter.policy import Numbers
from adapter.store import Store, Version

ENDED: tuple[State, ...] = ("failed", "refused", "expired", "suppressed")
"""Those that certainly did not happen."""
INSTEAD = "have the sender send it as a new event, or ask for it through the API"


def anew(delivery: Delivery, store: Store, folder: Path, numbers: Numbers, *, now: datetime) -> Delivery:
    """The delivery with what the mapping in force makes of its record, on the clock of its arrival.

    It keeps its id and its key, so that the event is still done once. Raises `Conflict` when it may not be sent again,
    when its request or mapping is gone, and when the record gives nothing now, another kind of action or another event.
    """
    if delivery.state not in ENDED:
        raise Conflict(f"the delivery is {delivery.state}: only {', '.join(ENDED)} ones are made anew")
    request = store.request(delivery.request_id)
    if request is None:
        raise Conflict(f"its request is not kept any more: {INSTEAD}")
    version = store.in_force().get(delivery.mapping)
    if version is None or not version.version:
        raise Conflict(f"no mapping {delivery.mapping} is in force: {INSTEAD}")
    loaded, result = _made(delivery, request, version, folder)
    if result.key != delivery.key and result.key != _key_then(delivery, request, store, folder):
        raise Conflict(
            "the mapping gives it another key now, so it would be another event: have the sender send it again"
        )
    assert result.action is not None  # `_made` gives no other
    hashes = numbers.hashes(result.number) if result.number else []
    return replace(
        delivery,
        version=loaded.version,
        rule=result.rule,
        tenant=loaded.tenant,
        action=result.action,
        if_unknown=result.if_unknown,
        terms=terms(loaded, result, hashes=hashes),
        due_at=now,
        expires_at=now + result.fresh_for,
    )


def _made(
    delivery: Delivery, request: ReadOnly[str, Any], version: Version, folder: Path
) -> tuple[mapping.Mapping, Result]:
    """What a version makes of the delivery's record, which is an action of the same kind; raises `Conflict`."""
    said = f"version {version.version} of {version.mapping}"
    received = Received(**{name: request[name] for name in ("method", "url", "headers", "body")})
    try:
        loaded = written.again(version, folder)
        made = difference.made(loaded, received, now=request["received_at"])
    except (MappingError, PayloadError) as exc:
        raise Conflict(f"{said} cannot read its request: {exc.reason}") from exc
    result = _of_record(delivery, request, made)
    if result.action is None:
        raise Conflict(f"{said} makes nothing of it: {result.reason}")
    if result.action.kind != delivery.action.kind:
        raise Conflict(f"{said} makes a {result.action.kind} of it, and it was a {delivery.action.kind}: {INSTEAD}")
    return loaded, result


def _of_record(delivery: Delivery, request: ReadOnly[str, Any], made: ReadOnly[int, Sequence[Result]]) -> Result:
    """The result of the delivery's own record by its own rule, or by the only one that takes it now."""
    notes = [note for note in request["results"] if note.get("delivery") == delivery.id and not note.get("duplicate")]
    there = made.get(notes[0]["record"], ()) if notes else ()
    same = [one for one in there if one.rule == delivery.rule]
    (only,) = same or (there if len(there) == 1 else [difference.ABSENT])
    return only


def _key_then(delivery: Delivery, request: ReadOnly[str, Any], store: Store, folder: Path) -> str:
    """The key by the version it came under; kept without its secrets, a request may give another than it had."""
    kept = [one for one in store.history(delivery.mapping) if one.version == delivery.version]
    return _made(delivery, request, kept[0], folder)[1].key if kept else delivery.key
