"""How far a sender's clock is off, from the time in its signature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapter import signature, sources
from adapter.model import Received

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
SECRET = "a secret of the tests"
PLAIN = Received(method="POST", url="https://hooks.example.com/hooks/x", headers={}, body=b"{}")
HUBSPOT, GITHUB = (signature.scheme(sources.presets()[name].verify) for name in ("hubspot-v3", "github"))


@pytest.mark.parametrize("seconds", [-30, 0, 90])
def test_it_is_what_lies_between_their_clock_and_ours(seconds: int) -> None:
    sent = signature.sign(HUBSPOT, SECRET, PLAIN, now=NOW - timedelta(seconds=seconds))
    assert signature.lateness(HUBSPOT, sent, now=NOW) == seconds


def test_it_is_not_known_when_a_signature_tells_no_time_or_an_unreadable_one() -> None:
    assert signature.lateness(GITHUB, signature.sign(GITHUB, SECRET, PLAIN, now=NOW), now=NOW) is None
    assert signature.lateness(HUBSPOT, PLAIN, now=NOW) is None
