"""Sockets that systemd hands over belong to one process, and to the half of it that serves."""

from __future__ import annotations

import os

import pytest

from adapter import handed


@pytest.mark.parametrize(
    ("pid", "count", "has"),
    [
        pytest.param(os.getpid(), "1", True, id="ours"),
        pytest.param(os.getpid(), "0", False, id="none"),
        pytest.param(1, "1", False, id="of another process, whose environment this one only inherited"),
        pytest.param(None, "1", False, id="nobody's"),
    ],
)
def test_a_socket_is_ours_when_systemd_says_so(
    monkeypatch: pytest.MonkeyPatch, pid: int | None, count: str, has: bool
) -> None:
    monkeypatch.delenv(handed.PID, raising=False)
    if pid is not None:
        monkeypatch.setenv(handed.PID, str(pid))
    monkeypatch.setenv(handed.COUNT, count)
    assert handed.has_socket() is has


@pytest.mark.parametrize(("of", "has"), [(4711, True), (4712, False)], ids=["the parent's", "somebody else's"])
def test_a_half_has_what_its_parent_was_given(monkeypatch: pytest.MonkeyPatch, of: int, has: bool) -> None:
    monkeypatch.setenv(handed.PID, str(of))
    monkeypatch.setenv(handed.COUNT, "1")
    handed.hand_on(4711)
    assert handed.has_socket() is has
