"""Calling hours that are read as they stand, and are perhaps not what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from adapter import hours
from adapter.mapping.compiled import Mapping
from adapter.mapping.problems import Said
from adapter.mapping.text import Where

WINTER = {"EST": "America/New_York", "MST": "America/Denver"}
"""Names of zones that know no summer time -> the place that is mostly meant."""


def winter_time(mapping: Mapping) -> Iterator[tuple[Where, Said]]:
    """A zone that stays an hour behind in summer."""
    if mapping.hours and (place := WINTER.get(mapping.hours.zone)):
        said = f"{mapping.hours.zone} knows no summer time: in summer the hours begin and end an hour late"
        yield ("hours", "zone"), Said(said, hint=f"write the zone of a place, like {place}")


def added_up(mapping: Mapping) -> Iterator[tuple[Where, Said]]:
    """The first day whose times lie within each other: the shorter were perhaps to count alone."""
    for day, times in hours.as_dict(mapping.hours)["open"].items() if mapping.hours else ():
        if hours.overlap(hours.spans(times)):
            said = f"the times of a day add up: on {day} it is open {times}"
            yield ("hours", "open"), Said(said, hint="name each day once, like mon-thu and fri", of_key=True)
            return
