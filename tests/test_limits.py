"""So many a second for a name, ten seconds' worth at once, and never more memory than that takes."""

from __future__ import annotations

import pytest

from adapter import limits
from adapter.errors import TooMany
from adapter.limits import NO_LIMIT, SAVED_SECONDS, Limit, neighbourhood


class Clock:
    """Stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_may_bring_ten_seconds_worth_and_then_one_at_a_time() -> None:
    clock = Clock()
    limit = Limit(2, clock=clock)
    for _ in range(2 * SAVED_SECONDS):
        limit.take("a", "too many")
    with pytest.raises(TooMany) as told:
        limit.take("a", "too many")
    assert (told.value.reason, told.value.retry_after) == ("too many", 1)
    limit.take("b", "too many")  # another name has its own
    clock.now += 0.5
    limit.take("a", "too many")
    assert limit.wait("a") == pytest.approx(0.5)


def test_refused_ones_do_not_put_off_the_end() -> None:
    clock = Clock()
    limit = Limit(1, clock=clock)
    for _ in range(100):
        limit.count("a")
    assert limit.wait("a") == pytest.approx(1)


def test_nothing_is_limited_by_zero() -> None:
    for _ in range(1000):
        NO_LIMIT.take("a", "too many")
    assert NO_LIMIT.wait("a") == 0


def test_names_that_were_quiet_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_NAMES", 4)
    clock = Clock()
    limit = Limit(1, clock=clock)
    limit.count("quiet")
    clock.now += 2
    for name in "abcde":
        clock.now += 0.01
        for _ in range(SAVED_SECONDS):
            limit.count(name)
    assert limit.wait("e") > 0
    assert limit.wait("a") == 0, "too many at once: the oldest is let go"
    assert len(limit._used) <= 4


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_client_is_its_network(address: str, stands_for: str) -> None:
    assert neighbourhood(address) == stands_for
