"""The judgement of `python -m benchmarks.soak`, on looks that are written here; the load itself is `make soak`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from benchmarks.soak import Look, steady


def bad(looks: Iterable[Look]) -> list[str]:
    return [fact.name for fact in steady(list(looks)) if not fact.is_good]


def looks(memory: float = 0.0, descriptors: float = 0.0, age: float = 0.0) -> Iterable[Look]:
    """A hundred looks at one process that grows by so much with each of them, once it is warm."""
    for number in range(100):
        yield Look(
            memory={"web": 80 + memory * number + (30 if number > 20 else 0)},
            descriptors={"web": int(20 + descriptors * number)},
            queue_age=age * number,
        )


def test_what_grows_during_the_warm_up_only_is_steady() -> None:
    assert bad(looks()) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param({"memory": 0.2}, "MB of web", id="memory that leaks"),
        pytest.param({"descriptors": 0.2}, "descriptors of web", id="descriptors that leak"),
        pytest.param({"age": 0.2}, "queue age, s (median, most)", id="a queue that falls behind"),
    ],
)
def test_what_goes_on_growing_is_found(given: dict[str, float], name: str) -> None:
    assert bad(looks(**given)) == [name]
